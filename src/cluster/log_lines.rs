//! The logs of containers, line by line, each with the time at which it was written.

use super::request::Call;
use super::{Cluster, logs, read::escape};
use crate::error::{Failure, Result};
use http_body_util::BodyExt;
use kube::client::Body;
use std::collections::VecDeque;

/// Which log.
#[derive(Clone, Copy, Debug)]
pub struct Log<'a> {
    /// Namespace of the pod.
    pub namespace: &'a str,
    /// Name of the pod.
    pub pod: &'a str,
    /// The container.
    pub container: &'a str,
    /// Only what was written after this, a time as [`LogLine`] has it.
    pub since: Option<&'a str>,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written: RFC 3339, as the node says it. Times of one log sort as text.
    pub time: String,
    /// The line, without its end.
    pub text: String,
}

/// The lines of a log as they come.
pub struct LogStream {
    body: Body,
    /// Bytes of a line that has not ended yet.
    partial: Vec<u8>,
    lines: VecDeque<LogLine>,
    since: String,
    follows: bool,
    broken: Option<String>,
}

impl Cluster {
    /// What a log holds now; none when the container has never run.
    pub async fn read_log(&self, log: &Log<'_>) -> Result<Option<Vec<LogLine>>> {
        let Some(mut stream) = self.open_log(log, false).await? else { return Ok(None) };
        let mut lines = Vec::new();
        while let Some(line) = stream.next().await {
            lines.push(line);
        }
        match stream.broken {
            Some(why) => Err(Failure::step(format!("the log of {} was cut off", log.pod)).cause(why)),
            None => Ok(Some(lines)),
        }
    }

    /// The same, and what comes, until the container ends or the connection does.
    pub async fn follow_log(&self, log: &Log<'_>) -> Result<Option<LogStream>> {
        self.open_log(log, true).await
    }

    async fn open_log(&self, log: &Log<'_>, follow: bool) -> Result<Option<LogStream>> {
        let since = log.since.map(|time| format!("&sinceTime={}", escape(time))).unwrap_or_default();
        let query = format!("container={}&timestamps=true&follow={follow}{since}", log.container);
        match self.open(&Call::get(logs::path(log.namespace, log.pod, &query))).await {
            Ok(body) => {
                let since = log.since.unwrap_or_default().to_string();
                Ok(Some(LogStream {
                    body,
                    partial: Vec::new(),
                    lines: VecDeque::new(),
                    since,
                    follows: follow,
                    broken: None,
                }))
            }
            // It waits for its start, or is gone.
            Err(error) if matches!(error.code(), Some(400 | 404)) => Ok(None),
            Err(error) => Err(self.failure(&format!("read the log of {}", log.pod), &error)),
        }
    }
}

impl LogStream {
    /// The next line; none at the end.
    pub async fn next(&mut self) -> Option<LogLine> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Some(line);
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.take(&frame.into_data().unwrap_or_default()),
                Some(Err(error)) => {
                    self.broken = Some(error.to_string());
                    return None;
                }
                None if self.partial.is_empty() => return None,
                // The last line of a container that was killed may have no end.
                None => self.take(b"\n"),
            }
        }
    }

    fn take(&mut self, data: &[u8]) {
        self.partial.extend_from_slice(data);
        let Some(end) = self.partial.iter().rposition(|&byte| byte == b'\n') else { return };
        let rest = self.partial.split_off(end + 1);
        let whole = std::mem::replace(&mut self.partial, rest);
        for line in String::from_utf8_lossy(&whole).lines() {
            let (time, text) = line.split_once(' ').unwrap_or((line, ""));
            if time.parse::<jiff::Timestamp>().is_err() {
                // A node that cannot read the log (any more) says so in its place. To who follows it, the end is enough.
                if !self.follows {
                    self.lines.push_back(LogLine { time: self.since.clone(), text: line.into() });
                }
            } else if time > self.since.as_str() {
                // Whole seconds are all that some servers start from.
                self.lines.push_back(LogLine { time: time.into(), text: text.into() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::mock::{Answer, cluster};
    use super::*;

    const LOG: Log = Log { namespace: "n", pod: "data-0", container: "iris", since: None };

    fn lines(found: &[LogLine]) -> Vec<&str> {
        found.iter().map(|line| line.text.as_str()).collect()
    }

    #[tokio::test]
    async fn what_was_read_before_is_not_read_again() {
        let text = "2026-01-01T00:00:00.1Z a\n2026-01-01T00:00:00.2Z b c\n2026-01-01T00:00:00.3Z \n";
        let (cluster, log) = cluster(move |_| Answer::Cut(text.into()));
        assert_eq!(lines(&cluster.read_log(&LOG).await.unwrap().unwrap()), ["a", "b c", ""]);
        let since = Log { since: Some("2026-01-01T00:00:00.1Z"), ..LOG };
        assert_eq!(lines(&cluster.read_log(&since).await.unwrap().unwrap()), ["b c", ""]);
        assert!(log.lock().unwrap()[1].query.contains("sinceTime=2026-01-01T00%3A00%3A00.1Z"));
    }

    #[tokio::test]
    async fn what_a_node_says_in_place_of_the_log_is_no_line_that_others_are_compared_with() {
        let text = "2026-01-01T00:00:00.1Z a\nrpc error: code = NotFound desc = not found\n";
        let (cluster, _) = cluster(move |_| Answer::Cut(text.into()));
        let mut stream = cluster.follow_log(&LOG).await.unwrap().unwrap();
        assert_eq!((stream.next().await.map(|line| line.text), stream.next().await), (Some("a".into()), None));
        assert_eq!(
            cluster.read_log(&LOG).await.unwrap().unwrap()[1].text,
            "rpc error: code = NotFound desc = not found"
        );
    }

    #[tokio::test]
    async fn a_container_that_has_not_started_has_none() {
        let (cluster, _) = cluster(|_| Answer::error(400, "BadRequest", "waiting to start"));
        assert_eq!(cluster.read_log(&LOG).await.unwrap(), None);
    }
}
