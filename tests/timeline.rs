//! `iris-lab timeline`: the last run of a lab whatever its end, word by word from a recorded one, and its page in a real browser.

use crate::support::{Browser, End, Lab, golden};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

const RECORDED: &str = include_str!("data/last-run.jsonl");

/// A lab whose last run is this one.
fn recorded(text: &str) -> Lab {
    let lab = Lab::on_sim();
    lab.run(&["render"]).exits(0);
    std::fs::write(record_of(&lab), text).unwrap();
    lab
}

fn record_of(lab: &Lab) -> PathBuf {
    lab.state().join(&lab.name).join("last-run.jsonl")
}

fn timeline(lab: &Lab) -> Value {
    lab.run(&["timeline", "-o", "json"]).exits(0).json()
}

/// How a step ended.
fn state<'a>(timeline: &'a Value, id: &str) -> &'a str {
    let step = timeline["steps"].as_array().unwrap().iter().find(|step| step["id"] == id);
    step.and_then(|step| step["state"].as_str()).unwrap_or("not in the timeline")
}

#[test]
fn the_last_run_is_shown_until_reset_takes_it_along() {
    let lab = Lab::on_sim();
    let planned: Vec<String> = lab.steps().into_iter().map(|step| step.id).collect();
    lab.up(&[]).exits(0);
    let up = timeline(&lab);
    let mut shown: Vec<&str> = up["steps"].as_array().unwrap().iter().filter_map(|step| step["id"].as_str()).collect();
    let mut wanted: Vec<&str> = planned.iter().map(String::as_str).collect();
    shown.sort();
    wanted.sort();
    assert_eq!(shown, wanted);
    assert_eq!((&up["verb"], &up["state"]), (&"up".into(), &"done".into()));
    assert_eq!(up["chain"][0], "simulator", "{:#}", up["chain"]);
    let mode = std::fs::metadata(record_of(&lab)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "others can read the record");
    lab.run(&["timeline"]).exits(0).says("up two-pod: done in ").says("* the longest chain of needs and waits");
    lab.run(&["down"]).exits(0);
    assert_eq!(timeline(&lab)["verb"], "down");
    lab.reset().exits(0);
    lab.run(&["timeline"]).exits(3).says("there is no lab");
    lab.is_gone();
}

