//! What a person reads at the end of `resize`.

use super::look::Look;
use super::summary::{head_line, named, next};
use super::table::fields;
use serde::Serialize;

/// The end of `resize`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResizeSummary {
    /// The lab's name.
    pub lab: String,
    /// Whether the cluster is simulated.
    pub simulated: bool,
    /// The size that the volumes have.
    pub size: String,
    /// Names of their claims.
    pub volumes: Vec<String>,
    /// Whether the lab has pods, which see it.
    pub up: bool,
    /// Steps that changed something.
    pub changed: usize,
    /// How long it took.
    pub seconds: f64,
    /// What the next commands need to find this lab among several, such as ` --name demo`.
    #[serde(skip)]
    pub select: String,
}

impl ResizeSummary {
    /// For people.
    pub fn text(&self, look: &Look) -> String {
        let head = match self.changed {
            0 => format!("The volumes have {} already, nothing was to be done", self.size),
            _ => format!("The volumes of lab {} have {}", self.lab, self.size),
        };
        let mut rows = named("Volumes", &self.volumes);
        if !self.up {
            rows.push(("Pods", "none: the file systems follow when there are any".into()));
        }
        let status = format!("iris-lab status{}", self.select);
        format!(
            "{}\n\n{}{}",
            head_line(&head, self.seconds, look),
            fields(&rows, 2),
            next(&[(&status, "Show what runs and whether it is healthy")], look)
        )
    }
}
