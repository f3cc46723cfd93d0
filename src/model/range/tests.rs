//! Which range is chosen where, which forms are read, and what always holds of a range.

use super::*;

fn network(subnet: &str, own: &[&str], taken: &[&str], shared: bool) -> LbNetwork {
    let all = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
    LbNetwork {
        name: "the network of eth0".into(),
        subnet: subnet.parse().unwrap(),
        own: all(own),
        taken: all(taken),
        shared,
    }
}

#[test]
fn the_range_lies_where_nobody_else_usually_is() {
    let cases: &[(&str, LbNetwork, &str)] = &[
        (
            "a home router",
            network("192.168.1.0/24", &["192.168.1.1", "192.168.1.137"], &[], true),
            "192.168.1.90-192.168.1.99",
        ),
        ("VirtualBox's NAT", network("10.0.2.15/24", &["10.0.2.15", "10.0.2.2"], &[], true), "10.0.2.90-10.0.2.99"),
        (
            "neighbours",
            network("192.168.1.0/24", &[], &["192.168.1.91", "192.168.1.99"], true),
            "192.168.1.81-192.168.1.90",
        ),
        ("a gap of 8", network("192.168.1.0/24", &[], &["192.168.1.91"], true), "192.168.1.92-192.168.1.99"),
        (
            "a cloud's /20",
            network("172.31.16.0/20", &["172.31.16.1", "172.31.20.7"], &[], true),
            "172.31.31.90-172.31.31.99",
        ),
        ("a campus's /16", network("10.7.0.0/16", &["10.7.0.1"], &[], true), "10.7.255.90-10.7.255.99"),
        ("half a /24", network("192.168.1.128/25", &["192.168.1.129"], &[], true), "192.168.1.168-192.168.1.177"),
        ("kind", network("172.18.0.0/16", &["172.18.0.1"], &["172.18.0.2"], false), "172.18.255.245-172.18.255.254"),
        ("a small Docker network", network("10.9.0.0/28", &["10.9.0.1"], &["10.9.0.2"], false), "10.9.0.5-10.9.0.14"),
    ];
    for (name, network, range) in cases {
        assert_eq!(choose(network).unwrap().span.to_string(), *range, "{name}");
    }
    let home = choose(&cases[0].1).unwrap().reason;
    assert_eq!(
        home,
        "10 addresses of the network of eth0 (192.168.1.0/24), below those that DHCP servers usually give (from \
         192.168.1.100 on)"
    );
}

#[test]
fn without_room_the_error_says_why_and_what_to_do() {
    let small = choose(&network("10.0.0.0/29", &["10.0.0.1"], &[], true)).unwrap_err();
    assert_eq!(small.message, "the network of eth0 (10.0.0.0/29) has no 8 free addresses in a row for load balancers");
    assert!(small.causes[0].starts_with("it has 6 addresses for hosts, and 1 of them"), "{small:?}");
    assert!(small.hints[0].contains("--lb-range"), "{small:?}");
    let alone = choose(&network("10.128.0.5/32", &["10.128.0.5"], &[], true)).unwrap_err();
    assert!(alone.causes[0].starts_with("it has 0 addresses for hosts"), "{alone:?}");
}

#[test]
fn every_form_of_metallb_is_read() {
    for (given, read) in [
        ("10.0.0.1-10.0.0.9", "10.0.0.1-10.0.0.9"),
        (" 10.0.0.1 - 10.0.0.9 ", "10.0.0.1-10.0.0.9"),
        ("10.0.0.32/28", "10.0.0.32-10.0.0.47"),
        ("10.0.0.40/28", "10.0.0.32-10.0.0.47"),
        ("10.0.0.1-10.0.0.9, 10.0.1.0/30", "10.0.0.1-10.0.0.9,10.0.1.0-10.0.1.3"),
        ("10.0.0.1/32,10.0.0.2/32", "10.0.0.1-10.0.0.1,10.0.0.2-10.0.0.2"),
    ] {
        assert_eq!(text(&parse(given).unwrap()), read, "{given}");
    }
}

#[test]
fn what_metallb_does_not_take_is_refused_with_the_rule() {
    for (given, rule) in [
        ("", "must be addresses such as"),
        ("10.0.0.1", "must be addresses such as"),
        ("10.0.0.1-x", "must be addresses such as"),
        ("10.0.0.1-10.0.0.9,", "must be addresses such as"),
        ("fd00::1-fd00::9", "must be addresses such as"),
        ("10.0.0.0/33", "must be addresses such as"),
        ("10.0.0.100-200", "as in 10.0.0.100-10.0.0.200: MetalLB takes no short form"),
        ("10.0.0.9-10.0.0.1", "must go upwards"),
        ("10.0.0.9-10.0.0.9", "is a single address"),
        ("10.0.0.9/32", "is a single address"),
        ("10.0.0.1-10.0.0.9,10.0.0.9-10.0.0.12", "overlap"),
    ] {
        let broken = parse(given).unwrap_err();
        assert!(broken.contains(rule), "{given}: {broken}");
    }
}

