//! `kundwebb check`: settings, folder, keys, log, read models, files and connections, in words, and what to do about
//! what is wrong. Works beside a running server. The code is 1 when anything is wrong.

mod cookies;
mod logins;
mod machines;
mod scan;
mod secrets;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use domain::AttachmentId;
use futures::TryStreamExt;
use infrastructure::files::place::Place;
use infrastructure::files::{FileError, stored_size};
use infrastructure::keys::KeyError;
use infrastructure::keys::former::FORMER;
use infrastructure::log::postgres::{Keeping, NO_SESSION};
use infrastructure::upkeep::HELD;
use infrastructure::{Clock, FileStore, Keys, Log, LogError, disk, log, startup};
use projections::read_models::{Found, ReadModels};

use crate::app::{bound_reads, describe};
use crate::cli::{print, read_only};
use crate::named_files::NamedFiles;
use crate::{Config, config, mail};

/// Less room than this on the disk is told, bytes.
const ROOM: u64 = 512 << 20;
/// What to do about a log that is not what it was.
const RESTORE: &str = "stop the server, keep a copy of the folder, and put a backup into an empty one with \
                       `kundwebb restore --from BACKUP`";
/// What to do about one in a database.
const RESTORE_DATABASE: &str = "stop every node, keep the database, and put a backup into an empty one with `kundwebb restore \
                                --from BACKUP --log postgres://USER@HOST/DATABASE`";
/// What to do about keys.
const KEYS: &str = "put the log's own master.key and token.key back from where they are kept";

/// What is asked, and the answer.
type Finding = (&'static str, anyhow::Result<String>);

pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let log = read_only(&config).await;
    let new = is_new(&config)?;
    let log = log.as_deref().map_err(|error| format!("{error:#}"));
    let mut findings: Vec<Finding> = vec![
        ("folder", Ok(format!("{} is new; the server makes what it needs there", config.data.display()))),
        ("secrets", secrets::check(&config)),
        ("cookies", cookies::check(&config)),
        ("logins", logins::check(&config).await),
    ];
    if !new {
        findings = inside(log.clone(), &config).await;
    }
    if config.log_place()?.is_shared() {
        findings.insert(2, ("database", database(&config).await));
    }
    findings.push(("scanner", scan::check(&config).await));
    if let Some(words) = config::limits::unknown_proxy(&config) {
        findings.push(("limits", Err(anyhow::anyhow!(words))));
    }
    if !config.authorization_servers.is_empty() {
        findings.push(("systems", machines::check(&config).await));
    }
    for (what, finding) in &findings {
        match finding {
            Ok(words) => print(format_args!("ok    {what}: {words}")),
            Err(error) => print(format_args!("FAIL  {what}: {error:#}")),
        }
    }
    let well = findings.iter().all(|(_, finding)| finding.is_ok());
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is found of an installation that is there.
async fn inside(log: Opened<'_>, config: &Config) -> Vec<Finding> {
    vec![
        ("folder", folder(&config.data)),
        ("disk", room(&config.data)),
        ("log", whole(log.clone(), config).await),
        ("clock", clock(log.clone()).await),
        ("keys", keys(log.clone(), config).await),
        ("read models", read_models(log.clone(), config).await),
        ("files", files(log.clone(), config).await),
        ("secrets", secrets::check(config)),
        ("cookies", cookies::check(config)),
        ("logins", logins::check(config).await),
        ("mail", post(log.clone(), config).await),
        ("deliveries", held(log.clone()).await),
        ("read log", read_log(log.clone(), config).await),
    ]
}

/// Whether nothing is there yet: a folder that is not there, or empty.
fn is_new(config: &Config) -> anyhow::Result<bool> {
    let empty = !config.data.exists() || fs::read_dir(&config.data)?.next().is_none();
    Ok(empty && !config.log_place()?.is_shared())
}

/// The log, where it can be opened; else why not.
type Opened<'a> = Result<&'a dyn Log, String>;

fn opened(log: Opened<'_>) -> anyhow::Result<&dyn Log> {
    log.map_err(|_| anyhow::anyhow!("not checked, for the log cannot be opened"))
}

/// Whether the clock and the end of the log agree.
async fn clock(log: Opened<'_>) -> anyhow::Result<String> {
    let (log, now) = (opened(log)?, Clock::System.now());
    let wrong = startup::ahead(log.head().await?, now).or(startup::apart(log.now().await?, now));
    wrong.map_or_else(
        || Ok("the last event of the log does not lie ahead of it".to_owned()),
        |words| Err(anyhow::anyhow!(words)),
    )
}

/// Whether a file can be made in the folder, durably.
fn folder(data: &Path) -> anyhow::Result<String> {
    let probe = data.join(".check");
    let written = File::create(&probe)
        .and_then(|mut file| file.write_all(b"x").and_then(|()| file.sync_all()))
        .and_then(|()| fs::remove_file(&probe));
    written.with_context(|| {
        format!(
            "{} cannot be written; make it writable for the user that runs kundwebb, or name another with --data",
            data.display()
        )
    })?;
    Ok(format!("{} can be written", data.display()))
}

fn room(data: &Path) -> anyhow::Result<String> {
    let (free, all) = (disk::free_bytes(data)?, disk::all_bytes(data)?);
    let words = format!("{} MB free of {} MB", free >> 20, all >> 20);
    ensure!(
        free >= ROOM,
        "{words}: make room. When the disk is full nothing can be saved; what was acknowledged stays, and saving goes on \
         by itself when there is room"
    );
    Ok(words)
}

/// Whether the log opens and its last events are whole.
async fn whole(log: Opened<'_>, config: &Config) -> anyhow::Result<String> {
    let place = config.log_place()?;
    let advice = match place {
        log::place::Place::Sqlite(_) => RESTORE,
        log::place::Place::Postgres(_) => "look whether the database runs, and whether `log` names it",
    };
    let log = log.map_err(|reason| anyhow::anyhow!("{reason}; {advice}"))?;
    let head = startup::end(log).await.map_err(|error| advised(&error, restoring(&place)))?;
    Ok(format!("{} events in {place}; the last are whole, `kundwebb log verify` checks all", head.position))
}

/// What to do about a log at a place that is not what it was.
const fn restoring(place: &log::place::Place) -> &'static str {
    if place.is_shared() { RESTORE_DATABASE } else { RESTORE }
}

