//! Reading what docker prints, and what a pod says of its image.

use super::*;
use serde_json::json;

#[test]
fn layers_and_warnings_are_read_off_the_lines() {
    assert_eq!(layer("5f70bf18a086: Layer already exists"), Some(("5f70bf18a086", true)));
    assert_eq!(layer("5f70bf18a086: Pushing  1.2MB/3MB"), Some(("5f70bf18a086", false)));
    assert_eq!(layer("1-ab: digest: sha256:00 size: 1155"), None);
    let told = Some("WARNING: the base image is old".to_string());
    assert_eq!(warning("WARNING: the base image is old"), told);
    assert_eq!(warning("#9 1.234 WARNING: the base image is old"), told);
    assert_eq!(warning("#9 [5/5] RUN echo \"WARNING: no\""), None);
    assert_eq!(warning(&plain("\u{1b}[0mWARNING: it is old")), Some("WARNING: it is old".into()));
    assert_eq!(warning("Step 3/4 : RUN echo WARNING: no"), None);
}

#[test]
fn a_failed_build_begins_with_its_last_line() {
    let text = |text: &str| text.to_string();
    let output = Output {
        code: Some(1),
        stdout: text(
            "Sending build context to Docker daemon  2kB\nStep 1/2 : FROM x\n\u{1b}[91mno such thing\n\u{1b}[0m",
        ),
        stderr: text(
            "DEPRECATED: The legacy builder is deprecated\n  https://docs.docker.com/go/buildx/\n\nThe command failed\n",
        ),
    };
    let failure = not_built("localhost:32000/app:1", &output);
    assert_eq!(failure.message, "Docker cannot build the image app:1");
    assert_eq!(failure.causes, ["The command failed", "before that it said:\nStep 1/2 : FROM x\nno such thing"]);
    assert!(not_built("a/b:1", &Output::default()).causes.is_empty());
}

#[test]
fn what_a_pod_runs_is_the_id_of_the_container_with_that_image() {
    let pod = json!({
        "spec": { "containers": [{ "name": "iris", "image": "localhost:32000/simple:1-ab" }] },
        "status": { "containerStatuses": [{ "name": "iris", "imageID": "localhost:32000/simple@sha256:00" }] },
    });
    assert_eq!(running(&pod, "localhost:32000/simple:1-ab"), Some("localhost:32000/simple@sha256:00"));
    assert_eq!(running(&pod, "localhost:32000/simple:1-cd"), None);
}
