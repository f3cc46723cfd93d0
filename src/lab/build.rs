//! The rules of what a lab builds: the context, the arguments, the registry.

use super::image::{is_host, names_registry};
use super::source::Finding;
use super::types::{Build, Lab};

/// Words in the name of an argument that holds a secret.
const SECRET: [&str; 4] = ["PASSWORD", "PASSWD", "SECRET", "TOKEN"];

/// Everything wrong with it.
pub fn check(lab: &Lab) -> Vec<Finding> {
    let mut findings = Vec::new();
    let registry = &lab.spec.registry;
    if !is_host(registry) {
        findings.push(Finding::at("spec.registry", registry, "must be a host with its port, such as localhost:32000"));
    }
    let build = &lab.spec.iris.build;
    if build.context.is_some() {
        let image = &lab.spec.iris.image;
        if names_registry(image) || image.contains('@') {
            let rule = "must be a name and a tag alone, such as simple:1: spec.registry says where a built image goes";
            findings.push(Finding::at("spec.iris.image", image, rule));
        }
    }
    findings.extend(files(build));
    findings.extend(arguments(build));
    findings
}

fn files(build: &Build) -> Vec<Finding> {
    let mut findings = Vec::new();
    let path = |text: &str| !text.is_empty() && !text.contains(char::is_control);
    if let Some(context) = build.context.as_ref().filter(|context| !path(context)) {
        findings.push(Finding::at(
            "spec.iris.build.context",
            context,
            "must be a folder, or the name of a built-in one",
        ));
    }
    let inside = path(&build.file) && !build.file.starts_with('/') && build.file.split('/').all(|part| part != "..");
    if !inside {
        findings.push(Finding::at("spec.iris.build.file", &build.file, "must be the path of a file in the context"));
    }
    for (id, file) in &build.secrets {
        let at = ["spec", "iris", "build", "secrets", id].map(String::from);
        let plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        if !plain {
            findings.push(Finding::new(&at, None, "the id of a secret has letters, digits, _, . and - only"));
        }
        // The argument of docker is a list with commas.
        if !path(file) || file.contains([',', '"']) {
            findings.push(Finding::new(&at, Some(file), "must be the path of a file, without commas and quotes"));
        }
    }
    findings
}

fn arguments(build: &Build) -> Vec<Finding> {
    let mut findings = Vec::new();
    if build.context.is_none() {
        for (section, name) in
            build.args.keys().map(|name| ("args", name)).chain(build.secrets.keys().map(|id| ("secrets", id)))
        {
            let at = ["spec", "iris", "build", section, name].map(String::from);
            findings.push(Finding::new(
                &at,
                None,
                "is about nothing: spec.iris.build.context is not given, and nothing is built",
            ));
        }
        return findings;
    }
    for (name, value) in &build.args {
        let at = ["spec", "iris", "build", "args", name].map(String::from);
        let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !(first && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')) {
            findings.push(Finding::new(&at, None, "the name of an argument has letters, digits and _ only"));
        } else if SECRET.iter().any(|word| name.to_uppercase().contains(word)) {
            let rule =
                "is a secret by its name, and an argument stays readable in the image: give it as a secret, by a file";
            findings.push(Finding::new(&at, None, rule));
        } else if value.contains(char::is_control) {
            findings.push(Finding::new(&at, Some(value), "must be on one line"));
        }
    }
    findings
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
