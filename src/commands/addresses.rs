//! The addresses of load balancers: settles a lab's range before anything is made, and tells later whether it still fits.

use super::here::Here;
use crate::error::{Failure, Result};
use crate::exec::Machine;
use crate::host;
use crate::lab::{AddOnName, Lab, ProviderName};
use crate::model::range::{self, Chosen, Span};
use crate::model::{HostFacts, HostObject, LbNetwork};
use crate::paths;
use crate::provider::Provider;
use std::net::Ipv4Addr;

/// How often another range is looked for when somebody answers in the one that was chosen.
const TRIES: usize = 5;

/// What a range is settled from.
pub struct Ground<'a> {
    /// The provider.
    pub provider: &'a dyn Provider,
    /// This host.
    pub host: &'a HostFacts,
    /// What the lab has made on it.
    pub made: &'a [HostObject],
    /// The range of the lab's `up` before.
    pub before: Option<&'a str>,
}

/// Puts the range into the lab: the given one, the one from before, or one that is chosen now. Returns what is to be said of it.
pub async fn settle(lab: &mut Lab, ground: &Ground<'_>, machine: &dyn Machine) -> Result<Vec<String>> {
    if !lab.has(AddOnName::Metallb) {
        return Ok(Vec::new());
    }
    if let Some(given) = &lab.spec.metallb.range {
        let spans = range::parse(given).map_err(|rule| Failure::usage(format!("the range {given} {rule}")))?;
        let notes = judge(&spans, ground)?;
        lab.spec.metallb.range = Some(range::text(&spans));
        return Ok(notes);
    }
    if is_theirs(ground) {
        return Ok(Vec::new());
    }
    let Some(network) = ground.provider.lb_network(ground.host)? else {
        // Without a network nothing can be chosen, and what is there may still be right.
        lab.spec.metallb.range = ground.before.map(Into::into);
        return Ok(Vec::new());
    };
    let mut notes = Vec::new();
    let range = match ground.before.map(|before| (before, keeps(before, &network))) {
        Some((before, Ok(()))) => before.to_string(),
        unfit => {
            if let Some((before, Err(failure))) = unfit {
                notes.push(format!("the load balancer's range {before} no longer fits: {}", why(&failure)));
            }
            let Chosen { span, reason } = choose(network, machine).await?;
            notes.push(format!("load balancer: {span}, {reason}; --lb-range gives another"));
            span.to_string()
        }
    };
    lab.spec.metallb.range = Some(range);
    Ok(notes)
}

/// What is to be said of a range that was given, or why it cannot be used.
fn judge(spans: &[Span], ground: &Ground) -> Result<Vec<String>> {
    let text = range::text(spans);
    if !ground.provider.makes_cluster() {
        return Ok(vec![format!("the range {text} is not used: the cluster's own load balancer gives addresses")]);
    }
    let network = match ground.provider.lb_network(ground.host) {
        Ok(Some(network)) => network,
        Ok(None) => return Ok(Vec::new()),
        Err(failure) => return Ok(vec![format!("warning: nobody can tell whether {text} fits: {failure}")]),
    };
    let taken = range::fits(spans, &network)?;
    if taken.is_empty() || ground.before == Some(&text) {
        return Ok(Vec::new());
    }
    let taken: Vec<String> = taken.iter().map(Ipv4Addr::to_string).collect();
    Ok(vec![format!("warning: of the range {text}, others have {}: both would answer there", taken.join(", "))])
}

/// Whether somebody else has enabled microk8s' own load balancer: it is used as it is, with the range that it has.
fn is_theirs(ground: &Ground) -> bool {
    let name = AddOnName::Metallb.name();
    let microk8s = ground.host.microk8s.as_ref().filter(|_| ground.provider.name() == ProviderName::Microk8s);
    let enabled = microk8s.is_some_and(|seen| seen.add_ons.get(name) == Some(&true));
    enabled && !ground.made.contains(&HostObject::Microk8sAddOn { name: name.into() })
}

