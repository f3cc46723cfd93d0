//! What a lab says of an image that it builds, and of the accounts of its application.

use crate::lab::{Overrides, load, load_with};

fn causes(spec: &str) -> Vec<String> {
    let indented: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    load(&format!("spec:\n{indented}"), "my.yaml").unwrap_err().causes
}

#[test]
fn what_is_built_is_judged() {
    let text = "registry: http://x
iris:
  image: localhost:32000/app:1
  build:
    context: ./app
    file: ../Dockerfile
    args: {BASE: a, 1A: b, API_TOKEN: c}
    secrets: {npm: 'a,b'}
  users:
    - {name: appuser, roles: ['a,b']}
    - {name: AppUser}
    - {name: SuperUser}
    - {roles: [x]}";
    let rules = [
        "line 2: spec.registry: http://x: must be a host with its port, such as localhost:32000",
        "line 4: spec.iris.image: localhost:32000/app:1: must be a name and a tag alone, such as simple:1: spec.registry says \
         where a built image goes",
        "line 7: spec.iris.build.file: ../Dockerfile: must be the path of a file in the context",
        "line 8: spec.iris.build.args.1A: the name of an argument has letters, digits and _ only",
        "line 8: spec.iris.build.args.API_TOKEN: is a secret by its name, and an argument stays readable in the image: give it \
         as a secret, by a file",
        "line 9: spec.iris.build.secrets.npm: a,b: must be the path of a file, without commas and quotes",
        "line 11: spec.iris.users.0.roles.0: a,b: must be the name of a role, without commas and quotes",
        "line 12: spec.iris.users.1.name: AppUser: is given twice",
        "line 13: spec.iris.users.2.name: SuperUser: is made by IRIS itself, and not the application's",
        "line 14: spec.iris.users.3.name: \"\": must be 1 to 128 letters, digits and _ - . @ %, and begin with a letter, _ or %",
    ];
    assert_eq!(causes(text), rules);
    let older = "iris: {image: 'store/intersystems/iris-community:2020.4.0.524.0', users: [{name: a}], cpf: {actions: ['CreateUser:Name=A']}}";
    let told = causes(older);
    assert!(
        told.iter().any(|one| one.ends_with("spec.iris.users.0.name: a: is made by an action of spec.iris.cpf, too"))
    );
    assert!(told.iter().any(|one| one.contains("spec.iris.users: must be empty ([])")), "{told:#?}");
    assert!(causes("iris: {build: {args: {A: b}}}")[0].ends_with("is not given, and nothing is built"));
}

#[test]
fn flags_say_what_is_built() {
    let pairs = |list: &[(&str, &str)]| list.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect::<Vec<_>>();
    let flags = Overrides {
        build: Some("/x/app".into()),
        build_image: Some("app".into()),
        build_args: pairs(&[("BASE", "rig/iris:1")]),
        secrets: pairs(&[("npm.rc", "/x/.npmrc")]),
        registry: Some("localhost:5000".into()),
        no_registry: true,
        ..Overrides::default()
    };
    let failure = load_with("kind: Lab\n", "my.yaml", &flags);
    // The id of a secret may hold dots, which separate fields elsewhere.
    let lab = failure.unwrap();
    let build = &lab.spec.iris.build;
    assert_eq!((build.context.as_deref(), lab.spec.iris.image.as_str()), (Some("/x/app"), "app"));
    assert_eq!((build.args["BASE"].as_str(), build.secrets["npm.rc"].as_str()), ("rig/iris:1", "/x/.npmrc"));
    assert_eq!(lab.spec.registry, "localhost:5000");
    assert_eq!(lab.spec.add_ons.iter().map(|one| one.name()).collect::<Vec<_>>(), ["dns", "storage", "metallb"]);
    let wrong = Overrides { build_args: pairs(&[("DB_PASSWORD", "x")]), ..flags };
    let causes = load_with("kind: Lab\n", "my.yaml", &wrong).unwrap_err().causes;
    assert!(causes[0].starts_with("--build-arg: spec.iris.build.args.DB_PASSWORD: is a secret"), "{causes:?}");
}
