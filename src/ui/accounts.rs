//! What a person reads of the accounts of a lab: the list of `users`, the end of `password`.

use super::look::Look;
use super::summary::{head_line, named, next};
use super::table::{Table, fields, wrap};
use serde::Serialize;

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountRow {
    /// Its name.
    pub name: String,
    /// Whether it may log in; none where no instance says it.
    pub enabled: Option<bool>,
    /// Who made it.
    pub origin: String,
    /// Which password it has, in words.
    pub password: String,
    /// The pods in which it is so; none where no instance says it.
    pub pods: Vec<String>,
}

/// The accounts of a lab, and the ways in.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UsersReport {
    /// The lab's name.
    pub lab: String,
    /// Whether the cluster is simulated.
    pub simulated: bool,
    /// The pods whose instances told it; none: it is what the lab was made with.
    pub read_from: Vec<String>,
    /// The accounts.
    pub accounts: Vec<AccountRow>,
    /// URLs of the management portal.
    pub portal_urls: Vec<String>,
    /// Superservers, by their names in the cluster.
    pub superservers: Vec<String>,
    /// Where the lab's password is, if this host has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<String>,
    /// The lab's password, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// What is worth knowing.
    pub notes: Vec<String>,
    /// What commands need to find this lab among several, such as ` --name demo`.
    #[serde(skip)]
    pub select: String,
}

/// The end of `password`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordSummary {
    /// The lab's name.
    pub lab: String,
    /// Whether the cluster is simulated.
    pub simulated: bool,
    /// The accounts.
    pub accounts: Vec<String>,
    /// The pods whose instances have it.
    pub pods: Vec<String>,
    /// Where it is on this host.
    pub password_file: String,
    /// How long it took.
    pub seconds: f64,
    /// What commands need to find this lab among several, such as ` --name demo`.
    #[serde(skip)]
    pub select: String,
}

impl UsersReport {
    /// For people.
    pub fn text(&self, look: &Look) -> String {
        let from = match self.read_from.as_slice() {
            [] => "as the lab was made, because no instance tells its own".to_string(),
            pods => format!("as {} tell", pods.join(" and ")),
        };
        let simulated = if self.simulated { ", simulated" } else { "" };
        let mut text = format!("{}, {from}{simulated}\n\n", look.bold(&format!("Accounts of lab {}", self.lab)));
        // A column that says the same everywhere says nothing.
        let differ = self.accounts.iter().any(|row| row.pods != self.read_from);
        let titles = ["ACCOUNT", "ENABLED", "MADE BY", "PASSWORD", "IN"];
        let mut table = Table::new(&titles[..if differ { 5 } else { 4 }]);
        for row in &self.accounts {
            let enabled = row.enabled.map(|enabled| if enabled { "yes" } else { "no" }).unwrap_or_default();
            let cells = [row.name.clone(), enabled.into(), row.origin.clone(), row.password.clone()];
            table.row(cells.into_iter().chain(differ.then(|| row.pods.join(", "))));
        }
        text += &table.text(2);
        let mut rows = named("Portal", &self.portal_urls);
        rows.extend(named("Superserver", &self.superservers));
        rows.push(("Terminal", format!("`iris-lab session{}`, without a password", self.select)));
        rows.push((
            "Password",
            match (&self.password, &self.password_file) {
                (Some(password), _) => password.clone(),
                (None, Some(file)) => format!("in {file}"),
                (None, None) => "not on this host: another one made it".into(),
            },
        ));
        text += &format!("\n{}", fields(&rows, 2));
        let notes = self.notes.iter().map(|note| wrap(&format!("{} {note}", look.yellow("note:")), look.width, 0));
        let notes: String = notes.collect();
        if notes.is_empty() { text } else { format!("{text}\n{notes}") }
    }
}

impl PasswordSummary {
    /// For people.
    pub fn text(&self, look: &Look) -> String {
        let head = format!("The password of {} is set", self.accounts.join(", "));
        let rows = [("Password", format!("in {}", self.password_file)), ("Set in", self.pods.join(", "))].to_vec();
        let users = format!("iris-lab users{}", self.select);
        format!(
            "{}\n\n{}{}",
            head_line(&head, self.seconds, look),
            fields(&rows, 2),
            next(&[(&users, "Show who can log in where")], look)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, enabled: Option<bool>, password: &str, pods: &[&str]) -> AccountRow {
        let pods = pods.iter().map(|pod| pod.to_string()).collect();
        AccountRow { name: name.into(), enabled, origin: "IRIS".into(), password: password.into(), pods }
    }

    fn report() -> UsersReport {
        UsersReport {
            lab: "two-pod".into(),
            read_from: vec!["data-0".into(), "data-1".into()],
            accounts: vec![
                row("SuperUser", Some(true), "the lab's", &["data-0", "data-1"]),
                row("IAM", Some(false), "its own", &["data-0", "data-1"]),
            ],
            portal_urls: vec!["http://10.0.0.1:52773/csp/sys/UtilHome.csp".into()],
            superservers: vec!["data-0.iris.iris-lab.svc:1972".into()],
            password_file: Some("/state/two-pod/password".into()),
            ..UsersReport::default()
        }
    }

    #[test]
    fn who_can_log_in_where() {
        assert_eq!(
            report().text(&Look::plain()),
            "\
Accounts of lab two-pod, as data-0 and data-1 tell

  ACCOUNT     ENABLED   MADE BY   PASSWORD
  SuperUser   yes       IRIS      the lab's
  IAM         no        IRIS      its own

  Portal       http://10.0.0.1:52773/csp/sys/UtilHome.csp
  Superserver  data-0.iris.iris-lab.svc:1972
  Terminal     `iris-lab session`, without a password
  Password     in /state/two-pod/password
"
        );
    }

    #[test]
    fn what_differs_from_pod_to_pod_is_told_and_the_password_only_when_asked_for() {
        let mut report = report();
        report.accounts.push(row("SuperUser", Some(true), "another one than the lab's", &["data-1"]));
        assert!(report.text(&Look::plain()).contains("another one than the lab's   data-1\n"));
        assert!(serde_json::to_value(&report).unwrap()["password"].is_null());
        report.password = Some("correct horse".into());
        assert!(report.text(&Look::plain()).contains("  Password     correct horse\n"));
    }
}
