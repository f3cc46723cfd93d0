//! Questions about rights and tokens: everything is allowed but what the faults forbid.

use crate::sim::api::context::{Api, Target, USER};
use crate::sim::api::http::{Body, Request, json_answer};
use crate::sim::status::Status;
use http::Response;
use serde_json::{Value, json};

/// Answers a review by its own object with a status.
pub fn answer(api: &Api, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
    let mut review = request.object()?;
    review["status"] = match target.kind.kind.as_str() {
        "TokenReview" => json!({"authenticated": true, "user": {"username": USER, "groups": ["system:authenticated"]}}),
        "SelfSubjectRulesReview" => json!({
            // Rules cannot say what is forbidden: then each right has to be asked for.
            "resourceRules": if api.forbidden.is_empty() { everything() } else { json!([]) },
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            "incomplete": !api.forbidden.is_empty(),
        }),
        _ => json!({"allowed": allowed(api, &review["spec"]["resourceAttributes"])}),
    };
    review["kind"] = json!(target.kind.kind);
    review["apiVersion"] = json!(target.api_version());
    review["metadata"]["creationTimestamp"] = Value::Null;
    Ok(json_answer(201, &review))
}

fn everything() -> Value {
    json!([{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}])
}

fn allowed(api: &Api, attributes: &Value) -> bool {
    let text = |field: &str| attributes[field].as_str().filter(|text| !text.is_empty());
    let Some(resource) = text("resource") else { return true };
    let part = text("subresource").map_or(String::new(), |part| format!("/{part}"));
    api.may(text("verb").unwrap_or("*"), &format!("{resource}{part}"))
}
