//! Images of one's own: built, pushed, listed and run, with a docker out of a script, with a real one, and on a real cluster.

mod failures;
mod real;
mod scripted;

use crate::support::Lab;
use scripted::Scripted;
use serde_json::Value;

/// The end of the summary that names the image.
fn image_of(summary: &Value) -> String {
    summary["image"].as_str().unwrap_or_else(|| panic!("no image: {summary:#}")).to_string()
}

#[test]
fn the_lab_simple_is_rehearsed_on_the_simulator() {
    let lab = Lab::on_sim();
    let plan = lab.run(&["plan", "simple", "-o", "json"]).exits(0).json();
    let step = |id: &str| plan["steps"].as_array().unwrap().iter().find(|step| step["id"] == id).unwrap().clone();
    assert_eq!(step("image-build")["satisfied"], "simulated: nothing is built");
    assert_eq!(step("image-build")["needs"], serde_json::json!([]), "it begins at once");
    assert_eq!(step("image-push")["satisfied"], "simulated: nothing is pushed");
    assert!(step("iris")["needs"].as_array().unwrap().contains(&"image-push".into()));
    let others = ["namespace", "settings", "services", "metallb"].map(step);
    assert!(others.iter().all(|step| !step["needs"].to_string().contains("image")), "only the pods wait for it");

    lab.run(&["up", "simple"]).exits(0).says("simulated: nothing is built").says("appuser");
    let reader = iris_lab_reader(&lab, "simple");
    let set = reader.get("/apis/apps/v1/namespaces/simple/statefulsets/data").unwrap();
    let image = set.pointer("/spec/template/spec/containers/0/image").and_then(Value::as_str).unwrap().to_string();
    assert!(image.starts_with("localhost:32000/simple:1-") && image.len() == 37, "{image}");
    let service = reader.get("/api/v1/namespaces/simple/services/iris-ext").unwrap();
    assert_eq!(service["spec"]["sessionAffinity"], "None", "calls reach both pods");
    let merge = reader.get("/api/v1/namespaces/simple/configmaps/iris-merge-cpf").unwrap();
    let text = merge["data"]["merge.cpf"].as_str().unwrap();
    let hash = std::fs::read_to_string(lab.state().join("simple/password.hash")).unwrap();
    assert!(text.contains("ModifyNamespace:Name=MYAPP,Globals=MYAPP-VOLUME,Routines=MYAPP-CODE\n"), "{text}");
    assert!(
        text.contains(&format!("CreateUser:Name=appuser,PasswordHash=\"{}\",Roles=\"MyApp\",", hash.trim())),
        "{text}"
    );
    lab.run(&["up", "simple"]).exits(0).says("nothing was to be done");
    // Another argument is another image, and only the pods change.
    let other =
        lab.run(&["up", "simple", "--build-arg", "BASE=intersystems/iris-community:2026.2", "-o", "json"]).exits(0);
    assert_eq!(other.json()["changed"], 4, "record, StatefulSet and two pods\n{}", other.transcript());
    lab.run(&["reset", "--name", "simple", "--yes"]).exits(0);
    lab.is_gone();
}

fn iris_lab_reader(lab: &Lab, name: &str) -> crate::support::Reader {
    crate::support::Reader::new(&lab.state().join(name).join("kubeconfig"), None)
}

#[test]
fn what_is_there_is_neither_built_nor_pushed_again() {
    let (lab, docker) = Scripted::new();
    docker.context("app", &[("Dockerfile", "ARG BASE\nFROM ${BASE}\n"), ("src/a.txt", "a")]);
    let push = ["image", "push", "app", "--registry", &docker.host, "-o", "json"];
    let first = lab.run(&push).exits(0);
    let (image, summary) = (image_of(&first.json()), first.json());
    assert!(image.starts_with(&format!("{}/app:", docker.host)), "{image}");
    assert_eq!((&summary["built"], &summary["pushed"]), (&true.into(), &true.into()));
    assert!(summary["digest"].as_str().unwrap().starts_with("sha256:"), "{summary:#}");
    let by_address = image.replace("localhost", "127.0.0.1");
    assert!(docker.log().contains(&format!("push {by_address}\n")), "{}", docker.log());
    let progress = first.events().iter().filter(|event| event["event"] == "step-progress").cloned().collect::<Vec<_>>();
    assert!(progress.iter().any(|event| event["message"] == "1 of 1 layers are there"), "{progress:?}");
    assert!(first.err.contains("WARNING: it is a stand-in"), "what the build warns of is told");

    docker.forget_log();
    let again = lab.run(&push).exits(0).json();
    assert_eq!((&again["built"], &again["pushed"]), (&false.into(), &false.into()), "{again:#}");
    assert!(!docker.log().contains("build ") && !docker.log().contains("push "), "{}", docker.log());

    docker.context("app", &[("src/a.txt", "b")]);
    assert_ne!(image_of(&lab.run(&push).exits(0).json()), image, "another content is another image");
    docker.context("app", &[("src/a.txt", "a")]);
    docker.forget_log();
    assert_eq!(image_of(&lab.run(&push).exits(0).json()), image, "and the old one is still there");
    assert!(!docker.log().contains("build "), "{}", docker.log());

    docker.forget_images();
    docker.forget_log();
    lab.run(&push).exits(0);
    assert!(!docker.log().contains("build "), "the registry has it\n{}", docker.log());
    lab.run(&["image", "list", "--registry", &docker.host]).exits(0).says(&image);
    lab.run(&["reset", "--purge", "--yes"]).exits(0);
    lab.is_gone();
}

