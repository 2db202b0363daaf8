//! When a mail is tried again. Without chance: few mails fail at once, and a trouble of the server pauses them all.

use std::time::Duration;

const SECOND: u64 = 1;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The first waits, seconds; after them it is tried every hour.
const FIRST: [u64; 5] = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR];
/// How long it is tried, hours.
const TRIED_HOURS: usize = 5 * 24;

/// How long to wait after so many attempts; `None` when enough has been tried.
pub fn after(attempts: u32) -> Option<Duration> {
    let failed = usize::try_from(attempts).unwrap_or(usize::MAX).saturating_sub(1);
    match FIRST.get(failed) {
        Some(seconds) => Some(Duration::from_secs(*seconds)),
        None if failed < FIRST.len() + TRIED_HOURS => Some(Duration::from_secs(HOUR)),
        None => None,
    }
}

/// How long everything waits when the server cannot be reached, after so many times in a row.
pub fn pause(times: u32) -> Duration {
    let place = usize::try_from(times).unwrap_or(usize::MAX).saturating_sub(1).min(2);
    Duration::from_secs(FIRST[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_for_five_days_and_then_given_up() {
        let waits: Vec<u64> = (1..).map_while(after).map(|wait| wait.as_secs()).collect();
        assert_eq!(waits[..6], [5, 30, 120, 600, 3600, 3600]);
        assert_eq!(waits.iter().sum::<u64>() / HOUR, 5 * 24 + 1);
        assert_eq!(after(u32::MAX), None);
    }

    #[test]
    fn a_server_that_is_back_is_noticed_within_two_minutes() {
        let pauses: Vec<u64> = (1..6).map(|times| pause(times).as_secs()).collect();
        assert_eq!(pauses, [5, 30, 120, 120, 120]);
    }
}
