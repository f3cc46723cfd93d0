//! Docker, by its client.

use crate::error::{Failure, Result};
use crate::exec::{Machine, Output, ask};
use crate::model::Cmd;
use crate::model::host::{Docker, DockerNetwork};
use crate::model::object::{FIELD_MANAGER, MANAGED_BY};
use serde_json::Value;

pub(super) const SOCKET_HINT: &str = "join the group that may use it, and log in again: sudo usermod -aG docker $USER";
pub(super) const START_HINT: &str =
    "start it: `sudo systemctl start docker`, or Docker Desktop where that is what runs it";
const INSTALL_HINT: &str =
    "install it, on Ubuntu and Debian with `sudo apt-get install docker.io`, and see that it runs";

/// Whether an object of a kind (`network`, `container`, `volume`, `image`) is there.
pub(super) async fn has(machine: &dyn Machine, kind: &str, name: &str) -> Result<bool> {
    if machine.find("docker").is_none() {
        return Ok(false);
    }
    let args = ["inspect", "--type", kind, "--format", "{{.Id}}", name];
    // Networks and volumes have an inspect of their own in clients before 20.10 that need no type.
    let args: Vec<&str> = match kind {
        "network" | "volume" => vec![kind, "inspect", "--format", "{{.Name}}", name],
        _ => args.to_vec(),
    };
    let output = ask(machine, "docker", &args).await?;
    match output.ok() {
        true => Ok(true),
        false if is_missing(&output) => Ok(false),
        false => Err(failure(&output, &args)),
    }
}

pub(super) fn is_missing(output: &Output) -> bool {
    let said = output.text().to_lowercase();
    said.contains("no such") || said.contains("not found")
}

/// The failure of a command of docker: its own words, and what to do where the engine does not answer.
pub(super) fn failure(output: &Output, args: &[&str]) -> Failure {
    let failure = output.failure(&Cmd::new("docker", args.iter().copied()));
    match hint(&output.stderr) {
        Some(hint) => Failure::requirement("Docker does not answer").cause(failure).hint(hint),
        None => failure,
    }
}

fn hint(said: &str) -> Option<&'static str> {
    let said = said.to_lowercase();
    match said.contains("permission denied") {
        true => Some(SOCKET_HINT),
        false => {
            ["cannot connect", "error during connect", "is the docker daemon running", "context deadline exceeded"]
                .iter()
                .any(|words| said.contains(words))
                .then_some(START_HINT)
        }
    }
}

/// Whether its engine answers.
pub(super) async fn answers(machine: &dyn Machine) -> Result<bool> {
    if machine.find("docker").is_none() {
        return Ok(false);
    }
    Ok(ask(machine, "docker", &["version", "--format", "{{.Server.Version}}"]).await?.ok())
}

/// Why it cannot be used, and what helps; none when its engine answers.
pub(super) async fn unusable(machine: &dyn Machine) -> Result<Option<(String, String)>> {
    if machine.find("docker").is_none() {
        return Ok(Some(("Docker is not installed, or not on PATH".into(), INSTALL_HINT.into())));
    }
    let output = ask(machine, "docker", &["version", "--format", "{{.Server.Version}}"]).await?;
    let said = output.stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("its engine does not answer");
    Ok((!output.ok()).then(|| (said.trim().to_string(), hint(&output.stderr).unwrap_or(START_HINT).to_string())))
}

/// Whether it builds with BuildKit, without which it mounts no secrets.
pub(super) async fn has_build_kit(machine: &dyn Machine) -> Result<bool> {
    if machine.find("docker").is_none() {
        return Ok(false);
    }
    Ok(ask(machine, "docker", &["buildx", "version"]).await?.ok())
}

/// The id of an image; none where Docker has none of that name.
pub(super) async fn image_id(machine: &dyn Machine, name: &str) -> Result<Option<String>> {
    if machine.find("docker").is_none() {
        return Ok(None);
    }
    let args = ["image", "inspect", "--format", "{{.Id}}", name];
    let output = ask(machine, "docker", &args).await?;
    match output.ok() {
        true => Ok(Some(output.stdout.trim().to_string()).filter(|id| !id.is_empty())),
        false if is_missing(&output) => Ok(None),
        false => Err(failure(&output, &args)),
    }
}

