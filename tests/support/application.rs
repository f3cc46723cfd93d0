//! The sample application as one of a user's own: a copy of its folder, and a lab file that builds it on the stand-in of IRIS.

use super::{BASE, Lab, fetch};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const LABS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/labs");

/// The build argument by which the stand-in is its base.
pub fn on_base() -> String {
    format!("BASE={BASE}")
}

/// The application in the working folder of a lab, under a name that no other test has. It is like no one that was built before: what
/// Docker has in its cache says nothing any more.
pub fn application(lab: &Lab, name: &str) -> PathBuf {
    let folder = lab.scratch.dir("work").join(name);
    copy(&Path::new(LABS).join("simple"), &folder);
    let file = folder.join("install.cpf");
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    std::fs::write(&file, format!("{}# {now}\n", std::fs::read_to_string(&file).unwrap())).unwrap();
    folder
}

/// The same with `own.yaml` beside it, a lab that builds it.
pub fn lab_with_application(lab: &Lab, name: &str) -> PathBuf {
    let text = std::fs::read_to_string(Path::new(LABS).join("simple.yaml")).unwrap();
    let text = text.replace("context: simple", &format!("context: ./{name}"));
    lab.file("own.yaml", &text.replace("simple:1", &format!("{name}:1")));
    application(lab, name)
}

/// The service behind the load balancer answers from both pods.
#[track_caller]
pub fn answers_alternate(status: &Value) {
    let url = status["portalUrls"][0].as_str().unwrap();
    let host = url.strip_prefix("http://").and_then(|rest| rest.split('/').next()).unwrap();
    let address: SocketAddr = host.parse().unwrap();
    let (mut seen, start) = (BTreeSet::new(), Instant::now());
    while seen.len() < 2 && start.elapsed() < Duration::from_secs(30) {
        if let Ok(answer) = fetch(address, "/csp/myapp/get")
            && let Some((_, body)) = answer.split_once("\r\n\r\n")
            && let Ok(body) = serde_json::from_str::<Value>(body)
        {
            assert_eq!(body["Status"], "OK", "{body:#}");
            seen.insert(body["HostName"].as_str().unwrap_or_default().to_string());
        }
        std::thread::yield_now();
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["data-0", "data-1"]);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let path = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &path);
        } else {
            std::fs::copy(entry.path(), path).unwrap();
        }
    }
}
