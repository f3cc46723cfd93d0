//! `iris-lab timeline`: the last run of a lab, as a chart in the terminal and as a page for a browser.

use super::here::Here;
use crate::cli::TimelineArgs;
use crate::engine::record;
use crate::error::{Failure, Result};
use crate::ui::{Ui, timeline_page, timeline_text};

/// Shows the last run, whatever its end.
pub fn timeline(ui: &Ui, args: &TimelineArgs) -> Result<()> {
    let here = Here::find(args.lab.name.as_deref())?;
    let run = record::last_run(&here.dir)?.ok_or_else(|| {
        Failure::requirement(format!("no run on the lab {} is recorded", here.name))
            .hint(format!("bring it up with `iris-lab up --name {}`", here.name))
    })?;
    if let Some(path) = &args.html {
        std::fs::write(path, timeline_page(&run)).map_err(|error| {
            Failure::usage(format!("cannot write {}", path.display()))
                .caused_by(error)
                .hint("name a file in a folder that is there with --html FILE")
        })?;
        ui.note(format!("the page is {}", path.display()));
    }
    ui.result(|look| timeline_text(&run, look), &run)
}
