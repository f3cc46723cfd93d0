//! Lab files as users write them, and the messages that they get.

use super::*;
use crate::error::Kind;
use std::time::{Duration, Instant};

fn causes(text: &str) -> Vec<String> {
    let failure = load(text, "my.yaml").unwrap_err();
    assert_eq!(failure.kind, Kind::Usage);
    failure.causes
}

/// The one error of a field of `spec.iris`.
fn iris(fields: &str) -> String {
    let causes = causes(&format!("spec:\n  iris:\n    {}\n", fields.replace('\n', "\n    ")));
    assert_eq!(causes.len(), 1, "{causes:?}");
    causes.into_iter().next().unwrap()
}

fn with(text: &str, overrides: Overrides) -> Result<Lab> {
    load_with(text, "my.yaml", &overrides)
}

fn set(pairs: &[(&str, &str)]) -> Overrides {
    Overrides { set: pairs.iter().map(|(p, v)| (p.to_string(), v.to_string())).collect(), ..Overrides::default() }
}

#[test]
fn every_builtin_lab_is_valid_and_the_first_one_is_the_default() {
    for lab in builtin() {
        let read = load(lab.text, lab.name).unwrap();
        assert_eq!(read.metadata.name, lab.name);
    }
    assert_eq!(load(builtin()[0].text, "two-pod").unwrap(), Lab::default());
}

#[test]
fn what_is_empty_takes_its_default() {
    let lab = load("apiVersion: iris-lab/v1\nspec:\n  nodes: ~\n  iris:\n", "my.yaml").unwrap();
    assert_eq!(lab, Lab::default());
}

#[test]
fn all_errors_are_reported_at_once_with_their_lines() {
    let text = "\
apiVersion: iris-lab/v2
kind: Lab
metadata:
  name: My_Lab
spec:
  provider: kindd
  iris:
    replica: 3
    replicas: -1
    storage:
      mgr: -5Gi
      data: [5Gi]
    image: Iris
  addOns: metallb
";
    let failure = load(text, "my.yaml").unwrap_err();
    assert_eq!(failure.message, "my.yaml has 9 errors");
    assert_eq!(
        failure.causes,
        [
            "line 1: apiVersion: iris-lab/v2: must be iris-lab/v1",
            "line 4: metadata.name: My_Lab: must be a DNS label: 1 to 63 lower-case letters, digits and hyphens, no hyphen at either end",
            "line 6: spec.provider: kindd: must be one of auto, microk8s, kind, existing, sim; did you mean kind?",
            "line 8: spec.iris.replica: unknown field; did you mean replicas?",
            "line 9: spec.iris.replicas: -1: must be 1 to 20",
            "line 11: spec.iris.storage.mgr: -5Gi: must be more than 0",
            "line 12: spec.iris.storage.data: must be a text, not a list",
            "line 13: spec.iris.image: Iris: must be an image reference such as registry/name:tag, its name in lower case",
            "line 14: spec.addOns: metallb: must be a list",
        ]
    );
}

#[test]
fn numbers_are_kept_as_written_where_a_text_is_wanted() {
    let text = "spec:\n  kubernetes: 1.20\n  iris:\n    resources: {cpu: 2}\n    cpf:\n      config: {globals: '0,0,64,0,0,0', routines: 100}\n";
    let lab = load(text, "my.yaml").unwrap();
    assert_eq!(lab.spec.kubernetes.as_deref(), Some("1.20"));
    assert_eq!(lab.spec.iris.resources.cpu.as_deref(), Some("2"));
    assert_eq!(lab.spec.iris.cpf.config["routines"], "100");
}

#[test]
fn wrong_types_say_what_is_wanted() {
    assert_eq!(iris("replicas: two"), "line 3: spec.iris.replicas: two: must be a whole number");
    assert_eq!(iris("replicas: 1.5"), "line 3: spec.iris.replicas: 1.5: must be a whole number");
    assert_eq!(iris("replicas: '2'"), "line 3: spec.iris.replicas: 2: must be a whole number, without quotes");
    assert_eq!(iris("replicas: 21"), "line 3: spec.iris.replicas: 21: must be 1 to 20");
    assert_eq!(iris("storage: 5Gi"), "line 3: spec.iris.storage: 5Gi: must be a mapping");
    assert_eq!(iris("password:\n  length: 7"), "line 4: spec.iris.password.length: 7: must be 8 to 32");
    assert_eq!(
        iris("xyz: 1"),
        "line 3: spec.iris.xyz: unknown field; there are build, cpf, image, namespace, password, replicas, resources, sessionAffinity, storage, timeZone, users"
    );
}

