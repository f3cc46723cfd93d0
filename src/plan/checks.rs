//! What must hold before `up` makes its first change.

use super::Wanted;
use super::host::{Case, checks as host_checks};
use super::image;
use super::kept::{self, requested};
use crate::addon;
use crate::lab::Lab;
use crate::model::longhorn::CLASS;
use crate::model::object::{is_of, is_ready};
use crate::model::{Bundled, Check, Facts, Quantity, image_name};
use crate::workload;
use serde_json::Value;

/// The checks of `up`; those that need a cluster only where one was there before the run.
pub fn checks(wanted: &Wanted, facts: &Facts) -> Vec<Check> {
    let nodes_to_be = wanted.provider.nodes(wanted.lab, &wanted.wishes);
    let site = wanted.site(facts, &nodes_to_be);
    let host = host(wanted).into_iter().chain(wanted.provider.checks(wanted.lab, facts, &wanted.wishes));
    let add_ons = host.chain(addon::of(wanted.lab).flat_map(|add_on| add_on.checks(&site)));
    let image = wanted.image.map(|seen| image::checks(wanted, seen)).unwrap_or_default();
    let add_ons = add_ons.chain(image);
    if !facts.reachable {
        return add_ons.collect();
    }
    let cluster = [made_before(wanted, &nodes_to_be, facts), nodes(facts), namespace(wanted.lab, facts)];
    cluster.into_iter().chain(images(wanted, facts)).chain(add_ons).chain([claims(wanted.lab, facts)]).collect()
}

/// A cluster that we made before must be what the lab asks for: its nodes and its version do not change while it is there.
fn made_before(wanted: &Wanted, nodes_to_be: &[Value], facts: &Facts) -> Check {
    let shape = |count: usize, version: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} node{plural} with Kubernetes {}", version.trim_start_matches('v'))
    };
    let is = shape(facts.nodes.len(), &facts.version);
    let ours = wanted.provider.is_simulated();
    let asked = if ours { shape(nodes_to_be.len(), &wanted.wishes.sim.kubernetes) } else { is.clone() };
    if asked == is {
        return Check::ok("cluster", is);
    }
    let name = &wanted.lab.metadata.name;
    let hint = format!("ask for what is there, or begin anew after `iris-lab reset --name {name}`");
    Check::fail("cluster", format!("the simulated one has {is}, the lab asks for {asked}"), hint)
}

/// What this host must have, for a provider that makes the cluster out of it.
fn host(wanted: &Wanted) -> Vec<Check> {
    let Wanted { lab, provider, wishes, .. } = wanted;
    if !provider.uses_host() {
        return Vec::new();
    }
    let kubernetes = provider.kubernetes(lab, wishes);
    let case = Case { lab, provider: provider.name(), kubernetes: &kubernetes, host: wishes.host, made: wishes.made };
    host_checks(&case)
}

fn nodes(facts: &Facts) -> Check {
    let (count, all) = (facts.nodes.iter().filter(|node| is_ready(node)).count(), facts.nodes.len());
    if count == 0 {
        let hint = "look at them with `kubectl get nodes` and `kubectl describe node NAME`";
        return Check::fail("nodes", format!("none of the cluster's {all} nodes is Ready"), hint);
    }
    Check::ok("nodes", format!("{count} of {all} are Ready"))
}

/// The namespace must not be going away, nor be another lab's.
fn namespace(lab: &Lab, facts: &Facts) -> Check {
    let name = &lab.spec.iris.namespace;
    let Some(namespace) = &facts.namespace else { return Check::ok("namespace", format!("{name} is free")) };
    let labels = &namespace["metadata"]["labels"];
    let other = labels[crate::model::object::LAB_LABEL].as_str().filter(|_| !is_of(namespace, &lab.metadata.name));
    if namespace.pointer("/metadata/deletionTimestamp").is_some() {
        let hint =
            format!("wait until it is gone, or use another with --namespace; see `kubectl describe namespace {name}`");
        return Check::fail("namespace", format!("{name} is being deleted"), hint);
    }
    match other {
        Some(other) => {
            let hint = format!("use --namespace with another name, or remove it with `iris-lab reset --name {other}`");
            Check::fail("namespace", format!("{name} belongs to the lab {other}"), hint)
        }
        None => Check::ok("namespace", format!("{name} is there")),
    }
}

/// The nodes of a cluster that we did not make cannot be reached with what a bundle has brought.
fn images(wanted: &Wanted, facts: &Facts) -> Option<Check> {
    let on_all = |image: &&Bundled| facts.nodes.iter().all(|node| image_name::is_on(node, &image.name));
    let missing: Vec<&str> = wanted
        .wishes
        .bundled
        .iter()
        .filter(|image| !wanted.provider.makes_cluster() && !on_all(image))
        .map(|image| image.name.as_str())
        .collect();
    let hint = "without a network, load them with the cluster's own tool, or push them from Docker to a registry that its nodes reach, \
                and name that with --image";
    (!missing.is_empty()).then(|| {
        let cause = format!(
            "a bundle has brought {} to this machine, and the cluster's nodes pull by themselves",
            missing.join(", ")
        );
        Check::warn("images", cause, hint)
    })
}

/// Volumes that were kept must have the class that the lab asks for, and at least the size: neither follows the lab by itself.
fn claims(lab: &Lab, facts: &Facts) -> Check {
    let storage = &lab.spec.iris.storage;
    let wanted_class =
        addon::class_for(lab, &facts.storage_classes).and_then(|class| class["metadata"]["name"].as_str());
    let wanted_class = lab.storage_class().or(wanted_class);
    for claim in &facts.claims {
        let name = claim["metadata"]["name"].as_str().unwrap_or_default();
        let is_data = kept::is_of(claim, workload::CLAIM_TEMPLATES[1]);
        let (size, volume) = if is_data { (&storage.data, "data") } else { (&storage.mgr, "mgr") };
        let found_size = requested(claim).unwrap_or_default();
        let found_class = claim.pointer("/spec/storageClassName").and_then(Value::as_str);
        if Quantity::parse(found_size) < Quantity::parse(size) {
            let hint = format!(
                "grow it with `iris-lab resize {size} --volume {volume}`, ask for what is there, or give the data up with \
                 `iris-lab down --delete-data`"
            );
            return Check::fail("kept volumes", format!("{name} has {found_size}, the lab asks for {size}"), hint);
        }
        if let (Some(found), Some(wanted)) = (found_class, wanted_class)
            && found != wanted
        {
            let cause = format!("{name} has the class {found}, the lab asks for {wanted}");
            let installed = facts.longhorn.as_ref().and_then(|longhorn| longhorn.version());
            let keep = match found {
                CLASS => match installed.filter(|version| *version != lab.spec.longhorn.version) {
                    Some(version) => format!("keep the data with --longhorn={version}"),
                    None => "keep the data with --longhorn".to_string(),
                },
                other => format!("keep the data with `--storage-class {other}`"),
            };
            let give_up = "give it up with `iris-lab down --delete-data`";
            return Check::fail("kept volumes", cause, format!("{keep}, or {give_up}"));
        }
    }
    let kept = facts.claims.len();
    Check::ok("kept volumes", if kept == 0 { "there are none".into() } else { format!("{kept} fit the lab") })
}
