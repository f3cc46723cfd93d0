//! What takes time: named timers that start when they are first asked for and are forgotten when nobody asks any more.

use crate::sim::clock::Clock;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// What repeats for ever does so at most this often, however fast time passes.
const SHORTEST_LIMIT: Duration = Duration::from_millis(100);

/// What a timer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// It was asked for the first time.
    pub first: bool,
    /// Its time is over.
    pub over: bool,
}

struct Timer {
    /// None: never.
    end: Option<Instant>,
    asked: bool,
    /// Whoever asked knows that it is over.
    told: bool,
}

/// All timers that run.
pub struct Timers {
    clock: Clock,
    running: HashMap<String, Timer>,
}

impl Timers {
    /// No timer runs yet.
    pub fn new(clock: Clock) -> Self {
        Timers { clock, running: HashMap::new() }
    }

    /// Starts the timer unless it runs; tells whether its time is over.
    pub fn ask(&mut self, name: String, delay: Duration) -> Tick {
        let delay = self.clock.delay(delay);
        self.tick(name, Some(delay))
    }

    /// Like `ask` for what must not happen at once when time takes no time: limits, repetitions. Such a timer never ends then.
    pub fn ask_limit(&mut self, name: String, delay: Duration) -> Tick {
        let delay = (!self.clock.is_instant()).then(|| self.clock.delay(delay).max(SHORTEST_LIMIT));
        self.tick(name, delay)
    }

    /// Like `ask_limit`, but at once when time takes no time.
    pub fn ask_again(&mut self, name: String, delay: Duration) -> Tick {
        if self.clock.is_instant() { self.ask(name, delay) } else { self.ask_limit(name, delay) }
    }

    /// Whether a timer of this name runs.
    pub fn runs(&self, name: &str) -> bool {
        self.running.contains_key(name)
    }

    fn tick(&mut self, name: String, delay: Option<Duration>) -> Tick {
        let now = Instant::now();
        let mut first = false;
        let timer = self.running.entry(name).or_insert_with(|| {
            first = true;
            Timer { end: delay.and_then(|delay| now.checked_add(delay)), asked: true, told: false }
        });
        timer.asked = true;
        timer.told = timer.end.is_some_and(|end| end <= now);
        Tick { first, over: timer.told }
    }

    /// Forgets the timers that were not asked for since the last call. Returns when the next one ends.
    pub fn next(&mut self) -> Option<Instant> {
        self.running.retain(|_, timer| std::mem::take(&mut timer.asked));
        // One that ended after it was asked for counts too: nobody has been told yet.
        self.running.values().filter(|timer| !timer.told).filter_map(|timer| timer.end).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_timer_starts_once_and_is_forgotten_when_nobody_asks() {
        let mut timers = Timers::new(Clock { speed: Some(2.0) });
        assert_eq!(timers.ask("x".into(), MINUTE), Tick { first: true, over: false });
        assert_eq!(timers.ask("x".into(), MINUTE), Tick { first: false, over: false });
        let left = timers.next().unwrap() - Instant::now();
        assert!(left <= MINUTE / 2 && left > MINUTE / 3, "{left:?}");
        assert_eq!(timers.next(), None);
        assert!(timers.ask("x".into(), MINUTE).first);
    }

    #[test]
    fn a_timer_that_ends_unnoticed_is_due() {
        let mut timers = Timers::new(Clock { speed: Some(1.0) });
        assert!(!timers.ask("x".into(), Duration::from_micros(50)).over);
        while timers.running["x"].end.unwrap() > Instant::now() {}
        assert!(timers.next().is_some());
    }

    #[test]
    fn without_time_delays_are_over_and_limits_never_end() {
        let mut timers = Timers::new(Clock::instant());
        assert_eq!(timers.ask("x".into(), MINUTE), Tick { first: true, over: true });
        assert_eq!(timers.ask("x".into(), MINUTE), Tick { first: false, over: true });
        assert_eq!(timers.ask_limit("y".into(), MINUTE), Tick { first: true, over: false });
        assert_eq!(timers.next(), None);
    }
}
