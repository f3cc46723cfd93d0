//! The part about this host: versions of the tools, and what the checks look at.

use super::archive::Archive;
use crate::error::Result;
use crate::exec::{Machine, System, ask};
use crate::{host, paths};
use futures::future::join_all;
use serde::Serialize;
use std::time::Duration;

/// Tools that a lab may use, and what each says its version with.
const TOOLS: &[(&str, &[&str])] = &[
    ("kubectl", &["version", "--client"]),
    ("docker", &["version"]),
    ("kind", &["version"]),
    ("microk8s", &["version"]),
    ("snap", &["version"]),
    ("iscsiadm", &["--version"]),
    ("helm", &["version", "--short"]),
];

/// The longest time that a tool may take to say it.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Versions {
    iris_lab: &'static str,
    system: String,
    tools: Vec<Tool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tool {
    name: &'static str,
    path: String,
    says: String,
}

/// Adds it.
pub(super) async fn gather(archive: &mut Archive) {
    let machine = System;
    let (tools, facts) =
        futures::join!(join_all(TOOLS.iter().map(|(name, args)| tool(&machine, name, args))), facts(&machine));
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    let tools = tools.into_iter().flatten().collect();
    archive.json("versions.json", Ok(Versions { iris_lab: env!("CARGO_PKG_VERSION"), system, tools }));
    archive.json("host/facts.json", facts);
}

async fn facts(machine: &dyn Machine) -> Result<crate::model::HostFacts> {
    host::facts(machine, &paths::cache()?).await
}

/// What a tool says of itself; none where it is not installed.
async fn tool(machine: &dyn Machine, name: &'static str, args: &[&str]) -> Option<Tool> {
    let path = machine.find(name)?;
    let says = match tokio::time::timeout(PATIENCE, ask(machine, name, args)).await {
        Ok(Ok(output)) => output.text(),
        Ok(Err(failure)) => failure.to_string(),
        Err(_) => format!("nothing for {} s", PATIENCE.as_secs()),
    };
    Some(Tool { name, path, says })
}
