//! One run at a time: a Lease in the cluster that names who runs what. It is renewed while the run lasts and deleted at its end.

use super::request::{Call, MERGE};
use super::{Cluster, Selector};
use crate::error::{Failure, Result};
use crate::model::ObjectRef;
use crate::model::object::{FIELD_MANAGER, MANAGED_BY};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const NAMESPACE: &str = "default";
const LIST: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const ONE: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases/iris-lab";
/// After so long without a renewal a lock is void.
const DURATION: Duration = Duration::from_secs(30);
const RENEWAL: Duration = Duration::from_secs(10);

/// Who wants the lock.
#[derive(Clone, Debug)]
pub struct Holder {
    /// User's name.
    pub user: String,
    /// This machine's name.
    pub host: String,
    /// This process.
    pub pid: u32,
    /// What it runs: `up two-pod`.
    pub task: String,
    /// Whether a process of this machine runs.
    pub alive: fn(u32) -> bool,
}

impl Holder {
    /// `ann@laptop pid 4711: up two-pod`
    fn identity(&self) -> String {
        format!("{}@{} pid {}: {}", self.user, self.host, self.pid, self.task)
    }

    /// Whether an identity is that of a process of this machine which ended, or of this very process before.
    fn ended(&self, identity: &str) -> bool {
        let Some((who, rest)) = identity.split_once(" pid ") else { return false };
        let host = who.split_once('@').map(|(_, host)| host);
        let pid = rest.split(':').next().and_then(|pid| pid.parse::<u32>().ok());
        host == Some(self.host.as_str()) && pid.is_some_and(|pid| pid == self.pid || !(self.alive)(pid))
    }
}

/// The lock, held. Release it at the end; a lock that is dropped instead ends by itself after 30 seconds.
pub struct Lock {
    cluster: Cluster,
    uid: Value,
    held: Arc<AtomicBool>,
    renewal: JoinHandle<()>,
    /// Whether it was given back: its cluster may be gone since.
    released: AtomicBool,
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.renewal.abort();
    }
}

impl Lock {
    /// Whether it is still ours. It is lost when it could not be renewed in time and another run took it.
    pub fn held(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }

    /// Gives it back. Doing so twice is fine.
    pub async fn release(&self) -> Result<()> {
        if self.released.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.renewal.abort();
        let options =
            json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": self.uid.clone() } });
        match self.cluster.send(&Call::delete(ONE, options)).await {
            // Conflict: it is another one's by now.
            Err(error) if !matches!(error.code(), Some(404 | 409)) => {
                Err(self.cluster.failure("release the lock", &error))
            }
            _ => {
                self.released.store(true, Ordering::Relaxed);
                Ok(())
            }
        }
    }
}

/// What became of somebody's lease.
enum Next {
    Renewed,
    Gone,
    Silent,
}

/// The lock's own object.
pub(super) fn lease() -> ObjectRef {
    ObjectRef::new("coordination.k8s.io/v1", "Lease", Some(NAMESPACE), FIELD_MANAGER)
}

