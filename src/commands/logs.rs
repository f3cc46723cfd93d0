//! `iris-lab logs`: what the pods have written, merged by time, and what they write.

use super::pods::LabPods;
use crate::cli::LogsArgs;
use crate::cluster::{Cluster, Command, Log, Pods, Seen, Selector, Streams};
use crate::error::{Failure, Result};
use crate::model::log::{Entry, Level, level, message_time};
use crate::ui::{Look, Ui, log_line};
use crate::workload::{CONTAINER, STATEFUL_SET};
use futures::FutureExt;
use futures::future::{Either, select, select_all, try_join_all};
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Empty, simplex, sink};

/// Where IRIS keeps its own data when the pod does not say it.
const INSTALLATION: &str = "/usr/irissys";
/// How long a log that has ended waits for its pod to say why, before it is opened again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a log may go on when its container does not run any more.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// What a log holds that is being read.
const BUFFER: usize = 64 * 1024;

/// One log of the lab.
///
/// The program that starts IRIS in a container copies messages.log to its output by default, so the container's log has both. The
/// file is read only when it is asked for: it lives in the volume, and so tells of former pods too.
struct Source {
    /// As it is shown.
    name: String,
    pod: String,
    container: String,
    /// The path of messages.log, if that is read.
    file: Option<String>,
    /// The least level that is shown.
    least: Level,
}

/// How far a log was read.
#[derive(Clone, Default)]
struct Mark {
    /// The time of the last line.
    time: String,
    /// How many lines there were.
    lines: usize,
    /// The level of the last line.
    level: Level,
}

/// Prints the logs of the lab.
pub async fn logs(ui: &Ui, args: &LogsArgs) -> Result<()> {
    let lab = LabPods::find(args.lab.name.as_deref()).await?;
    let sources = sources(&lab, args)?;
    let names: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
    let read = try_join_all(sources.iter().map(|source| source.read(&lab))).await?;
    let (mut entries, mut marks) = (Vec::new(), Vec::new());
    for (source, lines) in sources.iter().zip(read) {
        if lines.is_none() {
            let why = lab.pods.all().into_iter().find(|pod| pod.name == source.pod).map(|pod| pod.why);
            let why = why.filter(|why| !why.is_empty()).map(|why| format!(": {why}")).unwrap_or_default();
            ui.note(format!("{} has no log yet{why}", source.name));
        }
        let mut mark = Mark::default();
        let shown: Vec<Entry> = lines
            .unwrap_or_default()
            .into_iter()
            .filter_map(|(time, text)| source.take(&mut mark, time, text))
            .collect();
        let first = args.tail.map_or(0, |tail| shown.len().saturating_sub(tail));
        entries.extend(shown.into_iter().skip(first));
        marks.push(mark);
    }
    // Lines of one log that have the same time stay as they are.
    entries.sort_by(|a, b| a.time.cmp(&b.time));
    let text = |look: &Look| entries.iter().map(|entry| log_line(entry, &names, look)).collect();
    if !args.follow {
        return ui.result(text, &entries);
    }
    ui.items(text, &entries)?;
    let follows = sources.iter().zip(marks).map(|(source, mark)| source.follow(ui, &lab, &names, mark).boxed_local());
    // They end only with a failure, or when nobody reads what is printed.
    select_all(follows).await.0
}

/// The logs that are asked for: of the pods that are named, or of all that the lab has and is to have.
fn sources(lab: &LabPods, args: &LogsArgs) -> Result<Vec<Source>> {
    let seen = lab.pods.all();
    let mut names = args.pods.clone();
    if names.is_empty() {
        names = seen.iter().map(|pod| pod.name.clone()).collect();
        let wanted = (0..lab.replicas).map(|ordinal| format!("{STATEFUL_SET}-{ordinal}"));
        let missing: Vec<String> = wanted.filter(|name| args.follow && !names.contains(name)).collect();
        names.extend(missing);
    } else {
        names.iter().try_for_each(|name| lab.named(name).map(drop))?;
    }
    let mut sources = Vec::new();
    for pod in names {
        let found = seen.iter().find(|one| one.name == pod);
        let all: Vec<&str> = match found {
            Some(found) if !args.messages => found.containers.iter().map(|(name, _)| name.as_str()).collect(),
            _ => vec![CONTAINER],
        };
        for container in &all {
            let name = if all.len() > 1 { format!("{pod}/{container}") } else { pod.clone() };
            let least = args.level.unwrap_or_default();
            let file = args.messages.then(|| messages_log(found));
            sources.push(Source { name, pod: pod.clone(), container: (*container).into(), file, least });
        }
    }
    Ok(sources)
}

fn messages_log(pod: Option<&Seen>) -> String {
    let directory = pod.and_then(|pod| pod.variables.get("ISC_DATA_DIRECTORY"));
    format!("{}/mgr/messages.log", directory.map_or(INSTALLATION, String::as_str))
}

