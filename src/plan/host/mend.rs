//! The plan of `doctor --fix`: the commands of every check that has some, one check after the other, since most of them lock the
//! packages of the system.

use crate::model::{Action, Check, Plan, Step, Verb};
use crate::provider::{Provider, word};
use std::time::Duration;

/// Downloads may be slow.
const TIMEOUT: Duration = Duration::from_secs(600);

/// A step for each check that can be mended.
pub fn mend(lab: &str, provider: &dyn Provider, checks: &[Check]) -> Plan {
    let mut steps: Vec<Step> = Vec::new();
    let mut known = Vec::new();
    for check in checks.iter().filter(|check| !check.mend.is_empty()) {
        let commands: Vec<_> = check.mend.iter().filter(|cmd| !known.contains(*cmd)).cloned().collect();
        known.extend(commands.clone());
        if commands.is_empty() {
            continue;
        }
        let id = check.name.to_lowercase().replace([' ', ','], "-");
        let title = format!("Mend {}", check.name);
        let before: Vec<String> = steps.last().map(|step| step.id.clone()).into_iter().collect();
        let mut step = Step::new(id, title, TIMEOUT, Action::Run { unless: None, commands }).after(before);
        // Each goes its own way: the one before only has to be over.
        step.strict = false;
        steps.push(step);
    }
    let provider_word = word(provider.name()).into();
    Plan {
        verb: Verb::Doctor,
        lab: lab.into(),
        provider: provider_word,
        simulated: provider.is_simulated(),
        namespace: None,
        steps,
    }
}
