//! Label and field selectors of list, watch and deletecollection.

use crate::sim::kinds::Kind;
use crate::sim::status::Status;
use serde_json::Value;

/// One requirement on a label.
#[derive(Clone, Debug, PartialEq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
    Greater(String, i64),
    Less(String, i64),
}

/// Which objects are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selector {
    labels: Vec<Requirement>,
    /// Field, value, and whether it must be equal.
    fields: Vec<(String, String, bool)>,
}

impl Selector {
    /// Reads both selectors; 400 for bad syntax and for fields that cannot be selected by.
    pub fn parse(kind: &Kind, labels: Option<&str>, fields: Option<&str>) -> Result<Self, Status> {
        let labels = parse_labels(labels.unwrap_or_default())?;
        let fields = parse_fields(kind, fields.unwrap_or_default())?;
        Ok(Selector { labels, fields })
    }

    /// The selector in an object (`matchLabels`, `matchExpressions`); none when there is no selector.
    pub fn of_labels(selector: &Value) -> Option<Self> {
        let fields = selector.as_object()?;
        let equal = fields.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
        let mut labels: Vec<Requirement> = equal
            .map(|(key, value)| Requirement::In(key.clone(), vec![value.as_str().unwrap_or_default().to_owned()]))
            .collect();
        for expression in fields.get("matchExpressions").and_then(Value::as_array).into_iter().flatten() {
            let key = expression["key"].as_str()?.to_owned();
            let values = expression["values"].as_array().into_iter().flatten();
            let values = values.filter_map(Value::as_str).map(str::to_owned).collect();
            labels.push(match expression["operator"].as_str()? {
                "In" => Requirement::In(key, values),
                "NotIn" => Requirement::NotIn(key, values),
                "Exists" => Requirement::Exists(key),
                _ => Requirement::Missing(key),
            });
        }
        Some(Selector { labels, fields: Vec::new() })
    }

    /// Whether everything is wanted.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether an object is wanted.
    pub fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        self.labels.iter().all(|requirement| requirement.holds(labels))
            && self.fields.iter().all(|(field, wanted, equal)| (field_value(object, field) == *wanted) == *equal)
    }
}

impl Requirement {
    fn holds(&self, labels: &Value) -> bool {
        let get = |key: &String| labels.get(key).and_then(Value::as_str);
        let number = |key: &String| get(key).and_then(|value| value.parse::<i64>().ok());
        match self {
            Requirement::In(key, values) => get(key).is_some_and(|value| values.iter().any(|one| one == value)),
            Requirement::NotIn(key, values) => get(key).is_none_or(|value| values.iter().all(|one| one != value)),
            Requirement::Exists(key) => get(key).is_some(),
            Requirement::Missing(key) => get(key).is_none(),
            Requirement::Greater(key, than) => number(key).is_some_and(|value| value > *than),
            Requirement::Less(key, than) => number(key).is_some_and(|value| value < *than),
        }
    }
}

fn parse_labels(text: &str) -> Result<Vec<Requirement>, Status> {
    let mut requirements = Vec::new();
    for term in split_terms(text) {
        let bad = || Status::bad_request(format!("unable to parse requirement: {term}"));
        requirements.push(parse_requirement(term).ok_or_else(bad)?);
    }
    Ok(requirements)
}

/// Splits at the commas that are not inside of parentheses.
fn split_terms(text: &str) -> Vec<&str> {
    let mut depth = 0;
    let terms = text.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    terms.map(str::trim).filter(|term| !term.is_empty()).collect()
}

