//! Forwarded pages as text: where they are, how each stands, and how to log in.

use super::look::{Look, Mark};
use super::table::fields;
use serde::Serialize;

/// One forwarded page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PortalPage {
    /// The pod, or `Longhorn`.
    pub name: String,
    /// Where it is on this host.
    pub url: String,
    /// Whether it answers.
    pub ready: bool,
    /// What is in the way; empty when it answers.
    pub why: String,
    /// Who can log in; empty where nobody has to.
    pub users: Vec<String>,
    /// The file on this host with their password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_file: Option<String>,
}

/// All pages, at the beginning.
pub fn portal_text(lab: &str, pages: &[PortalPage], simulated: bool, look: &Look) -> String {
    let width = pages.iter().map(|page| page.name.len()).max().unwrap_or_default();
    let addresses = pages.iter().map(|page| page.url.len()).max().unwrap_or_default();
    let mut text = look.bold(&format!("Forwarding to lab {lab} until Ctrl-C")) + "\n\n";
    for page in pages {
        let state = if page.ready { "ready".into() } else { format!("waiting: {}", page.why) };
        let mark = look.mark(if page.ready { Mark::Good } else { Mark::Waiting });
        text += format!("{mark} {:width$}  {:addresses$}  {state}", page.name, page.url).trim_end();
        text.push('\n');
    }
    if let Some(page) = pages.iter().find(|page| !page.users.is_empty()) {
        let mut rows = vec![("Users", page.users.join(", "))];
        rows.extend(page.password_file.iter().map(|file| ("Password", format!("in {file}"))));
        text += &format!("\n{}", fields(&rows, 2));
    }
    if simulated {
        text += &format!("\n{}\n", look.yellow("Simulated: no IRIS runs, and the pages only say so"));
    }
    text + "\n"
}

/// One page, when its state has changed.
pub fn portal_line(page: &PortalPage, look: &Look) -> String {
    match page.ready {
        true => format!("{} {}: ready, {}\n", look.mark(Mark::Good), page.name, page.url),
        false => format!("{} {}: waiting: {}\n", look.mark(Mark::Waiting), page.name, page.why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_their_state_and_how_to_log_in() {
        let page = |name: &str, url: &str, why: &str, users: &[&str]| PortalPage {
            name: name.into(),
            url: url.into(),
            ready: why.is_empty(),
            why: why.into(),
            users: users.iter().map(|user| (*user).into()).collect(),
            password_file: (!users.is_empty()).then(|| "/p".into()),
        };
        let users = ["SuperUser"];
        let pages = [
            page("data-0", "http://127.0.0.1:9092/csp", "", &users),
            page("Longhorn", "http://127.0.0.1:8000", "its containers are being created", &[]),
        ];
        assert_eq!(
            portal_text("two-pod", &pages, true, &Look::plain()),
            "\
Forwarding to lab two-pod until Ctrl-C

✓ data-0    http://127.0.0.1:9092/csp  ready
… Longhorn  http://127.0.0.1:8000      waiting: its containers are being created

  Users     SuperUser
  Password  in /p

Simulated: no IRIS runs, and the pages only say so

"
        );
        assert_eq!(portal_line(&pages[0], &Look::plain()), "✓ data-0: ready, http://127.0.0.1:9092/csp\n");
    }
}
