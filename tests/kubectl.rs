//! The simulated cluster through kubectl, with every kubectl that is there: what a real cluster would print and do.

use crate::support::{End, Lab, Run, kubectl_command, kubectls};
use std::path::PathBuf;
use std::time::Duration;

/// One kubectl on one lab.
struct Kubectl<'a> {
    program: &'a PathBuf,
    lab: &'a Lab,
}

impl Kubectl<'_> {
    /// Runs it; the arguments are split at spaces.
    fn run(&self, args: &str) -> Run {
        let mut command = kubectl_command(self.program, &self.lab.kubeconfig(), &self.lab.scratch);
        command.args(args.split(' '));
        Run::of(command, Duration::from_secs(60))
    }

    /// Runs it, and it must succeed.
    #[track_caller]
    fn ok(&self, args: &str) -> Run {
        self.run(args).exits(0)
    }

    /// The rows of a table, each split at blanks; the first is the header.
    #[track_caller]
    fn table(&self, args: &str) -> Vec<Vec<String>> {
        let run = self.ok(args);
        run.out.lines().map(|line| line.split_whitespace().map(str::to_string).collect()).collect()
    }

    /// Waits until these are gone; old versions call it an error when they are gone already.
    #[track_caller]
    fn gone(&self, what: &str) {
        let run = self.run(&format!("wait {what} --for=delete --timeout=30s"));
        assert!(run.code == Some(0) || run.err.contains("no matching resources found"), "{}", run.transcript());
    }

    fn file(&self, name: &str, content: &str) -> String {
        self.lab.file(name, content).display().to_string()
    }
}

/// Runs a test with each kubectl on a lab of its own, which is reset after it.
fn with_each(test: impl Fn(&Kubectl)) {
    for program in kubectls() {
        let lab = Lab::on_sim();
        lab.up(&[]).exits(0);
        test(&Kubectl { program: &program, lab: &lab });
        lab.reset().exits(0);
        lab.is_gone();
    }
}

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: default
  labels: {app: web}
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web
        image: docker.io/library/nginx:1
---
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: default
spec:
  selector: {app: web}
  ports:
  - port: 80
";

#[test]
fn tables_look_as_they_should() {
    with_each(|kubectl| {
        let pods = kubectl.table("get pods -n iris-lab");
        assert_eq!(pods[0], ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
        assert_eq!(pods[1][..4], ["data-0", "1/1", "Running", "0"]);
        assert_eq!(pods[2][..4], ["data-1", "1/1", "Running", "0"]);
        let wide = kubectl.table("get pods -n iris-lab -o wide");
        assert_eq!(wide[0][5..7], ["IP", "NODE"]);

        let claims = kubectl.table("get pvc -n iris-lab --no-headers");
        assert_eq!(claims.len(), 4);
        assert!(claims.iter().all(|claim| claim[1] == "Bound" && claim[3] == "5Gi" && claim[4] == "RWO"), "{claims:?}");

        let services = kubectl.table("get svc -n iris-lab");
        assert_eq!(services[0], ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]);
        assert_eq!(services[1][..4], ["iris", "ClusterIP", "None", "<none>"]);
        assert_eq!(services[2][..2], ["iris-ext", "LoadBalancer"]);
        assert!(services[2][3].starts_with("10.64.140."), "{services:?}");

        let nodes = kubectl.table("get nodes");
        assert_eq!(nodes[0], ["NAME", "STATUS", "ROLES", "AGE", "VERSION"]);
        assert_eq!(nodes[1][..2], ["lab-1", "Ready"]);
        let sets = kubectl.table("get statefulsets -n iris-lab");
        assert_eq!(sets[0], ["NAME", "READY", "AGE"]);
        assert_eq!(sets[1][..2], ["data", "2/2"]);
        kubectl
            .ok("get pods,pvc,svc -n iris-lab")
            .says("pod/data-0")
            .says("persistentvolumeclaim/")
            .says("service/iris");
        kubectl.ok("get all -A").says("statefulset.apps/data").says("pod/data-1");
        assert_eq!(kubectl.ok("get pods -n default").err.trim(), "No resources found in default namespace.");
        kubectl.run("get pod nosuch").exits(1).says("Error from server (NotFound): pods \"nosuch\" not found");
    });
}