#[test]
fn images_are_built_with_what_was_given() {
    let (lab, docker) = Scripted::new();
    docker.context("My App", &[("Dockerfile.dev", "FROM x\n"), ("secret.txt", "the secret itself")]);
    let args = ["image", "build", "My App", "--tag", "shop:2", "--file", "Dockerfile.dev", "--build-arg", "A=b c"];
    lab.run(&[&args[..], &["--secret", "id=npm,src=My App/secret.txt"]].concat()).exits(3).says("BuildKit");
    docker.has_build_kit();
    let run = lab.run(&[&args[..], &["--secret", "id=npm,src=My App/secret.txt"]].concat()).exits(0);
    assert!(run.out.starts_with("localhost:32000/shop:2-") && run.out.contains(" is built"), "{}", run.transcript());
    let log = docker.log();
    for word in ["--build-arg A=b c", "--secret id=npm,src=/", "/My App/secret.txt", "/My App/Dockerfile.dev"] {
        assert!(log.contains(word), "{word}\n{log}");
    }
    assert!(!log.contains("the secret itself") && !run.err.contains("the secret itself"));
    lab.run(&args).exits(0);
    lab.run(&args).exits(0).says("was built already, nothing was to be done");
    let bad = lab.run(&["image", "build", "My App", "--build-arg", "NPM_TOKEN=x"]).exits(2);
    assert!(
        bad.err.contains("--build-arg: spec.iris.build.args.NPM_TOKEN: is a secret by its name"),
        "{}",
        bad.transcript()
    );
    lab.run(&["image", "build", "My App", "--secret", "id=npm,env=X"]).exits(2).says("expected id=ID,src=FILE");
    lab.run(&["image", "build", "nowhere"]).exits(3).says("there is no folder");
    lab.run(&["reset"]).exits(0).says("image localhost:32000/shop:2-").says("iris-lab reset --purge");
    lab.run(&["reset", "--purge", "--yes"]).exits(0).says("image localhost:32000/shop:2-");
    assert_eq!(docker.images(), [""; 0]);
    lab.is_gone();
}

#[test]
fn a_large_context_is_warned_about_with_its_largest_files() {
    let (lab, docker) = Scripted::new();
    let folder = docker.context("big", &[("Dockerfile", "FROM x\n"), ("small.txt", "x")]);
    // A file with a hole takes no room.
    std::fs::File::create(folder.join("disk.img")).unwrap().set_len(201_000_000).unwrap();
    let run = lab.run(&["image", "build", "big"]).exits(0);
    let said = run.says("which goes to Docker: the largest are disk.img (201 MB)").says("has 202 MB");
    assert!(said.err.contains("by lines of .dockerignore"));
    docker.context("big", &[(".dockerignore", "*.img\n")]);
    let quiet = lab.run(&["image", "build", "big"]).exits(0);
    assert!(!quiet.err.contains("warning"), "{}", quiet.transcript());
    lab.run(&["reset", "--purge", "--yes"]).exits(0);
}

#[test]
fn nothing_to_build_is_said() {
    let (lab, docker) = Scripted::new();
    lab.run(&["plan", "--build"]).exits(2).says("--build has nothing to build").says("--build=DIR");
    lab.run(&["plan", "--build-arg", "A=b"]).exits(2).says("is about nothing");
    docker.context("app", &[("Dockerfile", "FROM x\n")]);
    let plan = lab.run(&["plan", "--build=app"]).exits(0);
    assert!(plan.out.contains("Build the image app:"), "{}", plan.transcript());
    lab.run(&["plan", "--build=app", "--image", "example.org/app:1"]).exits(2).says("spec.registry says where");
    let empty = lab.run(&["image", "list", "--registry", &docker.host, "-o", "json"]).exits(0);
    assert_eq!(empty.json(), serde_json::json!([]));
    lab.is_gone();
}
