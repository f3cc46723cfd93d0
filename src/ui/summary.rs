//! What a person reads at the end of `up`, `down` and `reset`; the same as a document.

use super::look::{Look, elapsed};
use super::table::{fields, wrap};
use serde::Serialize;
use std::time::Duration;

/// Removed objects of one kind that get a line each.
const MOST_OF_A_KIND: usize = 6;

/// The end of `up`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpSummary {
    /// The lab's name.
    pub lab: String,
    /// The provider's name.
    pub provider: String,
    /// Whether the cluster is simulated.
    pub simulated: bool,
    /// The namespace.
    pub namespace: String,
    /// Longhorn, where the lab has it: its version, how many copies a volume has, and where that was proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longhorn: Option<String>,
    /// Names of the pods.
    pub pods: Vec<String>,
    /// URLs of the management portal.
    pub portal_urls: Vec<String>,
    /// Accounts that log in with the lab's password.
    pub users: Vec<String>,
    /// Where their password is, if we made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<String>,
    /// Our kubeconfig.
    pub kubeconfig: String,
    /// Steps that changed something.
    pub changed: usize,
    /// Steps with nothing to do.
    pub unchanged: usize,
    /// Requests to the API server.
    pub requests: usize,
    /// How long it took.
    pub seconds: f64,
    /// What the next commands need to find this lab among several, such as ` --name demo`.
    #[serde(skip)]
    pub select: String,
}

/// The end of `down`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DownSummary {
    /// The lab's name.
    pub lab: String,
    /// Whether the cluster is simulated.
    pub simulated: bool,
    /// What was removed, such as `StatefulSet iris-lab/data`.
    pub removed: Vec<String>,
    /// Names of the claims whose volumes are kept.
    pub kept: Vec<String>,
    /// How long it took.
    pub seconds: f64,
    /// The command that brings the lab up again.
    #[serde(skip)]
    pub up: String,
    /// What the next commands need to find this lab among several, such as ` --name demo`.
    #[serde(skip)]
    pub select: String,
}

/// The end of `stop` and `start`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PauseSummary {
    /// The lab's name.
    pub lab: String,
    /// Whether its cluster is stopped now; it runs otherwise.
    pub stopped: bool,
    /// Steps that changed something.
    pub changed: usize,
    /// How long it took.
    pub seconds: f64,
    /// What the next commands need to find this lab among several, such as ` --name demo`.
    #[serde(skip)]
    pub select: String,
}

/// The end of `reset`, when nothing is left.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResetSummary {
    /// The lab's name; none when there was no lab.
    pub lab: Option<String>,
    /// Whether the cluster was simulated.
    pub simulated: bool,
    /// What was removed, such as `Namespace iris-lab` or a file's path.
    pub removed: Vec<String>,
    /// What stays, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
    /// Where we looked, in words: each was found empty.
    pub looked_at: Vec<String>,
    /// Where something may be left that we cannot see.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_looked_at: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

/// The end of `unstick`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnstickSummary {
    /// The namespace.
    pub namespace: String,
    /// Why there was nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nothing_to_do: Option<String>,
    /// What was removed, such as `Namespace longhorn-system`.
    pub removed: Vec<String>,
    /// Where something may be left that we cannot see.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_looked_at: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

impl UpSummary {
    /// For people.
    pub fn text(&self, look: &Look) -> String {
        let head = match self.changed {
            0 => format!("Lab {} was up already, nothing was to be done", self.lab),
            _ => format!("Lab {} is up", self.lab),
        };
        let mut rows = vec![
            ("Provider", self.provider.clone()),
            ("Pods", format!("{} in namespace {}", self.pods.join(", "), self.namespace)),
        ];
        rows.extend(self.longhorn.iter().map(|longhorn| ("Longhorn", longhorn.clone())));
        rows.extend(named("Portal", &self.portal_urls));
        rows.push(("Users", self.users.join(", ")));
        rows.extend(self.password_file.iter().map(|file| ("Password", format!("in {file}"))));
        rows.push(("Kubeconfig", self.kubeconfig.clone()));
        let banner = "Simulated: nothing real was made, and no IRIS answers at the portal's address";
        format!(
            "{}\n\n{}{}{}",
            head_line(&head, self.seconds, look),
            fields(&rows, 2),
            if self.simulated {
                format!("\n{}\n", look.yellow(wrap(banner, look.width, 0).trim_end()))
            } else {
                String::new()
            },
            next(
                &[
                    (&format!("iris-lab session{}", self.select), "Open a prompt of IRIS in a pod"),
                    (&format!("iris-lab down{}", self.select), "Remove the pods, keep their data"),
                ],
                look
            ),
        )
    }
}

