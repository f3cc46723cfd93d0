//! The speed of simulated time: how long a delay of the embedded cluster takes on the wall clock.

use std::time::Duration;

/// How simulated time passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// How many times faster than real time; none means that every delay is over at once.
    pub speed: Option<f64>,
}

impl Clock {
    /// No delay takes any time.
    pub fn instant() -> Self {
        Clock { speed: None }
    }

    /// Whether delays take no time. What would repeat for ever is then done once.
    pub fn is_instant(&self) -> bool {
        !self.speed.is_some_and(|speed| speed > 0.0)
    }

    /// How long a simulated delay takes on the wall clock.
    pub fn delay(&self, simulated: Duration) -> Duration {
        match self.speed {
            Some(speed) if speed > 0.0 => {
                Duration::try_from_secs_f64(simulated.as_secs_f64() / speed).unwrap_or(Duration::MAX)
            }
            _ => Duration::ZERO,
        }
    }

    /// Waits for a simulated delay.
    pub async fn sleep(&self, simulated: Duration) {
        let delay = self.delay(simulated);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_follow_the_speed() {
        let minute = Duration::from_secs(60);
        assert_eq!(Clock { speed: Some(1.0) }.delay(minute), minute);
        assert_eq!(Clock { speed: Some(60.0) }.delay(minute), Duration::from_secs(1));
        assert_eq!(Clock { speed: Some(1e-300) }.delay(minute), Duration::MAX);
        assert!(Clock { speed: Some(0.0) }.is_instant() && Clock { speed: Some(f64::NAN) }.is_instant());
        assert_eq!(Clock::instant().delay(minute), Duration::ZERO);
    }
}