#[test]
fn what_is_no_lab_at_all_is_one_clear_error() {
    let failure = load("# nothing\n", "my.yaml").unwrap_err();
    assert_eq!(failure.message, "my.yaml is empty");
    assert!(failure.causes[0].contains("apiVersion: iris-lab/v1") && failure.hints[0].contains("labs show"));
    assert_eq!(load("", "my.yaml").unwrap_err().message, "my.yaml is empty");
    assert_eq!(causes("- a\n"), ["line 1: must be a mapping that begins with apiVersion: iris-lab/v1"]);
    assert_eq!(causes("kind: Lab\n---\nkind: Lab\n"), ["line 3: a second document begins; a lab file has one"]);
    assert_eq!(causes("kind: [Lab\n"), ["line 1, column 7: unclosed bracket '['"]);
    assert_eq!(causes("kind: Lab\nkind: Lab\n"), ["line 2, column 1: the key kind is given twice, first on line 1"]);
    assert!(causes("a: &a [*a]\n")[0].contains("inside of what it refers to"));
    let huge = " ".repeat(2 << 20);
    assert_eq!(load(&huge, "my.yaml").unwrap_err().message, "my.yaml is too large");
}

#[test]
fn a_bomb_fails_at_once() {
    let mut bomb = String::from("x0: &x0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        bomb += &format!("x{level}: &x{level} [{}]\n", vec![format!("*x{}", level - 1); 10].join(", "));
    }
    let start = Instant::now();
    assert!(causes(&bomb)[0].ends_with("aliases expand to more than 50000 values"));
    assert!(start.elapsed() < Duration::from_millis(500));
}

#[test]
fn names_and_zones_are_judged() {
    assert!(iris("namespace: kube-system").ends_with("such names belong to Kubernetes"));
    assert!(iris("storage: {class: Fast Disks}").contains("must be the name of a storage class"));
    assert!(iris("storage: {mgr: 100M}").contains("must be at least 200M"));
    for zone in [
        "UTC",
        "Asia/Tokyo",
        "JST-9",
        "America/Argentina/Ushuaia",
        "Etc/GMT+5",
        "EST5EDT",
        "CET-1CEST,M3.5.0,M10.5.0/3",
    ] {
        let text = format!("spec:\n  iris:\n    timeZone: '{zone}'\n");
        assert!(load(&text, "my.yaml").is_ok(), "{zone}");
    }
    for zone in ["x", "'9'", "Asia/", "'Asia / Tokyo'", "'a;b'"] {
        assert!(iris(&format!("timeZone: {zone}")).contains("must be a time zone"), "{zone}");
    }
}

#[test]
fn resources_fit_together() {
    assert!(iris("resources: {cpu: 2, cpuLimit: 500m}").ends_with("500m: must be at least cpu, which is 2"));
    assert_eq!(
        iris("resources: {memoryLimit: 572Mi}"),
        "line 3: spec.iris.resources.memoryLimit: 572Mi: must be more than the 572Mi that IRIS takes at its start \
         (globals 128 + routines 80 + gmheap 300 + jrnbufs 64 MB)"
    );
    assert!(load("spec: {iris: {resources: {memoryLimit: 573Mi}}}", "my.yaml").is_ok());
    let automatic = "resources: {memoryLimit: 2Gi}\ncpf: {config: {routines: 80}}";
    assert!(iris(automatic).contains("takes a quarter of the node's memory"));
}

#[test]
fn settings_of_the_merge_are_judged() {
    let config = |pair: &str| iris(&format!("cpf:\n  config:\n    {pair}"));
    assert!(config("globals: 128").ends_with("such as 0,0,128,0,0,0"));
    assert!(config("globals: 1,0,128,0,0,0").contains("the first two of them 0"));
    assert!(config("globals: 0,0,128,1,0,0").ends_with("need DBSizesAllowed in startup"));
    assert!(config("routines: 32").ends_with("or six whole numbers"));
    assert!(config("gmheap: 1000").ends_with("must be 16384 to 1073741760 KB, or 0 for automatic"));
    assert!(config("jrnbufs: 8").ends_with("must be 16 to 1024 MB"));
    assert!(config("memlock: 2").ends_with("must be a sum of 1, 8, 32, 64 and 128"));
    assert!(config("locksiz: \"1\\n2\"").ends_with("must be on one line"));
    let startup = |pair: &str| iris(&format!("cpf:\n  startup:\n    {pair}"));
    assert!(startup("PasswordHash: abc").contains("is made by iris-lab"));
    assert!(startup("ShutdownTimeout: 30").ends_with("must be 120 to 100000 seconds"));
    assert!(startup("DefaultPort: 51773").contains("must stay 1972"));
    let licensed = "image: containers.intersystems.com/intersystems/iris:2025.1\ncpf: {startup: {WebServer: 1}}";
    assert!(iris(licensed).contains("only a Community image has a web server"));
}