impl DownSummary {
    /// For people.
    pub fn text(&self, look: &Look) -> String {
        let head = match self.removed.len() {
            0 => format!("Lab {} was down already, nothing was to be done", self.lab),
            1 => format!("Lab {} is down, 1 object removed", self.lab),
            count => format!("Lab {} is down, {count} objects removed", self.lab),
        };
        let kept = if self.kept.is_empty() {
            "No volumes are left".to_string()
        } else {
            format!("The volumes are kept: {}", self.kept.join(", "))
        };
        let up = if self.kept.is_empty() { "Bring it up again, empty" } else { "Bring it up again, with its data" };
        format!(
            "{}\n{}{}",
            head_line(&head, self.seconds, look),
            wrap(&kept, look.width, 0),
            next(&[(&self.up, up), (&format!("iris-lab reset{}", self.select), "Remove every trace of the lab")], look),
        )
    }
}

impl ResetSummary {
    /// For people.
    pub fn text(&self, look: &Look) -> String {
        let head = match (&self.lab, self.removed.len()) {
            (None, 0) => return self.nothing(look),
            (None, _) => "What was kept for the next lab is removed".into(),
            (Some(lab), 0) => format!("Nothing of lab {lab} was there"),
            (Some(lab), _) => format!("Nothing is left of lab {lab}"),
        };
        let mut rows = named("Removed", &folded(&self.removed));
        rows.extend(named("Kept", &self.kept));
        rows.extend(named("Looked at", &self.looked_at));
        rows.extend(named("Not looked at", &self.not_looked_at));
        format!("{}\n\n{}", head_line(&head, self.seconds, look), fields(&rows, 2))
    }
}

impl ResetSummary {
    fn nothing(&self, look: &Look) -> String {
        let kept = self.kept.iter().map(|line| wrap(&format!("Kept: {line}"), look.width, 0));
        ["There is no lab: nothing is to be removed\n".to_string()].into_iter().chain(kept).collect()
    }
}

impl PauseSummary {
    /// For people.
    pub fn text(&self, look: &Look) -> String {
        let (lab, select) = (&self.lab, &self.select);
        let was = if self.changed == 0 { " already, nothing was to be done" } else { "" };
        let (head, line, next_one) = match self.stopped {
            true => (
                format!("Lab {lab} is stopped{was}"),
                "Its volumes and all that is in its cluster are kept\n",
                (format!("iris-lab start{select}"), "Start it again"),
            ),
            false => (
                format!("Lab {lab} runs{was}"),
                "",
                (format!("iris-lab status{select}"), "Show what runs and whether it is healthy"),
            ),
        };
        format!("{}\n{line}{}", head_line(&head, self.seconds, look), next(&[(&next_one.0, next_one.1)], look))
    }
}

impl UnstickSummary {
    /// For people.
    pub fn text(&self, look: &Look) -> String {
        if let Some(why) = &self.nothing_to_do {
            return format!("Nothing to do: {why}");
        }
        let head = format!("The namespace {} is gone", self.namespace);
        let mut rows = named("Removed", &folded(&self.removed));
        rows.extend(named("Not looked at", &self.not_looked_at));
        format!("{}\n\n{}", head_line(&head, self.seconds, look), fields(&rows, 2))
    }
}

pub(super) fn head_line(head: &str, seconds: f64, look: &Look) -> String {
    let time = elapsed(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    format!("{} ({time})", look.bold(head))
}

pub(super) fn named<'a>(name: &'a str, values: &[String]) -> Vec<(&'a str, String)> {
    values.iter().enumerate().map(|(number, value)| (if number == 0 { name } else { "" }, value.clone())).collect()
}

