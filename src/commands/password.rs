//! `iris-lab password`: a new password in every running instance. Only its hash leaves this host.

use super::here::Here;
use super::run::{lock, release, run};
use super::users::ANSWER;
use super::{again, credentials};
use crate::cli::PasswordArgs;
use crate::cluster::{Cluster, Lock};
use crate::engine::lock::HostLock;
use crate::engine::{Outcome, Session};
use crate::error::{Failure, Kind, Result};
use crate::exec::System;
use crate::lab::Lab;
use crate::lab::accounts::check_name;
use crate::lab::image::Image;
use crate::model::object::is_ready;
use crate::model::{Facts, ObjectRef};
use crate::paths::LabDir;
use crate::plan::{self, Password};
use crate::ui::{PasswordSummary, Ui};
use crate::workload::{self, CONTAINER, accounts, password};
use futures::future::join_all;

/// Sets a password.
pub async fn password(ui: &Ui, args: &PasswordArgs) -> Result<()> {
    if let Some(Err(why)) = args.user.as_deref().map(check_name) {
        return Err(Failure::usage("this is no name of an account").cause(why));
    }
    let here = Here::find(args.lab.name.as_deref())?;
    here.target()?;
    let task = format!("password {}", here.name);
    let _host = HostLock::take(&here.dir, &task)?;
    // Before anything in the cluster is held, which whoever is asked would keep from others.
    let given = given(ui, args, &here)?;
    let Some(cluster) = here.connect().await? else { return Err(here.does_not_run()) };
    let held = lock(&cluster, here.provider, &task).await?;
    let result = locked(ui, args, given, here, cluster, held.as_ref()).await;
    release(ui, held).await;
    result
}

/// The part that runs under the locks; a password that nobody has given is made.
async fn locked(
    ui: &Ui,
    args: &PasswordArgs,
    given: Option<String>,
    mut here: Here,
    cluster: Cluster,
    lock: Option<&Lock>,
) -> Result<()> {
    let facts = here.facts(Some(&cluster)).await?;
    let (lab, recorded) = here.recorded(&facts)?;
    let select = again::selector(&here.state, &here.name)?;
    let account = args.user.as_deref();
    credentials::settle(&here.dir, recorded, &lab)?;
    can_be_set(&here, &lab, &facts)?;
    let names = existing(&cluster, &lab, account).await?;
    // As the instances spell it.
    let account = account.and(names.first()).map(String::as_str);
    let text = given.map_or_else(|| password::generate(lab.spec.iris.password.length), Ok)?;
    for warning in warnings(&here.dir, &lab, &facts, &text, account) {
        ui.note(format!("warning: {warning}"));
    }
    let hash = password::new_hash(&text, workload::hash_form(&lab.spec.iris.image))?;
    credentials::prepare(&here.dir, account, &text, &mut here.journal)?;
    let file = credentials::next(&here.dir, account);
    let (provider, is_the_labs) = (here.provider, account.is_none());
    let (facts, accounts) = (&facts, &names);
    let plan =
        plan::set_password(&Password { lab: &lab, provider, facts, accounts, is_the_labs, hash: &hash, file: &file })?;
    let session = Session::new(&here.name, &here.state, here.journal, Some(cluster), lock, &System);
    let outcome = run(ui, &plan, &session, args.deadline.timeout).await;
    let seconds = outcome.elapsed.as_secs_f64();
    let user = account.map(|account| format!(" --user {account}")).unwrap_or_default();
    finish(outcome, &lab, &format!("iris-lab password{user}{select}"), &file.display().to_string())?;
    credentials::take_over(&here.dir, account, &hash, &lab)?;
    let summary = PasswordSummary {
        lab: here.name,
        simulated: here.provider.is_simulated(),
        accounts: names.clone(),
        pods: workload::pods(&lab),
        password_file: credentials::file(&here.dir, account).display().to_string(),
        seconds,
        select,
    };
    ui.result(|look| summary.text(look), &summary)
}

