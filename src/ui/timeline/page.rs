//! The timeline as one page for a browser: no script, and nothing from elsewhere.

use super::{ending, extent, place, ticks, time, verdict, word};
use crate::model::Timeline;
use crate::model::timeline::{Bar, StepState};
use crate::ui::look::clean;

const STYLE: &str = include_str!("page.css");
/// What a browser may load for the page: its own style.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
/// Least width of a bar, in percent of the chart, so that a short step is seen.
const LEAST: f64 = 0.25;

/// The page.
pub fn timeline_page(run: &Timeline) -> String {
    let title = escaped(&format!("{} {}", run.verb, run.lab));
    let (ending, place, extent, verdict) =
        (escaped(&ending(run)), escaped(&place(run)), escaped(&extent(run)), escaped(&verdict(run)));
    let marks = ticks(run.seconds, 10);
    let rows: String = run.ran().map(|step| row(step, run, &marks)).collect();
    let table: String = run.steps.iter().map(table_row).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <title>{title}: {ending}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>{title}: {ending}</h1>\n<p class=\"dim\">{place}; {extent}</p>\n<p>{}</p>\n{}\
         <div class=\"chart\" role=\"img\" aria-label=\"When each step ran. The table below says the same in words.\">\n{}{rows}</div>\n\
         <h2>Steps</h2>\n<div class=\"scroll\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{table}</tbody>\n</table></div>\n\
         </body>\n</html>\n",
        sentence(&verdict),
        key(),
        axis(run.seconds, &marks),
        ["Step", "Start", "Time", "Deadline", "Result", "Needs", "Beside it"]
            .map(|name| format!("<th scope=\"col\">{name}</th>"))
            .concat(),
    )
}

/// What the colours mean.
fn key() -> String {
    let entry = |class: &str, text: &str| {
        format!(
            "<span><svg aria-hidden=\"true\"><rect width=\"14\" height=\"10\" rx=\"2\" class=\"{class}\"/></svg>{text}</span>"
        )
    };
    let entries = [
        entry("in-chain", "the longest chain, in bold"),
        entry("changed", "done"),
        entry("unchanged", "nothing to do"),
        entry("failed", "failed"),
        entry("broken-off", "not ended"),
    ];
    format!("<p class=\"key\">{}</p>\n", entries.concat())
}

/// Times above the bars, the last one at the end.
fn axis(end: f64, marks: &[f64]) -> String {
    let room = |mark: &&f64| **mark <= end * 0.93;
    let label = |mark: &f64| format!("<span style=\"left:{:.2}%\">{}</span>", percent(*mark, end), time(*mark));
    let labels: String = marks.iter().filter(room).map(label).collect();
    format!(
        "<div class=\"row axis\"><span></span><span></span><div class=\"marks\">{labels}<span>{}</span></div></div>\n",
        time(end)
    )
}

fn row(step: &Bar, run: &Timeline, marks: &[f64]) -> String {
    let (chain, class) = match step.in_chain {
        true => (" chain", format!("{} in-chain", class(step))),
        false => ("", class(step).to_string()),
    };
    let lines: String = marks
        .iter()
        .map(|mark| percent(*mark, run.seconds))
        .map(|x| format!("<line class=\"grid\" x1=\"{x:.2}%\" x2=\"{x:.2}%\" y1=\"0\" y2=\"100%\"/>"))
        .collect();
    let width = percent(step.seconds, run.seconds).max(LEAST);
    let x = percent(step.start, run.seconds).min(100.0 - width);
    format!(
        "<div class=\"row{chain}\"><span class=\"name\">{}</span><span class=\"time\">{}</span>\
         <svg>{lines}<rect class=\"bar {class}\" data-step=\"{}\" x=\"{x:.2}%\" width=\"{width:.2}%\" y=\"6\" height=\"16\" rx=\"2\"/></svg>\
         <div class=\"tip\">{}</div></div>\n",
        escaped(&step.title),
        time(step.seconds),
        escaped(&step.id),
        tip(step),
    )
}

/// What is shown beside a step under the pointer.
fn tip(step: &Bar) -> String {
    let from = format!("{} to {}", time(step.start), time(step.end()));
    let entries = [
        ("Step", step.id.clone()),
        ("Result", result(step)),
        ("Needs", named(&step.needs)),
        ("Ran", from),
        ("Deadline", time(step.timeout_seconds)),
        ("Beside it", named(&step.beside)),
    ];
    let entries = entries.map(|(name, value)| format!("<dt>{name}</dt><dd>{}</dd>", escaped(&value)));
    format!("<strong>{}</strong><dl>{}</dl>", escaped(&step.title), entries.concat())
}

fn table_row(step: &Bar) -> String {
    let start = if step.began() { time(step.start) } else { String::new() };
    let taken = if step.began() { time(step.seconds) } else { String::new() };
    let chain = if step.in_chain { " (longest chain)" } else { "" };
    format!(
        "<tr><th scope=\"row\">{}<br><code>{}</code>{chain}</th><td class=\"number\">{start}</td><td class=\"number\">{taken}</td>\
         <td class=\"number\">{}</td><td class=\"result\">{}</td><td>{}</td><td>{}</td></tr>\n",
        escaped(&step.title),
        escaped(&step.id),
        time(step.timeout_seconds),
        escaped(&result(step)),
        escaped(&named(&step.needs)),
        escaped(&named(&step.beside)),
    )
}

fn result(step: &Bar) -> String {
    match step.detail.is_empty() {
        true => word(step).into(),
        false => format!("{}: {}", word(step), step.detail),
    }
}

fn named(steps: &[String]) -> String {
    if steps.is_empty() { "nothing".into() } else { steps.join(", ") }
}

fn class(step: &Bar) -> &'static str {
    match step.state {
        StepState::Changed => "changed",
        StepState::Unchanged => "unchanged",
        StepState::Failed => "failed",
        StepState::BrokenOff => "broken-off",
        StepState::NotStarted => "not-started",
    }
}

fn percent(at: f64, end: f64) -> f64 {
    if end > 0.0 { (at / end * 100.0).clamp(0.0, 100.0) } else { 0.0 }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect::<String>() + ".").unwrap_or_default()
}

/// Text as a browser shows it, in elements and in quoted attributes.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in clean(text).chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_elsewhere_is_only_text() {
        assert_eq!(escaped("<b a=\"x\" b='y'>&\u{1b}[0m"), "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;[0m");
    }
}