/// Each object on a line of its own, and many of one kind on one line.
fn folded(objects: &[String]) -> Vec<String> {
    let kind = |object: &String| object.split_once(' ').map(|(kind, _)| kind.to_owned());
    let mut lines: Vec<String> = Vec::new();
    for group in objects.chunk_by(|a, b| kind(a).is_some() && kind(a) == kind(b)) {
        match (group[0].split_once(' '), group[group.len() - 1].split_once(' ')) {
            (Some((kind, first)), Some((_, last))) if group.len() > MOST_OF_A_KIND => {
                lines.push(format!("{} {kind}s, {first} to {last}", group.len()));
            }
            _ => lines.extend_from_slice(group),
        }
    }
    lines
}

pub(super) fn next(commands: &[(&str, &str)], look: &Look) -> String {
    let rows: Vec<_> = commands.iter().map(|(command, about)| (*command, look.dim(about))).collect();
    format!("\nNext:\n{}", fields(&rows, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_ends_with_what_a_newcomer_needs() {
        let summary = UpSummary {
            lab: "two-pod".into(),
            provider: "sim".into(),
            simulated: true,
            namespace: "iris-lab".into(),
            longhorn: Some("1.2.6, 1 copy of each volume".into()),
            pods: vec!["data-0".into(), "data-1".into()],
            portal_urls: vec!["http://10.0.0.240:52773/csp/sys/UtilHome.csp".into()],
            users: vec!["SuperUser".into(), "_SYSTEM".into()],
            password_file: Some("/state/two-pod/password".into()),
            kubeconfig: "/state/two-pod/kubeconfig".into(),
            changed: 7,
            unchanged: 2,
            requests: 40,
            seconds: 41.3,
            select: String::new(),
        };
        assert_eq!(
            summary.text(&Look::plain()),
            "\
Lab two-pod is up (41s)

  Provider    sim
  Pods        data-0, data-1 in namespace iris-lab
  Longhorn    1.2.6, 1 copy of each volume
  Portal      http://10.0.0.240:52773/csp/sys/UtilHome.csp
  Users       SuperUser, _SYSTEM
  Password    in /state/two-pod/password
  Kubeconfig  /state/two-pod/kubeconfig

Simulated: nothing real was made, and no IRIS answers at the portal's address

Next:
  iris-lab session  Open a prompt of IRIS in a pod
  iris-lab down     Remove the pods, keep their data
"
        );
        assert!(UpSummary { changed: 0, ..summary }.text(&Look::plain()).contains("was up already"));
    }

    #[test]
    fn down_says_what_is_kept() {
        let summary = DownSummary {
            lab: "two-pod".into(),
            removed: vec!["StatefulSet iris-lab/data".into()],
            kept: vec!["dbv-mgr-data-0".into()],
            seconds: 3.0,
            ..DownSummary::default()
        };
        let text = summary.text(&Look::plain());
        assert!(
            text.starts_with("Lab two-pod is down, 1 object removed (3.0s)\nThe volumes are kept: dbv-mgr-data-0\n")
        );
    }

    #[test]
    fn reset_shows_where_it_looked() {
        let summary = ResetSummary {
            lab: Some("two-pod".into()),
            removed: vec!["Namespace iris-lab".into()],
            looked_at: vec!["objects with the label".into(), "the journal".into()],
            seconds: 3.0,
            ..ResetSummary::default()
        };
        assert_eq!(
            summary.text(&Look::plain()),
            "Nothing is left of lab two-pod (3.0s)\n\n  Removed    Namespace iris-lab\n  Looked at  objects with the \
             label\n             the journal\n"
        );
    }

    #[test]
    fn many_objects_of_a_kind_are_one_line() {
        let pods: Vec<String> = (0..7).map(|number| format!("Pod x/p-{number}")).collect();
        let all = [vec!["Namespace x".to_string()], pods, vec!["/state/two-pod".to_string()]].concat();
        assert_eq!(folded(&all), ["Namespace x", "7 Pods, x/p-0 to x/p-6", "/state/two-pod"]);
        assert_eq!(folded(&all[..7]), all[..7]);
    }
}