fn parse_requirement(term: &str) -> Option<Requirement> {
    let key_ok = |key: &str| {
        !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c)) && key.len() <= 317
    };
    let key = |text: &str| Some(text.trim().to_owned()).filter(|key| key_ok(key));
    if let Some(rest) = term.strip_prefix('!') {
        return Some(Requirement::Missing(key(rest)?));
    }
    if let Some(list) = term.strip_suffix(')') {
        let (head, values) = list.split_once('(')?;
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        let (name, operator) = head.trim().rsplit_once(char::is_whitespace)?;
        return match operator {
            "in" => Some(Requirement::In(key(name)?, values)),
            "notin" => Some(Requirement::NotIn(key(name)?, values)),
            _ => None,
        };
    }
    let value = |text: &str| text.trim().to_owned();
    if let Some((name, wanted)) = term.split_once("!=") {
        return Some(Requirement::NotIn(key(name)?, vec![value(wanted)]));
    }
    if let Some((name, wanted)) = term.split_once("==").or_else(|| term.split_once('=')) {
        return Some(Requirement::In(key(name)?, vec![value(wanted)]));
    }
    if let Some((name, than)) = term.split_once('>') {
        return Some(Requirement::Greater(key(name)?, than.trim().parse().ok()?));
    }
    if let Some((name, than)) = term.split_once('<') {
        return Some(Requirement::Less(key(name)?, than.trim().parse().ok()?));
    }
    Some(Requirement::Exists(key(term)?))
}

fn parse_fields(kind: &Kind, text: &str) -> Result<Vec<(String, String, bool)>, Status> {
    let mut fields = Vec::new();
    for term in text.split(',').map(str::trim).filter(|term| !term.is_empty()) {
        let parsed = term.split_once("!=").map(|(field, value)| (field, value, false));
        let parsed = parsed.or_else(|| term.split_once("==").map(|(field, value)| (field, value, true)));
        let parsed = parsed.or_else(|| term.split_once('=').map(|(field, value)| (field, value, true)));
        let bad = || Status::bad_request(format!("invalid selector: '{text}'; can't understand '{term}'"));
        let (field, value, equal) = parsed.ok_or_else(bad)?;
        if !["metadata.name", "metadata.namespace"].contains(&field) && !selectable(kind).contains(&field) {
            return Err(Status::bad_request(format!("field label not supported: {field}")));
        }
        fields.push((field.to_owned(), value.to_owned(), equal));
    }
    Ok(fields)
}

/// The fields by which objects of a kind can be selected, besides name and namespace.
fn selectable(kind: &Kind) -> &'static [&'static str] {
    match (kind.group.as_str(), kind.plural.as_str()) {
        ("", "pods") => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        ("", "nodes") => &["spec.unschedulable"],
        ("", "namespaces") => &["status.phase"],
        ("", "secrets") => &["type"],
        ("" | "events.k8s.io", "events") => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        ("", "replicationcontrollers") | ("apps", "replicasets") => &["status.replicas"],
        ("batch", "jobs") => &["status.successful"],
        _ => &[],
    }
}

fn field_value(object: &Value, field: &str) -> String {
    let path = match field {
        "source" => "/source/component".to_owned(),
        "status.successful" => "/status/succeeded".to_owned(),
        _ => format!("/{}", field.replacen("regarding.", "involvedObject.", 1).replace('.', "/")),
    };
    match object.pointer(&path) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None if field == "spec.unschedulable" => "false".into(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{kinds::Kinds, store::Store};
    use serde_json::json;

    fn matches(labels: &str, fields: &str) -> bool {
        let pods = Kinds::new(Store::new(), 24).find("", "v1", "pods").unwrap();
        let object = json!({
            "metadata": {"name": "x", "labels": {"app": "iris", "n": "5"}}, "spec": {"nodeName": "lab-1"},
        });
        Selector::parse(&pods, Some(labels), Some(fields)).unwrap().matches(&object)
    }

    #[test]
    fn label_operators() {
        for yes in
            ["app=iris", "app==iris,n", "app!=x", "app in (a, iris),!z", "z notin (a)", "n>4", "n<6", "app notin (b),n"]
        {
            assert!(matches(yes, ""), "{yes}");
        }
        for no in ["app=x", "!app", "app in (a,b)", "app notin (iris)", "n>5", "z", "app!=iris"] {
            assert!(!matches(no, ""), "{no}");
        }
    }

    #[test]
    fn field_operators() {
        assert!(matches("", "metadata.name=x,spec.nodeName!=lab-2"));
        assert!(!matches("", "status.phase=Running"));
        let pods = Kinds::new(Store::new(), 24).find("", "v1", "pods").unwrap();
        let refused = Selector::parse(&pods, None, Some("spec.image=x")).unwrap_err();
        assert_eq!(refused.message, "field label not supported: spec.image");
    }
}