/// Whether the database keeps what is acknowledged though a server is lost, and gives each connection its session.
async fn database(config: &Config) -> anyhow::Result<String> {
    let keeping = config.log_place()?.keeping().await?.context("the log lies in no database")?;
    ensure!(keeping.sessions, "connections do not keep their sessions; {NO_SESSION}");
    kept(&keeping, config.single_database)
}

/// What is said of how it keeps, or what to do.
fn kept(keeping: &Keeping, single: bool) -> anyhow::Result<String> {
    let commit = keeping.synchronous_commit.as_str();
    // A single server has nothing stronger than `local`.
    let strong =
        matches!(commit, "on" | "remote_apply") || (single && matches!(commit, "local" | "remote_write"));
    ensure!(
        strong,
        "synchronous_commit is {commit}: what was acknowledged can be lost with a server. Set synchronous_commit = on in \
         postgresql.conf, and where the role or the database has another: ALTER ROLE … RESET synchronous_commit"
    );
    let names = keeping.standby_names.as_str();
    if single && names.is_empty() {
        return Ok("one server alone, as single_database says: what was acknowledged is lost with its disk"
            .to_owned());
    }
    ensure!(
        !names.is_empty(),
        "synchronous_standby_names is empty: what was acknowledged is lost with the server. Name a standby there; or, where \
         one server alone is meant, set single_database = true"
    );
    ensure!(
        !keeping.standbys.is_empty() || keeping.hidden == 0,
        "whether a standby follows may not be seen by this login: GRANT pg_read_all_stats TO it"
    );
    ensure!(
        !keeping.standbys.is_empty(),
        "no standby of synchronous_standby_names ({names}) follows, and every commit waits for one. Start it, or look at its \
         log for why it does not follow"
    );
    Ok(format!("every commit is on the disks of this server and of {}", keeping.standbys.join(", ")))
}

