//! Readers of a run's events: a live display, plain lines, JSON lines, or nothing.

use super::look::{Look, Mark, elapsed, one_line};
use crate::model::{Event, StepEnd};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde::Serialize;
use std::collections::HashMap;
use std::io::Write;
use std::time::{Duration, Instant};

/// How the progress of a run is shown.
pub(super) enum Progress {
    /// One line a running step, drawn again and again; finished steps stay above.
    Live(Live),
    /// A line when the reason of a wait lasts and a line when a step ends.
    Lines(HashMap<String, Running>),
    /// One JSON object a line.
    Json,
    /// Nothing.
    Silent,
}

/// A step that runs, in plain lines.
pub(super) struct Running {
    title: String,
    since: Instant,
    /// The reason that was printed last.
    told: String,
    /// The reason now, and since when. It is printed when it lasts: what passes in a moment is noise in a log.
    now: Option<(String, Instant)>,
}

/// How long a reason lasts before it is printed as a plain line.
const LASTING: Duration = Duration::from_secs(1);

impl Running {
    /// The line of a reason that has lasted and was not printed yet.
    fn due(&mut self, look: &Look, at: Instant) -> Option<String> {
        let (reason, since) = self.now.take_if(|(_, since)| at.duration_since(*since) >= LASTING)?;
        if reason == self.told {
            return None;
        }
        let time = elapsed(since.duration_since(self.since));
        let text = line(&look.mark(Mark::Waiting), &time, &self.title, &look.dim(&reason));
        self.told = reason;
        Some(text + "\n")
    }
}

impl Progress {
    /// Plain lines.
    pub(super) fn lines() -> Self {
        Progress::Lines(HashMap::new())
    }

    /// Turns plain lines into a live display on the terminal of stderr.
    pub(super) fn make_live(&mut self, look: &Look) {
        if let Progress::Lines(_) = self {
            *self = Progress::Live(Live::new(look));
        }
    }

    /// Shows an event.
    pub(super) fn event(&mut self, event: &Event, look: &Look, err: &mut impl Write) {
        let text = match self {
            Progress::Silent => return,
            Progress::Json => json_line(event),
            Progress::Lines(running) => plain(running, event, look, Instant::now()).unwrap_or_default(),
            Progress::Live(live) => return live.event(event, look),
        };
        // Without stderr there is no place to report that it is gone.
        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    }

    /// Prints, in plain lines, the reasons that have lasted.
    pub(super) fn tick(&mut self, look: &Look, err: &mut impl Write) {
        if let Progress::Lines(running) = self {
            let text: String = running.values_mut().filter_map(|step| step.due(look, Instant::now())).collect();
            // As above.
            let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
        }
    }

    /// Removes what is drawn, so that other text can be printed.
    pub(super) fn clear(&mut self) {
        if let Progress::Live(live) = self {
            live.clear();
        }
    }
}

/// One JSON object in a line, with the time.
pub(super) fn json_line<T: Serialize>(event: &T) -> String {
    #[derive(Serialize)]
    struct Timed<'a, T> {
        time: String,
        #[serde(flatten)]
        event: &'a T,
    }
    let time = format!("{:.3}", jiff::Timestamp::now());
    let line = serde_json::to_string(&Timed { time, event }).expect("events have string keys and finite numbers");
    line + "\n"
}

/// The lines of an event that stay, the same on a terminal and in a log.
fn permanent(event: &Event, look: &Look) -> Option<String> {
    match event {
        Event::Note { text } => Some(format!("{}\n", one_line(text))),
        Event::PlanStarted { verb, lab, namespace, simulated, steps } => {
            let count = if steps.len() == 1 { "1 step".into() } else { format!("{} steps", steps.len()) };
            let head = look.bold(&format!("{verb} {}", namespace.as_ref().unwrap_or(lab)));
            let banner = if *simulated { look.yellow("Simulated: nothing real is made") + "\n" } else { String::new() };
            Some(format!("{head}: {count}\n{banner}"))
        }
        Event::StepFinished { title, end, seconds, .. } => {
            let (mark, detail) = match end {
                StepEnd::Changed(detail) => (Mark::Good, look.dim(&one_line(detail))),
                StepEnd::Unchanged(detail) => (Mark::Same, look.dim(&one_line(detail))),
                StepEnd::Failed(detail) => (Mark::Bad, one_line(detail)),
            };
            Some(format!("{}\n", line(&look.mark(mark), &seconds_text(*seconds), title, &detail)))
        }
        Event::StepsSkipped { steps, reason } => {
            let count = if steps.len() == 1 { "1 step".into() } else { format!("{} steps", steps.len()) };
            Some(format!("{}\n", line(&look.mark(Mark::Skipped), "", &format!("{count} not done"), &look.dim(reason))))
        }
        // A blank line between the steps and the summary or the failure.
        Event::PlanFinished { .. } => Some("\n".into()),
        Event::StepStarted { .. } | Event::StepProgress { .. } => None,
    }
}

fn plain(running: &mut HashMap<String, Running>, event: &Event, look: &Look, at: Instant) -> Option<String> {
    match event {
        Event::StepStarted { step, title } => {
            let started = Running { title: title.clone(), since: at, told: String::new(), now: None };
            running.insert(step.clone(), started);
            None
        }
        Event::StepProgress { step, message } => {
            let step = running.get_mut(step)?;
            let reason = one_line(message);
            if step.now.as_ref().is_some_and(|(now, _)| *now == reason) {
                return None;
            }
            let before = step.due(look, at);
            step.now = Some((reason, at));
            before
        }
        Event::StepFinished { step, .. } => {
            running.remove(step);
            permanent(event, look)
        }
        _ => permanent(event, look),
    }
}

