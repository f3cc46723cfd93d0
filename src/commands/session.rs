//! `iris-lab session`, `iris-lab shell`: a program in a pod, with our terminal or our streams.

use super::pods::LabPods;
use crate::cli::SessionArgs;
use crate::cluster::{Command, End, Seen, Streams};
use crate::error::{Failure, Kind, Result};
use crate::ui::{RawTerminal, Ui};
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// OS authentication: no password is needed inside of the container.
const SESSION: &[&str] = &["iris", "session", "IRIS"];
/// Exit code of a program that was killed, as all of them are with their container.
const KILLED: i32 = 137;
/// How long the end of a program may take to arrive after its pod is gone.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A prompt of IRIS, or the program that is named.
pub async fn session(ui: &Ui, args: &SessionArgs) -> Result<ExitCode> {
    let lab = LabPods::find(args.lab.name.as_deref()).await?;
    let (pod, container) = lab.running(args.pod.as_deref())?;
    run(ui, lab, &pod, &container, &named(args).unwrap_or(SESSION.to_vec())).await
}

/// A shell, or the program that is named.
pub async fn shell(ui: &Ui, args: &SessionArgs) -> Result<ExitCode> {
    let lab = LabPods::find(args.lab.name.as_deref()).await?;
    let (pod, container) = lab.running(args.pod.as_deref())?;
    if let Some(argv) = named(args) {
        return run(ui, lab, &pod, &container, &argv).await;
    }
    // It is tried before the shell is begun: what that reads cannot be read a second time.
    let bash = lab.cluster.exec(&lab.pod(&pod.name), &container, &["bash", "-c", "exit"], None).await;
    let shell = if bash.is_ok_and(|end| end.code == 0) { "bash" } else { "sh" };
    run(ui, lab, &pod, &container, &[shell]).await
}

fn named(args: &SessionArgs) -> Option<Vec<&str>> {
    (!args.command.is_empty()).then(|| args.command.iter().map(String::as_str).collect())
}

/// Runs a program; its exit code becomes ours.
async fn run(ui: &Ui, mut lab: LabPods, pod: &Seen, container: &str, argv: &[&str]) -> Result<ExitCode> {
    match attach(ui, &mut lab, pod, container, argv).await? {
        End::Exited(KILLED) => match lost(&lab, pod).await? {
            Some(why) => Err(torn(&lab, pod, why)),
            None => Ok(code(KILLED)),
        },
        End::Exited(end) => Ok(code(end)),
        End::Unread => Ok(ExitCode::SUCCESS),
        End::CutOff => {
            let why = lost(&lab, pod).await?.unwrap_or("the API server or the node ended the connection");
            Err(torn(&lab, pod, why))
        }
        End::NotStarted(why) => Err(Failure::step(format!("cannot run {} in {}", argv.join(" "), pod.name)).cause(why)),
    }
}

fn code(code: i32) -> ExitCode {
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Runs one program until it ends, its pod is gone, or a signal ends us.
async fn attach(ui: &Ui, lab: &mut LabPods, pod: &Seen, container: &str, argv: &[&str]) -> Result<End> {
    let listen = |kind| signal(kind).map_err(|e| Failure::step("cannot listen for signals").caused_by(e));
    let (mut terminate, mut hang_up) = (listen(SignalKind::terminate())?, listen(SignalKind::hangup())?);
    let object = lab.pod(&pod.name);
    let cluster = lab.cluster.clone();
    let command = Command { pod: &object, container, argv };
    let terminal = RawTerminal::take()?;
    let sizes = terminal.as_ref().map(RawTerminal::sizes).transpose()?;
    let (input, output, errors) = ui.lend_streams();
    let streams = Streams { input: Some(input), output, errors, terminal: sizes };
    tokio::select! {
        end = cluster.run(&command, streams) => end,
        () = gone(lab, pod) => Ok(End::CutOff),
        _ = terminate.recv() => Err(Failure::new(Kind::Cancelled, "ended by a signal")),
        _ = hang_up.recv() => Err(Failure::new(Kind::Cancelled, "the terminal is gone")),
    }
}

/// Returns when the pod is gone and its last words must have come. Where that cannot be followed, the connection alone tells it.
async fn gone(lab: &mut LabPods, pod: &Seen) {
    while lab.pods.all().iter().any(|seen| seen.uid == pod.uid) {
        if lab.pods.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
    tokio::time::sleep(LAST_WORDS).await;
}

/// Why a program was killed with its pod; none when its pod is as it was.
async fn lost(lab: &LabPods, pod: &Seen) -> Result<Option<&'static str>> {
    let Some(now) = lab.cluster.get(&lab.pod(&pod.name)).await? else { return Ok(Some("the pod was deleted")) };
    let before = pod.containers.first().and_then(|(_, id)| id.as_deref());
    let statuses = now["status"]["containerStatuses"].as_array().into_iter().flatten();
    let mut running = statuses.filter(|status| status["state"]["running"].is_object());
    let same = running.any(|status| status["containerID"].as_str() == before);
    Ok(match (now["metadata"]["uid"] == *pod.uid, now["metadata"]["deletionTimestamp"] == Value::Null, same) {
        (false, ..) | (_, false, _) => Some("the pod was deleted"),
        (true, true, false) => Some("its container ended, and is started again"),
        (true, true, true) => None,
    })
}

fn torn(lab: &LabPods, pod: &Seen, why: &str) -> Failure {
    let select = &lab.select;
    Failure::step(format!("the session in {} was cut off", pod.name)).cause(why).hint(format!(
        "see with `iris-lab status --watch{select}` when {} is ready again, and begin a new one",
        pod.name
    ))
}
