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
    assert_eq!(warning("Step 3/4 : RUN echo WARNING: no"), None);
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