#[test]
fn a_range_fits_inside_of_the_network_and_beside_this_machine() {
    let home = network("192.168.1.0/24", &["192.168.1.1", "192.168.1.137"], &["192.168.1.95"], true);
    let fit = |range: &str| fits(&parse(range).unwrap(), &home).map_err(|failure| failure.causes[0].clone());
    assert_eq!(fit("192.168.1.200-192.168.1.203").unwrap(), Vec::<Ipv4Addr>::new());
    assert_eq!(fit("192.168.1.90-192.168.1.99").unwrap(), [Ipv4Addr::new(192, 168, 1, 95)]);
    assert!(fit("192.168.2.200-192.168.2.203").unwrap_err().starts_with("192.168.2.200 is none of the addresses"));
    assert!(fit("192.168.1.250-192.168.1.255").unwrap_err().starts_with("192.168.1.255 is none"));
    assert!(fit("192.168.1.200-192.168.1.209,192.168.1.130/28").unwrap_err().starts_with("192.168.1.137 is this"));
    assert!(fits(&parse("10.0.0.5-10.0.0.6").unwrap(), &network("10.0.0.5/32", &[], &[], true)).is_err());
}

/// Numbers that are the same in every run: xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

fn some_network(random: &mut Random) -> LbNetwork {
    let prefix = 8 + random.below(23) as u8;
    let subnet = ipnet::Ipv4Net::new(Ipv4Addr::from(random.below(1 << 32) as u32), prefix).unwrap();
    let (lowest, size) = (u32::from(subnet.network()), 1_u64 << (32 - prefix));
    // Small networks are crowded more often than large ones; every third one is full around the place of the choice.
    let mut taken = Vec::new();
    for _ in 0..random.below(40) {
        taken.push(Ipv4Addr::from(lowest + random.below(size) as u32));
    }
    if random.below(3) == 0 {
        let step = 1 + random.below(12) as usize;
        let top = size.min(512) as u32;
        taken.extend((0..top).step_by(step).map(|back| Ipv4Addr::from((lowest as u64 + size - 1) as u32 - back)));
    }
    let own = vec![Ipv4Addr::from(lowest + random.below(size) as u32), Ipv4Addr::from(lowest + 1)];
    LbNetwork { name: "the network of x".into(), subnet, own, taken, shared: random.below(2) == 0 }
}

/// What is free by definition, counted address by address: the longest row that may be chosen in a small network.
fn longest_row(network: &LbNetwork) -> u64 {
    let subnet = network.subnet.trunc();
    let (lowest, highest) = (u32::from(subnet.network()), u32::from(subnet.broadcast()));
    let limit = if network.shared { u64::from(highest - lowest + 1) * 100 / 256 } else { u64::MAX };
    let (mut longest, mut row) = (0, 0);
    for number in lowest + 1..highest {
        let address = Ipv4Addr::from(number);
        let blocked = network.own.contains(&address) || network.taken.contains(&address);
        row = if blocked || u64::from(number - lowest) >= limit { 0 } else { row + 1 };
        longest = longest.max(row);
    }
    longest
}

#[test]
fn a_range_is_always_inside_free_and_large_enough_or_the_error_says_why() {
    let mut random = Random(0x1215_1ab5);
    let (mut chosen, mut refused) = (0, 0);
    for round in 0..4000 {
        let network = some_network(&mut random);
        let subnet = network.subnet.trunc();
        match choose(&network) {
            Ok(Chosen { span, reason }) => {
                chosen += 1;
                let at = format!("round {round}: {span} of {network:?}");
                assert!(span.count() >= 8 && span.count() <= 10, "{at}");
                assert!(span.first > subnet.network() && span.last < subnet.broadcast(), "{at}");
                let free = |address: &Ipv4Addr| !network.own.contains(address) && !network.taken.contains(address);
                assert!(span.addresses().iter().all(free), "{at}");
                if network.shared && subnet.prefix_len() <= 24 {
                    assert!(span.addresses().iter().all(|address| address.octets()[3] < 100), "{at}");
                }
                assert_eq!(fits(&[span], &network).unwrap(), Vec::<Ipv4Addr>::new(), "{at}");
                assert_eq!(parse(&span.to_string()).unwrap(), [span], "{at}");
                assert!(reason.contains(&subnet.to_string()), "{at}");
            }
            Err(failure) => {
                refused += 1;
                assert!(!failure.causes.is_empty() && failure.hints[0].contains("--lb-range"), "{failure:?}");
                assert!(subnet.prefix_len() >= 23, "round {round}: no range in {network:?}");
                if subnet.prefix_len() >= 24 {
                    assert!(longest_row(&network) < 8, "round {round}: there is room in {network:?}");
                }
            }
        }
    }
    assert!(chosen > 1000 && refused > 100, "{chosen} chosen, {refused} refused: the networks are not random enough");
}
