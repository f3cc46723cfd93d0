//! From a request to its handler: paths, rights and verbs.

use super::{read, reviews, subresources, write};
use crate::sim::aggregation;
use crate::sim::api::context::{Api, Target};
use crate::sim::api::discovery;
use crate::sim::api::http::{Body, Request, answer, error_answer, json_answer};
use crate::sim::status::Status;
use http::header::{HeaderValue, WARNING};
use http::{Method, Response};
use serde_json::json;

/// Answers one request of an authenticated user.
pub fn handle(api: &Api, request: &Request) -> Response<Body> {
    Router(api).route(request).unwrap_or_else(|status| error_answer(&status))
}

struct Router<'a>(&'a Api);

impl Router<'_> {
    fn route(&self, request: &Request) -> Result<Response<Body>, Status> {
        let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
        if let ["apis", group, version, ..] = path.as_slice()
            && aggregation::is_unavailable(&self.0.store, group, version)
        {
            return Ok(answer(503, "text/plain; charset=utf-8", "service unavailable\n"));
        }
        let found = match path.as_slice() {
            ["api", version, rest @ ..] if !rest.is_empty() => self.target("", version, rest),
            ["apis", group, version, rest @ ..] if !rest.is_empty() => self.target(group, version, rest),
            _ => return self.about(request, &path),
        };
        let target = found.ok_or_else(Status::no_such_path)?;
        let mut response = self.verb(request, &target)?;
        let warning = target.kind.warning(&target.version).map(|text| format!("299 - \"{text}\""));
        if let Some(warning) = warning.and_then(|text| HeaderValue::from_str(&text).ok()) {
            response.headers_mut().insert(WARNING, warning);
        }
        Ok(response)
    }

    /// Everything but objects. Only GET is served.
    fn about(&self, request: &Request, path: &[&str]) -> Result<Response<Body>, Status> {
        if request.method != Method::GET {
            return Err(Status::method_not_allowed());
        }
        let (store, kinds) = (&self.0.store, || self.0.kinds.all());
        let value = match path {
            ["healthz" | "readyz" | "livez", ..] => return Ok(answer(200, "text/plain; charset=utf-8", "ok")),
            ["openapi", "v2"] => return Ok(discovery::openapi_v2(request, &self.0.version)),
            [] => json!({"paths": ["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/readyz", "/version"]}),
            ["version"] => discovery::version(&self.0.version),
            ["api"] => discovery::core_versions(&self.0.address),
            ["apis"] => discovery::groups(store, &kinds()),
            ["apis", group] => discovery::group(store, &kinds(), group)?,
            ["api", version] => discovery::resources(store, &kinds(), "", version)?,
            ["apis", group, version] => discovery::resources(store, &kinds(), group, version)?,
            _ => return Err(Status::no_such_path()),
        };
        Ok(json_answer(200, &value))
    }

    /// Reads `namespaces/NS/PLURAL/NAME/SUB` and its shorter forms.
    fn target(&self, group: &str, version: &str, rest: &[&str]) -> Option<Target> {
        let (namespace, rest) = match rest {
            ["namespaces", namespace, plural, ..] if !["status", "finalize"].contains(plural) => {
                (Some((*namespace).to_owned()), &rest[2..])
            }
            _ => (None, rest),
        };
        let kind = self.0.kinds.find(group, version, rest.first()?)?;
        let part = |index: usize| rest.get(index).map(|part| (*part).to_owned());
        let (name, subresource) = (part(1), part(2));
        let one_without_namespace = kind.namespaced && namespace.is_none() && name.is_some();
        let namespace_of_none = !kind.namespaced && namespace.is_some();
        let unknown_part = subresource.as_ref().is_some_and(|subresource| !kind.has(subresource));
        if rest.len() > 3 || one_without_namespace || namespace_of_none || unknown_part {
            return None;
        }
        Some(Target { kind, version: version.into(), namespace, name, subresource })
    }

    fn verb(&self, request: &Request, target: &Target) -> Result<Response<Body>, Status> {
        let verb = verb_of(request, target).ok_or_else(Status::method_not_allowed)?;
        self.0.authorize(verb, target)?;
        if target.kind.is_review() {
            return reviews::answer(self.0, request, target);
        }
        if let Some(subresource) = target.subresource.as_deref().filter(|one| !["status", "finalize"].contains(one)) {
            return subresources::answer(self.0, request, target, verb, subresource);
        }
        match verb {
            "get" => read::get(self.0, request, target),
            "list" => read::list(self.0, request, target),
            "watch" => read::watch(self.0, request, target),
            "create" => write::create(self.0, request, target),
            "update" => write::update(self.0, request, target),
            "patch" => write::patch(self.0, request, target),
            "delete" => write::delete(self.0, request, target),
            _ => write::delete_collection(self.0, request, target),
        }
    }
}

/// The verb as RBAC knows it; none for methods that are not served there.
fn verb_of(request: &Request, target: &Target) -> Option<&'static str> {
    let one = target.name.is_some();
    // An object of a namespace cannot be created without saying in which.
    let nowhere = target.kind.namespaced && target.namespace.is_none();
    match request.method.as_str() {
        "GET" | "HEAD" if request.flag("watch") && target.subresource.is_none() => Some("watch"),
        "GET" | "HEAD" if one => Some("get"),
        "GET" | "HEAD" => Some("list"),
        "POST" if nowhere || (one && target.subresource.is_none()) => None,
        "POST" => Some("create"),
        "PUT" if one => Some("update"),
        "PATCH" if one => Some("patch"),
        "DELETE" if one => Some("delete"),
        "DELETE" if !nowhere => Some("deletecollection"),
        _ => None,
    }
}
