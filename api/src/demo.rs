//! The demo: fictional employers, persons to be, and cases of the last ninety days, made by running the real commands
//! with a clock that moves through them.

pub mod catalogue;
pub mod employers;
pub mod pdf;
pub mod persons;
pub mod schedule;

mod actions;
mod forms;
mod notices;

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use anyhow::Context as _;
use infrastructure::Clock;
use infrastructure::keys::ALL_KEY_FILES;
use infrastructure::log::sqlite::{self, FILE, LOCK};

use crate::{App, Config};

/// Tells of the progress after so many steps.
const TELL: usize = 500;

/// The folder in which the demo is made before it is moved to its place, so that a demo is whole or not there.
const FILLING: &str = "filling";

/// Fills an empty data folder; one that has a log is left as it is.
///
/// # Errors
/// When the folder cannot be used, or a command of the demo is refused.
pub async fn fill(config: &Config, clock: &Clock, say: impl Fn(&str)) -> anyhow::Result<()> {
    let data = &config.data;
    let place = config.log_place()?;
    if place.is_shared() {
        let opened = place.open(data, true).await?;
        let empty = opened.log.head().await?.position == 0;
        drop(opened);
        return if empty { make(config, clock, say).await } else { Ok(()) };
    }
    if data.join(FILE).exists() {
        return Ok(());
    }
    // Nobody else may make a demo here at the same time.
    let _owned = sqlite::own(data)?;
    if data.join(FILE).exists() {
        return Ok(());
    }
    let filling = data.join(FILLING);
    let cut_off = filling.exists();
    if cut_off {
        fs::remove_dir_all(&filling)?;
    } else {
        sqlite::may_be_made(data)?;
    }
    fs::create_dir_all(&filling)?;
    for key in ALL_KEY_FILES.iter().filter(|key| data.join(key).exists()) {
        fs::copy(data.join(key), filling.join(key))?;
    }
    make(&Config { data: filling.clone(), ..config.clone() }, clock, say).await?;
    move_to(&filling, data, cut_off)
}

/// Moves what was made to its place; the log last, because with it the demo is there. What stands there is replaced only
/// when it is of a demo that was cut off.
fn move_to(from: &Path, to: &Path, cut_off: bool) -> anyhow::Result<()> {
    fs::remove_file(from.join(LOCK))?;
    let mut names: Vec<_> =
        fs::read_dir(from)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
    names.sort_by_key(|name| name == FILE);
    for name in names {
        let place = to.join(&name);
        if place.is_dir() && cut_off {
            fs::remove_dir_all(&place)?;
        } else if place.is_dir() {
            let inside = || format!("{} is not empty; choose another folder with --data", place.display());
            fs::remove_dir(&place).with_context(inside)?;
        }
        fs::rename(from.join(&name), place)?;
    }
    Ok(fs::remove_dir(from)?)
}

/// Makes the demo in a folder of its own.
async fn make(config: &Config, clock: &Clock, say: impl Fn(&str)) -> anyhow::Result<()> {
    let now = clock.now();
    let cases = config.demo.cases.unwrap_or_default();
    let steps = schedule::steps(config.demo.seed, now, cases);
    let past = Clock::fixed(steps.first().map_or(now, |step| step.at) - Duration::from_secs(24 * 60 * 60));
    let app = App::start(config.clone(), past.clone()).await?;
    if cases > 0 {
        say(&format!("Making {cases} cases of the last ninety days"));
    }
    notices::register_employers(&app).await?;
    // An empty demo holds no files.
    if cases > 0 {
        forms::publish(&app).await?;
    }
    let mut notices = notices::planned(now);
    for (count, step) in steps.iter().enumerate() {
        while let Some(notice) = notices.pop_if(|notice| notice.at <= step.at) {
            past.set(notice.at.max(past.now()));
            notices::publish(&app, notice).await?;
        }
        past.set(step.at);
        actions::run(&app, step).await.with_context(|| format!("{:?} at {}", step.what, step.at))?;
        if count % TELL == TELL - 1 {
            say(&format!("{} of {} steps done", count + 1, steps.len()));
        }
    }
    for notice in notices.into_iter().rev() {
        past.set(notice.at.max(past.now()));
        notices::publish(&app, notice).await?;
    }
    app.close().await;
    Ok(())
}
