//! Looks at what is on this host, through the host's own tools: whether a thing is there, and what each tool says of itself. One
//! file a tool.

mod docker;
pub mod images;
mod iscsi;
mod kind;
mod known;
mod microk8s;
mod network;
mod route;
mod snap;
mod system;

pub use known::explained;

use crate::error::{Failure, Result};
use crate::exec::{Machine, Output, ask};
use crate::model::{Cmd, HostFacts, HostObject};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// The longest time that a program gets which only looks.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a program says that only looks; none where it is not installed. One that hangs is an error.
async fn seen(machine: &dyn Machine, program: &str, args: &[&str]) -> Result<Option<Output>> {
    if machine.find(program).is_none() && !machine.exists(program) {
        return Ok(None);
    }
    match tokio::time::timeout(PATIENCE, ask(machine, program, args)).await {
        Ok(output) => output.map(Some),
        Err(_) => {
            let line = Cmd::new(program, args.iter().copied()).line();
            Err(Failure::requirement(format!("`{line}` has said nothing for {} s", PATIENCE.as_secs()))
                .cause("it was ended")
                .hint("run it yourself to see what it waits for"))
        }
    }
}

/// The same as one line of text; empty where there is none.
async fn words(machine: &dyn Machine, program: &str, args: &[&str]) -> Result<String> {
    let output = seen(machine, program, args).await?;
    Ok(output.map(|output| output.stdout.trim().to_string()).unwrap_or_default())
}

/// All that is seen of this host, read side by side. `cache` is the folder of programs that we downloaded.
pub async fn facts(machine: &dyn Machine, cache: &Path) -> Result<HostFacts> {
    let (system, user, network, snap, microk8s, docker, kind, iscsi, storage) = futures::try_join!(
        system::system(machine),
        system::user(machine),
        network::network(machine),
        snap::snap(machine),
        microk8s::microk8s(machine),
        docker::docker(machine),
        kind::kind(machine, cache),
        iscsi::iscsi(machine),
        iscsi::storage(machine),
    )?;
    Ok(HostFacts { system, user, network, snap, microk8s, docker, kind, iscsi, storage })
}

/// Why Docker cannot be used, and what helps; none when it answers.
pub async fn no_docker(machine: &dyn Machine) -> Result<Option<(String, String)>> {
    docker::unusable(machine).await
}

/// Whether Docker builds with BuildKit, without which it mounts no secrets.
pub async fn has_build_kit(machine: &dyn Machine) -> Result<bool> {
    docker::has_build_kit(machine).await
}

/// The id of an image in Docker; none where it has none of that name.
pub async fn image_id(machine: &dyn Machine, name: &str) -> Result<Option<String>> {
    docker::image_id(machine, name).await
}

/// The images in Docker that iris-lab has built, each as Docker's own list has it.
pub async fn built_images(machine: &dyn Machine) -> Result<Vec<Value>> {
    docker::built(machine).await
}

/// What matters of a machine that is a node of a cluster which somebody else has made.
pub async fn node(machine: &dyn Machine) -> Result<HostFacts> {
    let (system, iscsi, storage) =
        futures::try_join!(system::system(machine), iscsi::iscsi(machine), iscsi::storage(machine))?;
    Ok(HostFacts { system, iscsi, storage, ..HostFacts::default() })
}

/// Bytes that are free on the disk of a folder; none where nobody can say.
pub async fn free(machine: &dyn Machine, folder: &Path) -> Result<Option<u64>> {
    Ok(system::disk(machine, &folder.to_string_lossy()).await?.map(|disk| disk.free))
}

/// Whether microk8s is installed; whether kind is, and Docker answers.
pub async fn tools(machine: &dyn Machine) -> Result<(bool, bool)> {
    let kind = async {
        match machine.find("kind") {
            Some(_) => docker::answers(machine).await,
            None => Ok(false),
        }
    };
    futures::try_join!(snap::has(machine, "microk8s"), kind)
}

/// Whether something is there now. A tool that is not installed has nothing; one that does not answer is an error.
pub async fn has(machine: &dyn Machine, object: &HostObject) -> Result<bool> {
    match object {
        HostObject::Snap { name } => snap::has(machine, name).await,
        HostObject::Member { user, group } => snap::is_member(machine, user, group).await,
        HostObject::Microk8sRuns => microk8s::runs(machine).await,
        HostObject::Microk8sAddOn { name } => microk8s::is_enabled(machine, name).await,
        HostObject::KindCluster { name } => kind::has(machine, name).await,
        HostObject::KindRuns { name } => kind::runs(machine, name).await,
        HostObject::Network { name } => docker::has(machine, "network", name).await,
        HostObject::Container { name } => docker::has(machine, "container", name).await,
        HostObject::Volume { name } => docker::has(machine, "volume", name).await,
        HostObject::Image { name } => docker::has(machine, "image", name).await,
        HostObject::IscsiSession { target } => iscsi::has_session(machine, target).await,
        HostObject::Folder { path } => Ok(machine.exists(path)),
        HostObject::Route { to, via } => route::has(machine, to, via).await,
    }
}

/// Why something is not there (yet), in the words of its tool.
pub async fn why_absent(machine: &dyn Machine, object: &HostObject) -> Vec<String> {
    let said = match object {
        HostObject::Microk8sRuns => microk8s::why_not(machine).await,
        _ => Ok(None),
    };
    said.unwrap_or_else(|failure| Some(failure.to_string())).into_iter().collect()
}
