//! The streams and the terminal of a program that runs elsewhere: every key goes to it, and the terminal is as before at the end,
//! however that comes.

use super::Ui;
use crate::error::{Failure, Result};
use futures::stream::{self, BoxStream, StreamExt};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::io::IsTerminal;
use std::sync::{Mutex, Once, PoisonError};
use tokio::io::{Stderr, Stdin, Stdout};
use tokio::signal::unix::{SignalKind, signal};

/// How the terminal was before; none while it is as its user has it.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);
static ON_PANIC: Once = Once::new();

/// The terminal in raw mode, until this is dropped or the program panics.
pub struct RawTerminal(());

impl RawTerminal {
    /// Takes the terminal over; none where the program would read from or write to something else.
    pub fn take() -> Result<Option<RawTerminal>> {
        if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
            return Ok(None);
        }
        let failed = |error: rustix::io::Errno| Failure::step("the terminal cannot be taken over").caused_by(error);
        let before = tcgetattr(rustix::stdio::stdin()).map_err(failed)?;
        let mut raw = before.clone();
        raw.make_raw();
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        // The release build ends at a panic without dropping anything.
        ON_PANIC.call_once(|| {
            let report = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                report(panic);
            }));
        });
        let terminal = RawTerminal(());
        tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &raw).map_err(failed)?;
        Ok(Some(terminal))
    }

    /// Columns and rows, now and after each change.
    pub fn sizes(&self) -> Result<BoxStream<'static, (u16, u16)>> {
        let changes = signal(SignalKind::window_change());
        let changes = changes.map_err(|e| Failure::step("cannot follow the size of the terminal").caused_by(e))?;
        let first = stream::iter(size());
        let rest = stream::unfold(changes, |mut changes| async {
            changes.recv().await?;
            Some((size(), changes))
        });
        Ok(first.chain(rest.flat_map(stream::iter)).boxed())
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn give_back() {
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // A terminal that is gone needs nothing back.
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &before);
    }
}

/// Columns and rows; none where nobody knows them.
fn size() -> Option<(u16, u16)> {
    let size = tcgetwinsize(rustix::stdio::stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

impl Ui {
    /// Our own streams, for a program that runs elsewhere: what it prints is the result.
    pub fn lend_streams(&self) -> (Stdin, Stdout, Stderr) {
        let mut state = self.state();
        state.progress.clear();
        state.printed = true;
        (tokio::io::stdin(), tokio::io::stdout(), tokio::io::stderr())
    }
}
