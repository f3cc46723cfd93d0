//! Forwarded pages.

use super::{delete, is_ready, on_sim, path, wait_for_next};
use crate::support::{Lab, Live, fetch};
use serde_json::Value;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

/// A page that the stand-in of a real cluster has, too.
const PAGE: &str = "/csp/sys/%25CSP.Portal.Home.zen";

#[test]
fn a_page_comes_back_with_its_pod() {
    comes_back(&on_sim());
}

#[test]
fn no_request_of_many_at_once_is_lost() {
    parallel(&on_sim());
}

#[test]
fn a_port_that_is_taken_is_passed_over_and_longhorn_has_its_page() {
    let lab = Lab::on_sim().with(&["--longhorn"]);
    lab.up(&[]).exits(0);
    let mut first = Live::start(lab.command(&["portal", "-o", "json"]));
    let taken: Vec<String> =
        ["data-0", "data-1", "Longhorn"].map(|name| page(&mut first, name)["url"].to_string()).into();
    let mut second = Live::start(lab.command(&["portal"]));
    second.line(|line| line.starts_with("data-0 is at port") && line.contains("is taken on this host"));
    let longhorn = second.line(|line| line.contains(" Longhorn "));
    let url = longhorn.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    assert!(!taken.iter().any(|other| other.contains(url)), "{url} is taken: {taken:?}");
    let address = url.trim_start_matches("http://").parse().unwrap();
    let answer = fetch(address, "/").unwrap();
    assert!(answer.contains("simulated") && answer.contains("longhorn-ui-"), "{answer}");
    second.line(|line| line.contains("Simulated: no IRIS runs"));
    assert_eq!((first.interrupt(), second.interrupt()), (Some(0), Some(0)));
}

#[test]
fn the_first_page_is_shown_in_a_browser_and_only_loopback_listens() {
    let lab = on_sim();
    let told = lab.scratch.path().join("url");
    lab.stand_in("xdg-open", &format!("echo \"$1\" > {0}.new; /bin/mv {0}.new {0}", told.display()));
    let mut live = Live::start(lab.command(&["portal", "--open", "-o", "json"]));
    let url = page(&mut live, "data-0")["url"].as_str().unwrap().to_string();
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/csp/sys/UtilHome.csp"), "{url}");
    let start = Instant::now();
    while !told.exists() && start.elapsed() < Duration::from_secs(20) {
        thread::yield_now();
    }
    assert_eq!(std::fs::read_to_string(&told).unwrap().trim(), url);
    lab.run(&["portal", "--address", "203.0.113.1"]).exits(3).says("cannot listen on 203.0.113.1");
}

/// The line about a page that answers.
fn page(live: &mut Live, name: &str) -> Value {
    next(live, |page| page["name"] == name && page["ready"] == true)
}

fn next(live: &mut Live, wanted: impl Fn(&Value) -> bool) -> Value {
    let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    parse(&live.line(|line| wanted(&parse(line))))
}

fn address(page: &Value) -> SocketAddr {
    let url = page["url"].as_str().unwrap_or_else(|| panic!("no URL: {page:#}"));
    let rest = url.strip_prefix("http://").unwrap();
    rest.split('/').next().unwrap().parse().unwrap_or_else(|error| panic!("{url}: {error}"))
}

pub fn comes_back(lab: &Lab) {
    let reader = lab.reader();
    for pod in ["data-0", "data-1"] {
        reader.wait_until(&path(lab, pod), is_ready);
    }
    let mut live = Live::start(lab.command(&["portal", "-o", "json"]));
    let first = page(&mut live, "data-0");
    let second = page(&mut live, "data-1");
    assert_eq!(first["users"][0], "SuperUser", "{first:#}");
    for (page, pod) in [(&first, "data-0"), (&second, "data-1")] {
        let answer = fetch(address(page), PAGE).unwrap();
        assert!(answer.contains(" 200 ") && answer.contains(pod), "{pod}: {answer}");
    }
    let before = delete(lab, &reader, "data-0");
    let waiting = next(&mut live, |page| page["name"] == "data-0" && page["ready"] == false);
    assert!(!waiting["why"].as_str().unwrap_or_default().is_empty(), "{waiting:#}");
    wait_for_next(lab, &reader, "data-0", &before);
    let ready = Instant::now();
    page(&mut live, "data-0");
    let answer = fetch(address(&first), PAGE).unwrap();
    let late = ready.elapsed();
    assert!(answer.contains(" 200 ") && answer.contains("data-0"), "{answer}");
    assert!(late < Duration::from_secs(2), "it came back {late:?} after {} was ready", path(lab, "data-0"));
    // The other pod's page was not touched.
    assert!(fetch(address(&second), PAGE).unwrap().contains("data-1"));
    assert_eq!(live.interrupt(), Some(0), "Ctrl-C is the normal end");
}

pub fn parallel(lab: &Lab) {
    let mut live = Live::start(lab.command(&["portal", "-o", "json"]));
    let address = address(&page(&mut live, "data-0"));
    let requests: Vec<_> = (0..100).map(|_| thread::spawn(move || fetch(address, PAGE))).collect();
    let answers: Vec<String> = requests.into_iter().map(|one| one.join().unwrap().unwrap()).collect();
    let whole = answers.iter().filter(|answer| answer.contains(" 200 ") && answer.contains("data-0")).count();
    assert_eq!(whole, 100, "{:?}", answers.iter().find(|answer| !answer.contains("data-0")));
    assert_eq!(live.interrupt(), Some(0));
}