impl Cluster {
    /// Takes the lock, at once when nobody holds it or its holder is dead; else says who holds it.
    pub async fn lock(&self, holder: &Holder) -> Result<Lock> {
        let failed = |error| self.failure("take the lock (Lease default/iris-lab)", &error);
        loop {
            let Some(lease) = self.find(&Call::get(ONE)).await.map_err(failed)? else {
                match self.send(&Call::post(LIST, body(holder, &Value::Null))).await {
                    Ok(lease) => return Ok(self.keep(&lease)),
                    // Another run was faster, or our own first try arrived and its answer was lost.
                    Err(error) if error.code() == Some(409) => continue,
                    Err(error) => return Err(failed(error)),
                }
            };
            let identity = lease["spec"]["holderIdentity"].as_str().unwrap_or_default();
            if !identity.is_empty() && !holder.ended(identity) {
                if !overdue(&lease) {
                    return Err(held(&lease, identity));
                }
                // A clock may be wrong: what counts is whether the holder renews while we look.
                if !long_overdue(&lease) {
                    match self.next_version(&lease).await? {
                        Next::Renewed => return Err(held(&lease, identity)),
                        Next::Gone => continue,
                        Next::Silent => {}
                    }
                }
            }
            match self.send(&Call::put(ONE, body(holder, &lease["metadata"]["resourceVersion"]))).await {
                Ok(lease) => return Ok(self.keep(&lease)),
                Err(error) if matches!(error.code(), Some(404 | 409)) => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// What becomes of a lease within the time in which a living holder renews it.
    async fn next_version(&self, lease: &Value) -> Result<Next> {
        let resource = self.resource(&self::lease()).await?;
        let selector = Selector::fields(format!("metadata.name={FIELD_MANAGER}"));
        let mut live = self.follow(resource, Some(NAMESPACE), selector).await?;
        let same = |live: &Value| live["metadata"]["resourceVersion"] == lease["metadata"]["resourceVersion"];
        let moved = async {
            while live.only().is_some_and(same) {
                live.changed().await?;
            }
            Ok(if live.only().is_some() { Next::Renewed } else { Next::Gone })
        };
        timeout(RENEWAL + Duration::from_secs(2), moved).await.unwrap_or(Ok(Next::Silent))
    }

    /// Renews it from now on.
    fn keep(&self, lease: &Value) -> Lock {
        let held = Arc::new(AtomicBool::new(true));
        let (cluster, flag) = (self.clone(), held.clone());
        let identity = lease["spec"]["holderIdentity"].clone();
        let mut version = lease["metadata"]["resourceVersion"].clone();
        let renewal = tokio::spawn(async move {
            loop {
                sleep(RENEWAL).await;
                let renew = json!({ "metadata": { "resourceVersion": version }, "spec": { "renewTime": now() } });
                match cluster.send(&Call::patch(ONE, MERGE, renew)).await {
                    Ok(lease) => version = lease["metadata"]["resourceVersion"].clone(),
                    Err(error) if matches!(error.code(), Some(404 | 409)) => {
                        // A renewal whose answer was lost conflicts with itself.
                        match cluster.find(&Call::get(ONE)).await {
                            Ok(Some(lease)) if lease["spec"]["holderIdentity"] == identity => {
                                version = lease["metadata"]["resourceVersion"].clone();
                            }
                            Ok(_) => break,
                            Err(_) => {}
                        }
                    }
                    Err(_) => {}
                }
            }
            flag.store(false, Ordering::Relaxed);
        });
        Lock {
            cluster: self.clone(),
            uid: lease["metadata"]["uid"].clone(),
            held,
            renewal,
            released: AtomicBool::default(),
        }
    }
}

fn body(holder: &Holder, version: &Value) -> Value {
    let mut metadata =
        json!({ "name": FIELD_MANAGER, "namespace": NAMESPACE, "labels": { MANAGED_BY: FIELD_MANAGER } });
    if !version.is_null() {
        metadata["resourceVersion"] = version.clone();
    }
    let now = now();
    json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": {
        "holderIdentity": holder.identity(), "leaseDurationSeconds": DURATION.as_secs(),
        "acquireTime": now, "renewTime": now } })
}

/// The time in the form of a Lease.
fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// How long ago it was renewed, by this machine's clock.
fn age(lease: &Value) -> Option<SignedDuration> {
    let renewed: Timestamp = lease["spec"]["renewTime"].as_str()?.parse().ok()?;
    Some(Timestamp::now().duration_since(renewed))
}

/// Whether it seems to be void.
fn overdue(lease: &Value) -> bool {
    age(lease).is_none_or(|age| age.as_secs() > DURATION.as_secs() as i64)
}

/// Whether it is void however much the clocks differ.
fn long_overdue(lease: &Value) -> bool {
    age(lease).is_none_or(|age| age.as_secs() > 10 * DURATION.as_secs() as i64)
}

