//! The accounts of an instance: those of a new one, with the password that its merge file gives them, until a merge changes it.

use crate::model::password_hash;
use crate::sim::container::Container;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The accounts of a new instance: enabled, and whether their password has to be changed at the first login.
const NEW: &[(&str, bool, bool)] = &[
    ("Admin", true, true),
    ("CSPSystem", true, false),
    ("IAM", false, false),
    ("SuperUser", true, false),
    ("UnknownUser", false, false),
    ("_SYSTEM", true, false),
    ("irisowner", true, false),
];
/// Those to which the merge file's password goes.
const WITH_ROLES: [&str; 3] = ["Admin", "SuperUser", "_SYSTEM"];

/// What begins the line of an action that makes an account.
const CREATE: &str = "CreateUser:";

/// One account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Account {
    enabled: bool,
    must_change: bool,
    /// The hash of its password; empty where it has none that is known here.
    hash: String,
}

/// All of them, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts(BTreeMap<String, Account>);

impl Accounts {
    /// Those of the instance: as they were kept on its volume, else those of a new one.
    pub fn load(container: &Container) -> Accounts {
        let merged = container.variable("ISC_CPF_MERGE_FILE").and_then(|file| container.read(file)).unwrap_or_default();
        let merged = String::from_utf8_lossy(&merged);
        if let Some(content) = container.read(&path(container)) {
            let kept = Accounts::parse(&String::from_utf8_lossy(&content));
            let mut accounts = kept.clone();
            // IRIS watches the file: who was added to it since is made.
            merged.lines().filter(|line| line.starts_with(CREATE)).for_each(|line| accounts.merge(line));
            if accounts != kept {
                accounts.save(container);
            }
            return accounts;
        }
        let accounts = Accounts::new(&merged);
        accounts.save(container);
        accounts
    }

    /// Keeps them on the instance's volume.
    pub fn save(&self, container: &Container) {
        let line = |(name, one): (&String, &Account)| {
            format!("{name}\t{}\t{}\t{}\n", u8::from(one.enabled), u8::from(one.must_change), one.hash)
        };
        container.write(&path(container), self.0.iter().map(line).collect::<String>());
    }

    fn parse(text: &str) -> Accounts {
        let account = |line: &str| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [name, enabled, must_change, hash] = fields[..] else { return None };
            let account = Account { enabled: enabled == "1", must_change: must_change == "1", hash: hash.into() };
            Some((name.to_string(), account))
        };
        Accounts(text.lines().filter_map(account).collect())
    }

    /// Those of an instance that has merged this file at its first start.
    fn new(merged: &str) -> Accounts {
        let hash = merged.lines().find_map(|line| line.strip_prefix("PasswordHash=")).unwrap_or_default();
        let account = |(name, enabled, must_change): &(&str, bool, bool)| {
            let hash = if WITH_ROLES.contains(name) { hash.to_string() } else { String::new() };
            (name.to_string(), Account { enabled: *enabled, must_change: *must_change, hash })
        };
        let mut accounts = Accounts(NEW.iter().map(account).collect());
        accounts.merge(merged);
        accounts
    }

    /// What the actions of a merge file change. One that is there is not created, and one that is not is not changed.
    pub fn merge(&mut self, text: &str) {
        for line in text.lines() {
            let Some((action, properties)) = line.split_once(':') else { continue };
            let properties = format!(",{properties}");
            let property = |wanted: &str| {
                let one = properties.split_once(&format!(",{wanted}="))?.1;
                one.strip_prefix('"').map_or(one.split(',').next(), |quoted| quoted.split('"').next())
            };
            let Some(name) = property("Name") else { continue };
            let account = match (action, self.0.entry(name.into())) {
                ("CreateUser", Entry::Vacant(free)) => free.insert(Account { enabled: true, ..Account::default() }),
                ("ModifyUser", Entry::Occupied(there)) => there.into_mut(),
                _ => continue,
            };
            if let Some(hash) = property("PasswordHash") {
                account.hash = hash.into();
            }
            if let Some(must_change) = property("ChangePassword") {
                account.must_change = must_change == "1";
            }
        }
    }

    /// What a session prints for a line that asks for accounts; none for any other line.
    pub fn answer(container: &Container, line: &str) -> Option<String> {
        if line.contains("\"Security.Users:List\"") {
            let accounts = Accounts::load(container);
            let one = |(name, one): (&String, &Account)| {
                format!("\niris-lab:user:{name}={}{}", u8::from(one.enabled), u8::from(one.must_change))
            };
            return Some(accounts.0.iter().map(one).collect::<String>() + "\n");
        }
        let (_, rest) = line.split_once(".Exists(\"")?;
        let (name, rest) = rest.split_once('"')?;
        let (_, password) = rest.split_once("CheckPassword(.u,\"")?;
        let password = password.strip_suffix("\"),!")?.replace("\"\"", "\"");
        let accounts = Accounts::load(container);
        let Some(account) = accounts.0.get(name) else { return Some(String::new()) };
        let theirs = u8::from(password_hash::verify(&account.hash, &password));
        Some(format!("\niris-lab:password:{name}={theirs}\n"))
    }
}

fn path(container: &Container) -> String {
    format!("{}/mgr/emulated-accounts", container.data_directory())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MERGED: &str = "[Startup]\nPasswordHash=aa,bb\n[Actions]\nCreateUser:Name=appuser,PasswordHash=\"cc,dd\",Roles=\"%Developer\"\n\
        ModifyUser:Name=SuperUser,ChangePassword=0,PasswordNeverExpires=1\n";

    #[test]
    fn a_new_instance_has_what_its_merge_file_says() {
        let accounts = Accounts::new(MERGED);
        let hash = |name: &str| accounts.0[name].hash.as_str();
        assert_eq!((hash("SuperUser"), hash("Admin"), hash("appuser"), hash("IAM")), ("aa,bb", "aa,bb", "cc,dd", ""));
        assert!(accounts.0["Admin"].must_change && !accounts.0["SuperUser"].must_change);
    }

    #[test]
    fn a_merge_changes_who_is_there_and_makes_nobody() {
        let mut accounts = Accounts::new(MERGED);
        accounts.merge("[Actions]\nModifyUser:Name=Admin,PasswordHash=\"ee,ff,10000,SHA512\"\nModifyUser:Name=nobody,PasswordHash=\"x\"\n");
        assert_eq!(accounts.0["Admin"].hash, "ee,ff,10000,SHA512");
        assert!(!accounts.0.contains_key("nobody"));
    }
}
