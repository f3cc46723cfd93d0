//! Formats of names and labels.

use crate::sim::status::Cause;
use serde_json::json;

/// The rule that a name must follow.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name {
    /// RFC 1123 label.
    Label,
    /// RFC 1035 label.
    ServiceLabel,
    /// RFC 1123 subdomain.
    Subdomain,
    /// Anything that can stand in a path.
    PathSegment,
}

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SERVICE: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const KEY: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

impl Name {
    /// What is wrong with a name.
    pub(super) fn check(self, field: &str, name: &str) -> Vec<Cause> {
        let (limit, well_formed, message) = match self {
            Name::Label => (63, is_label(name), LABEL),
            Name::ServiceLabel => (63, is_label(name) && name.starts_with(|c: char| c.is_ascii_lowercase()), SERVICE),
            Name::Subdomain => (253, name.split('.').all(is_label), SUBDOMAIN),
            Name::PathSegment => {
                (usize::MAX, !name.contains(['/', '%']) && ![".", ".."].contains(&name), "may not contain '/'")
            }
        };
        let mut causes = Vec::new();
        if !well_formed {
            causes.push(Cause::invalid(field, &json!(name), message));
        }
        if name.len() > limit {
            causes.push(Cause::invalid(field, &json!(name), &format!("must be no more than {limit} characters")));
        }
        causes
    }
}

fn is_label(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(plain) && text.ends_with(plain) && text.chars().all(|c| plain(c) || c == '-')
}

fn is_qualified(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric();
    text.starts_with(plain) && text.ends_with(plain) && text.chars().all(|c| plain(c) || "-_.".contains(c))
}

/// What is wrong with the key of a label or annotation.
pub(super) fn label_key(field: &str, key: &str) -> Option<Cause> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    if !is_qualified(name) {
        return Some(Cause::invalid(field, &json!(key), KEY));
    }
    if name.len() > 63 {
        return Some(Cause::invalid(field, &json!(key), "name part must be no more than 63 characters"));
    }
    let bad_prefix = prefix.is_some_and(|prefix| prefix.len() > 253 || !prefix.split('.').all(is_label));
    bad_prefix.then(|| Cause::invalid(field, &json!(key), &format!("prefix part {SUBDOMAIN}")))
}

/// What is wrong with the value of a label.
pub(super) fn label_value(field: &str, value: &str) -> Option<Cause> {
    if value.len() > 63 {
        return Some(Cause::invalid(field, &json!(value), "must be no more than 63 characters"));
    }
    (!value.is_empty() && !is_qualified(value)).then(|| Cause::invalid(field, &json!(value), VALUE))
}
