//! Images on this host: who keeps them, what is there, and how they come and go.

use super::{docker, microk8s, system};
use crate::error::{Failure, Result};
use crate::exec::{Machine, Output};
use crate::model::bundle::Arch;
use crate::model::host::User;
use crate::model::{Cmd, image_name};
use std::path::Path;

/// Who keeps images.
#[derive(Clone, Debug)]
pub enum Store {
    /// Docker Engine.
    Docker,
    /// The containerd of microk8s, as this user reaches it.
    Microk8s(User),
}

/// An image that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its id in Docker; none elsewhere.
    pub id: Option<String>,
    /// The platforms that it is for, such as `linux/amd64`.
    pub platforms: Vec<String>,
    /// About how many bytes it has; none where nobody tells.
    pub size: Option<u64>,
}

/// Those that answer now.
#[derive(Clone, Debug, Default)]
pub struct Stores {
    /// Docker.
    pub docker: Option<Store>,
    /// microk8s.
    pub microk8s: Option<Store>,
    /// Why Docker does not answer, where it is installed.
    pub why: Option<String>,
}

impl Stores {
    /// Looks for them.
    pub async fn look(machine: &dyn Machine) -> Result<Stores> {
        let docker = docker::docker(machine).await?;
        let why = docker.as_ref().and_then(|docker| docker.unreachable.clone());
        let runs = microk8s::runs(machine).await?;
        Ok(Stores {
            docker: docker.filter(|docker| docker.unreachable.is_none()).map(|_| Store::Docker),
            microk8s: if runs { Some(Store::Microk8s(system::user(machine).await?)) } else { None },
            why,
        })
    }

    /// Each of them.
    pub fn all(&self) -> impl Iterator<Item = &Store> {
        self.docker.iter().chain(&self.microk8s)
    }

    /// The one that images are taken from.
    pub fn first(&self) -> Result<&Store> {
        let why = self.why.clone().unwrap_or_else(|| "its client is not installed".into());
        self.all().next().ok_or_else(|| {
            Failure::requirement("there is nobody here who keeps images: neither Docker nor a microk8s that runs")
                .cause(format!("Docker: {why}"))
                .hint("start Docker (`sudo systemctl start docker`), or microk8s (`microk8s start`)")
        })
    }
}

impl Store {
    /// Its name, for people.
    pub fn name(&self) -> &'static str {
        match self {
            Store::Docker => "Docker",
            Store::Microk8s(_) => "microk8s",
        }
    }

    fn command(&self, docker: &[&str], ctr: &[&str]) -> Cmd {
        match self {
            Store::Docker => Cmd::new("docker", docker.iter().copied()),
            Store::Microk8s(user) => user.microk8s(["ctr", "images"].into_iter().chain(ctr.iter().copied())),
        }
    }

    /// The image by that name; none where there is none.
    pub async fn find(&self, machine: &dyn Machine, name: &str) -> Result<Option<Found>> {
        let (whole, form) = (image_name::whole(name), "{{.Id}} {{.Os}}/{{.Architecture}} {{.Size}}");
        let filter = format!("name=={whole}");
        let cmd = self.command(&["image", "inspect", "--format", form, name], &["ls", &filter]);
        let output = machine.run(&cmd, &|_| {}).await?;
        match self {
            Store::Docker if docker::is_missing(&output) => Ok(None),
            _ if !output.ok() => Err(self.failure(&cmd, &output)),
            Store::Docker => Ok(inspected(&output.stdout)),
            Store::Microk8s(_) => Ok(listed(&output.stdout, &whole)),
        }
    }

    /// The names of all that it has.
    pub async fn names(&self, machine: &dyn Machine) -> Result<Vec<String>> {
        let cmd = self.command(&["images", "--format", "{{.Repository}}:{{.Tag}}"], &["ls", "--quiet"]);
        let output = machine.run(&cmd, &|_| {}).await?;
        if !output.ok() {
            return Err(self.failure(&cmd, &output));
        }
        Ok(output.stdout.lines().map(|line| line.trim().to_string()).filter(|line| !line.is_empty()).collect())
    }

    /// Gets an image from a registry. `told` gets each line of what is said meanwhile.
    pub async fn pull(&self, machine: &dyn Machine, name: &str, arch: Arch, told: &dyn Fn(&str)) -> Result<()> {
        let (whole, platform) = (image_name::whole(name), arch.platform());
        let cmd = self.command(&["pull", "--platform", &platform, name], &["pull", "--platform", &platform, &whole]);
        let output = machine.run(&cmd, told).await?;
        if output.ok() {
            return Ok(());
        }
        let mirror =
            "see whether the network and the name are right, or name a registry that has it with --mirror HOST:PORT";
        Err(super::explained(self.failure(&cmd, &output)).hint(mirror))
    }

    /// Gives an image another name, too.
    pub async fn tag(&self, machine: &dyn Machine, from: &str, to: &str) -> Result<()> {
        let (source, target) = (image_name::whole(from), image_name::whole(to));
        self.run(machine, self.command(&["tag", from, to], &["tag", "--force", &source, &target]), &|_| {}).await
    }

    /// The command that prints an archive of an image.
    pub fn save(&self, name: &str, arch: Arch) -> Cmd {
        let (whole, platform) = (image_name::whole(name), arch.platform());
        self.command(&["save", name], &["export", "--platform", &platform, "-", &whole])
    }

    /// Loads an archive of one image, and looks whether it is there then.
    pub async fn load(&self, machine: &dyn Machine, name: &str, path: &Path, told: &dyn Fn(&str)) -> Result<()> {
        let path = path.to_string_lossy();
        self.run(machine, self.command(&["load", "--input", &path], &["import", &path]), told).await?;
        match self.find(machine, name).await? {
            Some(_) => Ok(()),
            None => Err(Failure::step(format!("{} has no image {name} after it has loaded it", self.name()))
                .cause(format!("the archive {path} does not hold it"))
                .hint("save the bundle again, and load that")),
        }
    }

    async fn run(&self, machine: &dyn Machine, cmd: Cmd, told: &dyn Fn(&str)) -> Result<()> {
        let output = machine.run(&cmd, told).await?;
        if output.ok() { Ok(()) } else { Err(super::explained(self.failure(&cmd, &output))) }
    }

    /// The failure of one of its commands.
    pub fn failure(&self, cmd: &Cmd, output: &Output) -> Failure {
        match self {
            Store::Docker => docker::failure(output, &cmd.args.iter().map(String::as_str).collect::<Vec<_>>()),
            Store::Microk8s(_) => output.failure(cmd),
        }
    }
}

