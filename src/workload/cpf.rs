//! The merge file: what IRIS merges into its configuration, rendered from the lab.

use super::CONFIG_MAP;
use super::accounts::LOGINS;
use crate::lab::image::{Edition, Image};
use crate::lab::{Lab, User};
use serde_json::Value;
use std::collections::BTreeMap;

/// Key of the merge file in the ConfigMap.
pub const KEY: &str = "merge.cpf";
/// How long IRIS may take to stop, in seconds, where the lab says nothing. It is IRIS's own default, made explicit, because
/// the pod's grace period has to be longer.
const SHUTDOWN_TIMEOUT: u32 = 300;
/// Settings that a running instance does not take over.
const AT_START: [&str; 7] = ["DBSizesAllowed", "WebServer", "globals", "gmheap", "jrnbufs", "memlock", "routines"];

/// The merge file. Without a hash IRIS keeps its factory passwords.
pub fn render(lab: &Lab, image: &Image, hash: Option<&str>) -> String {
    let cpf = &lab.spec.iris.cpf;
    let mut startup = cpf.startup.clone();
    startup.extend(hash.map(|hash| ("PasswordHash".to_string(), hash.to_string())));
    startup.entry("ShutdownTimeout".into()).or_insert_with(|| SHUTDOWN_TIMEOUT.to_string());
    if image.edition == Edition::Community {
        // Only these images have a web server; any other one might not start with this line.
        startup.entry("WebServer".into()).or_insert_with(|| "1".into());
    }
    let mut text = section("Startup", settings(&startup)) + "\n" + &section("config", settings(&cpf.config));
    if image.takes_actions() {
        // A predefined account has to change its password at its first login, and a client of an API cannot.
        let accounts = LOGINS.map(|name| format!("ModifyUser:Name={name},ChangePassword=0,PasswordNeverExpires=1"));
        let users = lab.spec.iris.users.iter().map(|user| create(user, hash));
        text += &("\n".to_string() + &section("Actions", cpf.actions.iter().cloned().chain(accounts).chain(users)));
    }
    text
}

/// The action that makes an account, where it is not there yet. It has a password only with a hash.
fn create(user: &User, hash: Option<&str>) -> String {
    let hash = hash.map(|hash| format!(",PasswordHash=\"{hash}\"")).unwrap_or_default();
    let roles = match user.roles.as_slice() {
        [] => String::new(),
        roles => format!(",Roles=\"{}\"", roles.join(",")),
    };
    format!("CreateUser:Name={}{hash}{roles},ChangePassword=0,PasswordNeverExpires=1", user.name)
}

fn settings(settings: &BTreeMap<String, String>) -> impl Iterator<Item = String> {
    // An empty value has to be quoted: a bare one is not taken over.
    let value = |value: &String| if value.is_empty() { "\"\"".to_string() } else { value.clone() };
    settings.iter().map(move |(key, text)| format!("{key}={}", value(text)))
}

fn section(name: &str, lines: impl Iterator<Item = String>) -> String {
    lines.fold(format!("[{name}]\n"), |text, line| text + &line + "\n")
}

/// How long IRIS may take to stop, in seconds.
pub fn shutdown_timeout(lab: &Lab) -> u32 {
    let given = lab.spec.iris.cpf.startup.get("ShutdownTimeout").and_then(|text| text.parse().ok());
    given.unwrap_or(SHUTDOWN_TIMEOUT)
}

/// The settings of the lab that only take effect at a start, in one line.
pub fn at_start(lab: &Lab) -> String {
    let cpf = &lab.spec.iris.cpf;
    let all = cpf.startup.iter().chain(&cpf.config).filter(|(key, _)| AT_START.contains(&key.as_str()));
    all.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
}

/// The `PasswordHash` in a ConfigMap that an earlier `up` made, so that a new `up` keeps it: IRIS takes a hash only once.
pub fn password_hash(config_map: &Value) -> Option<String> {
    if config_map["metadata"]["name"] != CONFIG_MAP {
        return None;
    }
    let text = config_map["data"][KEY].as_str()?;
    text.lines().find_map(|line| line.strip_prefix("PasswordHash=")).map(Into::into)
}