/// Whether a range from before can be kept. Those who have an address of it by now are most likely its own Services.
fn keeps(before: &str, network: &LbNetwork) -> Result<()> {
    let spans = range::parse(before).map_err(|rule| Failure::requirement(format!("it {rule}")))?;
    range::fits(&spans, network).map(drop)
}

fn why(failure: &Failure) -> &str {
    failure.causes.first().unwrap_or(&failure.message)
}

/// A range in which nobody answers.
async fn choose(mut network: LbNetwork, machine: &dyn Machine) -> Result<Chosen> {
    for _ in 0..TRIES {
        let mut chosen = range::choose(&network)?;
        if !network.shared {
            return Ok(chosen);
        }
        let answering = machine.answering(&chosen.span.addresses()).await?;
        if answering.is_empty() {
            chosen.reason += ", and nobody answers there";
            return Ok(chosen);
        }
        network.taken.extend(answering);
    }
    Err(Failure::requirement(format!("no range of {network} is free for load balancers"))
        .cause(format!("somebody answers in each of the {TRIES} that were tried"))
        .hint("ask who runs the network for addresses that nobody else gets, and give them with --lb-range FIRST-LAST"))
}

/// What `status` says of the range when this host is in another network by now.
pub async fn moved(here: &Here, machine: &dyn Machine) -> Option<String> {
    let target = here.target().ok()?;
    let before = target.lb_range.as_ref().filter(|_| here.provider.uses_host())?;
    let host = async { host::facts(machine, &paths::cache()?).await };
    let network = match host.await.and_then(|host| here.provider.lb_network(&host)) {
        Ok(Some(network)) => network,
        Ok(None) => return None,
        Err(failure) => return Some(format!("nobody can tell whether the range {before} still fits: {failure}")),
    };
    let failure = keeps(before, &network).err()?;
    // microk8s' load balancer keeps the range with which it was enabled.
    let first = match here.provider.name() {
        ProviderName::Microk8s => "`microk8s disable metallb`, then ",
        _ => "",
    };
    Some(format!(
        "the load balancer's range {before} no longer fits {network}: {}; move it with {first}`{}`, which chooses another",
        why(&failure),
        target.up
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::scripted::{Script, Scripted};
    use crate::model::host::{Interface, Microk8s, Network};
    use crate::provider;

    fn host(address: &str) -> HostFacts {
        let address: Ipv4Addr = address.parse().unwrap();
        let [a, b, c, _] = address.octets();
        let network = Network {
            interfaces: vec![Interface { name: "eth0".into(), address, prefix: 24 }],
            default_interface: Some("eth0".into()),
            gateway: Some(Ipv4Addr::new(a, b, c, 1)),
            ..Network::default()
        };
        HostFacts { network, ..HostFacts::default() }
    }

    struct Try<'a> {
        provider: &'a str,
        host: HostFacts,
        given: Option<&'a str>,
        before: Option<&'a str>,
        answering: &'a [&'a str],
        made: &'a [HostObject],
    }

    fn home<'a>() -> Try<'a> {
        let host = host("192.168.1.137");
        Try { provider: "microk8s", host, given: None, before: None, answering: &[], made: &[] }
    }

    async fn settled(this: Try<'_>) -> Result<(Option<String>, Vec<String>)> {
        let mut lab = Lab::default();
        lab.spec.metallb.range = this.given.map(Into::into);
        let provider = provider::named(this.provider)?;
        let answering = this.answering.iter().map(|text| text.parse().unwrap()).collect();
        let machine = Scripted::new(Script { answering, ..Script::default() });
        let ground = Ground { provider, host: &this.host, made: this.made, before: this.before };
        let notes = settle(&mut lab, &ground, &machine).await?;
        Ok((lab.spec.metallb.range, notes))
    }

    #[tokio::test]
    async fn a_range_is_chosen_around_those_who_answer_and_told_with_its_reason() {
        let answering = &["192.168.1.93", "192.168.1.82", "192.168.1.7"];
        let (range, notes) = settled(Try { answering, ..home() }).await.unwrap();
        assert_eq!(range.as_deref(), Some("192.168.1.83-192.168.1.92"));
        assert_eq!(
            notes,
            [
                "load balancer: 192.168.1.83-192.168.1.92, 10 addresses of the network of eth0 (192.168.1.0/24), below those \
                 that DHCP servers usually give (from 192.168.1.100 on), and nobody answers there; --lb-range gives another"
            ]
        );
    }

    #[tokio::test]
    async fn a_network_in_which_everybody_answers_is_given_up() {
        let all: Vec<String> = (2..=254).map(|last| format!("192.168.1.{last}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let failure = settled(Try { answering: &all, ..home() }).await.unwrap_err();
        assert!(failure.causes[0].contains("each of the 5"), "{failure:?}");
    }

    #[tokio::test]
    async fn the_range_from_before_stays_as_long_as_it_fits() {
        let before = Some("192.168.1.40-192.168.1.49");
        let (range, notes) = settled(Try { before, answering: &["192.168.1.40"], ..home() }).await.unwrap();
        assert_eq!((range.as_deref(), notes.len()), (before, 0), "its own Services answer there");
        let (range, notes) = settled(Try { before, host: host("10.1.2.3"), ..home() }).await.unwrap();
        assert_eq!(range.as_deref(), Some("10.1.2.90-10.1.2.99"));
        assert!(
            notes[0].starts_with("the load balancer's range 192.168.1.40-192.168.1.49 no longer fits"),
            "{notes:?}"
        );
        let (range, _) = settled(Try { before, host: HostFacts::default(), ..home() }).await.unwrap();
        assert_eq!(range.as_deref(), before, "without a network nothing is known better");
    }

    #[tokio::test]
    async fn a_given_range_is_checked_and_written_as_every_tool_takes_it() {
        let (range, notes) = settled(Try { given: Some("192.168.1.32/28"), ..home() }).await.unwrap();
        assert_eq!((range.as_deref(), notes.len()), (Some("192.168.1.32-192.168.1.47"), 0));
        let outside = settled(Try { given: Some("10.0.0.1-10.0.0.9"), ..home() }).await.unwrap_err();
        assert_eq!(outside.kind.exit_code(), 3);
        assert!(outside.message.contains("does not fit the network of eth0 (192.168.1.0/24)"), "{outside}");
        let mut crowded = host("192.168.1.137");
        crowded.network.neighbours = vec![Ipv4Addr::new(192, 168, 1, 33)];
        let (_, notes) = settled(Try { given: Some("192.168.1.32/28"), host: crowded, ..home() }).await.unwrap();
        assert!(notes[0].contains("others have 192.168.1.33"), "{notes:?}");
    }

    #[tokio::test]
    async fn where_others_give_addresses_nothing_is_chosen() {
        let (range, notes) = settled(Try { provider: "existing", ..home() }).await.unwrap();
        assert_eq!((range, notes.len()), (None, 0));
        let given = Some("10.0.0.1-10.0.0.9");
        let (_, notes) = settled(Try { provider: "existing", given, ..home() }).await.unwrap();
        assert!(notes[0].contains("is not used"), "{notes:?}");
        let enabled = Microk8s { add_ons: [("metallb".to_string(), true)].into(), ..Microk8s::default() };
        let theirs = HostFacts { microk8s: Some(enabled), ..host("192.168.1.137") };
        let (range, _) = settled(Try { host: theirs.clone(), ..home() }).await.unwrap();
        assert_eq!(range, None, "it keeps the range that it has");
        let made = &[HostObject::Microk8sAddOn { name: "metallb".into() }];
        let (range, _) = settled(Try { host: theirs, made, ..home() }).await.unwrap();
        assert_eq!(range.as_deref(), Some("192.168.1.90-192.168.1.99"));
    }
}
