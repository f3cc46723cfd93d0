//! Reads kubeconfig files and takes one context out of the user's, whole and alone. The user's files are never written.

use crate::error::{Failure, Result};
use base64::{Engine, prelude::BASE64_STANDARD};
use kube::config::{Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext};
use std::path::{Path, PathBuf};

/// One kubeconfig file. Paths in it become absolute.
pub(super) fn read(path: &Path) -> Result<Kubeconfig> {
    Kubeconfig::read_from(path).map_err(|error| {
        let failure = Failure::requirement(format!("cannot read the kubeconfig {}", path.display()));
        match &error {
            kube::config::KubeconfigError::ReadConfig(io, _) => failure.cause(io),
            kube::config::KubeconfigError::Parse(parse) => {
                let text = parse.to_string();
                failure.cause(format!("it is no valid kubeconfig: {}", text.lines().next().unwrap_or_default()))
            }
            _ => failure.caused_by(error),
        }
        .hint("name a file that `kubectl --kubeconfig FILE get nodes` accepts")
    })
}

pub(super) fn parse(text: &str) -> Result<Kubeconfig> {
    Kubeconfig::from_yaml(text).map_err(|error| Failure::requirement("your kubeconfig is not valid").caused_by(error))
}

/// The user's own kubeconfig files: those of the variable KUBECONFIG, else the one in the home directory.
pub fn users() -> Vec<PathBuf> {
    match std::env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) {
        Some(list) => std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect(),
        None => vec![std::env::home_dir().unwrap_or_default().join(".kube/config")],
    }
}

/// The name of the context to use: the wanted one, which must exist, or else the current one.
pub(super) fn context(file: &Kubeconfig, wanted: Option<&str>, place: &str) -> Result<String> {
    let names: Vec<&str> = file.contexts.iter().map(|context| context.name.as_str()).collect();
    let known = match names.as_slice() {
        [] => "there is no context at all".to_string(),
        names => format!("known contexts: {}", names.join(", ")),
    };
    let Some(wanted) = wanted.or(file.current_context.as_deref()).filter(|name| !name.is_empty()) else {
        return Err(Failure::requirement(format!("no context is chosen in {place}"))
            .cause(known)
            .hint("name one with --context"));
    };
    if names.contains(&wanted) {
        return Ok(wanted.to_string());
    }
    let failure = Failure::requirement(format!("no context {wanted} in {place}")).cause(known);
    let nearest = names.iter().map(|name| (strsim::jaro_winkler(name, wanted), name));
    let nearest = nearest.filter(|(likeness, _)| *likeness > 0.75).max_by(|(a, _), (b, _)| a.total_cmp(b));
    Err(match nearest {
        Some((_, name)) => failure.hint(format!("did you mean --context {name}?")),
        None => failure.hint("see `kubectl config get-contexts`"),
    })
}

/// A kubeconfig with one context of the given files and nothing else, which needs no other file. Of several files the first to
/// define a name wins; files that do not exist are left out, as kubectl does.
pub fn extract(paths: &[PathBuf], wanted: &str) -> Result<String> {
    let place = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let mut all = Kubeconfig::default();
    for path in paths.iter().filter(|path| paths.len() == 1 || path.exists()) {
        all = all.merge(read(path)?).map_err(|error| {
            Failure::requirement(format!("the kubeconfig {} does not fit the others", path.display())).caused_by(error)
        })?;
    }
    written(all, Some(wanted), &place)
}

/// A kubeconfig with nothing but the current context of this one, which needs no other file.
pub fn alone(text: &str) -> Result<String> {
    written(parse(text)?, None, "it")
}

fn written(all: Kubeconfig, wanted: Option<&str>, place: &str) -> Result<String> {
    let name = context(&all, wanted, place)?;
    let mut alone = minified(all, &name).ok_or_else(|| {
        Failure::requirement(format!("the context {name} in {place} names a cluster or user that is not there"))
            .hint("repair it with `kubectl config set-context`, or name another one with --context")
    })?;
    inline(&mut alone)?;
    let text = serde_json::to_value(&alone).map_err(|error| {
        Failure::requirement(format!("the context {name} in {place} cannot be written down")).caused_by(error)
    })?;
    Ok(format!("{text:#}\n"))
}

fn minified(all: Kubeconfig, name: &str) -> Option<Kubeconfig> {
    let context: NamedContext = all.contexts.into_iter().find(|context| context.name == name)?;
    let inside = context.context.as_ref()?;
    let cluster: NamedCluster = all.clusters.into_iter().find(|cluster| cluster.name == inside.cluster)?;
    let user = inside.user.clone().unwrap_or_default();
    let user: Option<NamedAuthInfo> = all.auth_infos.into_iter().find(|info| info.name == user);
    if user.is_none() && inside.user.as_deref().is_some_and(|user| !user.is_empty()) {
        return None;
    }
    Some(Kubeconfig {
        api_version: Some("v1".into()),
        kind: Some("Config".into()),
        clusters: vec![cluster],
        auth_infos: user.into_iter().collect(),
        contexts: vec![context],
        current_context: Some(name.to_string()),
        ..Kubeconfig::default()
    })
}

/// Puts the content of every named file in its place.
fn inline(file: &mut Kubeconfig) -> Result<()> {
    for cluster in file.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
        take(&mut cluster.certificate_authority, &mut cluster.certificate_authority_data)?;
    }
    for auth in file.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()) {
        take(&mut auth.client_certificate, &mut auth.client_certificate_data)?;
        let mut key = None;
        if auth.client_key_data.is_none() {
            take(&mut auth.client_key, &mut key)?;
            auth.client_key_data = key.map(Into::into);
        }
        auth.client_key = None;
    }
    Ok(())
}

fn take(path: &mut Option<String>, data: &mut Option<String>) -> Result<()> {
    let Some(path) = path.take().filter(|path| !path.is_empty() && data.is_none()) else { return Ok(()) };
    let content = std::fs::read(&path).map_err(|error| {
        Failure::requirement(format!("cannot read {path}, which the kubeconfig names"))
            .cause(error)
            .hint("take a new kubeconfig from the cluster")
    })?;
    *data = Some(BASE64_STANDARD.encode(content));
    Ok(())
}
