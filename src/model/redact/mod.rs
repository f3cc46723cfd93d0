//! Takes secrets out of what is given away: those that are known, and what looks like one in objects and in text. Whatever leaves
//! this host for others goes through [`Redactor`].

mod object;
#[cfg(test)]
mod tests;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex::{Captures, Regex};
use serde_json::Value;
use std::borrow::Cow;
use std::sync::LazyLock;

/// What stands in place of a secret.
pub const GONE: &str = "(removed)";

/// A known secret that is shorter is taken out only where it stands alone: it may be a part of many words.
const SHORT: usize = 6;

/// Words in the names of variables whose values are secrets.
const WORDS: &str = "PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|KEY|CREDENTIAL";

/// Names of fields whose values are secrets, in YAML, JSON, and files of settings.
const FIELDS: &str = r"[\w.-]*(?:password|passwd|passphrase|passwordhash|token|secret|api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key|client-key-data)";

/// A value: quoted (also inside of a quoted text), or up to a space, a comma or a closing bracket.
const VALUE: &str = r#"(?P<value>\\"(?:[^"\\]|\\[^"])*\\"|"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'\\,;\]}]+)"#;

/// What looks like a secret in text. Of each, the groups `keep` and `tail` stay.
static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let patterns = [
        // A private key, also as a text with escaped line breaks, and one that is cut off.
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)".to_string(),
        // Credentials in an address.
        r"(?P<keep>[A-Za-z][A-Za-z0-9+.-]*://)[^/\s@'\x22]+(?P<tail>@)".into(),
        // Headers, and what they carry.
        r"(?i)(?P<keep>\bauthorization\b\\?[\x22']?\s*[:=]\s*\\?[\x22']?(?:(?:basic|bearer|negotiate|digest)\s+)?)(?P<value>[^\s\x22'\\]+)".into(),
        r"(?i)(?P<keep>\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}".into(),
        // A JSON web token.
        r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?".into(),
        // Password hashes of IRIS, in both of their forms, and the parts of the longer one.
        r"(?i)(?P<keep>\bPasswordHash\s*=\s*)(?P<value>\\\x22[^\x22\\]*\\\x22|\x22[^\x22]*\x22|[^\s\x22'\\]+)".into(),
        r"\b[0-9A-Fa-f]{40},[0-9A-Za-z]{8}\b".into(),
        r"\b[0-9A-Fa-f]{128}(?:,[0-9A-Fa-f]{16,})?\b".into(),
        // A variable of an environment, as an entry of a list and as an assignment.
        format!(r#"(?P<keep>\\?["']?name\\?["']?\s*:\s*\\?["']?\w*(?i:{WORDS})\w*\\?["']?\s*,?\s*\\?["']?value\\?["']?\s*:\s*){VALUE}"#),
        format!(r"(?P<keep>\b[A-Z0-9_]*(?:{WORDS})[A-Z0-9_]*=){VALUE}"),
        // A field, and an option of a command.
        format!(r#"(?i)(?P<keep>\b{FIELDS}\\?["']?[ \t]*[:=][ \t]*){VALUE}"#),
        format!(r"(?i)(?P<keep>--?(?:password|passwd|token|secret|api-?key)(?:=|[ \t]+)){VALUE}"),
    ];
    patterns.iter().map(|pattern| Regex::new(pattern).expect("the patterns are fixed, and a test uses each")).collect()
});

/// Text in base64 that is long enough for a private key.
static BASE64: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"[A-Za-z0-9+/]{64,}={0,2}").expect("a fixed pattern"));

/// Takes secrets out.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    /// Secrets that are known, longest first, each as it is and in base64.
    known: Vec<String>,
}

impl Redactor {
    /// Knows these secrets word by word.
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let secrets = secrets.into_iter().map(|secret| secret.trim().to_string()).filter(|secret| !secret.is_empty());
        let mut known: Vec<String> = secrets.flat_map(|secret| [STANDARD.encode(&secret), secret]).collect();
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        known.dedup();
        Redactor { known }
    }

    /// The secrets in a kubeconfig: tokens, passwords and keys.
    pub fn secrets_of(kubeconfig: &Value) -> Vec<String> {
        let users = kubeconfig["users"].as_array().into_iter().flatten();
        let fields = users.flat_map(|user| ["token", "password", "client-key-data"].map(|field| &user["user"][field]));
        fields.filter_map(Value::as_str).map(Into::into).collect()
    }

    /// A text without secrets.
    pub fn text(&self, text: &str) -> String {
        let mut text = Cow::Borrowed(text);
        for secret in &self.known {
            if text.contains(secret) {
                text = Cow::Owned(without(&text, secret));
            }
        }
        for pattern in PATTERNS.iter() {
            if pattern.is_match(&text) {
                text = Cow::Owned(pattern.replace_all(&text, hidden).into_owned());
            }
        }
        let plain = |found: &Captures| if holds_key(&found[0]) { GONE.to_string() } else { found[0].to_string() };
        BASE64.replace_all(&text, plain).into_owned()
    }

    /// An object of Kubernetes, or a list of them, without secrets: what Secrets hold, variables of containers, and the rest as text.
    pub fn object(&self, object: &Value) -> Value {
        object::redact(object, &|text| self.text(text))
    }
}

/// What stands in place of what a pattern found. Quotes stay, so that a document stays one.
fn hidden(found: &Captures) -> String {
    let part = |name: &str| found.name(name).map_or("", |part| part.as_str());
    let value = part("value");
    let quote = ["\\\"", "\"", "'"].into_iter().find(|quote| value.starts_with(quote)).unwrap_or_default();
    let bare = value.trim_matches(['\\', '"', '\'']);
    if !value.is_empty() && is_plain(bare) {
        return found[0].to_string();
    }
    format!("{}{quote}{GONE}{quote}{}", part("keep"), part("tail"))
}

/// Whether a value of a field with a telling name cannot be a secret: it is none, a switch, a structure, or removed already.
fn is_plain(value: &str) -> bool {
    matches!(value, "" | "true" | "false" | "null" | "~")
        || value.starts_with(['{', '[', '|', '>'])
        || value.starts_with(GONE)
}

/// A text without a known secret.
fn without(text: &str, secret: &str) -> String {
    if secret.len() >= SHORT {
        return text.replace(secret, GONE);
    }
    let part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(secret) {
        let (before, after) = (&rest[..at], &rest[at + secret.len()..]);
        let alone = !part(before.chars().next_back()) && !part(after.chars().next());
        plain += before;
        plain += if alone { GONE } else { secret };
        rest = after;
    }
    plain + rest
}

/// Whether a text in base64 is a private key in PEM.
fn holds_key(text: &str) -> bool {
    let bytes = STANDARD.decode(text).or_else(|_| STANDARD.decode(&text[..text.len() - text.len() % 4]));
    bytes.is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains("PRIVATE KEY"))
}