/// What `docker image inspect` says of an image.
fn inspected(text: &str) -> Option<Found> {
    let mut words = text.split_whitespace().map(String::from);
    let (id, platform) = (words.next()?, words.next()?);
    Some(Found { id: Some(id), platforms: vec![platform], size: words.next().and_then(|size| size.parse().ok()) })
}

/// What `ctr images ls` says of one: REF, TYPE, DIGEST, SIZE with its unit, PLATFORMS, LABELS.
fn listed(table: &str, whole: &str) -> Option<Found> {
    let mut rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row.first() == Some(&whole))?;
    let platforms = row.iter().skip(3).find(|field| field.starts_with("linux/")).copied().unwrap_or_default();
    Some(Found { id: None, platforms: platforms.split(',').map(Into::into).collect(), size: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::scripted::Scripted;

    const FORM: &str = "docker image inspect --format '{{.Id}} {{.Os}}/{{.Architecture}} {{.Size}}' iris:1";

    #[tokio::test]
    async fn docker_tells_what_an_image_is_for() {
        let host = Scripted::saying(&[(FORM, 0, "sha256:00 linux/arm64 1234\n", "")]);
        let found = Store::Docker.find(&host, "iris:1").await.unwrap().unwrap();
        let wanted = Found { id: Some("sha256:00".into()), platforms: vec!["linux/arm64".into()], size: Some(1234) };
        assert_eq!(found, wanted);
        let none = Scripted::saying(&[(FORM, 1, "\n", "Error: No such image: iris:1\n")]);
        assert_eq!(Store::Docker.find(&none, "iris:1").await.unwrap(), None);
        let dead = Scripted::saying(&[(FORM, 1, "", "Cannot connect to the Docker daemon at unix:///x.\n")]);
        assert_eq!(Store::Docker.find(&dead, "iris:1").await.unwrap_err().message, "Docker does not answer");
    }

    #[tokio::test]
    async fn the_table_of_containerd_is_read_by_whole_names() {
        let table = "REF                              TYPE                                       DIGEST    SIZE     PLATFORMS               LABELS\n\
                     docker.io/library/registry:2     application/vnd.oci.image.index.v1+json    sha256:00 10.1 MiB linux/amd64,linux/arm64 io.cri-containerd.image=managed\n";
        let host = Scripted::saying(&[
            ("sudo -n microk8s ctr images ls name==docker.io/library/registry:2", 0, table, ""),
            ("sudo -n microk8s ctr images ls name==docker.io/library/registry:3", 0, "REF TYPE\n", ""),
        ]);
        let store = Store::Microk8s(User::default());
        let found = store.find(&host, "registry:2").await.unwrap().unwrap();
        assert_eq!(found.platforms, ["linux/amd64", "linux/arm64"]);
        assert_eq!(store.find(&host, "registry:3").await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_an_archive_does_not_hold_is_not_loaded() {
        let host = Scripted::saying(&[
            ("docker load --input /cache/a.tar", 0, "Loaded image: other:1\n", ""),
            (FORM, 1, "\n", "Error: No such image: iris:1\n"),
        ]);
        let failure = Store::Docker.load(&host, "iris:1", Path::new("/cache/a.tar"), &|_| {}).await.unwrap_err();
        assert!(failure.message.contains("has no image iris:1"), "{failure}");
    }
}