#[test]
fn a_killed_run_is_shown_until_it_was_killed() {
    let lab = Lab::on_sim();
    lab.killed(&["up"], |event| event["event"] == "step-started" && event["step"] == "iris");
    let run = timeline(&lab);
    assert_eq!(run["state"], "broken-off");
    assert_eq!(state(&run, "settings"), "changed");
    lab.run(&["timeline"]).exits(0).says("up two-pod: broken off");
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn a_cancelled_run_says_so() {
    // Nothing takes the pods, so that the wait for them lasts until the cancel.
    let lab = Lab::on_sim();
    lab.file("faults.yaml", "unschedulable:\n- pod: data-0\n- pod: data-1\n");
    let begins = |event: &Value| event["event"] == "step-progress" && event["step"] == "data-0-ready";
    lab.ended(&["up", "--sim-faults", "faults.yaml"], End::Interrupt, begins).exits(130);
    let run = timeline(&lab);
    assert_eq!(run["state"], "cancelled");
    assert_eq!(state(&run, "data-0-ready"), "broken-off");
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn a_failed_run_shows_the_step_and_its_cause() {
    let lab = Lab::on_sim();
    lab.file("faults.yaml", "crash:\n- pod: data-0\n  exitCode: 1\n  log: broken\n");
    lab.up(&["--sim-faults", "faults.yaml"]).exits(1);
    let run = timeline(&lab);
    assert_eq!(run["state"], "failed");
    assert_eq!(state(&run, "data-0-ready"), "failed");
    lab.run(&["timeline"]).exits(0).says("FAIL").says("data-0");
    lab.reset().exits(0);
    lab.is_gone();
}

#[test]
fn a_recorded_run_word_by_word() {
    let lab = recorded(RECORDED);
    golden("timeline", &lab.run(&["timeline"]).exits(0).transcript());
    golden("timeline-json", &lab.run(&["timeline", "-o", "json"]).exits(0).out);
    let page = lab.run(&["timeline", "--html", "run.html"]).exits(0).says("the page is run.html");
    assert_eq!(page.out, lab.run(&["timeline"]).exits(0).out, "the chart is printed too");
    lab.run(&["timeline", "--html", "no/run.html"]).exits(2).says("cannot write no/run.html");
    std::fs::write(record_of(&lab), "nonsense\n").unwrap();
    lab.run(&["timeline"]).exits(3).says("last-run.jsonl is damaged").says("line 1");
    std::fs::remove_file(record_of(&lab)).unwrap();
    lab.run(&["timeline"]).exits(3).says("no run on the lab two-pod is recorded");
    lab.reset().exits(0);
    lab.is_gone();
}

/// Looks at the page as it is laid out, and writes what it sees into it.
const LOOK: &str = "<script>
const bars = [...document.querySelectorAll('rect.bar')].map(bar => {
  const box = bar.getBoundingClientRect(), name = bar.closest('.row').querySelector('.name').getBoundingClientRect();
  return { id: bar.dataset.step, left: box.left, width: box.width, height: box.height, name: [name.width, name.height, name.right] };
});
const seen = { bars, rows: document.querySelectorAll('tbody tr').length, wide: document.documentElement.scrollWidth > innerWidth,
  back: getComputedStyle(document.body).backgroundColor, tips: [...document.querySelectorAll('.tip')].filter(tip => tip.offsetHeight > 0).length,
  foreign: document.querySelectorAll('img, link, iframe, script[src]').length };
document.body.append(Object.assign(document.createElement('pre'), { id: 'seen', textContent: JSON.stringify(seen) }));
</script>";

#[test]
fn the_page_opens_in_a_browser() {
    let Some(browser) = Browser::find() else { return };
    let evil = "<script src=x></script><img src=x onerror=console.error(1)>\\\" &";
    let lab = recorded(&RECORDED.replace("31 made", evil).replace("Make the namespace iris-lab", evil));
    lab.run(&["timeline", "--html", "run.html"]).exits(0);
    let page = std::fs::read_to_string(lab.scratch.dir("work").join("run.html")).unwrap();
    assert!(
        browser.complaints(&lab.file("bad.html", "<script>console.error('x')</script>")),
        "complaints are not seen"
    );
    assert!(!browser.complaints(&lab.file("run.html", &page)), "the page has an error");
    let policy = page.lines().find(|line| line.contains("Content-Security-Policy")).expect("it may load nothing");
    let look = lab.file("look.html", &page.replace(policy, "").replace("</body>", &format!("{LOOK}</body>")));
    let seen = |dark: bool| -> Value {
        let dom = browser.dom(&look, dark);
        let text = dom.split("<pre id=\"seen\">").nth(1).and_then(|rest| rest.split("</pre>").next());
        serde_json::from_str(text.unwrap_or_else(|| panic!("nothing was seen:\n{dom}"))).unwrap()
    };
    let (light, dark) = (seen(false), seen(true));
    assert_ne!(light["back"], dark["back"], "dark is not light");
    let ran = timeline(&lab);
    let ran = ran["steps"].as_array().unwrap();
    let bars = light["bars"].as_array().unwrap();
    assert_eq!(bars.len(), ran.len());
    for (bar, step) in bars.iter().zip(ran) {
        assert_eq!(bar["id"], step["id"]);
        let number = |value: &Value| value.as_f64().unwrap();
        assert!(number(&bar["width"]) >= 1.0 && number(&bar["height"]) >= 8.0, "the bar is not to be seen: {bar}");
        assert!(
            number(&bar["name"][0]) >= 100.0 && number(&bar["name"][1]) >= 8.0,
            "the title is not to be seen: {bar}"
        );
        assert!(number(&bar["name"][2]) <= number(&bar["left"]), "the bar is over the title: {bar}");
    }
    assert_eq!(light["rows"], ran.len(), "the table has every step");
    assert_eq!((&light["wide"], &light["tips"], &light["foreign"]), (&false.into(), &0.into(), &0.into()));
    lab.reset().exits(0);
    lab.is_gone();
}
