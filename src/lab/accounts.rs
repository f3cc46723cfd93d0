//! The accounts of IRIS: those that it makes itself, what others may be called, and the rules of `spec.iris.users`.

use super::cpf;
use super::image::Image;
use super::source::Finding;
use super::types::{Lab, User};

/// Accounts that IRIS makes itself. `irisowner` is whoever runs a command in the container.
pub const OF_IRIS: [&str; 9] =
    ["SuperUser", "_SYSTEM", "Admin", "CSPSystem", "IAM", "UnknownUser", "_Ensemble", "_PUBLIC", "irisowner"];

/// Special characters that a name may have. None of them means anything in a merge file, a text of ObjectScript or a path.
const IN_NAMES: &str = "_-.@%";

/// Why a name cannot be one of an account.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '%');
    let allowed = |c: char| c.is_ascii_alphanumeric() || IN_NAMES.contains(c);
    match first && name.len() <= 128 && name.chars().all(allowed) {
        true => Ok(()),
        false => Err("must be 1 to 128 letters, digits and _ - . @ %, and begin with a letter, _ or %"),
    }
}

/// Whether IRIS makes it itself. It tells accounts apart without regard to case.
pub fn is_of_iris(name: &str) -> bool {
    OF_IRIS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

impl Lab {
    /// Names of the accounts that it makes, by its users and by its actions.
    pub fn created_users(&self) -> Vec<&str> {
        let users = self.spec.iris.users.iter().map(|user| user.name.as_str());
        users.chain(cpf::created_users(&self.spec.iris.cpf.actions)).collect()
    }
}

/// Everything wrong with the users of a lab.
pub(super) fn check(lab: &Lab) -> Vec<Finding> {
    let users = &lab.spec.iris.users;
    let created = cpf::created_users(&lab.spec.iris.cpf.actions);
    let mut findings = Vec::new();
    for (index, user) in users.iter().enumerate() {
        let (at, name) = (format!("spec.iris.users.{index}"), user.name.as_str());
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        let rule = match check_name(name) {
            Err(rule) => Some(rule),
            Ok(()) if is_of_iris(name) => Some("is made by IRIS itself, and not the application's"),
            Ok(()) if users[..index].iter().any(|other| same(&other.name)) => Some("is given twice"),
            Ok(()) if created.iter().any(|other| same(other)) => Some("is made by an action of spec.iris.cpf, too"),
            Ok(()) => None,
        };
        findings.extend(rule.map(|rule| Finding::at(&format!("{at}.name"), name, rule)));
        findings.extend(roles(&at, user));
    }
    let takes_actions = |image: Image| image.takes_actions();
    if !users.is_empty() && !Image::parse(&lab.spec.iris.image).map_or(true, takes_actions) {
        let rule = "must be empty ([]): images before 2021.1 know no actions in a merge file, which would make them";
        findings.push(Finding::new(&["spec", "iris", "users"].map(String::from), None, rule));
    }
    findings
}

fn roles<'a>(at: &'a str, user: &'a User) -> impl Iterator<Item = Finding> + 'a {
    let plain =
        |text: &str| !text.is_empty() && !text.contains([',', '"', '=', ':']) && !text.contains(char::is_control);
    let wrong = user.roles.iter().enumerate().filter(move |(_, role)| !plain(role));
    wrong.map(move |(number, role)| {
        Finding::at(&format!("{at}.roles.{number}"), role, "must be the name of a role, without commas and quotes")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_nothing_but_themselves() {
        for name in ["SuperUser", "_SYSTEM", "app.user-1", "ann@example.com", "%x"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "a b", "a,Roles=%All", "a\"b", "a\nb", "jürgen", "../a", "a=b", "1st", &"x".repeat(129)] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(is_of_iris("superuser") && is_of_iris("irisowner") && !is_of_iris("appuser"));
    }
}
