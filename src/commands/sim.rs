//! `iris-lab sim serve` (hidden): the embedded cluster's own process.

use crate::cli::SimCommand;
use crate::engine::simulator;
use crate::error::Result;
use crate::sim;
use crate::ui::Ui;

/// Serves until it is told to end.
pub async fn sim(ui: &Ui, command: SimCommand) -> Result<()> {
    let SimCommand::Serve { dir, nodes, kubernetes, speed, faults } = command;
    simulator::announce(&dir)?;
    let options = sim::Options { dir: Some(dir), nodes, kubernetes, speed: speed.0, faults };
    sim::serve(options, || {
        // Nobody may be listening any more; the cluster serves all the same.
        let _ = ui.data(&format!("{}\n", simulator::READY));
    })
    .await
}