/// The images that carry our label, each as Docker's own list has it.
pub(super) async fn built(machine: &dyn Machine) -> Result<Vec<Value>> {
    let label = format!("label={MANAGED_BY}={FIELD_MANAGER}");
    let all = lines(machine, &["image", "ls", "--no-trunc", "--filter", &label, "--format", "{{json .}}"]).await?;
    Ok(all.iter().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// What it says of itself.
pub(super) async fn docker(machine: &dyn Machine) -> Result<Option<Docker>> {
    if machine.find("docker").is_none() {
        return Ok(None);
    }
    let output = ask(machine, "docker", &["info", "--format", "{{json .}}"]).await?;
    let mut docker = about(&output);
    if docker.unreachable.is_none() {
        let names = |args: &'static [&'static str]| lines(machine, args);
        (docker.containers, docker.running, docker.images, docker.networks) = futures::try_join!(
            names(&["ps", "--all", "--format", "{{.Names}}"]),
            names(&["ps", "--format", "{{.Names}}"]),
            names(&["images", "--format", "{{.Repository}}:{{.Tag}}"]),
            networks(machine),
        )?;
    }
    Ok(Some(docker))
}

/// The answer of `docker info`. Without an engine it is the client's part alone, with exit code 1 or, in older clients, 0.
fn about(output: &Output) -> Docker {
    let info: Value = serde_json::from_str(output.stdout.trim()).unwrap_or_default();
    let text = |key: &str| info[key].as_str().unwrap_or_default().to_string();
    let mut errors = info["ServerErrors"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let version = text("ServerVersion");
    let unreachable = version.is_empty().then(|| {
        let said = output.stderr.lines().rev().find(|line| !line.trim().is_empty()).map(str::trim);
        let said = errors.next_back().or(said).unwrap_or("it gives no version").to_string();
        said.trim_start_matches("errors pretty printing info: ").to_string()
    });
    let security = info["SecurityOptions"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let options: Vec<&str> = security.collect();
    let has = |name: &str| options.iter().any(|option| option.split(',').any(|part| part == format!("name={name}")));
    Docker {
        unreachable,
        version,
        storage_driver: text("Driver"),
        rootless: has("rootless"),
        remaps_users: has("userns"),
        operating_system: text("OperatingSystem"),
        ..Docker::default()
    }
}

async fn lines(machine: &dyn Machine, args: &[&str]) -> Result<Vec<String>> {
    let output = ask(machine, "docker", args).await?;
    match output.ok() {
        true => Ok(output.stdout.lines().map(|line| line.trim().to_string()).filter(|line| !line.is_empty()).collect()),
        false => Err(failure(&output, args)),
    }
}

/// Its networks. One that goes between the two questions is not there.
async fn networks(machine: &dyn Machine) -> Result<Vec<DockerNetwork>> {
    let names = lines(machine, &["network", "ls", "--format", "{{.Name}}"]).await?;
    let args: Vec<&str> = ["network", "inspect"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let output = ask(machine, "docker", &args).await?;
    if !output.ok() && !is_missing(&output) {
        return Err(failure(&output, &args));
    }
    let answer: Value = serde_json::from_str(&output.stdout)
        .map_err(|e| Failure::step(format!("`{}` prints no JSON", Cmd::new("docker", args).line())).caused_by(e))?;
    Ok(answer.as_array().into_iter().flatten().map(network).collect())
}

fn network(seen: &Value) -> DockerNetwork {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(String::from);
    let pools = seen["IPAM"]["Config"].as_array();
    let pool = |key: &str| pools.into_iter().flatten().filter_map(|pool| text(&pool[key])).collect();
    let members: Vec<&Value> = seen["Containers"].as_object().into_iter().flatten().map(|(_, one)| one).collect();
    let address = |member: &&Value| text(&member["IPv4Address"])?.split('/').next().map(String::from);
    DockerNetwork {
        name: text(&seen["Name"]).unwrap_or_default(),
        subnets: pool("Subnet"),
        gateways: pool("Gateway"),
        mtu: text(&seen["Options"]["com.docker.network.driver.mtu"]),
        containers: members.iter().filter_map(|member| text(&member["Name"])).collect(),
        taken: members.iter().filter_map(address).collect(),
    }
}

#[cfg(test)]
#[path = "docker_tests.rs"]
mod tests;
