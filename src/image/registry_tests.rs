//! A registry of a few canned answers.

use super::*;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

/// Answers each path with a status and a body, until the test is over.
fn serve(answers: &'static [(&'static str, u16, &'static str)]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            reader.read_line(&mut line).unwrap();
            let mut header = String::new();
            while reader.read_line(&mut header).unwrap() > 2 {
                header.clear();
            }
            let path = line.split(' ').nth(1).unwrap_or_default();
            let (status, body) = answers
                .iter()
                .find(|(known, ..)| *known == path)
                .map_or((404, ""), |(_, status, body)| (*status, *body));
            let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            // One that has gone away has its answer.
            let _ = stream.write_all((head + body).as_bytes());
        }
    });
    host
}

#[test]
fn what_a_registry_has_is_known_by_its_digests() {
    let host = serve(&[
        ("/v2/", 200, "{}"),
        ("/v2/simple/manifests/1-ab", 200, r#"{"config":{"digest":"sha256:cc"}}"#),
        ("/v2/_catalog?n=1000", 200, r#"{"repositories":["simple","empty"]}"#),
        ("/v2/simple/tags/list", 200, r#"{"tags":["1-ab"]}"#),
        ("/v2/empty/tags/list", 200, r#"{"tags":null}"#),
    ]);
    let seen = look_now(&format!("{host}/simple:1-ab"));
    assert!(seen.holds("sha256:cc"), "{seen:?}");
    assert_eq!(seen.digest().map(str::len), Some("sha256:".len() + 64));
    assert_eq!(look_now(&format!("{host}/simple:2")), RegistrySeen::Answers { digest: None, config: None });
    let all = list_now(&host).unwrap();
    assert_eq!(all.iter().map(|one| one.image.as_str()).collect::<Vec<_>>(), [format!("{host}/simple:1-ab")]);
    assert_eq!(all[0].digest.as_deref(), seen.digest());
}

#[test]
fn what_is_no_registry_is_told_from_one_that_is_down() {
    let page = serve(&[("/v2/", 200, "<html>")]);
    assert!(matches!(look_now(&format!("{page}/a:1")), RegistrySeen::Other(why) if why.contains("no image registry")));
    let closed = serve(&[("/v2/", 401, "{}")]);
    assert!(matches!(look_now(&format!("{closed}/a:1")), RegistrySeen::Other(why) if why.contains("login")));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(
        look_now(&format!("localhost:{}/a:1", nobody.port())),
        RegistrySeen::Silent("nothing listens there".into())
    );
}
