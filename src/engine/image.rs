//! Building an image, pushing it, and proving that pods run it. Docker's word does not count: Docker is asked for the image, and the
//! registry for its manifest.

use super::Session;
use super::host::again;
use super::journal::Change;
use crate::cluster::{Progress, Selector};
use crate::error::{Failure, Kind, Result};
use crate::exec::Output;
use crate::host;
use crate::image::{self, look};
use crate::model::image::{REGISTRY_HINT, push, pushed_as, registry, short};
use crate::model::object::LAB_LABEL;
use crate::model::{Cmd, HostObject, ImageBuild, RegistrySeen, StepEnd};
use backon::Retryable;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// What docker says on each build without BuildKit, and what says nothing of a failure.
const NOISE: [&str; 4] = [
    "DEPRECATED: The legacy builder",
    "Install the buildx component",
    "https://docs.docker.com/go/buildx/",
    "Sending build context",
];
/// Lines of a build that a failure shows, besides the last one.
const TAIL: usize = 10;
/// How a Dockerfile, or what it runs, says that something is not as it should be, and goes on.
const WARNING: &str = "WARNING: ";

impl Session<'_> {
    pub(super) async fn build_image(&self, build: &ImageBuild, progress: Progress<'_>) -> Result<StepEnd> {
        let name = &build.image;
        if let Some(id) = host::image_id(self.machine, name).await? {
            return Ok(StepEnd::Unchanged(format!("Docker has it, {}", short(&id))));
        }
        if build.pushed
            && let Some(digest) = look(name).await?.digest()
        {
            return Ok(StepEnd::Unchanged(format!("its registry has it, {}", short(digest))));
        }
        if let Some(builtin) = &build.builtin {
            image::write(builtin, &build.context)?;
        }
        self.record(Change::Host { object: HostObject::Image { name: name.clone() } })?;
        let (command, warnings) = (build.command(), RefCell::new(Vec::new()));
        let line = |line: &str| {
            let line = plain(line);
            warnings.borrow_mut().extend(warning(&line));
            if !NOISE.iter().any(|words| line.starts_with(words)) {
                progress(line);
            }
        };
        let output = self.machine.run(&command, &line).await?;
        if !output.ok() {
            return Err(host::explained(not_built(name, &output)));
        }
        let Some(id) = host::image_id(self.machine, name).await? else {
            return Err(Failure::step(format!("Docker has no image {name}, and `docker build` has not failed")));
        };
        let mut end = vec![format!("{name}, {}", short(&id))];
        let mut warnings = warnings.into_inner();
        warnings.dedup();
        end.extend(warnings);
        Ok(StepEnd::Changed(end.join("; ")))
    }

    pub(super) async fn push_image(&self, name: &str, comes: bool, progress: Progress<'_>) -> Result<StepEnd> {
        let before = answering(name, comes, progress).await?;
        let id = host::image_id(self.machine, name).await?;
        match (before.digest(), &id) {
            (Some(digest), None) => return Ok(StepEnd::Unchanged(format!("it is there, {}", short(digest)))),
            (Some(digest), Some(id)) if before.holds(id) => {
                return Ok(StepEnd::Unchanged(format!("it is there, {}", short(digest))));
            }
            (None, None) => return Err(Failure::step(format!("Docker has no image {name} to push"))),
            (_, Some(_)) => {}
        }
        let to = pushed_as(name);
        if to != name {
            let tag = Cmd::new("docker", ["tag", name, &to]);
            let output = self.machine.run(&tag, &|_| {}).await?;
            if !output.ok() {
                return Err(host::explained(output.failure(&tag)));
            }
        }
        let (command, layers) = (push(name), RefCell::new(BTreeMap::new()));
        let line = |line: &str| {
            let told = layer(line).map(|(layer, done)| {
                let mut layers = layers.borrow_mut();
                layers.insert(layer.to_string(), done);
                format!("{} of {} layers are there", layers.values().filter(|done| **done).count(), layers.len())
            });
            progress(told.unwrap_or_else(|| line.into()));
        };
        let output = self.machine.run(&command, &line).await?;
        if !output.ok() {
            return Err(host::explained(output.failure(&command)));
        }
        let after = look(name).await?;
        match (after.digest(), &id) {
            (Some(digest), Some(id)) if after.holds(id) => Ok(StepEnd::Changed(format!("{name}, {}", short(digest)))),
            (None, _) => Err(unusable(name, &after).unwrap_or_else(|| {
                Failure::step(format!("the registry has no image {name}, and `docker push` has not failed"))
            })),
            (Some(digest), _) => Err(Failure::step(format!("the registry has another image under the name {name}"))
                .cause(format!("its digest there is {digest}; Docker has {}", id.unwrap_or_default()))),
        }
    }

    /// Every pod of the lab must run the image with the digest that the registry gives.
    pub(super) async fn prove_image(&self, name: &str, namespace: &str) -> Result<StepEnd> {
        let seen = look(name).await?;
        let Some(digest) = seen.digest() else {
            let gone = || Failure::step(format!("the registry has no image {name} any more"));
            return Err(unusable(name, &seen).unwrap_or_else(gone));
        };
        let selector = Selector::labels(format!("{LAB_LABEL}={}", self.lab));
        let pods = self.connected().await?.list("v1", "Pod", Some(namespace), &selector).await?;
        let mut proven = Vec::new();
        for pod in &pods {
            let pod_name = pod["metadata"]["name"].as_str().unwrap_or_default();
            match running(pod, name) {
                Some(id) if id.ends_with(digest) => proven.push(pod_name),
                Some(id) => {
                    return Err(Failure::step(format!("{pod_name} runs another image than the registry has under the same name"))
                        .cause(format!("it runs {id}; the registry has {digest}"))
                        .hint(format!(
                            "its node has it from another registry or from an earlier build: see that {} leads every node to the \
                             same registry as this machine, or change the context, which changes the name",
                            registry(name).0
                        )));
                }
                None => {}
            }
        }
        match proven.is_empty() {
            true => Err(Failure::step(format!("no pod runs {name}"))),
            false => Ok(StepEnd::Unchanged(format!("{} run {}", proven.join(" and "), short(digest)))),
        }
    }
}

