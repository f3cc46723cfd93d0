//! Each action as shell text.

use super::object::{delete, kubectl, kubectl_in, named, until};
use super::wait::{volumes, wait};
use super::{MOST_YAML, Shell, comment};
use crate::model::cmd::{heredoc, quoted};
use crate::model::image;
use crate::model::object::{FIELD_MANAGER, LAB_LABEL};
use crate::model::{Action, Cmd, ObjectRef, Plan, SimSettings, Step, Trace};
use serde_json::{Value, json};
use std::path::Path;

/// Name of the container with the instance.
const CONTAINER: &str = "iris";

impl Shell<'_> {
    /// What a step does.
    pub(super) fn action(&self, plan: &Plan, step: &Step) -> String {
        let lab = plan.lab.as_str();
        match &step.action {
            Action::StartSim(settings) => start_sim(lab, settings),
            Action::WriteKubeconfig { context } => {
                let context = format!("--context={context}");
                kubeconfig(lab, &kubectl(&["config", "view", "--minify", "--flatten", &context]))
            }
            Action::TakeKubeconfig { command } => kubeconfig(lab, &command.line()) + &answers(),
            Action::Make { object, commands, passing } => {
                let words: Vec<String> = passing.iter().map(|words| format!("{words:?}")).collect();
                let again = comment(&format!("run it again when it says {}", words.join(" or ")));
                let again = if words.is_empty() { String::new() } else { again };
                comment(&format!("then this is there: {object}")) + &again + &lines(commands)
            }
            Action::Unmake { object, commands } => comment(&format!("then this is gone: {object}")) + &lines(commands),
            Action::Run { unless: None, commands } => lines(commands),
            Action::Run { unless: Some(unless), commands } => {
                let head = format!("if ! {} >/dev/null 2>&1", unless.line());
                let head = match &unless.stdin {
                    Some(text) => heredoc(&head, "; then", text),
                    None => head + "; then",
                };
                format!("{head}\n{}fi\n", lines(commands))
            }
            Action::Download { url, sha256, path } => download(url, sha256, path),
            Action::BuildImage(build) => {
                let written = build.builtin.as_ref().map(|name| {
                    comment(&format!("{} is the folder labs/{name} of iris-lab's sources", build.context.display()))
                });
                written.unwrap_or_default() + &format!("{}\n", build.command())
            }
            Action::PushImage { image: name, .. } => {
                let tag = Cmd::new("docker", ["tag", name, &image::pushed_as(name)]);
                let (host, rest) = image::registry(name);
                let (path, tag_name) = rest.rsplit_once(':').unwrap_or((rest, "latest"));
                let url = format!(
                    "{}/v2/{path}/manifests/{tag_name}",
                    image::pushed_as(&format!("{host}/")).trim_end_matches('/')
                );
                let look = Cmd::new("curl", ["--fail", "--silent", "--show-error", "--head", &url]);
                format!("{tag}\n{}\n{look}\n", image::push(name))
            }
            Action::ProveImage { namespace, .. } => {
                let path = "jsonpath={range .items[*]}{.status.containerStatuses[0].imageID}{\"\\n\"}{end}";
                comment("each line ends with the digest that the registry gave:")
                    + &kubectl_in(Some(namespace), &["get", "pods", "-l", &format!("{LAB_LABEL}={lab}"), "-o", path])
                    + "\n"
            }
            Action::WriteFile { path, content } => {
                let file = quoted(&path.to_string_lossy());
                folder(path) + &heredoc(&format!("cat > {file}"), "", content) + "\n"
            }
            Action::Apply { objects } => self.apply(step, objects),
            Action::Wait { target } => wait(target, step.timeout),
            Action::RoutePods { is_root } => {
                let path = "jsonpath={range .items[*]}{.spec.podCIDR} {.status.addresses[0].address}{\"\\n\"}{end}";
                let route = Cmd::new("ip", ["-4", "route", "add"]).as_root(*is_root).line();
                let nodes = kubectl(&["get", "nodes", "-o", path]);
                format!("{nodes} |\nwhile read -r pods node; do {route} \"$pods\" via \"$node\"; done\n")
            }
            Action::Delete { objects } => delete(objects),
            Action::Scale { set, replicas } => {
                let count = format!("--replicas={replicas}");
                kubectl_in(set.namespace.as_deref(), &["scale", &named(set), &count]) + "\n"
            }
            Action::Grow { claims, size } => claims.iter().map(|claim| grow(claim, size)).collect(),
            Action::Replace { object } => {
                let set = ObjectRef::of(object);
                let words = ["delete", &named(&set), "--cascade=orphan", "--ignore-not-found"];
                kubectl_in(set.namespace.as_deref(), &words) + "\n" + &self.apply(step, std::slice::from_ref(object))
            }
            Action::Measure { pods, paths, .. } => {
                let look = |pod: &ObjectRef| {
                    let words = ["exec", &pod.name, "-c", CONTAINER, "--", "df", "-P", "-k"].map(str::to_string);
                    let words: Vec<String> = words.into_iter().chain(paths.iter().cloned()).collect();
                    kubectl_in(pod.namespace.as_deref(), &words) + "\n"
                };
                pods.iter().map(look).collect()
            }
            Action::SetPassword { pod, accounts, .. } => {
                let text =
                    format!("sets the password of {} in {pod}: `iris-lab password` does it", accounts.join(", "));
                comment(&text)
            }
            Action::Canary { objects, record, .. } => self.canary(step, objects, record),
            Action::RunJob { objects, job } => {
                let (name, timeout) = (named(job), format!("--timeout={}s", step.timeout.as_secs()));
                let words = ["wait", "--for=condition=Complete", &name, &timeout];
                self.apply(step, objects) + &kubectl_in(job.namespace.as_deref(), &words) + "\n"
            }
            Action::Reap { namespace } => reap(namespace),
            Action::Release { namespace, finalizer, kinds, seen } => {
                release(namespace.as_deref(), finalizer, kinds, seen)
            }
            Action::Evacuate { namespace } => evacuate(namespace),
            Action::Finalize { namespace } => finalize(namespace),
            Action::Prove { of } => of.iter().map(|trace| look(trace, lab)).collect(),
            Action::StopSim => "kill \"$SIMULATOR\"\n".into(),
            Action::RemoveHostFiles => {
                let files = [format!("{lab}.kubeconfig"), format!("{lab}.sim")];
                Cmd::new("rm", ["-rf".to_string()].into_iter().chain(files)).line() + "\n"
            }
        }
    }

    /// Objects, namespaces first: shown, or where that is long, by the command that prints them.
    fn apply(&self, step: &Step, objects: &[Value]) -> String {
        let (mut sorted, rest): (Vec<Value>, Vec<Value>) =
            objects.iter().cloned().partition(|object| object["kind"] == "Namespace");
        sorted.extend(rest);
        let yaml = (self.yaml)(&sorted);
        let apply = format!("kubectl apply --server-side --field-manager={FIELD_MANAGER} -f -");
        let count = yaml.lines().count();
        match self.render {
            Some(render) if count > MOST_YAML => {
                let objects = if objects.len() == 1 { "1 object".into() } else { format!("{} objects", objects.len()) };
                let note = comment(&format!("{objects}, {count} lines of YAML"));
                format!("{note}{render} --step {} |\n  {apply}\n", quoted(&step.id))
            }
            _ => heredoc(&apply, "", yaml.strip_prefix("---\n").unwrap_or(&yaml)) + "\n",
        }
    }

    fn canary(&self, step: &Step, objects: &[Value], record: &ObjectRef) -> String {
        let names: Vec<ObjectRef> = objects.iter().map(ObjectRef::of).collect();
        let mut text = self.apply(step, objects);
        for pod in names.iter().filter(|object| object.kind == "Pod") {
            let (namespace, name) = (pod.namespace.as_deref(), named(pod));
            let phase = kubectl_in(namespace, &["get", &name, "-o", "jsonpath={.status.phase}"]);
            text += &until(&format!("[ \"$({phase})\" = Succeeded ]"));
            text += &(kubectl_in(namespace, &["logs", &name]) + "\n");
        }
        // The pod first: a claim that is in use stays.
        let (pods, claims): (Vec<ObjectRef>, Vec<ObjectRef>) = names.into_iter().partition(|name| name.kind == "Pod");
        text += &delete(&[pods, claims].concat());
        text + &comment(&format!("iris-lab notes the proof in {record}"))
    }
}