#[test]
fn describe_and_logs() {
    with_each(|kubectl| {
        let pod = kubectl.ok("describe pod data-0 -n iris-lab");
        for part in
            ["Name:", "Node:", "Status:", "Containers:", "Conditions:", "Volumes:", "Events:", "Scheduled", "Pulled"]
        {
            assert!(pod.out.contains(part), "no {part:?}\n{}", pod.transcript());
        }
        let ready = "{.status.initContainerStatuses[*].ready}";
        kubectl.ok(&format!("get pod data-0 -n iris-lab -o jsonpath={ready}")).says("true");
        kubectl.ok("describe statefulset data -n iris-lab").says("Pods Status:").says("2 Running");
        kubectl.ok("describe node lab-1").says("Capacity:").says("Conditions:");
        kubectl.ok("describe service iris-ext -n iris-lab").says("LoadBalancer Ingress:");
        kubectl.ok("describe pvc dbv-data-data-0 -n iris-lab").says("Bound");
        kubectl.ok("logs data-0 -n iris-lab").says("started InterSystems IRIS");
        kubectl.ok("logs -l app=iris -n iris-lab --tail=1");
        kubectl.run("logs data-0 -n iris-lab --previous").exits(1).says("previous terminated container");
    });
}

#[test]
fn exec_runs_what_is_emulated_or_says_which_kubectl_can() {
    with_each(|kubectl| {
        let exec = kubectl.run("exec data-0 -n iris-lab -- hostname");
        match exec.code {
            Some(0) => assert_eq!(exec.out, "data-0\n"),
            _ => drop(exec.says("kubectl 1.31 or newer")),
        }
        kubectl.run("port-forward data-0 -n iris-lab 0:52773").exits(1).says("iris-lab portal");
    });
}

#[test]
fn apply_patch_label_scale_and_delete() {
    with_each(|kubectl| {
        let file = kubectl.file("web.yaml", WEB);
        kubectl.ok(&format!("apply -f {file}")).says("deployment.apps/web created").says("service/web created");
        kubectl.ok(&format!("apply -f {file}")).says("deployment.apps/web unchanged");
        kubectl.ok("rollout status deployment/web --timeout=30s").says("successfully rolled out");
        let changed = kubectl.file("changed.yaml", &WEB.replace("nginx:1", "nginx:2"));
        kubectl.ok(&format!("apply -f {changed}")).says("deployment.apps/web configured");
        kubectl.ok("rollout status deployment/web --timeout=30s");
        let image = "{.spec.template.spec.containers[0].image}";
        kubectl.ok(&format!("get deployment web -o jsonpath={image}")).says("nginx:2");

        kubectl.ok("scale deployment/web --replicas=3").says("scaled");
        kubectl.ok("wait deployment/web --for=condition=Available --timeout=30s").says("condition met");
        kubectl.ok("rollout status deployment/web --timeout=30s");
        assert_eq!(kubectl.table("get pods -l app=web --no-headers").len(), 3);

        kubectl.ok("label deployment web tier=front").says("labeled");
        kubectl.ok("annotate deployment web note=yes").says("annotated");
        kubectl.ok("get deployments -l tier=front -o name").says("deployment.apps/web");
        kubectl.ok("patch deployment web --type=merge -p {\"spec\":{\"replicas\":1}}").says("patched");
        kubectl
            .ok("patch service web --type=json -p [{\"op\":\"replace\",\"path\":\"/spec/ports/0/port\",\"value\":81}]");
        kubectl.ok("get service web -o jsonpath={.spec.ports[0].port}").says("81");

        kubectl.ok(&format!("delete -f {file} --timeout=30s")).says("deployment.apps \"web\" deleted");
        kubectl.gone("pods -l app=web");
        assert_eq!(kubectl.ok("get pods -o name").out, "", "the pods went with their deployment");
    });
}

#[test]
fn server_side_apply_knows_its_owners() {
    with_each(|kubectl| {
        let file = kubectl.file("web.yaml", WEB);
        kubectl.ok(&format!("apply --server-side -f {file}")).says("serverside-applied");
        let version = "get deployment web -o jsonpath={.metadata.generation}";
        let before = kubectl.ok(version).out;
        kubectl.ok(&format!("apply --server-side -f {file}")).says("serverside-applied");
        assert_eq!(kubectl.ok(version).out, before, "the same apply changes nothing");
        let other = kubectl.file("other.yaml", &WEB.replace("replicas: 2", "replicas: 4"));
        let conflict = kubectl.run(&format!("apply --server-side --field-manager=other -f {other}")).exits(1);
        conflict.says("conflict").says(".spec.replicas");
        kubectl.ok(&format!("apply --server-side --field-manager=other --force-conflicts -f {other}"));
        kubectl.ok("get deployment web -o jsonpath={.spec.replicas}").says("4");
        kubectl.ok(&format!("delete -f {file}"));
    });
}

