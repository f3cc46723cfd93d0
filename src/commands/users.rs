//! `iris-lab users`: who can log in where, as the instances say, or else as the lab was made.

use super::here::Here;
use super::{again, credentials};
use crate::cli::UsersArgs;
use crate::cluster::Cluster;
use crate::error::Result;
use crate::lab::Lab;
use crate::lab::accounts::is_of_iris;
use crate::model::object::is_ready;
use crate::model::status::portal_urls_of;
use crate::model::{Facts, ObjectRef};
use crate::paths::LabDir;
use crate::ui::{AccountRow, Ui, UsersReport};
use crate::workload::accounts::{self, Answers, PREDEFINED};
use crate::workload::{self, CONTAINER, HEADLESS_SERVICE, SUPERSERVER_PORT};
use futures::future::join_all;
use std::time::Duration;

/// How long an instance has for its answer.
pub(super) const ANSWER: Duration = Duration::from_secs(30);
/// The account of whoever runs a command in the container; it has no password.
const OWNER: &str = "irisowner";

/// Shows the accounts.
pub async fn users(ui: &Ui, args: &UsersArgs) -> Result<()> {
    let here = Here::find(args.lab.name.as_deref())?;
    here.target()?;
    let Some(cluster) = here.connect().await? else { return Err(here.does_not_run()) };
    let facts = here.facts(Some(&cluster)).await?;
    let (lab, hash) = here.recorded(&facts)?;
    let password_file = credentials::file_of(&here.dir, hash);
    let password = match password_file.as_deref() {
        Some(file) => Some(credentials::first_line(file.as_ref())?),
        None => None,
    };
    let answers = ask(&cluster, &lab, &facts, password.as_deref()).await;
    let mut notes = Vec::new();
    for (pod, answer) in &answers {
        if let Err(why) = answer {
            notes.push(format!("{pod} does not say: {why}"));
        }
    }
    if credentials::prepared(&here.dir, None)?.is_some() {
        notes.push("a new password is not in every instance yet: `iris-lab password` goes on with it".into());
    }
    let told: Vec<(&str, &Answers)> =
        answers.iter().filter_map(|(pod, answer)| Some((pod.as_str(), answer.as_ref().ok()?))).collect();
    let namespace = &lab.spec.iris.namespace;
    let address = |pod: &String| format!("{pod}.{HEADLESS_SERVICE}.{namespace}.svc:{SUPERSERVER_PORT}");
    let report = UsersReport {
        lab: here.name.clone(),
        simulated: here.provider.is_simulated(),
        read_from: told.iter().map(|(pod, _)| pod.to_string()).collect(),
        accounts: if told.is_empty() { of_lab(&lab, &here.dir) } else { of_instances(&told, &lab, &here.dir) },
        portal_urls: portal_urls_of(&facts),
        superservers: workload::pods(&lab).iter().map(address).collect(),
        password_file,
        password: password.filter(|_| args.show_password),
        notes,
        select: again::selector(&here.state, &here.name)?,
    };
    ui.result(|look| report.text(look), &report)
}

/// What each instance of the lab says, or why it says nothing.
async fn ask(
    cluster: &Cluster,
    lab: &Lab,
    facts: &Facts,
    password: Option<&str>,
) -> Vec<(String, std::result::Result<Answers, String>)> {
    let names = accounts::sharing(lab);
    let questions = &accounts::questions(true, password.map(|password| (names.as_slice(), password)));
    let one = |name: String| async move {
        let ready = facts.pods.iter().any(|pod| pod["metadata"]["name"] == name.as_str() && is_ready(pod));
        if !ready {
            return (name, Err("it is not Ready".into()));
        }
        let pod = ObjectRef::new("v1", "Pod", Some(&lab.spec.iris.namespace), &name);
        let session = tokio::time::timeout(ANSWER, cluster.session(&pod, CONTAINER, questions)).await;
        let answers = match session {
            Ok(Ok(output)) => accounts::answers(&output),
            Ok(Err(failure)) => return (name, Err(failure.to_string())),
            Err(_) => return (name, Err(format!("its session did not end within {} s", ANSWER.as_secs()))),
        };
        match answers.accounts.is_empty() {
            true => (name, Err("its session lists no accounts".into())),
            false => (name, Ok(answers)),
        }
    };
    join_all(workload::pods(lab).into_iter().map(one)).await
}

/// The accounts of all instances that answered. Each is a database of its own: what is not the same in all of them is said.
fn of_instances(told: &[(&str, &Answers)], lab: &Lab, dir: &LabDir) -> Vec<AccountRow> {
    let mut rows: Vec<AccountRow> = Vec::new();
    for (pod, answers) in told {
        for account in &answers.accounts {
            let tried = answers
                .tried
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(&account.name))
                .map(|(_, theirs)| *theirs);
            let row = AccountRow {
                name: account.name.clone(),
                enabled: Some(account.enabled),
                origin: origin(&account.name, lab).into(),
                password: password(&account.name, tried, account.must_change, lab, dir),
                pods: vec![pod.to_string()],
            };
            let same = |other: &AccountRow| AccountRow { pods: row.pods.clone(), ..other.clone() } == row;
            match rows.iter_mut().find(|other| same(other)) {
                Some(known) => known.pods.push(pod.to_string()),
                None => rows.push(row),
            }
        }
    }
    let known = |name: &str| PREDEFINED.iter().position(|one| *one == name).unwrap_or(PREDEFINED.len());
    rows.sort_by_key(|row| (known(&row.name), row.origin == "IRIS", row.name.to_lowercase()));
    rows
}

/// The accounts that the lab itself knows of.
fn of_lab(lab: &Lab, dir: &LabDir) -> Vec<AccountRow> {
    let names = PREDEFINED.into_iter().chain(lab.created_users());
    let row = |name: &str| AccountRow {
        name: name.into(),
        enabled: None,
        origin: origin(name, lab).into(),
        password: password(name, None, false, lab, dir),
        pods: Vec::new(),
    };
    names.map(row).collect()
}

/// Who made an account.
fn origin(name: &str, lab: &Lab) -> &'static str {
    if is_of_iris(name) {
        "IRIS"
    } else if lab.created_users().iter().any(|made| made.eq_ignore_ascii_case(name)) {
        "the lab"
    } else {
        "its image, or by hand"
    }
}

/// Which password an account has, as far as it can be told.
fn password(name: &str, tried: Option<bool>, must_change: bool, lab: &Lab, dir: &LabDir) -> String {
    let own = dir.password_of(name);
    let text = match tried {
        Some(true) => "the lab's".to_string(),
        Some(false) if own.exists() => format!("its own, set from here: in {}", own.display()),
        Some(false) => "another one than the lab's".into(),
        None if name == OWNER => return "none: `iris-lab session` needs none".into(),
        None if own.exists() => format!("its own, set from here: in {}", own.display()),
        None if accounts::sharing(lab).iter().any(|sharing| sharing.eq_ignore_ascii_case(name)) => {
            "the lab's, not tried".into()
        }
        None if origin(name, lab) == "the lab" => "by its hash in the lab".into(),
        None => "its own".into(),
    };
    if must_change { format!("{text}, to be changed at the first login") } else { text }
}