/// The registry as soon as it answers, where it is on its way.
async fn answering(name: &str, comes: bool, progress: Progress<'_>) -> Result<RegistrySeen> {
    let once = || async {
        let seen = look(name).await?;
        match unusable(name, &seen) {
            None => Ok(seen),
            Some(failure) if comes => Err(Failure { kind: Kind::NotReady, ..failure }),
            Some(failure) => Err(failure),
        }
    };
    let passes = |failure: &Failure| {
        let yet = failure.kind == Kind::NotReady;
        if yet {
            progress(failure.to_string());
        }
        yet
    };
    once.retry(again()).when(passes).await
}

/// The failure that a registry is, unless it answers as one.
fn unusable(name: &str, seen: &RegistrySeen) -> Option<Failure> {
    let host = registry(name).0;
    match seen {
        RegistrySeen::Silent(why) => {
            Some(Failure::step(format!("the image registry {host} does not answer")).cause(why).hint(REGISTRY_HINT))
        }
        RegistrySeen::Other(why) => {
            Some(Failure::step(format!("the image registry {host} cannot be used")).cause(why).hint(REGISTRY_HINT))
        }
        RegistrySeen::Answers { .. } | RegistrySeen::Unknown => None,
    }
}

/// The id of the image that a pod's container of that image runs.
fn running<'a>(pod: &'a Value, image: &str) -> Option<&'a str> {
    let containers = pod.pointer("/spec/containers")?.as_array()?;
    let container = containers.iter().find(|container| container["image"] == image)?;
    let statuses = pod.pointer("/status/containerStatuses")?.as_array()?;
    statuses.iter().find(|status| status["name"] == container["name"])?["imageID"].as_str()
}

/// A layer in a line of `docker push`, and whether it is in the registry.
fn layer(line: &str) -> Option<(&str, bool)> {
    let (layer, state) = line.split_once(": ")?;
    let is_layer = layer.len() == 12 && layer.bytes().all(|byte| byte.is_ascii_hexdigit());
    let done = ["Pushed", "Layer already exists", "Mounted from"].iter().any(|word| state.starts_with(word));
    is_layer.then_some((layer, done))
}

/// The failure of a build: its last line says what it is, and those before it where.
fn not_built(name: &str, output: &Output) -> Failure {
    let text = output.text();
    let lines: Vec<String> = text.lines().map(plain).collect();
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    let told = |line: &&str| !line.trim().is_empty() && !NOISE.iter().any(|words| line.trim().starts_with(words));
    let lines: Vec<&str> = lines.into_iter().filter(told).collect();
    let failure = Failure::step(format!("Docker cannot build the image {}", registry(name).1));
    let Some((last, before)) = lines.split_last() else { return failure };
    let failure = failure.cause(last.trim());
    match before.len() {
        0 => failure,
        count => failure.cause(format!("before that it said:\n{}", before[count.saturating_sub(TAIL)..].join("\n"))),
    }
}

/// A line without the colours that docker gives to what a step of a build says on its standard error.
fn plain(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_string();
    parts.fold(first, |text, part| text + part.split_once('m').map_or(part, |(_, rest)| rest))
}

/// A warning in a line of `docker build`, which BuildKit begins with a number and a time.
fn warning(line: &str) -> Option<String> {
    let at = line.find(WARNING)?;
    let before = line[..at].trim();
    let is_prefix = before.split_whitespace().all(|word| word.trim_start_matches('#').parse::<f64>().is_ok());
    is_prefix.then(|| line[at..].trim().to_string())
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