#[test]
fn a_deleted_pod_comes_back_and_waiting_works() {
    with_each(|kubectl| {
        let uid = "get pod data-0 -n iris-lab -o jsonpath={.metadata.uid}";
        let before = kubectl.ok(uid).out;
        kubectl.ok("delete pod data-0 -n iris-lab --timeout=30s").says("pod \"data-0\" deleted");
        kubectl.ok("rollout status statefulset/data -n iris-lab --timeout=30s");
        kubectl.ok("wait pod/data-0 -n iris-lab --for=condition=Ready --timeout=30s").says("condition met");
        assert_ne!(kubectl.ok(uid).out, before);
        kubectl.ok("scale statefulset/data -n iris-lab --replicas=1");
        kubectl.gone("pod/data-1 -n iris-lab");
        kubectl.ok("scale statefulset/data -n iris-lab --replicas=2");
        kubectl.ok("rollout status statefulset/data -n iris-lab --timeout=30s");
    });
}

#[test]
fn get_watch_shows_changes_as_they_happen() {
    with_each(|kubectl| {
        let mut command = kubectl_command(kubectl.program, &kubectl.lab.kubeconfig(), &kubectl.lab.scratch);
        // What is watched goes to stderr here, where the test reads line by line.
        let program = kubectl.program.display();
        command = {
            let mut shell = std::process::Command::new("sh");
            shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            shell.args(["-c", &format!("exec '{program}' get pods -n iris-lab -w >&2")]);
            shell
        };
        let mut deleted = false;
        Run::until(command, Duration::from_secs(60), End::Kill, |line| {
            if line.starts_with("data-1") && !deleted {
                deleted = true;
                kubectl.ok("delete pod data-1 -n iris-lab --wait=false");
                return false;
            }
            deleted && line.starts_with("data-1") && !line.contains("1/1")
        });
        assert!(deleted, "the watch never showed the pod");
        kubectl.ok("rollout status statefulset/data -n iris-lab --timeout=30s");
    });
}

#[test]
fn cordon_drain_and_uncordon() {
    with_each(|kubectl| {
        let node = kubectl.ok("get pod data-0 -n iris-lab -o jsonpath={.spec.nodeName}").out;
        kubectl.ok(&format!("cordon {node}")).says("cordoned");
        kubectl.ok(&format!("get node {node}")).says("Ready,SchedulingDisabled");
        kubectl.ok(&format!("uncordon {node}")).says("uncordoned");
        let file = kubectl.file("web.yaml", WEB);
        kubectl.ok(&format!("apply -f {file}"));
        kubectl.ok("rollout status deployment/web --timeout=30s");
        kubectl.ok(&format!("drain {node} --ignore-daemonsets --force --timeout=30s")).says("pod/data-0 evicted");
        kubectl.ok("rollout status deployment/web --timeout=30s");
        let nodes = kubectl.ok("get pods -l app=web -o jsonpath={.items[*].spec.nodeName}").out;
        assert!(!nodes.split_whitespace().any(|other| other == node), "a pod went to the drained node {node}: {nodes}");
        kubectl.ok(&format!("uncordon {node}"));
        kubectl.ok("rollout status statefulset/data -n iris-lab --timeout=30s");
    });
}

#[test]
fn a_namespace_goes_with_all_that_is_in_it() {
    with_each(|kubectl| {
        kubectl.ok("create namespace extra").says("namespace/extra created");
        kubectl.ok("create configmap settings -n extra --from-literal=a=b");
        kubectl.ok("get configmap settings -n extra -o yaml").says("a: b");
        kubectl.ok("delete namespace extra --timeout=30s").says("deleted");
        kubectl.run("get namespace extra").exits(1).says("NotFound");
        kubectl.ok("api-resources").says("statefulsets");
        kubectl.ok("version").says("1.24.17");
    });
}