#[test]
fn actions_of_the_merge_are_judged() {
    let action = |line: &str| iris(&format!("cpf:\n  actions:\n    - {line}"));
    assert_eq!(
        action("CreateDatabse:Name=A,Directory=/vol-data/A"),
        "line 5: spec.iris.cpf.actions.0: CreateDatabse:Name=A,Directory=/vol-data/A: unknown action CreateDatabse; did you mean CreateDatabase?"
    );
    assert!(action("CreateDatabase:Name=A").ends_with("CreateDatabase needs Directory"));
    assert!(action("CreateDatabase:Name=1A,Directory=/vol-data/A").contains("begins with a letter or _"));
    for directory in ["/tmp/A", "vol-data/A", "/vol-data/../tmp", "/vol-data/"] {
        assert!(
            action(&format!("CreateDatabase:Name=A,Directory={directory}")).contains("must be an absolute path under")
        );
    }
    assert!(action("CreateNamespace:Name=A,Globals=USR").ends_with("which no action creates; did you mean USER?"));
    assert!(action("CreateUser:Name=a,Roles=\"%All").ends_with("a quote is not closed"));
    assert!(action("CreateUser:Name=a,Roles=%All,%Developer").contains("a value with a comma needs quotes"));
    assert!(action("CreateUser:Name=a,Password=b").contains("use PasswordHash"));
    assert!(action("ConfigMirror:Name=a").contains("Community Edition has no mirroring"));
    assert!(action("Execute:Namespace=USER").ends_with("Execute needs ClassName and MethodName"));
    let twice = "- CreateDatabase:Name=A,Directory=/vol-data/A\n    - CreateDatabase:Name=a,Directory=/vol-data/B";
    assert!(iris(&format!("cpf:\n  actions:\n    {twice}")).contains("a is created by action 0 already"));
    let same = "- CreateDatabase:Name=A,Directory=/vol-data/A\n    - CreateDatabase:Name=B,Directory=/vol-data/A/";
    assert!(iris(&format!("cpf:\n  actions:\n    {same}")).contains("action 0 has the same Directory"));
    assert!(iris("image: intersystems/iris-community:2020.4").contains("images before 2021.1 know no actions"));
    let own = "spec: {iris: {image: 'me/app:1', cpf: {actions: ['CreateNamespace:Name=A,Globals=MINE']}}}";
    assert!(load(own, "my.yaml").is_ok());
}

#[test]
fn flags_change_the_lab() {
    let overrides = Overrides {
        name: Some("other".into()),
        replicas: Some("3".into()),
        storage: Some("1Gi".into()),
        storage_class: Some("longhorn".into()),
        set: vec![
            ("spec.kubernetes".into(), "1.20".into()),
            ("iris.cpf.config.globals".into(), "0,0,256,0,0,0".into()),
            ("iris.cpf.actions[2]".into(), "CreateUser:Name=me".into()),
            ("spec.addOns".into(), "[storage]".into()),
        ],
        ..Overrides::default()
    };
    let lab = with("kind: Lab\n", overrides).unwrap();
    assert_eq!((lab.metadata.name.as_str(), lab.spec.iris.replicas), ("other", 3));
    assert_eq!((lab.spec.iris.storage.mgr.as_str(), lab.spec.iris.storage.data.as_str()), ("1Gi", "1Gi"));
    assert_eq!(lab.spec.kubernetes.as_deref(), Some("1.20"));
    assert_eq!(lab.spec.add_ons, [AddOnName::Storage]);
    // Setting one entry changes no other, though the file gives none.
    assert_eq!(lab.spec.iris.cpf.config["globals"], "0,0,256,0,0,0");
    assert_eq!(lab.spec.iris.cpf.config["gmheap"], "307200");
    assert_eq!(lab.spec.iris.cpf.actions.len(), 3);
    assert_eq!(lab.spec.iris.cpf.startup, Cpf::default().startup);
}

