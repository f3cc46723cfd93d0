//! The rules that no type can say: names, sizes, the image, the time zone. Each finding names its field.

use super::image::Image;
use super::names::{is_dns_label, is_dns_subdomain, is_time_zone};
use super::source::Finding;
use super::types::{Lab, Resources};
use crate::model::longhorn::version::Version;
use crate::model::{Quantity, address, range};

const LABEL: &str = "must be a DNS label: 1 to 63 lower-case letters, digits and hyphens, no hyphen at either end";
/// Space that durable %SYS needs at the very least.
const LEAST_MGR: (&str, &str) = ("200M", "must be at least 200M: IRIS copies its own directories there");

/// Everything wrong with the lab but its CPF merge.
pub fn check(lab: &Lab) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut rule = |holds: bool, path: &str, value: &str, rule: &str| {
        if !holds {
            findings.push(Finding::at(path, value, rule));
        }
    };
    let (spec, iris) = (&lab.spec, &lab.spec.iris);
    rule(is_dns_label(&lab.metadata.name), "metadata.name", &lab.metadata.name, LABEL);
    rule(is_dns_label(&iris.namespace), "spec.iris.namespace", &iris.namespace, LABEL);
    let reserved = iris.namespace.starts_with("kube-");
    rule(
        !reserved,
        "spec.iris.namespace",
        &iris.namespace,
        "must not begin with kube-: such names belong to Kubernetes",
    );
    if let Some(version) = &spec.kubernetes {
        rule(is_version(version), "spec.kubernetes", version, "must be a version such as 1.24 or 1.24.17");
    }
    for (index, add_on) in spec.add_ons.iter().enumerate() {
        let twice = spec.add_ons[..index].contains(add_on);
        rule(!twice, &format!("spec.addOns.{index}"), add_on.name(), "is given twice");
    }
    if let Some(class) = &iris.storage.class {
        let named = is_dns_subdomain(class);
        rule(
            named,
            "spec.iris.storage.class",
            class,
            "must be the name of a storage class: lower-case letters, digits, - and .",
        );
    }
    if let Err(broken) = Image::parse(&iris.image) {
        rule(false, "spec.iris.image", &iris.image, broken);
    }
    let zone = is_time_zone(&iris.time_zone);
    rule(zone, "spec.iris.timeZone", &iris.time_zone, "must be a time zone such as UTC, Asia/Tokyo or JST-9");
    if let Some(range) = &spec.metallb.range
        && let Err(broken) = range::parse(range)
    {
        rule(false, "spec.metallb.range", range, &broken);
    }
    if let Some(file) = &iris.password.file {
        rule(!file.is_empty() && !file.contains('\0'), "spec.iris.password.file", file, "must be the path of a file");
    }
    findings.extend(longhorn(lab));
    findings.extend(sizes(lab));
    findings.extend(resources(&iris.resources));
    findings
}

fn longhorn(lab: &Lab) -> Vec<Finding> {
    let longhorn = &lab.spec.longhorn;
    let mut findings = Vec::new();
    if let Err(why) = Version::find(&longhorn.version) {
        findings.push(Finding::at("spec.longhorn.version", &longhorn.version, why));
    }
    if let Some(manifest) = &longhorn.manifest {
        let file = !address::is_address(manifest) && !manifest.is_empty() && !manifest.contains('\0');
        if !file && !address::is_safe(manifest) {
            let rule = "must be a file, or an address that begins with https://";
            findings.push(Finding::at("spec.longhorn.manifest", manifest, rule));
        }
    }
    if let Some(sha256) = &longhorn.sha256 {
        let digits = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        let rule = match (digits, &longhorn.manifest) {
            (false, _) => "must be 64 hexadecimal digits",
            (true, None) => "is about nothing: it belongs to spec.longhorn.manifest, which is not given",
            (true, Some(_)) => return findings,
        };
        findings.push(Finding::at("spec.longhorn.sha256", sha256, rule));
    }
    findings
}

/// `1.24` or `1.24.17`, with a v before it or not.
fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.strip_prefix('v').unwrap_or(text).split('.').collect();
    let number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    (2..=3).contains(&parts.len()) && parts.iter().all(number)
}

fn sizes(lab: &Lab) -> Vec<Finding> {
    let storage = &lab.spec.iris.storage;
    let mut findings = Vec::new();
    findings.extend(size("spec.iris.storage.mgr", &storage.mgr).err());
    findings.extend(size("spec.iris.storage.data", &storage.data).err());
    let (least, why) = LEAST_MGR;
    match (Quantity::parse(&storage.mgr), Quantity::parse(least)) {
        (Some(given), Some(least)) if given.is_positive() && given < least => {
            findings.push(Finding::at("spec.iris.storage.mgr", &storage.mgr, why));
        }
        _ => {}
    }
    findings
}

fn resources(resources: &Resources) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, least, most) in
        [("cpu", &resources.cpu, &resources.cpu_limit), ("memory", &resources.memory, &resources.memory_limit)]
    {
        let mut read = |path: &str, text: &Option<String>| {
            let text = text.as_ref()?;
            size(path, text).map_err(|finding| findings.push(finding)).ok()
        };
        let reserved = read(&format!("spec.iris.resources.{name}"), least);
        let path = format!("spec.iris.resources.{name}Limit");
        let limit = read(&path, most);
        if let (Some(reserved), Some(limit), Some(value), Some(least)) = (reserved, limit, most, least)
            && limit < reserved
        {
            findings.push(Finding::at(&path, value, format!("must be at least {name}, which is {least}")));
        }
    }
    findings
}

/// A quantity above nothing.
fn size(path: &str, text: &str) -> Result<Quantity, Finding> {
    match Quantity::parse(text) {
        Some(quantity) if quantity.is_positive() => Ok(quantity),
        Some(_) => Err(Finding::at(path, text, "must be more than 0")),
        None => Err(Finding::at(path, text, "must be a Kubernetes quantity such as 5Gi or 500m")),
    }
}
