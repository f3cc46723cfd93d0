//! The plan of `password`: the hash in every running instance, and only then in the settings that new ones start with.

use super::up::{apply, record};
use crate::addon::RECORDED;
use crate::error::Result;
use crate::lab::Lab;
use crate::model::object::labelled;
use crate::model::{Action, Facts, ObjectRef, Plan, Step, Verb};
use crate::provider::{Provider, word};
use crate::workload;
use std::path::Path;
use std::time::Duration;

const SET_TIMEOUT: Duration = Duration::from_secs(90);

/// A new password, by its hash.
pub struct Password<'a> {
    /// The lab as it was brought up.
    pub lab: &'a Lab,
    /// Its provider.
    pub provider: &'a dyn Provider,
    /// What was seen of it.
    pub facts: &'a Facts,
    /// Whose password it is.
    pub accounts: &'a [String],
    /// Whether it is the lab's own, which pods to come get, too.
    pub is_the_labs: bool,
    /// The hash.
    pub hash: &'a str,
    /// The file on this host with the password.
    pub file: &'a Path,
}

/// The plan. A failure in one instance does not keep it from the others; the settings follow only when all have it.
pub fn set_password(wanted: &Password) -> Result<Plan> {
    let Password { lab, provider, facts, accounts, is_the_labs, hash, file } = *wanted;
    let namespace = lab.spec.iris.namespace.as_str();
    let mut steps: Vec<Step> = workload::pods(lab)
        .into_iter()
        .map(|pod| {
            let (title, pod_ref) =
                (format!("Set the password in {pod}"), ObjectRef::new("v1", "Pod", Some(namespace), &pod));
            let accounts = accounts.to_vec();
            let action = Action::SetPassword { pod: pod_ref, accounts, hash: hash.into(), file: file.into() };
            Step::new(pod, title, SET_TIMEOUT, action)
        })
        .collect();
    if is_the_labs {
        let mut settings = vec![record(lab, provider, hash)?];
        let objects = workload::objects(lab, None, hash).into_iter();
        settings.extend(objects.filter(|object| object["kind"] == "ConfigMap"));
        let pods: Vec<String> = steps.iter().map(|step| step.id.clone()).collect();
        let settings = labelled(settings, &lab.metadata.name);
        steps.push(apply(RECORDED, "Give its hash to the pods to come", settings, facts).after(pods));
    }
    Ok(Plan {
        verb: Verb::Password,
        lab: lab.metadata.name.clone(),
        namespace: None,
        provider: word(provider.name()).into(),
        simulated: provider.is_simulated(),
        steps,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider;

    fn plan(account: &str, is_the_labs: bool) -> Plan {
        let (provider, file) = (provider::named("sim").unwrap(), Path::new("/state/two-pod/password.next"));
        let (lab, facts, accounts) = (&Lab::default(), &Facts::default(), &[account.into()]);
        set_password(&Password { lab, provider, facts, accounts, is_the_labs, hash: "h,s", file }).unwrap()
    }

    #[test]
    fn every_instance_has_it_before_the_settings_do() {
        let plan = plan("SuperUser", true);
        let ids: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
        assert_eq!(ids, ["data-0", "data-1", RECORDED]);
        assert!(plan.goes_on() && plan.steps[2].strict && plan.steps[2].needs == ["data-0", "data-1"]);
        let Action::Apply { objects } = &plan.steps[2].action else { panic!("{:?}", plan.steps[2]) };
        assert_eq!(workload::password_hash(&objects[1]).as_deref(), Some("h,s"));
        assert_eq!(objects[0]["data"][super::super::RECORD_HASH], "h,s");
    }

    #[test]
    fn another_account_has_nothing_to_do_with_the_labs_settings() {
        let plan = plan("appuser", false);
        assert_eq!(plan.steps.len(), 2);
        let Action::SetPassword { accounts, .. } = &plan.steps[0].action else { panic!("{:?}", plan.steps[0]) };
        assert_eq!(accounts, &["appuser"]);
    }
}
