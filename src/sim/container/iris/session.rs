//! `iris session`: a prompt that knows a few commands of ObjectScript, enough to see that data stay where they are.

use super::accounts::Accounts;
use super::globals::Values;
use super::values::{Reader, Reference, Syntax, Term};
use super::{INSTANCE, is_instance};
use crate::sim::container::{Container, Io, Line};
use futures::future::BoxFuture;

/// The namespace in which a session begins.
const USER: &str = "USER";
const KNOWN: &str = "set, write, kill, zwrite, zn, halt";

/// What a command leads to.
enum Then {
    GoOn,
    Halt,
}

struct Session<'a> {
    container: &'a Container,
    namespace: String,
    variables: Values,
}

/// Reads and runs lines until HALT or the end of the input.
pub fn run<'a>(container: &'a Container, arguments: &'a [String], io: &'a mut Io) -> BoxFuture<'a, u8> {
    Box::pin(async move {
        let namespace = match begin(arguments) {
            Ok(namespace) => namespace,
            Err(complaint) => {
                io.complain(&format!("{complaint}\n")).await;
                return 1;
            }
        };
        let mut session = Session { container, namespace, variables: Values::default() };
        let node = container.pod_name();
        io.print(&format!("(emulated by iris-lab: no IRIS runs here)\n\nNode: {node}, Instance: {INSTANCE}\n")).await;
        loop {
            io.print(&format!("\n{}>", session.namespace)).await;
            match io.line().await {
                Line::End => return 0,
                Line::Interrupt => io.print("\n<INTERRUPT>\n").await,
                Line::Text(line) => {
                    let (output, then) = session.line(&line);
                    io.print(&output).await;
                    if matches!(then, Then::Halt) {
                        return 0;
                    }
                }
            }
        }
    })
}

/// The namespace that the arguments name.
fn begin(arguments: &[String]) -> Result<String, String> {
    let (instance, rest) = arguments.split_first().ok_or("iris session: an instance must be named: IRIS")?;
    if !is_instance(instance) {
        return Err(format!("iris session: there is no instance {instance}, only {INSTANCE}"));
    }
    let named = match rest {
        [] => USER,
        [flag, namespace] if flag == "-U" => namespace.as_str(),
        [flag] if flag.len() > 2 && flag.starts_with("-U") => &flag[2..],
        _ => return Err("iris session: only `iris session IRIS [-U NAMESPACE]` is emulated".into()),
    };
    Ok(named.to_uppercase())
}

impl Session<'_> {
    /// Runs the commands of a line. Returns what they print; the first error ends the line.
    fn line(&mut self, line: &str) -> (String, Then) {
        if let Some(answer) = Accounts::answer(self.container, line) {
            return (answer, Then::GoOn);
        }
        let (mut reader, mut output) = (Reader(line), String::new());
        loop {
            reader.run(char::is_whitespace);
            if reader.0.is_empty() {
                return (output, Then::GoOn);
            }
            match self.command(&mut reader, &mut output) {
                Ok(Then::GoOn) => {}
                Ok(Then::Halt) => return (output, Then::Halt),
                Err(error) => {
                    output += &format!("\n{error}\n");
                    return (output, Then::GoOn);
                }
            }
        }
    }

    fn command(&mut self, reader: &mut Reader, output: &mut String) -> Result<Then, String> {
        let command = reader.run(char::is_alphabetic).to_lowercase();
        let with_arguments = reader.take(" ") && !reader.0.is_empty() && !reader.0.starts_with(' ');
        match (command.as_str(), with_arguments) {
            ("set" | "s", true) => self.each(reader, |this, reader| this.set(reader))?,
            ("write" | "w", true) => {
                self.each(reader, |this, reader| {
                    *output += &this.write(reader)?;
                    Ok(())
                })?;
            }
            ("kill" | "k", true) => self.each(reader, |this, reader| {
                let reference = reader.reference().map_err(syntax)?;
                this.change(&reference, |values| values.kill(&reference));
                Ok(())
            })?,
            ("kill" | "k", false) => self.variables = Values::default(),
            ("zwrite" | "zw", true) => self.each(reader, |this, reader| {
                let reference = reader.reference().map_err(syntax)?;
                *output += &this.values(&reference).lines(Some(&reference));
                Ok(())
            })?,
            ("zwrite" | "zw", false) => *output += &self.variables.lines(None),
            ("zn" | "znspace", true) => {
                let namespace = self.expression(reader)?;
                self.namespace = namespace.to_uppercase();
            }
            ("halt" | "h", false) => return Ok(Then::Halt),
            ("set" | "s" | "write" | "w" | "zn" | "znspace" | "halt" | "h" | "", _) => return Err(syntax(Syntax)),
            _ => return Err(format!("<SYNTAX>: {command} is not emulated; this simulator knows {KNOWN}")),
        }
        match reader.0.chars().next() {
            None | Some(' ') => Ok(Then::GoOn),
            Some(_) => Err(syntax(Syntax)),
        }
    }

    /// Each of several arguments.
    fn each(
        &mut self,
        reader: &mut Reader,
        mut one: impl FnMut(&mut Self, &mut Reader) -> Result<(), String>,
    ) -> Result<(), String> {
        one(self, reader)?;
        while reader.take(",") {
            one(self, reader)?;
        }
        Ok(())
    }

    fn set(&mut self, reader: &mut Reader) -> Result<(), String> {
        let reference = reader.reference().map_err(syntax)?;
        reader.run(|c| c == ' ');
        if !reader.take("=") {
            return Err(syntax(Syntax));
        }
        reader.run(|c| c == ' ');
        let value = self.expression(reader)?;
        self.change(&reference, |values| values.set(reference.clone(), value));
        Ok(())
    }

    fn write(&self, reader: &mut Reader) -> Result<String, String> {
        let lines = reader.run(|c| c == '!').len();
        if lines > 0 { Ok("\n".repeat(lines)) } else { self.expression(reader) }
    }

    fn expression(&self, reader: &mut Reader) -> Result<String, String> {
        let terms = reader.expression().map_err(syntax)?;
        terms.into_iter().map(|term| self.value(term)).collect()
    }

    fn value(&self, term: Term) -> Result<String, String> {
        match term {
            Term::Literal(value) => Ok(value),
            Term::Variable(reference) => {
                let values = self.values(&reference);
                values.get(&reference).map(Into::into).ok_or_else(|| format!("<UNDEFINED> *{reference}"))
            }
            Term::Special(name) => match name.as_str() {
                "zversion" | "zv" => Ok(format!("emulated by iris-lab for {}", self.container.image())),
                "namespace" => Ok(self.namespace.clone()),
                _ => Err(format!("<SYNTAX>: ${name} is not emulated; this simulator knows $zversion and $namespace")),
            },
        }
    }

    /// The globals of the namespace as they are now, or the session's own variables.
    fn values(&self, reference: &Reference) -> Values {
        match reference.is_global() {
            true => Values::load(self.container, &self.namespace),
            false => self.variables.clone(),
        }
    }

    fn change(&mut self, reference: &Reference, change: impl FnOnce(&mut Values)) {
        if reference.is_global() {
            let mut globals = Values::load(self.container, &self.namespace);
            change(&mut globals);
            globals.save(self.container, &self.namespace);
        } else {
            change(&mut self.variables);
        }
    }
}

