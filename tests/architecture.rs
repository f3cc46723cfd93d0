//! The agreed layout, read off the source: who imports whom, what only one module may touch, how a file looks.

#[path = "architecture/source.rs"]
mod source;

use source::{Source, blanked, mentions, without_tests};
use std::collections::BTreeMap;

/// Each top-level module and the modules that it may import; `*` is all of them.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("download", &["error", "model"]),
    ("paths", &["error"]),
    ("bundle", &["error", "model", "paths"]),
    ("yaml", &["error"]),
    ("model", &["error"]),
    ("lab", &["error", "model", "yaml"]),
    ("provider", &["error", "lab", "model", "yaml"]),
    ("addon", &["error", "lab", "model", "yaml"]),
    ("workload", &["error", "lab", "model", "yaml", "addon"]),
    ("sim", &["error", "model", "yaml"]),
    ("exec", &["error", "lab", "model", "paths"]),
    ("host", &["error", "model", "exec"]),
    ("image", &["error", "model", "paths", "download"]),
    ("cluster", &["error", "lab", "model", "yaml"]),
    ("observe", &["error", "lab", "model", "yaml", "cluster", "exec", "host"]),
    ("plan", &["error", "lab", "model", "yaml", "provider", "addon", "workload"]),
    (
        "engine",
        &[
            "error", "lab", "model", "yaml", "paths", "provider", "addon", "workload", "cluster", "download", "exec",
            "host", "image",
        ],
    ),
    ("cli", &["error", "lab", "model"]),
    ("ui", &["error", "lab", "model", "cli", "yaml"]),
    ("commands", &["*"]),
    ("main", &["*"]),
    ("lib", &[]),
];

/// Modules that only compute.
const PURE: &[&str] = &["model", "lab", "provider", "addon", "workload", "plan"];
/// What a module that only computes must not mention.
const IO: &[&str] = &["std::fs", "std::net", "std::io", "std::env", "std::process", "std::thread", "tokio", "kube"];

/// What of those is plain data: an address opens no connection.
const PLAIN: &[&str] = &["std::net::Ipv4Addr", "std::net::IpAddr"];

/// Paths that only some modules may mention.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("std::process", &["exec"]),
    ("tokio::process", &["exec"]),
    ("duct", &["exec"]),
    ("std::io::stdout", &["ui"]),
    ("std::io::stderr", &["ui"]),
    ("serde_yaml", &["yaml"]),
    ("ureq", &["download", "image"]),
    ("directories", &["paths"]),
];
/// What of `std::process` is about our own end or name, and starts nothing.
const OWN_PROCESS: &[&str] = &["std::process::ExitCode", "std::process::exit", "std::process::id"];

/// Macros that print.
const PRINTING: &[&str] = &["println!", "print!", "eprintln!", "eprint!", "dbg!"];

const MOST_LINES: usize = 400;

#[test]
fn imports_go_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut wrong = Vec::new();
    for (from, to, place) in imports() {
        match allowed.get(from.as_str()) {
            None => wrong.push(format!("{place}: the module {from} stands in no list of this test")),
            Some(list) if list.contains(&"*") || list.contains(&to.as_str()) => {}
            Some(_) => wrong.push(format!("{place}: {from} must not import {to}")),
        }
    }
    report(wrong);
}

#[test]
fn no_two_modules_import_each_other() {
    let mut first: BTreeMap<(String, String), String> = BTreeMap::new();
    for (from, to, place) in imports() {
        first.entry((from, to)).or_insert(place);
    }
    let both = first.iter().filter_map(|((from, to), place)| {
        let back = first.get(&(to.clone(), from.clone()))?;
        (from < to).then(|| format!("{from} and {to} import each other: {place} and {back}"))
    });
    report(both.collect());
}

#[test]
fn what_belongs_to_one_module_is_used_only_there() {
    let mut wrong = Vec::new();
    for source in Source::all().iter().filter(|source| !source.is_test()) {
        let module = source.module();
        for mention in mentions(&source.code) {
            let place = format!("{}:{}", source.path.display(), mention.line);
            let is = |prefix: &&str| mention.path == **prefix || mention.path.starts_with(&format!("{prefix}::"));
            if OWN_PROCESS.contains(&mention.path.as_str()) || mention.path == "std::process" {
                continue;
            }
            for (path, modules) in ONLY_IN {
                if is(path) && !modules.contains(&module.as_str()) {
                    wrong.push(format!("{place}: {} is only for {}", mention.path, modules.join(", ")));
                }
            }
            if PURE.contains(&module.as_str()) && IO.iter().any(is) && !PLAIN.contains(&mention.path.as_str()) {
                wrong.push(format!("{place}: {module} does no I/O, and this is {}", mention.path));
            }
        }
    }
    report(wrong);
}

#[test]
fn only_ui_prints() {
    let mut wrong = Vec::new();
    for source in Source::all().iter().filter(|source| !source.is_test() && source.module() != "ui") {
        for (number, line) in source.code.lines().enumerate() {
            let printing = PRINTING.iter().find(|name| {
                let found = line.find(**name);
                found.is_some_and(|at| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
            });
            if let Some(name) = printing {
                wrong.push(format!("{}:{}: {name} outside ui", source.path.display(), number + 1));
            }
        }
    }
    report(wrong);
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    let mut wrong = Vec::new();
    for source in Source::all() {
        let path = source.path.display();
        if !source.text.starts_with("//! ") {
            wrong.push(format!("{path}:1: the first line is no `//!` that says what the file is responsible for"));
        }
        let lines = source.text.lines().count();
        if lines > MOST_LINES {
            wrong.push(format!("{path}:{lines}: {lines} lines, at most {MOST_LINES} are allowed"));
        }
    }
    report(wrong);
}

#[test]
fn the_reader_of_source_sees_paths_and_nothing_else() {
    let text = "use crate::{a::b, c::{d, e}}; // crate::no\nlet x = \"crate::no\"; crate::f::g();\n#[cfg(test)]\nmod t { crate::no }\n";
    let found: Vec<String> = mentions(&without_tests(&blanked(text))).into_iter().map(|m| m.path).collect();
    assert_eq!(found, ["crate::a::b", "crate::c::d", "crate::c::e", "crate::f::g"]);
}

/// Each import between two top-level modules, with its place.
fn imports() -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    for source in Source::all().iter().filter(|source| !source.is_test()) {
        let from = source.module();
        for mention in mentions(&source.code) {
            let mut parts = mention.path.split("::");
            if !matches!(parts.next(), Some("crate" | "iris_lab")) {
                continue;
            }
            let to = parts.next().unwrap_or_default().to_string();
            if to != from && MAY_IMPORT.iter().any(|(name, _)| *name == to) {
                all.push((from.clone(), to, format!("{}:{}", source.path.display(), mention.line)));
            }
        }
    }
    all
}

fn report(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
