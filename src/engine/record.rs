//! The record of the last run on a lab, from which its timeline is drawn: a file in the lab's folder, which goes with the folder.
//! It is written as events come, each in one write, and never waited for: a run that is killed leaves what happened until then.

use super::lock::try_lock;
use crate::error::{Failure, Result};
use crate::model::timeline::{Moment, Outline, Recording};
use crate::model::{Event, Plan, Timeline};
use crate::paths::{LabDir, unwritable};
use serde::Serialize;
use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Instant;

/// Writes the record of one run.
pub struct Recorder {
    start: Instant,
    /// The file, until it cannot be written; the failure, from then on.
    file: RefCell<std::result::Result<File, Option<Failure>>>,
    lab: LabDir,
}

impl Recorder {
    /// Begins the record of a run; the one before is gone. Where the lab has no folder, nothing is recorded.
    pub fn begin(lab: &LabDir, plan: &Plan) -> Self {
        let path = lab.last_run();
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let file = file.map_err(|error| (error.kind() != ErrorKind::NotFound).then(|| unwritable(&path, error)));
        let recorder = Recorder { start: Instant::now(), file: RefCell::new(file), lab: lab.clone() };
        recorder.write(&Outline::of(plan, format!("{:.0}", jiff::Timestamp::now())));
        recorder
    }

    /// Writes an event down.
    pub fn event(&self, event: &Event) {
        self.write(&Moment { at: self.start.elapsed().as_secs_f64(), event: event.clone() });
    }

    /// Why the record is not complete, if it is not.
    pub fn failure(&self) -> Option<Failure> {
        self.file.borrow_mut().as_mut().err().and_then(Option::take)
    }

    fn write<T: Serialize>(&self, line: &T) {
        let mut file = self.file.borrow_mut();
        let Ok(open) = &mut *file else { return };
        let line = serde_json::to_string(line).expect("events have string keys and finite numbers") + "\n";
        if let Err(error) = open.write_all(line.as_bytes()) {
            *file = Err(Some(unwritable(&self.lab.last_run(), error)));
        }
    }
}

/// The timeline of the last run on a lab; none if there was no run.
pub fn last_run(lab: &LabDir) -> Result<Option<Timeline>> {
    let path = lab.last_run();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::requirement(format!("cannot read {}", path.display())).caused_by(error)),
    };
    let recording = Recording::parse(&text).map_err(|error| {
        let hint = "the next run writes it anew";
        Failure::requirement(format!("{} is damaged", path.display())).cause(error).hint(hint)
    })?;
    // Whoever works on the lab holds its lock.
    let running = lab.lock().exists() && try_lock(&lab.lock())?.is_none();
    Ok(recording.map(|recording| Timeline::of(&recording, running)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::timeline::RunState;
    use crate::model::{Action, Step, Verb};
    use crate::paths::StateDir;
    use std::time::Duration;

    fn plan() -> Plan {
        let steps = vec![Step::new("end", "End it", Duration::from_secs(1), Action::StopSim)];
        Plan { verb: Verb::Up, lab: "x".into(), namespace: None, provider: "sim".into(), simulated: true, steps }
    }

    fn lab(name: &str) -> LabDir {
        let dir = std::env::temp_dir().join(format!("iris-lab-record-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        StateDir::at(dir).lab("x")
    }

    #[test]
    fn a_record_takes_the_place_of_the_one_before() {
        let lab = lab("again");
        lab.create().unwrap();
        for _ in 0..2 {
            let recorder = Recorder::begin(&lab, &plan());
            recorder.event(&Event::StepStarted { step: "end".into(), title: "End it".into() });
            recorder.event(&Event::PlanFinished { ok: true, seconds: 0.5 });
            assert!(recorder.failure().is_none());
        }
        let run = last_run(&lab).unwrap().unwrap();
        assert_eq!((run.state, run.steps.len()), (RunState::Done, 1));
        assert_eq!(std::fs::read_to_string(lab.last_run()).unwrap().lines().count(), 3);
        std::fs::remove_dir_all(lab.path().parent().unwrap()).unwrap();
    }

    #[test]
    fn a_lab_without_a_folder_is_not_recorded() {
        let lab = lab("none");
        assert!(Recorder::begin(&lab, &plan()).failure().is_none());
        assert!(!lab.path().exists());
        assert!(last_run(&lab).unwrap().is_none());
    }

    #[test]
    fn a_full_disk_is_told_and_ends_no_run() {
        let lab = lab("full");
        lab.create().unwrap();
        std::os::unix::fs::symlink("/dev/full", lab.last_run()).unwrap();
        let recorder = Recorder::begin(&lab, &plan());
        recorder.event(&Event::PlanFinished { ok: true, seconds: 0.5 });
        assert!(recorder.failure().unwrap().message.starts_with("cannot write "));
        assert!(recorder.failure().is_none(), "it is told once");
        std::fs::remove_dir_all(lab.path().parent().unwrap()).unwrap();
    }
}