fn held(lease: &Value, identity: &str) -> Failure {
    let (who, task) = identity.split_once(": ").unwrap_or((identity, "an unknown task"));
    let since = lease["spec"]["acquireTime"].as_str().unwrap_or_default();
    let since = since.split('.').next().unwrap_or_default().replace('T', " ");
    Failure::requirement(format!("another run is at work on this cluster: {task}"))
        .cause(format!("{who} holds the lock (Lease {NAMESPACE}/{FIELD_MANAGER}) since {since} UTC"))
        .hint("wait until it ends, then run it again")
        .hint(format!(
            "if it is dead, its lock ends {} s after its last renewal, or: kubectl delete lease -n {NAMESPACE} {FIELD_MANAGER}",
            DURATION.as_secs()
        ))
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, cluster};
    use super::*;
    use std::sync::Mutex;

    fn holder(alive: fn(u32) -> bool) -> Holder {
        Holder { user: "ann".into(), host: "laptop".into(), pid: 7, task: "up two-pod".into(), alive }
    }

    fn of(identity: &str, renewed: Timestamp) -> Value {
        json!({ "metadata": { "uid": "old", "resourceVersion": "5" }, "spec": { "holderIdentity": identity,
            "acquireTime": "2026-08-01T10:00:00.000000Z", "renewTime": renewed.to_string() } })
    }

    fn long_ago() -> Timestamp {
        Timestamp::now() - SignedDuration::from_hours(1)
    }

    #[tokio::test]
    async fn who_holds_it_is_said() {
        let (cluster, _) = cluster(|_| Answer::ok(of("bob@desk pid 9: reset", Timestamp::now())));
        let failure = cluster.lock(&holder(|_| true)).await.err().unwrap();
        assert_eq!(failure.message, "another run is at work on this cluster: reset");
        assert!(failure.causes[0].starts_with("bob@desk pid 9 holds the lock"), "{failure}");
        assert!(failure.causes[0].ends_with("since 2026-08-01 10:00:00 UTC"), "{failure}");
    }

    #[tokio::test]
    async fn it_is_taken_from_a_dead_process_of_this_host_and_from_who_stopped_long_ago() {
        let dead: fn(u32) -> bool = |_| false;
        let alive: fn(u32) -> bool = |_| true;
        let cases = [
            ("ann@laptop pid 6: up two-pod", Timestamp::now(), dead),
            ("ann@laptop pid 7: up two-pod", Timestamp::now(), alive),
            ("bob@desk pid 9: reset", long_ago(), alive),
        ];
        for (identity, renewed, alive) in cases {
            let (cluster, log) = cluster(move |asked| match asked.method.as_str() {
                "GET" => Answer::ok(of(identity, renewed)),
                _ => Answer::ok(asked.body.clone()),
            });
            assert!(cluster.lock(&holder(alive)).await.unwrap().held());
            let log = log.lock().unwrap();
            assert_eq!(log[1].method, "PUT");
            assert_eq!(log[1].body["metadata"]["resourceVersion"], "5", "a faster one must win");
            assert_eq!(log[1].body["spec"]["holderIdentity"], "ann@laptop pid 7: up two-pod");
        }
    }

    #[tokio::test]
    async fn a_lock_whose_answer_was_lost_is_ours_and_is_released_by_its_uid() {
        let stored = Mutex::new(None::<Value>);
        let (cluster, log) = cluster(move |asked| {
            let mut stored = stored.lock().unwrap();
            match (asked.method.as_str(), stored.is_some()) {
                ("GET", false) => Answer::missing(),
                ("POST", false) => {
                    let mut lease = asked.body.clone();
                    lease["metadata"]["uid"] = "new".into();
                    *stored = Some(lease);
                    Answer::Lost
                }
                ("POST", true) => Answer::error(409, "AlreadyExists", "there is one"),
                ("DELETE", _) => Answer::ok(json!({})),
                _ => Answer::ok(stored.clone().unwrap_or_default()),
            }
        });
        let lock = cluster.lock(&holder(|_| true)).await.unwrap();
        lock.release().await.unwrap();
        let log = log.lock().unwrap();
        assert_eq!(log.last().unwrap().body["preconditions"]["uid"], "new");
    }
}
