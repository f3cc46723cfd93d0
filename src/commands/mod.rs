//! One short file a verb. Here: what they share, and the way from arguments to an exit code.

mod addresses;
mod again;
mod built;
mod bundle;
mod completions;
mod credentials;
mod doctor;
mod down;
mod explain;
mod here;
mod image;
mod kubeconfig;
mod labs;
mod logs;
mod longhorn;
mod misuse;
mod original;
mod password;
mod pause;
mod pods;
mod portal;
mod probe;
mod purge;
mod render;
mod request;
mod reset;
mod resize;
mod run;
mod session;
mod sim;
mod status;
mod support;
mod timeline;
mod unstick;
mod up;
mod users;

pub use misuse::misuse;
pub use request::load;

use crate::cli::{Cli, Command};
use crate::error::{Failure, Kind, Result};
use crate::ui::Ui;
use std::process::ExitCode;

/// Runs one command line to its exit code.
pub fn run(cli: Cli) -> ExitCode {
    let ui = Ui::new(&cli.output);
    match dispatch(cli.command, &ui) {
        Ok(code) => code,
        Err(failure) => {
            ui.failure(&failure);
            ExitCode::from(failure.kind.exit_code())
        }
    }
}

fn dispatch(command: Command, ui: &Ui) -> Result<ExitCode> {
    let end = match command {
        Command::Up(args) => block_on(up::up(ui, &args)),
        Command::Plan(args) => block_on(up::plan(ui, &args.lab, args.shell)),
        Command::Doctor(args) => block_on(doctor::doctor(ui, &args)),
        Command::Status(args) => block_on(status::status(ui, &args)),
        Command::Explain(args) => block_on(explain::explain(ui, &args)),
        Command::Support(args) => block_on(support::support(ui, &args)),
        Command::Portal(args) => block_on(portal::portal(ui, &args)),
        // Their exit code is that of a program elsewhere.
        Command::Session(args) => return block_on(session::session(ui, &args)),
        Command::Shell(args) => return block_on(session::shell(ui, &args)),
        Command::Logs(args) => block_on(logs::logs(ui, &args)),
        Command::Timeline(args) => timeline::timeline(ui, &args),
        Command::Down(args) => block_on(down::down(ui, &args)),
        Command::Stop(args) => block_on(pause::stop(ui, &args)),
        Command::Start(args) => block_on(pause::start(ui, &args)),
        Command::Users(args) => block_on(users::users(ui, &args)),
        Command::Password(args) => block_on(password::password(ui, &args)),
        Command::Resize(args) => block_on(resize::resize(ui, &args)),
        Command::Reset(args) => block_on(reset::reset(ui, &args)),
        Command::Unstick(args) => block_on(unstick::unstick(ui, &args)),
        Command::Labs(args) => labs::labs(ui, args.command),
        Command::Image(args) => block_on(image::image(ui, args.command)),
        Command::Render(args) => block_on(render::render(ui, &args)),
        Command::Kubeconfig(args) => kubeconfig::kubeconfig(ui, &args),
        Command::Bundle(args) => block_on(bundle::bundle(ui, &args.command)),
        Command::Completions(args) => completions::completions(ui, args.shell),
        Command::Sim(args) => block_on(sim::sim(ui, args.command)),
    };
    end.map(|()| ExitCode::SUCCESS)
}

/// Runs a future on a runtime of one thread, which is all that a program that waits needs.
fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Failure::new(Kind::Step, "cannot start the runtime").caused_by(e))?;
    let result = runtime.block_on(future);
    // A thread that still waits for a process to end must not hold up our own end.
    runtime.shutdown_background();
    result
}
