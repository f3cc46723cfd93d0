//! What the API server does to its clients when faults ask for it. The random numbers come from a seed: a run can be repeated.

use crate::sim::faults::ApiFaults;
use crate::sim::status::Status;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What happens to one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It is answered.
    Answer,
    /// It gets an error instead.
    Fail(Status),
    /// Its connection is dropped before anything happens.
    DropBefore,
    /// Its connection is dropped when everything has happened.
    DropAfter,
}

/// The dice.
pub struct Chaos {
    faults: ApiFaults,
    state: Mutex<u64>,
}

impl Chaos {
    /// Dice that begin at the seed.
    pub fn new(faults: ApiFaults) -> Self {
        Chaos { state: Mutex::new(faults.seed), faults }
    }

    /// Decides about one request.
    pub fn fate(&self) -> Fate {
        let faults = &self.faults;
        if faults.error500 + faults.error429 + faults.reset <= 0.0 {
            return Fate::Answer;
        }
        let mut dice = self.roll();
        let mut falls_in = |rate: f64| {
            let hit = dice < rate;
            dice -= rate;
            hit && rate > 0.0 && dice < 0.0
        };
        if falls_in(faults.error500) {
            return Fate::Fail(Status::internal("etcdserver: request timed out"));
        }
        if falls_in(faults.error429) {
            let message = "the server has received too many requests and has asked us to try again later";
            return Fate::Fail(Status::too_many_requests(message, 1));
        }
        if falls_in(faults.reset) {
            return if self.roll() < 0.5 { Fate::DropBefore } else { Fate::DropAfter };
        }
        Fate::Answer
    }

    /// Whether a watch breaks off here.
    pub fn cuts_watch(&self) -> bool {
        self.faults.cut_watch > 0.0 && self.roll() < self.faults.cut_watch
    }

    /// How long each answer takes.
    pub fn latency(&self) -> Duration {
        Duration::from_millis(self.faults.latency_ms)
    }

    /// A number from 0 to 1 (the generator is SplitMix64).
    fn roll(&self) -> f64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = *state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        // 32 bits are precise in a float, and fine enough for a rate.
        f64::from(u32::try_from(bits >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(faults: &ApiFaults) -> Vec<Fate> {
        let chaos = Chaos::new(faults.clone());
        (0..2000).map(|_| chaos.fate()).collect()
    }

    #[test]
    fn rates_are_met_and_repeat() {
        let faults = ApiFaults { error500: 0.1, error429: 0.1, reset: 0.1, seed: 7, ..Default::default() };
        let all = fates(&faults);
        assert_eq!(all, fates(&faults));
        let share = |wanted: fn(&Fate) -> bool| all.iter().filter(|fate| wanted(fate)).count();
        assert!((1300..1500).contains(&share(|fate| *fate == Fate::Answer)));
        assert!((150..250).contains(&share(|fate| matches!(fate, Fate::Fail(status) if status.code == 429))));
        assert!(share(|fate| *fate == Fate::DropAfter) > 50 && share(|fate| *fate == Fate::DropBefore) > 50);
    }

    #[test]
    fn without_faults_all_is_answered() {
        assert!(fates(&ApiFaults::default()).iter().all(|fate| *fate == Fate::Answer));
    }
}
