//! What the command line changes in a lab file, before the file is judged.

use super::cpf::merge;
use super::source::{Finding, Path, Source};
use super::structure::{fields, resolve, takes, unknown};
use super::types::{AddOnName, Lab};
use crate::yaml::{self, Content, Node};
use serde_json::Value;

/// Flags of the command line, as typed: they are judged by the same rules as the file, with the flag as the place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--provider`
    pub provider: Option<String>,
    /// `--name`
    pub name: Option<String>,
    /// `--namespace`
    pub namespace: Option<String>,
    /// `--replicas`
    pub replicas: Option<String>,
    /// `--image`
    pub image: Option<String>,
    /// `--storage-class`
    pub storage_class: Option<String>,
    /// `--storage`: the size of both volumes.
    pub storage: Option<String>,
    /// `--nodes`
    pub nodes: Option<String>,
    /// `--kubernetes`
    pub kubernetes: Option<String>,
    /// `--channel`
    pub channel: Option<String>,
    /// `--node-image`
    pub node_image: Option<String>,
    /// `--experimental-host-iscsi`
    pub experimental_host_iscsi: bool,
    /// `--lb-range`
    pub lb_range: Option<String>,
    /// `--longhorn`, or another flag that asks for it: it is added to the add-ons.
    pub longhorn: bool,
    /// `--longhorn=VERSION`
    pub longhorn_version: Option<String>,
    /// `--longhorn-manifest`
    pub longhorn_manifest: Option<String>,
    /// `--sha256`
    pub sha256: Option<String>,
    /// `--no-canary`
    pub no_canary: bool,
    /// `--build`: the folder, or the name of a built-in one. A built image is named after it, unless `image` says otherwise.
    pub build: Option<String>,
    /// The name of the image that `build` asks for.
    pub build_image: Option<String>,
    /// `--build-arg`: name and value.
    pub build_args: Vec<(String, String)>,
    /// `--secret`: id and file.
    pub secrets: Vec<(String, String)>,
    /// `--registry`
    pub registry: Option<String>,
    /// `--no-registry`: the add-on is taken out.
    pub no_registry: bool,
    /// `--cpf`: the name of a merge file and its text. It takes the place of all of `spec.iris.cpf`.
    pub cpf: Option<(String, String)>,
    /// `--set path=value`: path and value. The path may begin with or without `spec.`; it counts after all other flags.
    pub set: Vec<(String, String)>,
}

impl Overrides {
    /// Writes the flags into the tree of the file. What cannot be placed is returned.
    pub(super) fn apply<'a>(&'a self, source: &mut Source, schema: &Value) -> Vec<Finding> {
        let mut findings = self.cpf.as_ref().map(|(name, text)| merge_file(source, name, text)).unwrap_or_default();
        if self.no_registry {
            remove_add_on(&mut source.root, AddOnName::Registry);
        }
        let add_on = self.longhorn.then(|| missing_add_on(&source.root, AddOnName::Longhorn)).flatten();
        let add_on_path = format!("spec.addOns.{}", add_on.unwrap_or_default());
        let add_on = add_on.map(|_| AddOnName::Longhorn.name().to_string());
        let no_canary = self.no_canary.then(|| "false".to_string());
        let host_iscsi = self.experimental_host_iscsi.then(|| "true".to_string());
        let flags = [
            ("--provider", "spec.provider", &self.provider),
            ("--name", "metadata.name", &self.name),
            ("--namespace", "spec.iris.namespace", &self.namespace),
            ("--replicas", "spec.iris.replicas", &self.replicas),
            ("--build", "spec.iris.build.context", &self.build),
            ("--build", "spec.iris.image", &self.build_image),
            ("--image", "spec.iris.image", &self.image),
            ("--registry", "spec.registry", &self.registry),
            ("--storage-class", "spec.iris.storage.class", &self.storage_class),
            ("--storage", "spec.iris.storage.mgr", &self.storage),
            ("--storage", "spec.iris.storage.data", &self.storage),
            ("--nodes", "spec.nodes", &self.nodes),
            ("--kubernetes", "spec.kubernetes", &self.kubernetes),
            ("--channel", "spec.microk8s.channel", &self.channel),
            ("--node-image", "spec.kind.nodeImage", &self.node_image),
            ("--experimental-host-iscsi", "spec.kind.experimentalHostIscsi", &host_iscsi),
            ("--lb-range", "spec.metallb.range", &self.lb_range),
            ("--longhorn", add_on_path.as_str(), &add_on),
            ("--longhorn", "spec.longhorn.version", &self.longhorn_version),
            ("--longhorn-manifest", "spec.longhorn.manifest", &self.longhorn_manifest),
            ("--sha256", "spec.longhorn.sha256", &self.sha256),
            ("--no-canary", "spec.longhorn.canary", &no_canary),
        ];
        let given = flags.iter().filter_map(|(flag, path, value)| Some((*flag, *path, value.as_ref()?.as_str())));
        let set = self.set.iter().map(|(path, value)| ("--set", path.as_str(), value.as_str()));
        let fields = |(flag, path, value)| (flag, split(path, schema), value);
        // Names of their own, which may hold dots.
        let under = |flag: &'static str, field: &'static str, pairs: &'a [(String, String)]| {
            let path = move |name: &String| ["spec", "iris", "build", field, name].map(String::from).to_vec();
            pairs.iter().map(move |(name, value)| (flag, path(name), value.as_str()))
        };
        let given = given.map(fields).chain(under("--build-arg", "args", &self.build_args));
        let given = given.chain(under("--secret", "secrets", &self.secrets)).chain(set.map(fields));
        for (flag, path, value) in given {
            if let Err(finding) = set_one(source, schema, flag, path, value) {
                // The finding may be about a field above the one that the flag names.
                source.flags.push((finding.path.clone(), flag.into()));
                findings.push(finding);
            }
        }
        findings
    }
}