fn advised(error: &LogError, advice: &str) -> anyhow::Error {
    match error {
        LogError::Damaged(_) => anyhow::anyhow!("{error}; {advice}"),
        _ => anyhow::anyhow!("{error}"),
    }
}

async fn keys(log: Opened<'_>, config: &Config) -> anyhow::Result<String> {
    let keys = Keys::open(config.keys_folder(), false).map_err(|error| {
        let KeyError::File { path, .. } = &error;
        // Of former keys it says itself what to do.
        if path.ends_with(FORMER) { error.into() } else { anyhow::anyhow!("{error}; {KEYS}") }
    })?;
    startup::keys(opened(log)?, &keys).await.map_err(|error| advised(&error, KEYS))?;
    let former = keys.former().iter().map(|former| former.until).max();
    let former = former.map_or_else(String::new, |until| {
        format!("; tokens of {} former keys hold until {}", keys.former().len(), until.format("%Y-%m-%d"))
    });
    Ok(format!("master key {} opens the log{former}", keys.master_fingerprint()))
}

/// Whether the read models are whole, of this version, and not ahead of the log.
async fn read_models(log: Opened<'_>, config: &Config) -> anyhow::Result<String> {
    let data = config.data.clone();
    let found = tokio::task::spawn_blocking(move || ReadModels::examine(&data)).await?;
    let by_itself = "nothing to do: they are built from the log when the server starts";
    let (position, leaf_hash, unproven) = match found {
        Err(error) => bail!("{error}; {by_itself}"),
        Ok(Found::Nothing) => {
            return Ok("none yet; they are built from the log when the server starts".to_owned());
        }
        Ok(Found::OtherVersion) => bail!("they are those of another version of kundwebb; {by_itself}"),
        Ok(Found::Damaged(reason)) => bail!("they are damaged ({reason}); {by_itself}"),
        Ok(Found::At { position, leaf_hash, unproven }) => (position, leaf_hash, unproven),
    };
    let (log, place) = (opened(log)?, config.log_place()?);
    if let Some(before) = position.checked_sub(1) {
        let events = log.events_after(before, 1).await?;
        let stands = events.first().is_some_and(|event| event.leaf_hash == leaf_hash);
        ensure!(
            stands,
            "they have seen an event at position {position} that the log does not hold: {place} is older than they are, or \
             has lost its end; {}. If this log is all there is, `kundwebb read-model rebuild` takes it as it is",
            restoring(&place)
        );
    }
    let yet = if unproven { "; not compared with it yet: a server does that beside its work" } else { "" };
    Ok(format!("they show position {position} of {}{yet}", log.head().await?.position))
}

/// Whether the file store can be used, and every file that a case names is there and as large as it must be.
async fn files(log: Opened<'_>, config: &Config) -> anyhow::Result<String> {
    let place = config.files_place()?;
    // That the data folder can be written is asked above.
    if !matches!(place, Place::Data(_)) {
        storage(&FileStore::open(&place)?).await?;
    }
    let log = opened(log)?;
    let store = FileStore::open(&place)?;
    let objects = store.objects().map_ok(|object| (object.id, object.size));
    let objects: HashMap<AttachmentId, u64> =
        objects.try_collect().await.map_err(|error| said(&store, &error))?;
    let (mut count, mut missing, mut damaged) = (0_usize, Vec::new(), Vec::new());
    let mut named = NamedFiles::of(log);
    while let Some(files) = named.next().await? {
        count += files.len();
        for (id, file) in files {
            match objects.get(&id) {
                None => missing.push(id),
                Some(size) if *size != stored_size(file.size) => damaged.push(id),
                Some(_) => {}
            }
        }
    }
    for (what, ids) in [("missing", &missing), ("not as large as they must be", &damaged)] {
        if let Some(first) = ids.first() {
            bail!(
                "{} of the {count} files that cases name are {what} in {place}, the first is {first}; copy them from the \
                 files/ of a backup",
                ids.len()
            );
        }
    }
    let alone = if matches!(place, Place::Data(_)) && config.log_place()?.is_shared() {
        ". Only this node has them: where there are more, set files.store to s3://BUCKET or a folder that all see"
    } else {
        ""
    };
    Ok(format!("the {count} files that cases name are in {place}{alone}"))
}