/// The commands, each in a line of its own, with what it reads below.
fn lines(commands: &[Cmd]) -> String {
    commands.iter().map(|command| format!("{command}\n")).collect()
}

/// Keeps what a command prints as the kubeconfig of the steps after it.
fn kubeconfig(lab: &str, command: &str) -> String {
    let file = quoted(&format!("{lab}.kubeconfig"));
    format!("{command} > {file}\nexport KUBECONFIG=\"$PWD\"/{file}\n")
}

/// Waits until the API server answers.
fn answers() -> String {
    until("kubectl get --raw=/readyz >/dev/null 2>&1")
}

fn start_sim(lab: &str, settings: &SimSettings) -> String {
    let folder = format!("{lab}.sim");
    let speed = settings.speed.map_or("instant".into(), |factor| factor.to_string());
    let mut words = vec!["sim".to_string(), "serve".into(), "--dir".into(), folder.clone()];
    words.extend(["--nodes".into(), settings.nodes.to_string()]);
    words.extend(["--kubernetes".into(), settings.kubernetes.clone(), "--speed".into(), speed]);
    words.extend(settings.faults.iter().flat_map(|file| ["--faults".into(), file.display().to_string()]));
    format!(
        "mkdir -p {0}\n{1} >/dev/null &\nSIMULATOR=$!\nexport KUBECONFIG=\"$PWD\"/{0}/kubeconfig\n{2}",
        quoted(&folder),
        Cmd::new("iris-lab", words).line(),
        answers(),
    )
}