fn set_one(source: &mut Source, schema: &Value, flag: &str, path: Path, value: &str) -> Result<(), Finding> {
    source.flags.push((path.clone(), flag.into()));
    let target = find(schema, &path)?;
    let node = read(value, target).map_err(|error| Finding::new(&path, Some(value), error))?;
    put(&mut source.root, &path, 0, node)
}

/// Puts the entries of a merge file where the lab has its own, each with the line of that file as its place.
fn merge_file(source: &mut Source, name: &str, text: &str) -> Vec<Finding> {
    let (entries, wrong) = merge::read(text);
    let root = ["spec", "iris", "cpf"].map(String::from);
    let scalar = |text: &str| Node { line: 0, column: 0, content: Content::Scalar { text: text.into(), plain: false } };
    let (mut settings, mut actions) = ([("startup", Vec::new()), ("config", Vec::new())], Vec::new());
    let place = |line: usize| format!("{name} line {line}");
    source.flags.push((root.to_vec(), name.into()));
    for entry in entries {
        let key = entry.key.clone().unwrap_or_else(|| actions.len().to_string());
        source.flags.push(([&root[..], &[entry.field.into(), key]].concat(), place(entry.line)));
        match (settings.iter_mut().find(|(field, _)| *field == entry.field), entry.key) {
            (Some((_, list)), Some(key)) => list.push((key, scalar(&entry.value))),
            _ => actions.push(scalar(&entry.value)),
        }
    }
    let node = |content| Node { line: 0, column: 0, content };
    let mut sections: Vec<(String, Node)> =
        settings.into_iter().map(|(field, list)| (field.to_string(), node(Content::Map(list)))).collect();
    sections.push(("actions".into(), node(Content::List(actions))));
    let mut findings: Vec<Finding> =
        put(&mut source.root, &root, 0, node(Content::Map(sections))).err().into_iter().collect();
    for (line, rule) in wrong {
        // It stands in no field.
        let path = vec![place(line)];
        source.flags.push((path.clone(), "--cpf".into()));
        findings.push(Finding { path, value: None, rule });
    }
    findings
}

/// Takes an add-on out of the list; where the lab gives none, out of the defaults.
fn remove_add_on(root: &mut Node, add_on: AddOnName) {
    let path = ["spec", "addOns"].map(String::from);
    let list = root.get("spec").and_then(|spec| spec.get("addOns")).filter(|list| !list.is_null()).cloned();
    let mut list = list.unwrap_or_else(|| default_node(&path, root.line));
    if let Content::List(items) = &mut list.content {
        items.retain(|item| !matches!(&item.content, Content::Scalar { text, .. } if text == add_on.name()));
        // A list that is none is reported as such.
        let _ = put(root, &path, 0, list);
    }
}

/// The position at which an add-on is to be added to the list; none if it is in it, or if there is no list to add it to.
fn missing_add_on(root: &Node, add_on: AddOnName) -> Option<usize> {
    let list = root.get("spec").and_then(|spec| spec.get("addOns")).filter(|list| !list.is_null());
    let Some(list) = list else {
        let defaults = Lab::default().spec.add_ons;
        return (!defaults.contains(&add_on)).then_some(defaults.len());
    };
    let Content::List(items) = &list.content else { return None };
    let is = |item: &Node| matches!(&item.content, Content::Scalar { text, .. } if text == add_on.name());
    (!items.iter().any(is)).then_some(items.len())
}

