//! The streams of an emulated program: plain ones, or those of a terminal with its echo, its editing and Ctrl-C.

use bytes::Bytes;
use std::collections::VecDeque;
use tokio::sync::{mpsc, watch};

/// Columns and rows of a terminal.
pub type Size = (u16, u16);

const INTERRUPT: u8 = 0x03;
const END: u8 = 0x04;
const KILL_LINE: u8 = 0x15;
const ERASE: [u8; 2] = [0x08, 0x7f];

/// What a program reads from and writes to.
pub struct Io {
    input: mpsc::UnboundedReceiver<Bytes>,
    read: VecDeque<u8>,
    output: mpsc::Sender<(Stream, Bytes)>,
    size: watch::Receiver<Size>,
    terminal: bool,
    /// Whether the last character of the input was a carriage return: a line feed after it ends no second line.
    returned: bool,
}

/// The other ends of a program's streams.
pub struct Wire {
    /// What it is to read; it ends when this is dropped.
    pub input: mpsc::UnboundedSender<Bytes>,
    /// What it has written.
    pub output: mpsc::Receiver<(Stream, Bytes)>,
    /// The size of its terminal.
    pub size: watch::Sender<Size>,
}

/// Where a program writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What a program reads at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line, without its end.
    Text(String),
    /// Ctrl-C.
    Interrupt,
    /// The end of the input.
    End,
}

impl Io {
    /// New streams, and their other ends.
    pub fn new(terminal: bool) -> (Io, Wire) {
        let (input, read) = mpsc::unbounded_channel();
        let (write, output) = mpsc::channel(16);
        let (size, seen) = watch::channel((80, 24));
        let io = Io { input: read, read: VecDeque::new(), output: write, size: seen, terminal, returned: false };
        (io, Wire { input, output, size })
    }

    /// Whether they are a terminal's.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// The size of the terminal.
    pub fn size(&self) -> Size {
        *self.size.borrow()
    }

    /// Writes to standard output.
    pub async fn print(&mut self, text: &str) {
        self.write(Stream::Out, text.as_bytes()).await;
    }

    /// Writes to standard error.
    pub async fn complain(&mut self, text: &str) {
        self.write(Stream::Err, text.as_bytes()).await;
    }

    /// Writes bytes. Whoever has gone away reads no more, which the program hears of by being ended.
    pub async fn write(&mut self, stream: Stream, bytes: &[u8]) {
        let (stream, bytes) = match self.terminal {
            true => (Stream::Out, with_returns(bytes)),
            false => (stream, bytes.to_vec()),
        };
        if !bytes.is_empty() {
            let _ = self.output.send((stream, bytes.into())).await;
        }
    }

    /// The next bytes, at most so many; none at the end of the input.
    pub async fn bytes(&mut self, most: usize) -> Vec<u8> {
        self.fill().await;
        let count = most.min(self.read.len());
        self.read.drain(..count).collect()
    }

    /// The next line. On a terminal what is typed is shown, and can be corrected.
    pub async fn line(&mut self) -> Line {
        let mut line = Vec::new();
        loop {
            let Some(byte) = self.byte().await else {
                return if line.is_empty() { Line::End } else { Line::Text(text(&line)) };
            };
            let after_return = std::mem::replace(&mut self.returned, self.terminal && byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' => {
                    self.echo("\n").await;
                    return Line::Text(text(&line));
                }
                b'\r' if self.terminal => {
                    self.echo("\n").await;
                    return Line::Text(text(&line));
                }
                INTERRUPT if self.terminal => {
                    self.echo("^C\n").await;
                    return Line::Interrupt;
                }
                END if self.terminal && line.is_empty() => return Line::End,
                KILL_LINE if self.terminal => {
                    let width = text(&line).chars().count();
                    self.echo(&"\x08 \x08".repeat(width)).await;
                    line.clear();
                }
                erase if self.terminal && ERASE.contains(&erase) => {
                    let mut shown = text(&line);
                    if shown.pop().is_some() {
                        self.echo("\x08 \x08").await;
                    }
                    line = shown.into_bytes();
                }
                control if self.terminal && control < b' ' => {}
                byte => {
                    line.push(byte);
                    if self.terminal {
                        self.write(Stream::Out, &[byte]).await;
                    }
                }
            }
        }
    }

    /// Returns at Ctrl-C; what is typed before it is thrown away.
    pub async fn interrupted(&mut self) {
        loop {
            match self.byte().await {
                Some(INTERRUPT) if self.terminal => return,
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }

    async fn echo(&mut self, text: &str) {
        if self.terminal {
            self.print(text).await;
        }
    }

    async fn byte(&mut self) -> Option<u8> {
        self.fill().await;
        self.read.pop_front()
    }

    async fn fill(&mut self) {
        while self.read.is_empty() {
            match self.input.recv().await {
                Some(bytes) => self.read.extend(bytes),
                None => return,
            }
        }
    }
}

/// A terminal begins each line at its left edge.
fn with_returns(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] }).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(terminal: bool, input: &'static str) -> (Vec<Line>, String) {
        let (mut io, Wire { input: typing, mut output, .. }) = Io::new(terminal);
        typing.send(input.into()).unwrap();
        drop(typing);
        let shown = tokio::spawn(async move {
            let mut shown = String::new();
            while let Some((_, bytes)) = output.recv().await {
                shown += &text(&bytes);
            }
            shown
        });
        let mut lines = Vec::new();
        loop {
            match io.line().await {
                Line::End => break,
                line => lines.push(line),
            }
        }
        drop(io);
        (lines, shown.await.unwrap())
    }

    fn typed(line: &str) -> Line {
        Line::Text(line.into())
    }

    #[tokio::test]
    async fn plain_lines_are_not_shown_again() {
        let (read, shown) = lines(false, "a\r\nb\n\nlast").await;
        assert_eq!(read, [typed("a\r"), typed("b"), typed(""), typed("last")]);
        assert_eq!(shown, "");
    }

    #[tokio::test]
    async fn a_terminal_shows_edits_and_interrupts() {
        let (read, shown) = lines(true, "ax\x7fb\rno\x15ok\r\n\x03").await;
        assert_eq!(read, [typed("ab"), typed("ok"), Line::Interrupt]);
        assert_eq!(shown, "ax\x08 \x08b\r\nno\x08 \x08\x08 \x08ok\r\n^C\r\n");
    }

    #[tokio::test]
    async fn ctrl_d_ends_the_input_of_a_terminal() {
        assert_eq!(lines(true, "x\r\x04y\r").await.0, [typed("x")]);
    }
}