/// Whether objects can be written, found, read and deleted.
pub(super) async fn storage(store: &FileStore) -> anyhow::Result<()> {
    store.probe().await.map_err(|error| said(store, &error))
}

fn said(store: &FileStore, error: &FileError) -> anyhow::Error {
    anyhow::anyhow!("{}", describe(store, error))
}

/// Whether the way out is open, what waits and what has failed.
async fn post(log: Opened<'_>, config: &Config) -> anyhow::Result<String> {
    let way = mail::post::check(config).await;
    let counts = match log {
        Ok(log) => log.delivery_counts().await?,
        Err(_) => return way.map_err(anyhow::Error::msg),
    };
    let waiting = format!("{} sent, {} waiting, {} given up", counts.sent, counts.due, counts.failed);
    let trouble = counts.last_trouble.map(|reply| format!("; the last trouble: {reply}")).unwrap_or_default();
    let way = way.map_err(|reason| {
        anyhow::anyhow!(
            "{reason}; {waiting}{trouble}. Check the settings under [mail] and the mail server; what waits is sent when it \
             answers"
        )
    })?;
    // One that is on its way for the first time has no trouble yet.
    ensure!(
        counts.retrying == 0 || trouble.is_empty(),
        "{} could not be sent yet ({waiting}){trouble}. They are tried again for five days; look at the mail server",
        counts.retrying
    );
    Ok(format!("{way}; {waiting}{trouble}"))
}

/// Whether mails are held since the log was put back.
async fn held(log: Opened<'_>) -> anyhow::Result<String> {
    let log = opened(log)?;
    if let Some(reason) = log.meta(HELD).await? {
        let due = log.delivery_counts().await?.due;
        bail!(
            "mails are held, {due} wait: {reason}. They may have been sent since; when they shall leave, run `kundwebb deliveries \
             release`"
        );
    }
    Ok("none held".to_owned())
}

/// Whether it can be recorded who is shown what, and everything that the log has bound is there.
async fn read_log(log: Opened<'_>, config: &Config) -> anyhow::Result<String> {
    let log = opened(log)?;
    let head = infrastructure::read_log::probe(log.reads()).await.with_context(|| {
        format!(
            "it cannot be recorded who reads what, so that only a reporter's own cases are shown; {}",
            if matches!(config.log_place(), Ok(log::place::Place::Sqlite(_))) {
                "make reads.db in the data folder writable for the user that runs kundwebb, and make room on its disk"
            } else {
                "run `kundwebb log create` with the login that owns the database, and look whether it can be written"
            }
        )
    })?;
    let bound = bound_reads(log).await?;
    ensure!(
        head.position >= bound.last(),
        "the log has bound {} readings, and only {} are there; put the read log back from a backup, and keep what \
         `kundwebb log verify` says",
        bound.last(),
        head.position
    );
    Ok(format!("{} readings, of which the log has bound {}; it can be written", head.position, bound.last()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_must_commit_to_a_standby_unless_one_server_is_meant() {
        let keeping = |commit: &str, names: &str, standbys: &[&str], hidden| Keeping {
            synchronous_commit: commit.to_owned(),
            standby_names: names.to_owned(),
            standbys: standbys.iter().map(|&name| name.to_owned()).collect(),
            hidden,
            sessions: true,
        };
        let refused = |keeping: &Keeping, single| kept(keeping, single).unwrap_err().to_string();
        for weak in ["off", "local", "remote_write"] {
            assert!(
                refused(&keeping(weak, "*", &["b"], 0), false).contains("synchronous_commit = on"),
                "{weak}"
            );
        }
        assert!(refused(&keeping("off", "", &[], 0), true).contains("synchronous_commit = on"));
        assert!(refused(&keeping("on", "", &[], 0), false).contains("single_database = true"));
        assert!(refused(&keeping("on", "b", &[], 0), false).contains("Start it"));
        assert!(refused(&keeping("on", "b", &[], 1), false).contains("pg_read_all_stats"));
        assert!(kept(&keeping("on", "", &[], 0), true).unwrap().contains("one server alone"));
        assert!(kept(&keeping("remote_apply", "b", &["b"], 0), false).unwrap().contains("and of b"));
    }
}
