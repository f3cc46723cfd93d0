//! The timeline as a chart in the terminal: a line for each step, in the width of the look.

use super::{ending, extent, place, ticks, time, verdict};
use crate::model::Timeline;
use crate::model::timeline::{Bar, StepState};
use crate::ui::look::{Look, Mark, one_line};
use crate::ui::table::wrap;
use unicode_width::UnicodeWidthStr;

/// Columns that the bars get at least.
const LEAST: usize = 16;
/// Columns of a time, right-aligned.
const TIME: usize = 6;
/// Blocks of one to eight eighths of a column.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// The whole chart.
pub fn timeline_text(run: &Timeline, look: &Look) -> String {
    let title = look.bold(&format!("{} {}", run.verb, run.lab));
    let mut text = wrap(&format!("{title}: {}, {}", ending(run), place(run)), look.width, 0);
    text += &(wrap(&extent(run), look.width, 0) + "\n");
    let mark = if look.unicode { 1 } else { 4 };
    // Mark, star, name and time, each with a blank after it.
    let around = mark + 1 + 2 + 1 + TIME + 1;
    let longest = run.ran().map(|step| step.id.width()).max().unwrap_or(0);
    let name = longest.min(look.width.saturating_sub(around + LEAST).max(8));
    let columns = look.width.saturating_sub(around + name).max(LEAST);
    text += &format!("{}{}\n", " ".repeat(around + name), look.dim(&axis(run.seconds, columns)));
    for step in run.ran() {
        let star = if step.in_chain { "*" } else { " " };
        let sign = look.mark(sign(step));
        let label = fit(&step.id, name);
        let bar = painted(step, &bar(step, run.seconds, columns, look.unicode), look);
        text += &format!("{sign} {star} {label} {:>TIME$} {bar}\n", time(step.seconds));
        if step.state == StepState::Failed {
            text += &wrap(&one_line(&step.detail), look.width, mark + 3);
        }
    }
    let waiting: Vec<&str> = run.steps.iter().filter(|step| !step.began()).map(|step| step.id.as_str()).collect();
    if !waiting.is_empty() {
        text += &look.dim(&wrap(&format!("not started: {}", waiting.join(", ")), look.width, mark + 3));
    }
    text.push('\n');
    text + &wrap(&format!("* {}", verdict(run)), look.width, 0)
}

fn sign(step: &Bar) -> Mark {
    match step.state {
        StepState::Changed => Mark::Good,
        StepState::Unchanged => Mark::Same,
        StepState::Failed => Mark::Bad,
        StepState::BrokenOff => Mark::Waiting,
        StepState::NotStarted => Mark::Skipped,
    }
}

/// A name in exactly so many columns.
fn fit(name: &str, columns: usize) -> String {
    let name = one_line(name);
    if name.width() <= columns {
        return format!("{name}{}", " ".repeat(columns - name.width()));
    }
    let short: String = name.chars().take(columns - 1).collect();
    format!("{short}~")
}

fn painted(step: &Bar, bar: &str, look: &Look) -> String {
    match (step.state, step.in_chain) {
        (StepState::Failed, _) => look.red(bar),
        (_, true) => look.cyan(bar),
        _ => bar.into(),
    }
}

/// Times above the bars, the last one at the end.
fn axis(end: f64, columns: usize) -> String {
    let last = time(end);
    let mut line = String::new();
    for tick in ticks(end, columns / 10) {
        let at = (tick / end.max(f64::MIN_POSITIVE) * columns as f64) as usize;
        let label = time(tick);
        if at >= line.len() && at + label.len() + 2 + last.len() <= columns {
            line += &" ".repeat(at - line.len());
            line += &(label + " ");
        }
    }
    let gap = columns.saturating_sub(line.len() + last.len());
    line + &" ".repeat(gap) + &last
}

/// A step on the axis. Its end is drawn to an eighth of a column; ASCII has whole columns, `#` for the longest chain and `=` else.
fn bar(step: &Bar, end: f64, columns: usize, unicode: bool) -> String {
    let eighths = |at: f64| {
        let all = columns * 8;
        if end > 0.0 { ((at / end * all as f64) as usize).min(all) } else { 0 }
    };
    let first = (eighths(step.start) / 8).min(columns - 1);
    let blank = " ".repeat(first);
    let last = eighths(step.end()).max(first * 8 + 1);
    if !unicode {
        let sign = if step.in_chain { "#" } else { "=" };
        return blank + &sign.repeat(last.div_ceil(8) - first);
    }
    let (whole, part) = ((last - first * 8) / 8, last % 8);
    let tail = if part > 0 { EIGHTHS[part - 1].to_string() } else { String::new() };
    blank + &EIGHTHS[7].to_string().repeat(whole) + &tail
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::timeline::RunState;

    fn step(id: &str, start: f64, seconds: f64, in_chain: bool, state: StepState) -> Bar {
        Bar {
            id: id.into(),
            title: format!("Do {id}"),
            needs: Vec::new(),
            timeout_seconds: 60.0,
            state,
            detail: "exit code 1".into(),
            start,
            seconds,
            in_chain,
            beside: Vec::new(),
        }
    }

    fn run() -> Timeline {
        Timeline {
            verb: "up".into(),
            lab: "two-pod".into(),
            provider: "sim".into(),
            simulated: true,
            began: "2026-01-31T12:00:00Z".into(),
            state: RunState::Failed,
            seconds: 40.0,
            chain: vec!["cluster".into(), "wait".into()],
            chain_seconds: 38.0,
            above_percent: Some(5.3),
            most_at_once: 2,
            steps: vec![
                step("cluster", 0.0, 10.0, true, StepState::Changed),
                step("there", 10.0, 0.0, false, StepState::Unchanged),
                step("storage", 10.0, 5.5, false, StepState::Failed),
                step("wait", 10.0, 28.0, true, StepState::BrokenOff),
                step("last", 0.0, 0.0, false, StepState::NotStarted),
            ],
        }
    }

    #[test]
    fn each_step_has_a_bar_on_the_axis() {
        let look = Look { width: 59, ..Look::plain() };
        assert_eq!(
            timeline_text(&run(), &look),
            "\
up two-pod: failed after 40s, provider sim, simulated:
  nothing real was made
5 steps, at most 2 at the same time, begun at
  2026-01-31T12:00:00Z

                   0.0s      10s       20s       30s    40s
✓ * cluster    10s ██████████
·   there     0.0s           ▏
✗   storage   5.5s           █████▌
    exit code 1
… * wait       28s           ████████████████████████████
    not started: last

* the longest chain of needs and waits took 38s; the run
  took 5.3 % more
"
        );
    }

    #[test]
    fn ascii_where_there_is_nothing_else() {
        let look = Look { width: 62, unicode: false, ..Look::plain() };
        let text = timeline_text(&run(), &look);
        assert!(text.is_ascii());
        for line in [
            "ok   * cluster    10s ##########",
            "same   there     0.0s           =",
            "FAIL   storage   5.5s           ======",
            "wait * wait       28s           ############################",
        ] {
            assert!(text.lines().any(|is| is == line), "{line}\n{text}");
        }
    }

    #[test]
    fn it_fits_every_width() {
        for width in 30..200 {
            let mut run = run();
            run.steps[0].id = "a-step-with-a-long-name".into();
            let look = Look { width, ..Look::plain() };
            let text = timeline_text(&run, &look);
            let widest = text.lines().map(|line| line.width()).max().unwrap_or(0);
            assert!(widest <= width.max(40), "{width}: {widest}\n{text}");
        }
    }
}
