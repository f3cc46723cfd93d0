//! A plan as shell text, to be read as a tutorial and pasted step by step: what each step would do with the tools that people use.

mod action;
mod object;
mod wait;

use super::cmd::quoted;
use super::plan::{Action, Plan, Step};
use serde_json::Value;

/// How many lines of YAML a reader is shown before the text points to `iris-lab render`.
const MOST_YAML: usize = 50;

/// What the text is made with.
pub struct Shell<'a> {
    /// Writes objects as YAML documents.
    pub yaml: &'a dyn Fn(&[Value]) -> String,
    /// The command that prints the YAML of the same lab, such as `iris-lab render --longhorn`; a step is named after it. None
    /// where there is no such command, and all YAML is shown.
    pub render: Option<&'a str>,
}

impl Shell<'_> {
    /// The plan.
    pub fn text(&self, plan: &Plan) -> String {
        let mut text = head(plan);
        if plan.steps.iter().any(is_open) && !plan.steps.iter().any(makes_kubeconfig) {
            text += &format!("export KUBECONFIG=\"$(iris-lab kubeconfig --name {})\"\n", quoted(&plan.lab));
        }
        for (number, step) in plan.steps.iter().enumerate() {
            text += &format!("\n{}", self.step(plan, number + 1, step));
        }
        text
    }

    fn step(&self, plan: &Plan, number: usize, step: &Step) -> String {
        let mut text = comment(&format!("{number}. {} [{}]", step.title, step.id));
        let after = match step.needs.is_empty() {
            true => String::new(),
            false => format!("after {}; ", step.needs.join(", ")),
        };
        text += &comment(&format!("{after}within {}", humantime::format_duration(step.timeout)));
        text + &match &step.satisfied {
            Some(why) => comment(&format!("nothing to do: {why}")),
            None => self.action(plan, step),
        }
    }
}

fn is_open(step: &Step) -> bool {
    step.satisfied.is_none()
}

/// Whether it leaves a kubeconfig that the steps after it use.
fn makes_kubeconfig(step: &Step) -> bool {
    let makes =
        matches!(step.action, Action::StartSim(_) | Action::WriteKubeconfig { .. } | Action::TakeKubeconfig { .. });
    makes && is_open(step)
}

fn head(plan: &Plan) -> String {
    let simulated = if plan.simulated { "Simulated: nothing real is made.\n" } else { "" };
    let text = format!(
        "What `iris-lab {} {}` does, by hand, with the provider {}.\n{simulated}\n\
         iris-lab looks before each step whether it is needed, runs steps beside each other where they do\n\
         not need one another, gives up at a step's deadline, and writes down for `reset` what it makes on\n\
         this host. The lines below do none of that: Ctrl-C ends a loop that waits in vain. Paste them step\n\
         by step, or keep them in a file and run it whole with `sh -eu FILE`.\n",
        plan.verb.name(),
        plan.lab,
        plan.provider,
    );
    format!("{}umask 077\n", text.split_terminator('\n').map(comment).collect::<String>())
}

/// One line of comment: nothing in it can become a command.
fn comment(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("# {line}").trim_end().to_string() + "\n"
}