/// The keys of a path as typed: `iris.cpf.actions[0]` is spec, iris, cpf, actions, 0.
fn split(path: &str, schema: &Value) -> Path {
    let dotted = path.replace('[', ".").replace(']', "");
    let keys = dotted.split('.').map(Into::into);
    match dotted.split('.').next() {
        Some(first) if fields(schema).contains(&first) => keys.collect(),
        _ => std::iter::once("spec".to_string()).chain(keys).collect(),
    }
}

/// The schema of a field, or the rule for a field that does not exist.
fn find<'a>(root: &'a Value, path: &[String]) -> Result<&'a Value, Finding> {
    let mut schema = root;
    for (depth, key) in path.iter().enumerate() {
        let wrong = |rule: String| Finding::new(&path[..=depth], None, rule);
        let child = if let Some(field) = schema["properties"].get(key) {
            field
        } else if takes(schema, "array") {
            key.parse::<usize>().map_err(|_| wrong("must be a position in the list, from 0".into()))?;
            &schema["items"]
        } else if let Some(free) = schema.get("additionalProperties").filter(|free| free.is_object()) {
            free
        } else if fields(schema).is_empty() {
            return Err(wrong(format!("{} has no fields", path[..depth].join("."))));
        } else {
            return Err(wrong(unknown(key, &fields(schema))));
        };
        schema = resolve(child, root);
    }
    Ok(schema)
}

/// A value as typed: lists and mappings as YAML in one line, everything else literally.
fn read(value: &str, schema: &Value) -> Result<Node, String> {
    if !takes(schema, "array") && !takes(schema, "object") {
        // Nothing typed is an empty text and no default: most likely a variable of a script was not set.
        let content = Content::Scalar { text: value.into(), plain: !value.is_empty() };
        return Ok(Node { line: 0, column: 0, content });
    }
    let mut nodes = yaml::read_nodes(value).map_err(|error| format!("is no YAML: {}", error.message))?;
    match (nodes.pop(), nodes.is_empty()) {
        (Some(node), true) => Ok(node),
        _ => Err("must be one YAML value".into()),
    }
}

/// Puts a node at a path. A list or mapping of settings that the file does not give begins as its default, so that setting
/// one entry changes no other.
fn put(node: &mut Node, path: &[String], depth: usize, value: Node) -> Result<(), Finding> {
    let Some(key) = path.get(depth) else {
        // The line stays that of the file, for entries around it that were not set.
        node.content = value.content;
        return Ok(());
    };
    if let Content::List(items) = &mut node.content {
        let index = key.parse().unwrap_or(usize::MAX);
        if index == items.len() {
            items.push(empty(node.line));
        } else if index > items.len() {
            let rule = format!("the list has {} entries; the next position is {}", items.len(), items.len());
            return Err(Finding::new(&path[..=depth], None, rule));
        }
        return put(&mut items[index], path, depth + 1, value);
    }
    if !matches!(node.content, Content::Map(_)) {
        node.content = Content::Map(Vec::new());
    }
    let Content::Map(entries) = &mut node.content else { return Ok(()) };
    let at = match entries.iter().position(|(name, child)| name == key && !child.is_null()) {
        Some(at) => at,
        None => {
            entries.retain(|(name, _)| name != key);
            entries.push((key.clone(), default_node(&path[..=depth], node.line)));
            entries.len() - 1
        }
    };
    put(&mut entries[at].1, path, depth + 1, value)
}

fn empty(line: usize) -> Node {
    Node { line, column: 1, content: Content::Scalar { text: String::new(), plain: true } }
}

/// The default of a list or a mapping of settings; nothing for all else, whose default comes from the types.
fn default_node(path: &[String], line: usize) -> Node {
    let defaults = serde_json::to_value(Lab::default()).unwrap_or_default();
    let found = defaults.pointer(&format!("/{}", path.join("/")));
    let texts = |value: &Value| value.as_str().map(|text| Content::Scalar { text: text.into(), plain: false });
    let content = match found {
        Some(Value::Array(items)) => {
            let node = |item| Some(Node { line, column: 1, content: texts(item)? });
            items.iter().map(node).collect::<Option<Vec<_>>>().map(Content::List)
        }
        Some(Value::Object(map)) if path.starts_with(&["spec", "iris", "cpf"].map(String::from)) && path.len() == 4 => {
            let node =
                |(key, value): (&String, &Value)| Some((key.clone(), Node { line, column: 1, content: texts(value)? }));
            map.iter().map(node).collect::<Option<Vec<_>>>().map(Content::Map)
        }
        _ => None,
    };
    content.map_or_else(|| empty(line), |content| Node { line, column: 1, content })
}
