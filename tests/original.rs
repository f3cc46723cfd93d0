//! An original manifest of Longhorn instead of ours: from a file or over the network, taken only with the sum that it must have.

use crate::support::{Lab, golden};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

/// A manifest in a file of the lab, its text and its sum. It is one of ours, so no release has its sum.
fn manifest(lab: &Lab) -> (String, String) {
    let text = lab.run(&["render", "longhorn", "--version", "1.2.4"]).exits(0).out;
    lab.file("longhorn.yaml", &text);
    let sum = iris_lab::download::sha256(text.as_bytes());
    (text, sum)
}

/// Serves one request for a text, and tells the address.
fn serve(text: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/longhorn.yaml", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let request = BufReader::new(stream.try_clone().unwrap());
        request.lines().map_while(Result::ok).find(|line| line.is_empty());
        let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", text.len());
        stream.write_all((head + &text).as_bytes()).unwrap();
    });
    address
}

#[test]
fn an_unknown_one_needs_its_sum() {
    let lab = Lab::on_sim();
    let (_, sum) = manifest(&lab);
    let run = lab.run(&["plan", "--longhorn-manifest", "longhorn.yaml"]).exits(3);
    golden("usage/longhorn-unknown-manifest", &lab.redacted(&run.transcript()).replace(&sum, "<sum>"));
    let other = "0".repeat(64);
    let run = lab.run(&["up", "--longhorn-manifest", "longhorn.yaml", "--sha256", &other]).exits(3);
    golden("usage/longhorn-wrong-sum", &lab.redacted(&run.transcript()).replace(&sum, "<sum>"));
    let run = lab.run(&["plan", "--longhorn=1.2.6", "--longhorn-manifest", "longhorn.yaml", "--sha256", &sum]).exits(2);
    golden("usage/longhorn-other-version", &lab.redacted(&run.transcript()).replace(&sum, "<sum>"));
    lab.run(&["plan", "--longhorn-manifest", "nosuch.yaml"]).exits(2).says("nosuch.yaml");
    lab.is_gone();
    let run = lab.run(&["plan", "--longhorn-manifest", "longhorn.yaml", "--sha256", &sum]).exits(0);
    run.says("Longhorn 1.2.4 comes from longhorn.yaml");
}

#[test]
fn one_from_the_network_is_judged_in_the_same_way() {
    let lab = Lab::on_sim();
    let (text, sum) = manifest(&lab);
    let url = serve(text.clone());
    let run = lab.run(&["plan", "--longhorn-manifest", &url, "--sha256", &sum]).exits(0);
    run.says(&format!("Longhorn 1.2.4 comes from {url}"));
    let url = serve(text.replace("1.2.4", "1.2.3"));
    let run = lab.run(&["plan", "--longhorn-manifest", &url, "--sha256", &sum]).exits(3);
    run.says("is not the manifest that was asked for").says(&sum);
    let run = lab.run(&["plan", "--longhorn-manifest", "http://example.org/longhorn.yaml"]).exits(2);
    run.says("an address that begins with https://");
    let run = lab.run(&["plan", "--longhorn-manifest", "http://127.0.0.1:1/longhorn.yaml"]).exits(3);
    run.says("cannot download http://127.0.0.1:1/longhorn.yaml").says("name the file instead");
    lab.is_gone();
}
