//! Secrets that were planted everywhere, and what must stay.

use super::*;
use serde_json::json;

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.next(of.len())]
    }

    fn word(&mut self, alphabet: &str, length: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..length).map(|_| letters[self.next(letters.len())]).collect()
    }
}

const LETTERS: &str = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const HEX: &str = "0123456789abcdef";

/// Places in which nobody told us of the secret: it is known by what stands around it, or by how it looks.
fn planted(numbers: &mut Numbers, secret: &str) -> String {
    let variable = numbers.pick(&["DB_PASSWORD", "API_TOKEN", "MY_SECRET", "AWS_ACCESS_KEY", "REDIS_PASSWD"]);
    let field =
        numbers.pick(&["password", "adminPassword", "token", "client-secret", "api_key", "apiKey", "secretKey"]);
    match numbers.next(14) {
        0 => format!("started with {variable}={secret} and more"),
        1 => format!("{variable}='{secret}'"),
        2 => format!("{field}: {secret}"),
        3 => format!("{{\"{field}\": \"{secret}\", \"size\": 1}}"),
        4 => format!("data: \"{{\\\"{field}\\\":\\\"{secret}\\\",\\\"size\\\":1}}\""),
        5 => format!("GET / HTTP/1.1\nAuthorization: Bearer {secret}\nHost: x"),
        6 => format!("curl -H 'Authorization: Basic {secret}' http://x"),
        7 => format!("cannot reach https://user:{secret}@example.com/path?x=1"),
        8 => format!("- name: {variable}\n  value: {secret}\n"),
        9 => format!("{{\"name\":\"{variable}\",\"value\":\"{secret}\"}}"),
        10 => format!("[Startup]\nPasswordHash={secret},abcdefgh\nSystemMode=TEST"),
        11 => format!("CreateUser:Name=a,PasswordHash=\"{secret},abcd,10000,SHA512\",Roles=x"),
        12 => format!("$ tool --password {secret} --verbose"),
        _ => format!("-----BEGIN EC PRIVATE KEY-----\n{secret}\n-----END EC PRIVATE KEY-----\n"),
    }
}

#[test]
fn what_stands_where_secrets_stand_is_taken_out() {
    let mut numbers = Numbers(1);
    for _ in 0..2000 {
        let length = 8 + numbers.next(40);
        let secret = numbers.word(LETTERS, length);
        let (before, text) = (numbers.word("ab c\n", 20), planted(&mut numbers, &secret));
        let plain = Redactor::default().text(&format!("{before}\n{text}\nthe end"));
        assert!(!plain.contains(&secret), "{text}\nbecame\n{plain}");
        assert!(plain.ends_with("the end"), "{text}\nbecame\n{plain}");
        assert_eq!(Redactor::default().text(&plain), plain, "a second time changes nothing");
    }
}

#[test]
fn what_looks_like_a_secret_is_taken_out_wherever_it_stands() {
    let mut numbers = Numbers(2);
    let key = STANDARD
        .encode("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq2x0k0Yb3mYl9x\n-----END RSA PRIVATE KEY-----\n");
    let secrets = [
        format!("{},{}", numbers.word(HEX, 40), numbers.word(LETTERS, 8)),
        format!("{},{}", numbers.word(HEX, 128), numbers.word(HEX, 128)),
        format!("eyJ{}.{}.{}", numbers.word(LETTERS, 30), numbers.word(LETTERS, 60), numbers.word(LETTERS, 40)),
        key,
    ];
    for secret in secrets {
        for around in ["x {} y", "\"{}\"", "x={}\n", "a: {}"] {
            let plain = Redactor::default().text(&around.replace("{}", &secret));
            assert!(
                !plain.contains(&secret[..20]) && !plain.contains(&secret[secret.len() - 6..]),
                "{secret}: {plain}"
            );
        }
    }
}

#[test]
fn a_known_secret_is_taken_out_also_in_base64() {
    let redactor = Redactor::new(["tr0ub4dor".to_string(), "SYS\n".into(), String::new()]);
    let text = format!("pw tr0ub4dor, {}, SYS, %SYS, SYSTEM", STANDARD.encode("tr0ub4dor"));
    assert_eq!(redactor.text(&text), "pw (removed), (removed), (removed), %(removed), SYSTEM");
}

#[test]
fn objects_keep_their_form() {
    let applied = json!({ "kind": "Secret", "data": { "a": "cGxhbnRlZA==" } }).to_string();
    let objects = json!([
        { "kind": "Secret", "metadata": { "name": "s", "annotations": { "last-applied": applied } },
          "data": { "tls.key": "cGxhbnRlZA==" }, "stringData": { "x": "planted" } },
        { "kind": "Pod", "spec": { "containers": [{ "env": [
            { "name": "MY_TOKEN", "value": "planted" }, { "name": "TZ", "value": "UTC" },
            { "name": "PASSWORD", "valueFrom": { "secretKeyRef": { "name": "s", "key": "password" } } }] }] } },
        { "kind": "ConfigMap", "data": { "password": "planted", "merge.cpf": "[Startup]\nPasswordHash=planted\nSystemMode=TEST\n" } },
    ]);
    let plain = Redactor::default().object(&objects);
    let text = plain.to_string();
    assert!(!text.contains("planted") && !text.contains("cGxhbnRlZA"), "{text}");
    assert_eq!(plain[0]["data"]["tls.key"], GONE);
    assert_eq!(plain[1]["spec"]["containers"][0]["env"][1]["value"], "UTC");
    assert_eq!(plain[1]["spec"]["containers"][0]["env"][2], objects[1]["spec"]["containers"][0]["env"][2]);
    assert_eq!(plain[2]["data"]["merge.cpf"], format!("[Startup]\nPasswordHash={GONE}\nSystemMode=TEST\n"));
}

#[test]
fn a_kubeconfig_says_its_secrets() {
    let file =
        json!({ "users": [{ "user": { "token": "t", "client-key-data": "k", "client-certificate-data": "c" } }] });
    assert_eq!(Redactor::secrets_of(&file), ["t", "k"]);
}

#[test]
fn what_is_no_secret_stays() {
    let text = "01/07/22-23:11:32:729 (1205) 1 [Utility.Event] ERROR #503: Error executing [Actions] section in file /x.cpf\n\
                automountServiceAccountToken: false\nkey: node.kubernetes.io/not-ready\ntokenExpirationSeconds: 3607\n\
                image: registry.example.com:5000/a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n\
                secretName: tls\nkeys: 3\nserver: https://127.0.0.1:6443\nsee ann@example.com\npassword:\n  length: 16\n";
    assert_eq!(Redactor::default().text(text), text);
}