fn folder(of: &Path) -> String {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.map(|folder| format!("mkdir -p {}\n", quoted(&folder.to_string_lossy()))).unwrap_or_default()
}

fn download(url: &str, sha256: &str, path: &Path) -> String {
    let file = path.to_string_lossy();
    let get = Cmd::new("curl", ["--fail", "--location", "--output", &file, url]).line();
    let check = heredoc("sha256sum --check", "", &format!("{sha256}  {file}\n"));
    format!("{}{get}\n{check}\n{}\n", folder(path), Cmd::new("chmod", ["+x", &file]).line())
}

/// A claim that asks for more, and the wait until its volume has it.
fn grow(claim: &ObjectRef, size: &str) -> String {
    let (namespace, name) = (claim.namespace.as_deref(), named(claim));
    let patch = json!({ "spec": { "resources": { "requests": { "storage": size } } } }).to_string();
    let capacity =
        kubectl_in(namespace, &["get", &name, "-o", "jsonpath={.status.capacity.storage}{.status.conditions}"]);
    kubectl_in(namespace, &["patch", &name, "--type=merge", "-p", &patch])
        + "\n"
        + &until(&format!("{capacity} | grep -q -e '^{size}' -e FileSystemResizePending"))
}

fn reap(namespace: &str) -> String {
    let list = kubectl_in(Some(namespace), &["get", "pods"]);
    comment("let go, one by one, of those that have ended and whose volumes nobody can unmount any more:")
        + &format!("{list}\n")
        + &comment(&kubectl_in(Some(namespace), &["delete", "pod/NAME", "--grace-period=0", "--force"]))
}

fn release(namespace: Option<&str>, finalizer: &str, kinds: &[String], seen: &[ObjectRef]) -> String {
    let note = format!("of what is being deleted already, and of nothing else, take off the finalizer {finalizer}");
    let list = kubectl_in(namespace, &["get", &kinds.join(","), "--ignore-not-found"]) + "\n";
    let patch = |object: &ObjectRef| {
        let words = ["patch", &named(object), "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#];
        kubectl_in(object.namespace.as_deref(), &words) + "\n"
    };
    let patches: String = seen.iter().map(patch).collect();
    let all = if seen.is_empty() { String::new() } else { comment("this takes off every finalizer that they have:") };
    comment(&note) + &list + &all + &patches
}

fn evacuate(namespace: &str) -> String {
    let kinds = "daemonsets,deployments,replicasets,statefulsets";
    kubectl_in(Some(namespace), &["delete", kinds, "--all", "--wait=false"])
        + "\n"
        + &kubectl_in(Some(namespace), &["delete", "pods", "--all", "--grace-period=1"])
        + "\n"
}

/// The subresource takes the namespace with an empty list.
fn finalize(namespace: &str) -> String {
    let body = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace }, "spec": { "finalizers": [] } });
    let path = format!("/api/v1/namespaces/{namespace}/finalize");
    comment("only when nothing is left in it:")
        + &heredoc(&kubectl(&["replace", "--raw", &path, "-f", "-"]), "", &body.to_string())
        + "\n"
}

/// Prints what is left of a trace: nothing, when it is gone.
fn look(trace: &Trace, lab: &str) -> String {
    match trace {
        Trace::Label => {
            let label = quoted(&format!("{LAB_LABEL}={lab}"));
            format!(
                "for kind in $(kubectl api-resources --verbs=list -o name); do\n  \
                 kubectl get \"$kind\" -A -l {label} -o name\ndone\n"
            )
        }
        Trace::Object(object) => {
            let words = ["get", &named(object), "--ignore-not-found", "-o", "name"];
            kubectl_in(object.namespace.as_deref(), &words) + "\n"
        }
        Trace::Group { group } => {
            let path = format!("jsonpath={{.items[?(@.spec.group==\"{group}\")].metadata.name}}");
            kubectl(&["get", "customresourcedefinitions", "-o", &path]) + "\n"
        }
        Trace::Driver { driver } => volumes(driver).join("\n") + "\n",
    }
}
