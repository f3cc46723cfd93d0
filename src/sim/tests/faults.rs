//! Faults of the API server, as clients meet them.

use super::*;
use kube::api::{ListParams, PostParams};

async fn faulty(yaml: &str) -> (Cluster, tempdir::Directory) {
    let directory = tempdir::Directory::new();
    let path = directory.0.join("faults.yaml");
    std::fs::write(&path, yaml).unwrap();
    let options = Options { nodes: 1, kubernetes: "1.24.17".into(), faults: Some(path), ..Options::default() };
    (with(options).await, directory)
}

/// A directory that goes when it is dropped.
mod tempdir {
    pub(super) struct Directory(pub std::path::PathBuf);

    impl Directory {
        pub(super) fn new() -> Self {
            let path = std::env::temp_dir().join(format!("iris-lab-test-{}", crate::sim::store::new_uid()));
            std::fs::create_dir(&path).unwrap();
            Directory(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }
}

#[tokio::test]
async fn forbidden_requests_name_verb_and_resource() {
    let (cluster, _directory) = faulty("api: {forbid: [{verb: create, resource: statefulsets}]}").await;
    let (code, message) = refusal(cluster.sets().create(&PostParams::default(), &object(set(1))).await);
    assert_eq!(code, 403);
    assert_eq!(
        message,
        "statefulsets.apps is forbidden: User \"iris-lab\" cannot create resource \"statefulsets\" in API group \"apps\" in the \
         namespace \"default\""
    );
    let apply = kube::api::Patch::Apply(set(1));
    let applied = cluster.sets().patch("data", &kube::api::PatchParams::apply("lab"), &apply).await;
    assert_eq!(refusal(applied).0, 403, "applying what is not there is creating it");
    let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "metadata": {}, "spec": {"resourceAttributes": {"verb": "create", "resource": "statefulsets", "group": "apps"}}});
    let reviews: Api<k8s_openapi::api::authorization::v1::SelfSubjectAccessReview> = Api::all(cluster.client.clone());
    let answer = reviews.create(&PostParams::default(), &serde_json::from_value(review).unwrap()).await.unwrap();
    assert!(!answer.status.unwrap().allowed);
}

#[tokio::test]
async fn requests_may_fail_in_every_way() {
    let (cluster, _directory) = faulty("api: {error500: 0.25, error429: 0.25, reset: 0.25, seed: 3}").await;
    let maps = cluster.config_maps();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..60 {
        seen.insert(match maps.list(&ListParams::default()).await {
            Ok(_) => 200,
            Err(kube::Error::Api(status)) => status.code,
            Err(_) => 0,
        });
    }
    assert_eq!(seen.into_iter().collect::<Vec<u16>>(), [0, 200, 429, 500]);
}

#[tokio::test]
async fn a_broken_connection_may_hide_a_success() {
    let (cluster, _directory) = faulty("api: {reset: 1, seed: 1}").await;
    for number in 0..20 {
        let map = config_map(&format!("m{number}"), &json!({}));
        cluster.config_maps().create(&PostParams::default(), &map).await.unwrap_err();
    }
    let made = cluster.sim.store.list(&crate::sim::store::Resource::new("", "configmaps"), Some("default"));
    let made = made.iter().filter(|map| map["metadata"]["name"].as_str().unwrap().starts_with('m')).count();
    assert!((1..20).contains(&made), "{made}");
}

#[tokio::test]
async fn an_expired_certificate_is_refused_by_the_client() {
    let (cluster, _directory) = faulty("api: {expiredCertificate: true}").await;
    let error = cluster.client.apiserver_version().await.unwrap_err();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    assert!(text.to_lowercase().contains("expired"), "{text}");
}

#[tokio::test]
async fn watches_may_break_off() {
    use futures::StreamExt;
    let (cluster, _directory) = faulty("api: {cutWatch: 1}").await;
    let watch = cluster.config_maps().watch(&kube::api::WatchParams::default(), "0").await.unwrap();
    let mut watch = std::pin::pin!(watch);
    assert!(watch.next().await.unwrap().is_ok());
    cluster.config_maps().create(&PostParams::default(), &config_map("a", &json!({}))).await.unwrap();
    assert!(watch.next().await.is_none_or(|event| event.is_err()), "the second event does not arrive");
}
