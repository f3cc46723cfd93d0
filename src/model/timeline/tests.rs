//! Timelines of recorded runs: order, states, what ran beside what, the longest chain.

use super::*;

/// The record of a run with these steps (id, needs) and these further lines.
fn recording(steps: &[(&str, &[&str])], moments: &[(f64, Event)]) -> Recording {
    let planned = |(id, needs): &(&str, &[&str])| Planned {
        id: id.to_string(),
        title: format!("Do {id}"),
        needs: needs.iter().map(ToString::to_string).collect(),
        timeout_seconds: 60.0,
    };
    let outline = Outline {
        began: "2026-01-31T12:00:00Z".into(),
        verb: "up".into(),
        lab: "two-pod".into(),
        provider: "sim".into(),
        simulated: true,
        steps: steps.iter().map(planned).collect(),
    };
    let moments = moments.iter().map(|(at, event)| Moment { at: *at, event: event.clone() }).collect();
    Recording { outline, moments }
}

fn started(step: &str) -> Event {
    Event::StepStarted { step: step.into(), title: format!("Do {step}") }
}

fn ended(step: &str, seconds: f64, end: StepEnd) -> Event {
    Event::StepFinished { step: step.into(), title: format!("Do {step}"), end, seconds }
}

fn changed(step: &str, seconds: f64) -> Event {
    ended(step, seconds, StepEnd::Changed("made".into()))
}

const STEPS: &[(&str, &[&str])] =
    &[("base", &[]), ("short", &["base"]), ("long", &["base"]), ("last", &["short", "long"]), ("alone", &[])];

/// base 0 to 2, short 2 to 3, long 2 to 8, last 8.1 to 9.1, alone 0 to 2.5.
fn whole() -> Recording {
    recording(
        STEPS,
        &[
            (0.0, started("base")),
            (0.0, started("alone")),
            (2.0, changed("base", 2.0)),
            (2.0, started("short")),
            (2.0, started("long")),
            (2.5, ended("alone", 2.5, StepEnd::Unchanged("there".into()))),
            (3.0, changed("short", 1.0)),
            (8.0, changed("long", 6.0)),
            (8.1, started("last")),
            (9.1, changed("last", 1.0)),
            (9.45, Event::PlanFinished { ok: true, seconds: 9.45 }),
        ],
    )
}

#[test]
fn the_longest_chain_and_how_far_the_run_is_above_it() {
    let timeline = Timeline::of(&whole(), false);
    assert_eq!(timeline.chain, ["base", "long", "last"]);
    assert_eq!((timeline.chain_seconds, timeline.seconds), (9.0, 9.45));
    assert_eq!(timeline.above_percent, Some(5.0));
    assert_eq!(timeline.state, RunState::Done);
}

#[test]
fn steps_come_in_the_order_of_their_start_with_what_ran_beside_them() {
    let timeline = Timeline::of(&whole(), false);
    let rows: Vec<_> = timeline.steps.iter().map(|step| (step.id.as_str(), step.beside.join(" "))).collect();
    let wanted = [
        ("base", "alone"),
        ("alone", "base short long"),
        ("short", "alone long"),
        ("long", "alone short"),
        ("last", ""),
    ];
    assert_eq!(rows, wanted.map(|(id, beside)| (id, beside.to_string())));
    assert_eq!(timeline.most_at_once, 3);
}

#[test]
fn a_step_ends_as_the_run_told_it() {
    let moments = [
        (0.0, started("base")),
        (1.0, changed("base", 1.0)),
        (1.0, started("short")),
        (1.0, started("long")),
        (1.5, Event::StepProgress { step: "long".into(), message: "pulling".into() }),
        (3.0, ended("short", 2.0, StepEnd::Failed("no".into()))),
        (
            3.0,
            Event::StepsSkipped { steps: vec!["long".into(), "last".into()], reason: "an earlier step failed".into() },
        ),
        (3.0, Event::PlanFinished { ok: false, seconds: 3.0 }),
    ];
    let timeline = Timeline::of(&recording(STEPS, &moments), false);
    let rows: Vec<_> = timeline.steps.iter().map(|s| (s.id.as_str(), s.state, s.detail.as_str(), s.end())).collect();
    let wanted = [
        ("base", StepState::Changed, "made", 1.0),
        ("short", StepState::Failed, "no", 3.0),
        ("long", StepState::BrokenOff, "pulling", 3.0),
        ("last", StepState::NotStarted, "", 0.0),
        ("alone", StepState::NotStarted, "", 0.0),
    ];
    assert_eq!(rows, wanted);
    assert_eq!(timeline.state, RunState::Failed);
}

#[test]
fn the_state_of_the_run() {
    let begun = [(0.0, started("base")), (2.0, changed("base", 2.0)), (2.0, started("long"))];
    let skipped = Event::StepsSkipped { steps: vec!["long".into()], reason: CANCELLED.into() };
    let cancelled = [&begun[..], &[(4.0, skipped), (4.0, Event::PlanFinished { ok: false, seconds: 4.0 })]].concat();
    for (moments, running, state, seconds) in [
        (cancelled, false, RunState::Cancelled, 4.0),
        (begun.to_vec(), false, RunState::BrokenOff, 2.0),
        (begun.to_vec(), true, RunState::Running, 2.0),
        (Vec::new(), false, RunState::BrokenOff, 0.0),
    ] {
        let timeline = Timeline::of(&recording(STEPS, &moments), running);
        assert_eq!((timeline.state, timeline.seconds), (state, seconds));
    }
}

#[test]
fn a_run_with_nothing_to_do_has_no_chain() {
    let end = StepEnd::Unchanged("there".into());
    let moments =
        [(0.0, started("base")), (0.0, ended("base", 0.0, end)), (0.0, Event::PlanFinished { ok: true, seconds: 0.0 })];
    let timeline = Timeline::of(&recording(&STEPS[..1], &moments), false);
    assert_eq!((timeline.chain.len(), timeline.above_percent, timeline.most_at_once), (0, None, 0));
}

#[test]
fn a_record_is_read_back_up_to_half_a_last_line() {
    let whole = whole();
    let lines = whole.moments.iter().map(|moment| serde_json::to_string(moment).unwrap() + "\n");
    let text = serde_json::to_string(&whole.outline).unwrap() + "\n" + &lines.collect::<String>();
    assert_eq!(Recording::parse(&text).unwrap(), Some(whole.clone()));
    let torn = Recording::parse(&text[..text.len() - 10]).unwrap().unwrap();
    assert_eq!(torn.moments, whole.moments[..whole.moments.len() - 1]);
    assert_eq!(Recording::parse("{\"began\":").unwrap(), None);
    assert!(Recording::parse("nonsense\n").unwrap_err().starts_with("line 1: "));
    assert!(Recording::parse(&text.replace("\"at\":2.5", "\"at\":x")).unwrap_err().starts_with("line 7: "));
}