fn syntax(_: Syntax) -> String {
    "<SYNTAX>".into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::container::Disks;
    use crate::sim::controllers::object::core;
    use crate::sim::store::Store;
    use serde_json::json;

    /// A container whose IRIS keeps its data on a volume.
    fn container() -> Container {
        let store = Store::new();
        let claim = json!({"metadata": {"name": "c", "namespace": "n"}, "spec": {"volumeName": "pvc-1"}});
        store.create(&core("persistentvolumeclaims"), claim).unwrap();
        store.create(&core("persistentvolumes"), json!({"metadata": {"name": "pvc-1"}, "spec": {}})).unwrap();
        let pod = json!({
            "metadata": {"name": "data-0", "namespace": "n"},
            "spec": {
                "containers": [{
                    "name": "iris", "image": "iris:1", "env": [{"name": "ISC_DATA_DIRECTORY", "value": "/mgr/x"}],
                    "volumeMounts": [{"name": "v", "mountPath": "/mgr"}],
                }],
                "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}],
            },
            "status": {"containerStatuses": [{"name": "iris", "containerID": "containerd://1", "state": {"running": {}}}]},
        });
        let pod = store.create(&core("pods"), pod).unwrap();
        Container::open(&store, &Disks::default(), pod, "iris").unwrap()
    }

    fn session(container: &Container) -> Session<'_> {
        Session { container, namespace: USER.into(), variables: Values::default() }
    }

    #[test]
    fn globals_are_kept_for_the_next_session_and_variables_are_not() {
        let container = container();
        let mut first = session(&container);
        assert_eq!(first.line("set ^x=1,^x(\"a\",2)=\"say \"\"hi\"\"\" s y = 7 w y,!,^x").0, "7\n1");
        assert_eq!(container.volume_of("/mgr/x/mgr").as_deref(), Some("pvc-1"));
        let mut second = session(&container);
        assert_eq!(second.line("zwrite ^x").0, "^x=1\n^x(\"a\",2)=\"say \"\"hi\"\"\"\n");
        assert_eq!(second.line("write y").0, "\n<UNDEFINED> *y\n");
        second.line("kill ^x(\"a\")");
        assert_eq!(first.line("zw ^x").0, "^x=1\n");
    }

    #[test]
    fn each_namespace_has_its_own() {
        let container = container();
        let mut session = session(&container);
        assert_eq!(session.line("set ^x=1 zn \"test\" write ^x").0, "\n<UNDEFINED> *^x\n");
        assert_eq!(session.line("write $namespace").0, "TEST");
    }

    #[test]
    fn what_is_not_emulated_says_so() {
        let container = container();
        let mut session = session(&container);
        assert!(session.line("do ^x").0.contains("not emulated"));
        assert_eq!(session.line("set ^x").0, "\n<SYNTAX>\n");
        assert_eq!(session.line("write 1 2").0, "1\n<SYNTAX>\n");
        assert!(matches!(session.line("halt").1, Then::Halt));
        assert!(session.line("w $zv").0.contains("emulated"));
    }

    #[test]
    fn arguments() {
        let begin = |line: &str| begin(&line.split_whitespace().map(Into::into).collect::<Vec<_>>());
        assert_eq!((begin("iris"), begin("IRIS -U test")), (Ok("USER".into()), Ok("TEST".into())));
        assert_eq!(begin("IRIS -U%SYS"), Ok("%SYS".into()));
        assert!(begin("").is_err() && begin("OTHER").is_err() && begin("IRIS ##Class(A).B()").is_err());
    }
}