/// Every instance must run: one that does not would keep the password that it has.
fn can_be_set(here: &Here, lab: &Lab, facts: &Facts) -> Result<()> {
    let image = &lab.spec.iris.image;
    if Image::parse(image).is_ok_and(|image| !image.takes_actions()) {
        return Err(Failure::requirement("the instances of this image take no new password from outside")
            .cause(format!("{image} is older than 2021.1, and knows no actions in a merge file"))
            .hint("set it in the portal of each pod"));
    }
    let ready = |name: &String| facts.pods.iter().any(|pod| pod["metadata"]["name"] == name.as_str() && is_ready(pod));
    let missing: Vec<String> = workload::pods(lab).into_iter().filter(|name| !ready(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let up = &here.target()?.up;
    Err(Failure::requirement("not every instance runs; nothing was changed")
        .cause(format!(
            "not Ready: {}; an instance that does not run keeps the password that it has",
            missing.join(", ")
        ))
        .hint(format!("see why with `iris-lab status`, or bring the lab up with `{up}`")))
}

/// Whose password it is, as the instances spell it: the account that was named, which all of them must have, or else those of all who
/// share the lab's that there are. An instance that does not tell its accounts is believed to have them.
async fn existing(cluster: &Cluster, lab: &Lab, account: Option<&str>) -> Result<Vec<String>> {
    let told = join_all(workload::pods(lab).into_iter().map(|pod| told(cluster, lab, pod))).await;
    let told: Vec<(String, Vec<String>)> = told.into_iter().filter(|(_, names)| !names.is_empty()).collect();
    let spelled = |wanted: &str| {
        let mut all = told.iter().flat_map(|(_, names)| names);
        all.find(|name| name.eq_ignore_ascii_case(wanted)).cloned()
    };
    let Some(account) = account else {
        let sharing = accounts::sharing(lab);
        return Ok(if told.is_empty() { sharing } else { sharing.iter().filter_map(|name| spelled(name)).collect() });
    };
    let lacks = |names: &[String]| !names.iter().any(|name| name.eq_ignore_ascii_case(account));
    match told.iter().find(|(_, names)| lacks(names)) {
        Some((pod, names)) => Err(Failure::requirement(format!("there is no account {account} in {pod}"))
            .cause(format!("it has {}", names.join(", ")))),
        None => Ok(vec![spelled(account).unwrap_or_else(|| account.into())]),
    }
}

/// The accounts that an instance tells; none where it does not. Why it does not is told when the password is set there.
async fn told(cluster: &Cluster, lab: &Lab, pod: String) -> (String, Vec<String>) {
    let at = ObjectRef::new("v1", "Pod", Some(&lab.spec.iris.namespace), &pod);
    let questions = accounts::questions(true, None);
    let session = tokio::time::timeout(ANSWER, cluster.session(&at, CONTAINER, &questions)).await;
    let output = session.ok().and_then(Result::ok).unwrap_or_default();
    (pod, accounts::answers(&output).accounts.into_iter().map(|one| one.name).collect())
}

/// The new password: from the file, else what an earlier run began to set, else what is typed.
fn given(ui: &Ui, args: &PasswordArgs, here: &Here) -> Result<Option<String>> {
    if let Some(file) = &args.password_file {
        return credentials::first_line(file).map(Some);
    }
    if let Some(text) = credentials::prepared(&here.dir, args.user.as_deref())? {
        ui.note(
            "an earlier run did not come to its end: this one sets the same password (--password-file sets another)",
        );
        return Ok(Some(text));
    }
    let typed = ui.ask_secret("New password (none: one is made)", |text| match text {
        "" => Ok(()),
        text => password::check(text),
    })?;
    Ok(typed.filter(|text| !text.is_empty()))
}

fn warnings(dir: &LabDir, lab: &Lab, facts: &Facts, text: &str, account: Option<&str>) -> Vec<String> {
    let mut warnings = Vec::new();
    if text.eq_ignore_ascii_case(password::FACTORY) {
        warnings.push(format!("{text} is what every new IRIS has: anybody who reaches the portal may try it"));
    }
    let pods = workload::pods(lab);
    let mgr = format!("{}-", workload::CLAIM_TEMPLATES[0]);
    let names = facts.claims.iter().filter_map(|claim| claim["metadata"]["name"].as_str());
    for pod in names.filter_map(|name| name.strip_prefix(&mgr)).filter(|pod| !pods.iter().any(|name| name == pod)) {
        warnings
            .push(format!("the volumes of {pod} are kept without a pod: its instance keeps the password that it has"));
    }
    let own = accounts::sharing(lab).into_iter().filter(|name| account.is_none() && dir.password_of(name).exists());
    warnings.extend(own.map(|name| format!("{name} has a password of its own, and gets the lab's again")));
    if let Some(account) = account {
        warnings.push(format!("pods that come later do not know this password of {account}: set it again then"));
    }
    let file = lab.spec.iris.password.file.as_deref().filter(|_| account.is_none());
    if let Some(file) = file.filter(|file| credentials::first_line(file.as_ref()).ok().as_deref() != Some(text)) {
        warnings.push(format!(
            "{file}, which the lab names, has another password: it is read again after a reset, and by no `up` before"
        ));
    }
    warnings
}

/// Says which instances have which password, when not all have the new one.
fn finish(outcome: Outcome, lab: &Lab, again: &str, file: &str) -> Result<()> {
    if outcome.failures.is_empty() && !outcome.cancelled {
        return Ok(());
    }
    let (new, old): (Vec<String>, Vec<String>) = workload::pods(lab).into_iter().partition(|pod| outcome.did(pod));
    let mut failure = match outcome.cancelled {
        true => Failure::new(Kind::Cancelled, "cancelled"),
        false => Failure::step("not every instance has the new password"),
    };
    for (step, cause) in outcome.failures {
        failure.kind = if failure.kind == Kind::Cancelled { failure.kind } else { cause.kind };
        failure.causes.push(format!("{step}: {}", cause.message));
        failure.causes.extend(cause.causes);
        failure.hints.extend(cause.hints);
    }
    let names = |pods: &[String]| if pods.is_empty() { "none".into() } else { pods.join(", ") };
    failure.causes.push(format!(
        "with the new one: {}; with the old one, as far as is known: {}",
        names(&new),
        names(&old)
    ));
    Err(failure
        .hint(format!("mend the cause and run `{again}` again: it goes on with the same password, kept in {file}")))
}