impl Source {
    /// All lines that there are, with their times; none while the container has not started.
    async fn read(&self, lab: &LabPods) -> Result<Option<Vec<(String, String)>>> {
        let Some(file) = &self.file else {
            let lines = lab.cluster.read_log(&self.log(lab, None)).await?;
            return Ok(lines.map(|lines| lines.into_iter().map(|line| (line.time, line.text)).collect()));
        };
        if !lab.pods.all().iter().any(|pod| pod.name == self.pod && pod.running().is_some()) {
            return Ok(None);
        }
        let argv = ["tail", "-n", "+1", file];
        let end = lab.cluster.exec(&lab.pod(&self.pod), &self.container, &argv, None).await?;
        if end.code != 0 {
            return Err(Failure::step(format!("cannot read messages.log of {}", self.pod))
                .cause(end.stderr.trim())
                .hint(format!("read the pod's own log with `iris-lab logs {}{}`", self.pod, lab.select)));
        }
        Ok(Some(end.stdout.lines().map(|line| (String::new(), line.to_string())).collect()))
    }

    /// Notes a line, and makes an entry of it if it is to be shown.
    fn take(&self, mark: &mut Mark, time: String, text: String) -> Option<Entry> {
        mark.lines += 1;
        mark.level = level(&text, mark.level);
        // A line of messages.log says its time itself, or goes on with the line before.
        let time = if self.file.is_some() { message_time(&text) } else { Some(time) };
        mark.time = time.unwrap_or_else(|| mark.time.clone());
        let entry = Entry { source: self.name.clone(), time: mark.time.clone(), level: mark.level, text };
        (entry.level >= self.least).then_some(entry)
    }

    /// Prints what comes, through every restart of the pod.
    async fn follow(&self, ui: &Ui, lab: &LabPods, names: &[String], mut mark: Mark) -> Result<()> {
        let selector = Selector::fields(format!("metadata.name={}", self.pod));
        let mut pods = lab.cluster.pods(&lab.namespace, selector).await?;
        loop {
            let Some(run) = self.run(&pods) else {
                pods.changed().await?;
                continue;
            };
            let (since, lines) = (mark.time.clone(), mark.lines);
            let mut print = |time: String, text: String| {
                let entry = self.take(&mut mark, time, text);
                if let Some(entry) = entry {
                    ui.items(|look| log_line(&entry, names, look), std::slice::from_ref(&entry))?;
                }
                Ok(!ui.closed())
            };
            let reads = async {
                match &self.file {
                    Some(_) => self.follow_file(&lab.cluster, &lab.pod(&self.pod), lines, &mut print).await,
                    None => self.follow_log(lab, &since, &mut print).await,
                }
            };
            // A log on a node that is dead does not end by itself, nor does one of which the kubelet has missed the end.
            let moved_on = async {
                while self.run(&pods).as_ref() == Some(&run) {
                    pods.changed().await?;
                }
                tokio::time::sleep(LAST_WORDS).await;
                Ok::<(), Failure>(())
            };
            tokio::select! {
                ended = reads => ended?,
                moved = moved_on => moved?,
            }
            if ui.closed() {
                return Ok(());
            }
            // It ended with the container, which the pod is about to say, or the connection was cut.
            while self.run(&pods).as_ref() == Some(&run) {
                tokio::select! {
                    change = pods.changed() => change?,
                    () = tokio::time::sleep(PAUSE) => break,
                }
            }
        }
    }

    /// The run of its container, if that runs.
    fn run(&self, pods: &Pods) -> Option<String> {
        let pod = pods.all().into_iter().next()?;
        pod.containers.into_iter().find(|(name, _)| *name == self.container)?.1
    }

    async fn follow_log(
        &self,
        lab: &LabPods,
        since: &str,
        print: &mut impl FnMut(String, String) -> Result<bool>,
    ) -> Result<()> {
        let since = Some(since).filter(|since| !since.is_empty());
        let Some(mut stream) = lab.cluster.follow_log(&self.log(lab, since)).await? else { return Ok(()) };
        while let Some(line) = stream.next().await {
            if !print(line.time, line.text)? {
                break;
            }
        }
        Ok(())
    }

    async fn follow_file(
        &self,
        cluster: &Cluster,
        pod: &crate::model::ObjectRef,
        lines: usize,
        print: &mut impl FnMut(String, String) -> Result<bool>,
    ) -> Result<()> {
        let from = format!("+{}", lines + 1);
        let argv = ["tail", "-n", &from, "-F", self.file.as_deref().unwrap_or_default()];
        let command = Command { pod, container: &self.container, argv: &argv };
        let (reader, writer) = simplex(BUFFER);
        let streams = Streams { input: None::<Empty>, output: writer, errors: sink(), terminal: None };
        let reads = async {
            let mut reader = BufReader::new(reader);
            let mut bytes = Vec::new();
            while reader.read_until(b'\n', &mut bytes).await.is_ok_and(|count| count > 0) {
                let text = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_string();
                if !print(String::new(), text)? {
                    break;
                }
                bytes.clear();
            }
            Ok(())
        };
        match select(pin!(cluster.run(&command, streams)), pin!(reads)).await {
            // How it ended is seen at the pod; what it has printed is still to be read.
            Either::Left((_, reads)) => reads.await,
            Either::Right((read, _)) => read,
        }
    }

    fn log<'a>(&'a self, lab: &'a LabPods, since: Option<&'a str>) -> Log<'a> {
        Log { namespace: &lab.namespace, pod: &self.pod, container: &self.container, since }
    }
}
