//! The accounts of an instance: what sets their password, and what a session is asked about them and answers, line by line.

use crate::lab::Lab;

/// Predefined accounts that get the lab's password at the first start of an instance.
pub const PREDEFINED: [&str; 3] = ["SuperUser", "_SYSTEM", "Admin"];

/// Those of them that need not change it at their first login: the merge file says so.
pub const LOGINS: [&str; 2] = ["SuperUser", "_SYSTEM"];

/// What every answer begins with: a session prints prompts and greetings besides.
const ANSWER: &str = "iris-lab:";

/// One account, as its instance says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Whether it may log in.
    pub enabled: bool,
    /// Whether its password has to be changed at the next login.
    pub must_change: bool,
}

/// What an instance said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Its accounts; none when it did not answer.
    pub accounts: Vec<Account>,
    /// The accounts that were tried, and whether the password is theirs.
    pub tried: Vec<(String, bool)>,
}

/// The accounts that share the lab's password: predefined ones, and those in `spec.iris.users`.
pub fn sharing(lab: &Lab) -> Vec<String> {
    with_users(&PREDEFINED, lab)
}

/// Those of them that log in with it at once.
pub fn logins(lab: &Lab) -> Vec<String> {
    with_users(&LOGINS, lab)
}

fn with_users(predefined: &[&str], lab: &Lab) -> Vec<String> {
    let users = lab.spec.iris.users.iter().map(|user| user.name.clone());
    predefined.iter().map(ToString::to_string).chain(users).collect()
}

/// A merge file that sets the password of accounts. An account that an instance does not have is passed over by it.
pub fn merge_file(accounts: &[String], hash: &str) -> String {
    let line = |name: &String| format!("ModifyUser:Name={name},PasswordHash=\"{hash}\"\n");
    format!("[Actions]\n{}", accounts.iter().map(line).collect::<String>())
}

/// What to ask a session in the namespace %SYS: its accounts, where they are wanted, and of which of these accounts a password is.
/// Nobody is logged in by that, and nothing counts as a failed login.
pub fn questions(list: bool, tried: Option<(&[String], &str)>) -> String {
    let mut text = String::new();
    if list {
        text += "set r=##class(%ResultSet).%New(\"Security.Users:List\") do r.Execute(\"*\") while r.Next() { \
                 set n=r.Get(\"Name\") kill p do ##class(Security.Users).Get(n,.p) \
                 write !,\"iris-lab:user:\",n,\"=\",$get(p(\"Enabled\")),$get(p(\"ChangePassword\")) } write !\n";
    }
    // What is not ASCII may be read in another character set there, and would only seem to be wrong.
    if let Some((names, password)) = tried.filter(|(_, password)| password.is_ascii()) {
        let password = password.replace('"', "\"\"");
        text.extend(names.iter().map(|name| {
            format!(
                "if ##class(Security.Users).Exists(\"{name}\",.u) write !,\"iris-lab:password:{name}=\",\
                 ##class(Security.Users).CheckPassword(.u,\"{password}\"),!\n"
            )
        }));
    }
    text + "halt\n"
}

/// Reads the answers.
pub fn answers(output: &str) -> Answers {
    let mut answers = Answers::default();
    for line in output.lines().filter_map(|line| line.trim().strip_prefix(ANSWER)) {
        let Some((name, value)) = line.rsplit_once('=') else { continue };
        match (name.split_once(':'), value) {
            (Some(("user", name)), value) if value.starts_with(['0', '1']) => answers.accounts.push(Account {
                name: name.into(),
                enabled: value.starts_with('1'),
                must_change: value.ends_with('1') && value.len() == 2,
            }),
            (Some(("password", name)), "0" | "1") => answers.tried.push((name.into(), value == "1")),
            _ => {}
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hash_is_in_the_merge_file_and_in_quotes() {
        let accounts = ["SuperUser".to_string(), "_SYSTEM".into()];
        assert_eq!(
            merge_file(&accounts, "aa,bb,10000,SHA512"),
            "[Actions]\nModifyUser:Name=SuperUser,PasswordHash=\"aa,bb,10000,SHA512\"\n\
             ModifyUser:Name=_SYSTEM,PasswordHash=\"aa,bb,10000,SHA512\"\n"
        );
    }

    #[test]
    fn each_question_is_a_line_and_the_last_one_ends_the_session() {
        let names = PREDEFINED.map(String::from);
        let text = questions(true, Some((&names, "a\"b")));
        assert_eq!(text.lines().count(), 5);
        assert!(text.ends_with("\nhalt\n"));
        assert!(text.contains("CheckPassword(.u,\"a\"\"b\")"), "{text}");
        assert_eq!(questions(false, None), "halt\n");
        assert_eq!(questions(false, Some((&names, "パス"))), "halt\n", "it could not be told from a wrong one");
    }

    #[test]
    fn answers_are_told_from_prompts_and_echoes() {
        let output = "\nNode: data-0, Instance: IRIS\n\n%SYS>\niris-lab:user:SuperUser=10\niris-lab:user:Admin=11\n\
            iris-lab:user:IAM=0\niris-lab:user:odd=name=1\n%SYS>if x write !,\"iris-lab:password:SuperUser=\",1\n\
            iris-lab:password:SuperUser=1\r\niris-lab:password:_SYSTEM=0\niris-lab:password:x=<CLASS DOES NOT EXIST>\n";
        let answers = answers(output);
        let account = |name: &str, enabled, must_change| Account { name: name.into(), enabled, must_change };
        assert_eq!(
            answers.accounts,
            [
                account("SuperUser", true, false),
                account("Admin", true, true),
                account("IAM", false, false),
                account("odd=name", true, false)
            ]
        );
        assert_eq!(answers.tried, [("SuperUser".to_string(), true), ("_SYSTEM".into(), false)]);
        assert_eq!(super::answers("sh: iris: not found"), Answers::default());
    }
}