/// `✓   1.2s  Title: detail`.
fn line(mark: &str, time: &str, title: &str, detail: &str) -> String {
    let colon = if detail.is_empty() { "" } else { ": " };
    format!("{mark} {time:>6}  {title}{colon}{detail}")
}

fn seconds_text(seconds: f64) -> String {
    elapsed(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// The live display.
pub(super) struct Live {
    lines: MultiProgress,
    style: ProgressStyle,
    running: HashMap<String, (ProgressBar, String)>,
}

impl Live {
    fn new(look: &Look) -> Self {
        // Drawn on demand: without a running step nothing is drawn and no thread runs.
        let lines = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let reset = if look.color { "\x1b[0m" } else { "" };
        let ticks = if look.unicode { "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ " } else { "|/-\\ " };
        // Without Unicode the marks of finished lines are words of four letters: the spinner stands in their last column.
        let pad = if look.unicode { "" } else { "   " };
        let style = ProgressStyle::with_template(&format!("{pad}{{spinner}} {{time}}  {{wide_msg}}{reset}"))
            .expect("the template is fixed and its keys are known")
            .with_key("time", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                // Nothing is lost when a column of the display cannot be written.
                let _ = write!(out, "{:>6}", elapsed(state.elapsed()));
            })
            .tick_chars(ticks);
        Live { lines, style, running: HashMap::new() }
    }

    fn event(&mut self, event: &Event, look: &Look) {
        match event {
            Event::StepStarted { step, title } => {
                let bar = self.lines.add(ProgressBar::no_length().with_style(self.style.clone()));
                bar.set_message(title.clone());
                bar.enable_steady_tick(Duration::from_millis(100));
                self.running.insert(step.clone(), (bar, title.clone()));
            }
            Event::StepProgress { step, message } => {
                if let Some((bar, title)) = self.running.get(step) {
                    bar.set_message(format!("{title}: {}", look.dim(&one_line(message))));
                }
            }
            Event::StepFinished { step, .. } => {
                if let Some((bar, _)) = self.running.remove(step) {
                    bar.disable_steady_tick();
                    self.lines.remove(&bar);
                }
            }
            Event::PlanFinished { .. } => self.clear(),
            Event::Note { .. } | Event::PlanStarted { .. } | Event::StepsSkipped { .. } => {}
        }
        if let Some(text) = permanent(event, look) {
            // A terminal that is gone ends the run by its signal, not here.
            let _ = self.lines.println(text.trim_end());
        }
    }

    fn clear(&mut self) {
        for (_, (bar, _)) in self.running.drain() {
            bar.disable_steady_tick();
            self.lines.remove(&bar);
        }
        // As above.
        let _ = self.lines.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(progress: &mut Progress, events: &[Event]) -> String {
        let mut err = Vec::new();
        events.iter().for_each(|event| progress.event(event, &Look::plain(), &mut err));
        String::from_utf8(err).unwrap()
    }

    fn run() -> Vec<Event> {
        let started = |step: &str, title: &str| Event::StepStarted { step: step.into(), title: title.into() };
        let progress = |message: &str| Event::StepProgress { step: "wait".into(), message: message.into() };
        let finished = |step: &str, title: &str, end, seconds| Event::StepFinished {
            step: step.into(),
            title: title.into(),
            end,
            seconds,
        };
        let steps = vec!["apply".into(), "wait".into(), "last".into()];
        vec![
            Event::Note { text: "provider sim: no cluster tool is installed".into() },
            Event::PlanStarted { verb: "up".into(), lab: "two-pod".into(), namespace: None, simulated: true, steps },
            started("apply", "Apply the IRIS objects"),
            finished("apply", "Apply the IRIS objects", StepEnd::Changed("7 created".into()), 0.23),
            started("wait", "Wait for pod data-0"),
            progress("Pending: pulling image"),
            progress("Pending: pulling image"),
            progress("Running, not ready"),
            finished("wait", "Wait for pod data-0", StepEnd::Failed("exit code 1\nError=-13".into()), 75.0),
            Event::StepsSkipped { steps: vec!["last".into()], reason: "an earlier step failed".into() },
            Event::PlanFinished { ok: false, seconds: 75.3 },
        ]
    }

    #[test]
    fn a_log_shows_each_reason_that_lasts_once() {
        let (mut running, begin, mut text) = (HashMap::new(), Instant::now(), String::new());
        for (index, event) in run().iter().enumerate() {
            // The last reason before the failure is there for a moment only.
            let at = begin + Duration::from_millis(if index < 8 { 700 * index as u64 } else { 5000 });
            text += &plain(&mut running, event, &Look::plain(), at).unwrap_or_default();
        }
        assert_eq!(
            text,
            "provider sim: no cluster tool is installed\n\
             up two-pod: 3 steps\n\
             Simulated: nothing real is made\n\
             ✓   0.2s  Apply the IRIS objects: 7 created\n\
             …   0.7s  Wait for pod data-0: Pending: pulling image\n\
             ✗  1m15s  Wait for pod data-0: exit code 1 Error=-13\n\
             -         1 step not done: an earlier step failed\n\n"
        );
    }

    #[test]
    fn each_json_line_is_an_event_with_its_time() {
        let text = show(&mut Progress::Json, &run());
        let events: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(events.len(), run().len());
        assert_eq!(events[3]["event"], "step-finished");
        assert_eq!(events[3]["result"], "changed");
        assert!(events[3]["time"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn quiet_shows_nothing() {
        assert_eq!(show(&mut Progress::Silent, &run()), "");
    }
}
