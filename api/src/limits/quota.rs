//! One quota, counted for each by itself. Whoever has used nothing for a minute is forgotten, and all are when there are too
//! many, so that memory has an end.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use governor::RateLimiter;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use infrastructure::Clock;
use tokio::time::Instant;

use super::Who;

/// In what time a quota may be used.
pub(super) const WINDOW: Duration = Duration::from_secs(60);
/// Most who are counted; more forgets them all, which only lets them begin anew.
const MOST: usize = 100_000;
/// After how many calls it is looked whether they are too many.
const LOOK: u32 = 1024;

type Limiter = RateLimiter<Who, DashMapStateStore<Who>, Time, StateInformationMiddleware>;

/// The time, for the quota: the machine's never goes back.
#[derive(Clone, Debug)]
struct Time {
    clock: Clock,
    begun: Instant,
}

impl governor::clock::Clock for Time {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        match &self.clock {
            Clock::System => self.begun.elapsed().into(),
            fixed @ Clock::Fixed(_) => {
                let micros = u64::try_from(fixed.now().timestamp_micros()).unwrap_or_default();
                Nanos::new(micros.saturating_mul(1000))
            }
        }
    }
}

/// How somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// How many calls there may be in a minute.
    pub(super) limit: u32,
    /// How many are left at once.
    pub(super) left: u32,
    /// In how many seconds the quota is whole again; where nothing is left, in how many there may be a call.
    pub(super) seconds: u64,
}

/// A quota.
#[derive(Debug)]
pub(super) struct Quota {
    limit: NonZeroU32,
    time: Time,
    limiter: RwLock<Arc<Limiter>>,
    calls: AtomicU32,
}

impl Quota {
    pub(super) fn new(limit: NonZeroU32, clock: &Clock) -> Self {
        let time = Time { clock: clock.clone(), begun: Instant::now() };
        let limiter = RwLock::new(limiter(limit, &time));
        Self { limit, time, limiter, calls: AtomicU32::new(0) }
    }

    /// Counts a call; an error where there may be none now.
    pub(super) fn take(&self, who: Who) -> Result<Counted, Counted> {
        if self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(LOOK) {
            self.keep_small(MOST);
        }
        let limit = self.limit.get();
        match self.limiter().check_key(&who) {
            Ok(state) => {
                let left = state.remaining_burst_capacity();
                let used = u64::from(limit.saturating_sub(left));
                let seconds = (used * WINDOW.as_secs()).div_ceil(u64::from(limit));
                Ok(Counted { limit, left, seconds })
            }
            Err(until) => {
                let wait = until.wait_time_from(governor::clock::Clock::now(&self.time));
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                Err(Counted { limit, left: 0, seconds: seconds.max(1) })
            }
        }
    }

    /// Forgets whose quota is whole again.
    pub(super) fn forget(&self) {
        let limiter = self.limiter();
        limiter.retain_recent();
        limiter.shrink_to_fit();
    }

    fn keep_small(&self, most: usize) {
        if self.limiter().len() <= most {
            return;
        }
        self.forget();
        if self.limiter().len() > most {
            tracing::warn!("too many call at once to count each: all begin anew");
            *self.limiter.write().unwrap_or_else(PoisonError::into_inner) = limiter(self.limit, &self.time);
        }
    }

    fn limiter(&self) -> Arc<Limiter> {
        Arc::clone(&self.limiter.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn limiter(limit: NonZeroU32, time: &Time) -> Arc<Limiter> {
    let quota = governor::Quota::per_minute(limit);
    Arc::new(RateLimiter::new(quota, DashMapStateStore::default(), time.clone()))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn network(number: u32) -> Who {
        Who::Network(std::net::Ipv4Addr::from(number).into())
    }

    #[test]
    fn each_has_a_quota_that_grows_again() {
        let clock = Clock::fixed(DateTime::UNIX_EPOCH + TimeDelta::days(1));
        let quota = Quota::new(NonZeroU32::new(3).unwrap(), &clock);
        let (one, other) = (network(1), network(2));
        let counted = |left, seconds| Counted { limit: 3, left, seconds };
        for (left, seconds) in [(2, 20), (1, 40), (0, 60)] {
            assert_eq!(quota.take(one), Ok(counted(left, seconds)));
        }
        assert_eq!(quota.take(one), Err(counted(0, 20)));
        assert_eq!(quota.take(other), Ok(counted(2, 20)));
        clock.set(clock.now() + TimeDelta::milliseconds(18_500));
        assert_eq!(quota.take(one), Err(counted(0, 2)));
        clock.set(clock.now() + TimeDelta::milliseconds(1_500));
        assert_eq!(quota.take(one), Ok(counted(0, 60)));
        clock.set(clock.now() + TimeDelta::minutes(2));
        assert_eq!(quota.take(one), Ok(counted(2, 20)));
    }

    #[test]
    fn the_machine_s_clock_counts_too() {
        let quota = Quota::new(NonZeroU32::new(2).unwrap(), &Clock::System);
        assert_eq!(quota.take(network(1)), Ok(Counted { limit: 2, left: 1, seconds: 30 }));
        assert_eq!(quota.take(network(1)).map(|counted| counted.left), Ok(0));
        let refused = quota.take(network(1)).unwrap_err();
        assert!((1..=30).contains(&refused.seconds), "{refused:?}");
    }

    #[test]
    fn who_has_used_nothing_for_a_minute_is_forgotten_and_all_are_when_they_are_too_many() {
        let clock = Clock::fixed(DateTime::UNIX_EPOCH + TimeDelta::days(1));
        let quota = Quota::new(NonZeroU32::new(1).unwrap(), &clock);
        for number in 0..10 {
            quota.take(network(number)).unwrap();
        }
        quota.keep_small(10);
        assert_eq!(quota.limiter().len(), 10);
        assert!(quota.take(network(1)).is_err());
        quota.keep_small(9);
        assert_eq!(quota.limiter().len(), 0);
        quota.take(network(1)).unwrap();
        clock.set(clock.now() + TimeDelta::minutes(3));
        quota.take(network(2)).unwrap();
        quota.forget();
        assert_eq!(quota.limiter().len(), 1);
    }
}
