//! The arguments that say which lab is meant, and what is different from its file.

use crate::lab::ProviderName;
use clap::Args;
use std::path::PathBuf;
use std::str::FromStr;

/// Which lab, and what is different from its file.
#[derive(Clone, Debug, Args)]
pub struct LabArgs {
    /// A built-in lab (see `iris-lab labs`) or a lab file
    #[arg(value_name = "LAB", default_value = "two-pod")]
    pub lab: String,
    /// Name of the lab, to keep several apart [default: the name in the lab]
    #[arg(long, value_name = "NAME", help_heading = "Lab")]
    pub name: Option<String>,
    /// Set any field of the lab, such as spec.iris.timeZone=UTC (repeatable)
    #[arg(long, value_name = "PATH=VALUE", help_heading = "Lab", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Who makes the cluster: microk8s, kind, existing (one of yours), sim (nothing real is made), or auto
    #[arg(long, value_name = "PROVIDER", help_heading = "Cluster", hide_possible_values = true)]
    pub provider: Option<ProviderName>,
    /// Context of the existing cluster in your kubeconfig
    #[arg(long, value_name = "CONTEXT", help_heading = "Cluster")]
    pub context: Option<String>,
    /// Number of nodes, where we make them (1 to 20)
    #[arg(long, value_name = "N", help_heading = "Cluster", value_parser = clap::value_parser!(u32).range(1..=20), allow_negative_numbers = true)]
    pub nodes: Option<u32>,
    /// Kubernetes version, such as 1.24, where we choose it
    #[arg(long, value_name = "VERSION", help_heading = "Cluster")]
    pub kubernetes: Option<String>,
    /// Channel of the snap microk8s, such as 1.24/stable
    #[arg(long, value_name = "CHANNEL", help_heading = "Cluster")]
    pub channel: Option<String>,
    /// Image of kind's nodes
    #[arg(long, value_name = "IMAGE", help_heading = "Cluster")]
    pub node_image: Option<String>,
    /// Go on although this check of the machine fails, such as iscsiadm (repeatable; `iris-lab doctor` names them)
    #[arg(long, value_name = "CHECK", help_heading = "Cluster", value_delimiter = ',')]
    pub ignore_check: Vec<String>,
    /// Addresses for LoadBalancer Services [default: computed from the network]
    #[arg(long, value_name = "FIRST-LAST", help_heading = "Cluster")]
    pub lb_range: Option<String>,
    /// Install Longhorn [default release: the one in the lab]
    #[arg(long, value_name = "VERSION", help_heading = "Longhorn", num_args = 0..=1, require_equals = true)]
    pub longhorn: Option<Option<String>>,
    /// Install this original manifest: a file or an https address
    #[arg(long, value_name = "FILE|URL", help_heading = "Longhorn")]
    pub longhorn_manifest: Option<String>,
    /// The sha256 of that manifest, where it is changed
    #[arg(long, value_name = "SUM", help_heading = "Longhorn")]
    pub sha256: Option<String>,
    /// Do not try out a volume on every node
    #[arg(long, help_heading = "Longhorn")]
    pub no_canary: bool,
    /// On kind, try Longhorn with the iSCSI of this machine
    #[arg(long, help_heading = "Longhorn")]
    pub experimental_host_iscsi: bool,
    /// Namespace of the IRIS pods
    #[arg(long, value_name = "NAMESPACE", help_heading = "IRIS")]
    pub namespace: Option<String>,
    /// Number of pods, each an independent database (1 to 20)
    #[arg(long, value_name = "N", help_heading = "IRIS", value_parser = clap::value_parser!(u32).range(1..=20), allow_negative_numbers = true)]
    pub replicas: Option<u32>,
    /// Image of the pods, with its tag
    #[arg(long, value_name = "IMAGE", help_heading = "IRIS")]
    pub image: Option<String>,
    /// A merge file, in the place of the lab's own configuration
    #[arg(long, value_name = "FILE", help_heading = "IRIS")]
    pub cpf: Option<PathBuf>,
    /// Build the image: the lab's own, or that of a folder
    #[arg(long, value_name = "DIR", help_heading = "Image", num_args = 0..=1, require_equals = true)]
    pub build: Option<Option<PathBuf>>,
    /// What the image is built with.
    #[command(flatten)]
    pub image_build: BuildArgs,
    /// On kind, load the image into the nodes, without a registry
    #[arg(long, help_heading = "Image")]
    pub no_registry: bool,
    /// Storage class of the volumes [default: the cluster's default class]
    #[arg(long, value_name = "CLASS", help_heading = "IRIS")]
    pub storage_class: Option<String>,
    /// Size of each volume, such as 5Gi
    #[arg(long, value_name = "SIZE", help_heading = "IRIS", allow_hyphen_values = true)]
    pub storage: Option<String>,
    /// Speed of the simulator: a factor of real time, or `instant`
    #[arg(
        long,
        value_name = "FACTOR",
        help_heading = "Simulator",
        default_value = "1",
        env = "IRIS_LAB_SIM_SPEED",
        hide_env_values = true,
        allow_negative_numbers = true
    )]
    pub sim_speed: SimSpeed,
    /// A file of faults that the simulator shows
    #[arg(long, value_name = "FILE", help_heading = "Simulator")]
    pub sim_faults: Option<PathBuf>,
}

/// What an image is built with, and where it goes.
#[derive(Clone, Debug, Default, Args)]
pub struct BuildArgs {
    /// Value for an ARG line of the Dockerfile, such as BASE=IMAGE (repeatable)
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Image", value_parser = assignment)]
    pub build_arg: Vec<(String, String)>,
    /// Secret that a RUN line mounts: its id and its file (repeatable)
    #[arg(long, value_name = "id=ID,src=FILE", help_heading = "Image", value_parser = secret)]
    pub secret: Vec<(String, PathBuf)>,
    /// Registry for the image [default: the one in the lab, localhost:32000]
    #[arg(long, value_name = "HOST:PORT", help_heading = "Image")]
    pub registry: Option<String>,
}

/// How much faster than real time the embedded cluster runs; none means instantly, as in `model::SimSettings`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SimSpeed(pub Option<f64>);

impl FromStr for SimSpeed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "instant" {
            return Ok(SimSpeed(None));
        }
        match text.parse::<f64>() {
            Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(SimSpeed(Some(factor))),
            _ => Err("expected a number above 0, such as 10, or `instant`"),
        }
    }
}

fn assignment(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((path, value)) if !path.is_empty() => Ok((path.into(), value.into())),
        _ => Err("expected PATH=VALUE, such as spec.iris.timeZone=UTC"),
    }
}

/// A secret comes by its file alone: its value would be seen on the command line.
fn secret(text: &str) -> Result<(String, PathBuf), &'static str> {
    let (mut id, mut file) = (None, None);
    for part in text.split(',') {
        match part.split_once('=') {
            Some(("id", value)) => id = Some(value.to_string()),
            Some(("src" | "source", value)) => file = Some(PathBuf::from(value)),
            Some(("type", "file")) => {}
            _ => return Err("expected id=ID,src=FILE, such as id=npm,src=.npmrc"),
        }
    }
    id.zip(file).ok_or("expected id=ID,src=FILE, such as id=npm,src=.npmrc")
}
