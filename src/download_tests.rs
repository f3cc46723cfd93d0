//! Downloads from a server on this host that answers as it is told.

use super::*;
use std::io::{Read, Write};
use std::net::TcpListener;

/// Answers one connection after the other, each with the next answer, and tells its address.
fn serve(answers: Vec<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            // The reader may have had enough before the end.
            let _ = stream.write_all(&answer);
        }
    });
    address
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[test]
fn redirects_are_followed() {
    let url = serve(vec![answer("302 Found", "Location: /there\r\n", b""), answer("200 OK", "", b"hello")]);
    let bytes = fetch(&format!("{url}/here")).unwrap();
    assert_eq!(sha256(&bytes), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
}

#[test]
fn an_endless_answer_is_cut_off() {
    let url = serve(vec![answer("200 OK", "", &vec![0; (16 << 20) + 1])]);
    assert_eq!(fetch(&url).unwrap_err().causes, ["it has more than 16 MiB"]);
}

#[test]
fn what_fails_says_why() {
    let url = serve(vec![answer("404 Not Found", "", b"")]);
    let failure = fetch(&url).unwrap_err();
    assert_eq!(failure.message, format!("cannot download {url}"));
    assert_eq!(failure.causes, ["the server answered with status 404"]);
    assert!(!failure.hints.is_empty());
    let closed = fetch("http://127.0.0.1:1/").unwrap_err();
    assert!(closed.causes[0].contains("refused"), "{closed}");
}

#[test]
fn nothing_comes_unencrypted_from_elsewhere() {
    let failure = fetch("http://example.org/longhorn.yaml").unwrap_err();
    assert_eq!(failure.causes, ["only addresses that begin with https:// are downloaded from"]);
}
