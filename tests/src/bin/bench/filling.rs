//! Logs with many cases, made by the committer: four of five cases are answered and closed.

use std::path::Path;
use std::sync::Arc;

use api::content::first_catalogue;
use api::demo::employers::EMPLOYERS;
use domain::StreamId;
use domain::files::FileLimits;
use futures::TryStreamExt;
use infrastructure::committer::{Append, Expected, Settings};
use infrastructure::{Clock, CommandError, Committer, Keys, Log, startup};

use crate::cases;

/// Commands on their way at once.
const IN_FLIGHT: usize = 256;

/// What a filled log holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filled {
    /// Cases.
    pub(crate) cases: u64,
    /// Events.
    pub(crate) events: u64,
}

/// Fills an empty log with cases; the keys lie in the folder.
pub(crate) async fn fill(log: Arc<dyn Log>, folder: &Path, cases: u64) -> anyhow::Result<Filled> {
    let keys = Arc::new(Keys::open(folder, true)?);
    startup::check(log.as_ref(), &keys).await?;
    let settings = Settings {
        clock: Clock::System,
        keys: Arc::clone(&keys),
        limits: FileLimits::default(),
        publish: Box::new(|_| {}),
    };
    let (committer, thread) = Committer::start(Arc::clone(&log), settings)?;
    for employer in EMPLOYERS.iter() {
        let registered = Append {
            stream: StreamId::of_employer(employer.number),
            actor: keys.login("benchmark"),
            employer: Some(employer.number),
            event: employer.registered(first_catalogue()),
            expected: Expected::New,
            upkeep: None,
        };
        committer.append(registered).await?;
    }
    futures::stream::iter((0..cases).map(Ok))
        .try_for_each_concurrent(IN_FLIGHT, |number| life(&committer, &keys, number))
        .await?;
    let events = log.head().await?.position;
    drop((committer, log));
    tokio::task::spawn_blocking(move || thread.join())
        .await?
        .map_err(|_| anyhow::anyhow!("the committer panicked"))?;
    Ok(Filled { cases, events })
}

/// A case, and its answer unless it is one that still waits.
async fn life(committer: &Committer, keys: &Keys, number: u64) -> Result<(), CommandError> {
    let case = committer.run(cases::create(keys, number)).await?.id;
    if number % 5 < 4 {
        for request in cases::answers(keys, number, case) {
            committer.run(request).await?;
        }
    }
    Ok(())
}
