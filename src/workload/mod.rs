//! IRIS on the cluster: plain base objects and typed changes to them. Pure: a lab in, objects out.

pub mod accounts;
mod cpf;
pub mod image;
mod iris;
mod licence;
pub mod password;
pub mod volumes;

pub use cpf::password_hash;
pub use iris::{NEEDS_RESTART, objects};
pub use licence::licence;

use crate::lab::Lab;
use crate::lab::image::Image;

/// Name of the StatefulSet; its pods are `data-0`, `data-1`, ...
pub const STATEFUL_SET: &str = "data";
/// Name of the container of each pod in which IRIS runs.
pub const CONTAINER: &str = "iris";
/// Name of the headless Service: superserver and portal of every pod by name.
pub const HEADLESS_SERVICE: &str = "iris";
/// Name of the LoadBalancer Service.
pub const EXTERNAL_SERVICE: &str = "iris-ext";
/// Name of the ConfigMap with the merge file.
pub const CONFIG_MAP: &str = "iris-merge-cpf";
/// Names of the claim templates; a pod's claims are `TEMPLATE-POD`.
pub const CLAIM_TEMPLATES: [&str; 2] = ["dbv-mgr", "dbv-data"];
/// Where a pod has the volume of each of them.
pub const MOUNTS: [&str; 2] = ["/iris-mgr", "/vol-data"];
/// Port of the superserver, for clients of databases.
pub const SUPERSERVER_PORT: u16 = 1972;
/// Port of the portal.
pub const WEB_PORT: u16 = 52773;

/// Names of the pods.
pub fn pods(lab: &Lab) -> Vec<String> {
    (0..lab.spec.iris.replicas).map(|ordinal| format!("{STATEFUL_SET}-{ordinal}")).collect()
}

/// How the image wants its hash. An image that cannot be read is taken to be a new one.
pub fn hash_form(image: &str) -> password::Form {
    match Image::parse(image) {
        Ok(image) if !image.four_field_hash() => password::Form::TwoField,
        _ => password::Form::FourField,
    }
}