#[test]
fn longhorn_is_judged() {
    let longhorn = |fields: &str| causes(&format!("spec:\n  longhorn:\n    {}\n", fields.replace('\n', "\n    ")));
    assert_eq!(
        longhorn("version: 1.2.0"),
        [
            "line 3: spec.longhorn.version: 1.2.0: is not offered: it ignores fsGroup, so that IRIS cannot write to its volumes; \
          use 1.2.1 to 1.2.6"
        ]
    );
    assert_eq!(
        longhorn("version: 1.4.0\nsha256: abc\nmanifest: http://example.org/longhorn.yaml"),
        [
            "line 3: spec.longhorn.version: 1.4.0: is unknown: there are 1.2.1, 1.2.2, 1.2.3, 1.2.4, 1.2.5 and 1.2.6",
            "line 4: spec.longhorn.sha256: abc: must be 64 hexadecimal digits",
            "line 5: spec.longhorn.manifest: http://example.org/longhorn.yaml: must be a file, or an address that begins \
             with https://",
        ]
    );
    let sum = "0".repeat(64);
    assert!(
        longhorn(&format!("sha256: '{sum}'"))[0].ends_with("it belongs to spec.longhorn.manifest, which is not given")
    );
    for manifest in ["longhorn.yaml", "/some/where/longhorn.yaml", "https://example.org/longhorn.yaml"] {
        let lab = load(&format!("spec: {{longhorn: {{manifest: '{manifest}', sha256: '{sum}'}}}}"), "my.yaml").unwrap();
        assert_eq!(lab.spec.longhorn.manifest.as_deref(), Some(manifest));
    }
}

#[test]
fn the_flag_adds_longhorn_once() {
    let flag = || Overrides { longhorn: true, ..Overrides::default() };
    let added = |text: &str| with(text, flag()).unwrap().spec.add_ons;
    let usual = [AddOnName::Dns, AddOnName::Storage, AddOnName::Registry, AddOnName::Metallb, AddOnName::Longhorn];
    assert_eq!(added("kind: Lab\n"), usual);
    assert_eq!(added("spec:\n  addOns: [longhorn, metallb]\n"), [AddOnName::Longhorn, AddOnName::Metallb]);
    assert_eq!(added("spec:\n  addOns: []\n"), [AddOnName::Longhorn]);
    assert_eq!(added("spec:\n  addOns:\n"), usual);
    let wrong = with("spec:\n  addOns: metallb\n", flag()).unwrap_err();
    assert_eq!(wrong.causes, ["line 2: spec.addOns: metallb: must be a list"]);
    let version = Overrides { longhorn_version: Some("1.2.0".into()), no_canary: true, ..flag() };
    let wrong = with("kind: Lab\n", version).unwrap_err().causes;
    assert!(wrong[0].starts_with("--longhorn: spec.longhorn.version: 1.2.0: is not offered"), "{wrong:?}");
    let quick = Overrides { no_canary: true, ..flag() };
    assert!(!with("kind: Lab\n", quick).unwrap().spec.longhorn.canary);
}

#[test]
fn flags_are_judged_like_the_file() {
    let flags = |overrides| with("spec:\n  iris:\n    replicas: 2\n", overrides).unwrap_err().causes;
    assert_eq!(flags(set(&[("spec.iris.replicas", "-1")])), ["--set: spec.iris.replicas: -1: must be 1 to 20"]);
    let replicas = Overrides { replicas: Some("many".into()), ..Overrides::default() };
    assert_eq!(flags(replicas), ["--replicas: spec.iris.replicas: many: must be a whole number"]);
    assert_eq!(
        flags(set(&[("iris.replica", "1")])),
        ["--set: spec.iris.replica: unknown field; did you mean replicas?"]
    );
    assert_eq!(
        flags(set(&[("spce.nodes", "1")])),
        [
            "--set: spec.spce: unknown field; there are addOns, iris, kind, kubernetes, longhorn, metallb, microk8s, nodes, provider, registry"
        ]
    );
    assert_eq!(flags(set(&[("nodes.x", "1")])), ["--set: spec.nodes.x: spec.nodes has no fields"]);
    assert!(flags(set(&[("iris.cpf.actions.7", "x")]))[0].ends_with("the next position is 2"));
    assert!(flags(set(&[("addOns", "[a")]))[0].contains("is no YAML"));
    assert!(flags(set(&[("iris.image", "")]))[0].starts_with("--set: spec.iris.image: \"\": must be"));
    assert_eq!(with("kind: Lab\n", set(&[("metadata.name", "x"), ("name", "y")])).unwrap_err().causes.len(), 1);
}

#[test]
fn the_schema_is_one_for_editors() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["title"], "Lab");
    assert!(schema.get("$id").is_none());
    assert_eq!(schema["$defs"]["Iris"]["properties"]["replicas"]["maximum"], 20);
}
