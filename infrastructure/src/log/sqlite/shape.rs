//! The shape of `log.db` as its first page describes it, looked at before the engine opens it. What a torn copy or a
//! file cut short has lost is seen from outside only: the engine would move what the WAL holds into it and fill the
//! holes with zeros. The form is that of <https://www.sqlite.org/fileformat2.html>.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::log::LogError;
use crate::log::sqlite::{FILE, unavailable};

/// How a SQLite file begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Bytes of the header of the file.
const HEADER: usize = 100;
/// Bytes of the header of the WAL.
const WAL_HEADER: usize = 32;
/// Bytes before each page in the WAL.
const FRAME_HEADER: usize = 24;
/// How the WAL begins; the last bit tells the byte order of its sums.
const WAL_MAGIC: u32 = 0x377f_0682;
/// Bytes of the header of a journal.
const JOURNAL_HEADER: usize = 28;
/// What the header of a file says that is written with a WAL.
const WITH_WAL: u8 = 2;
/// How often a file that changes while it is looked at is looked at again.
const LOOKS: usize = 200;
/// How often it must look wrong, unchanged, before it is called so.
const SURE: usize = 3;
/// How long it is waited between two looks.
const REST: Duration = Duration::from_millis(5);
/// What is left of an installation in a folder whose log is not there.
const TRACES: [&str; 5] = ["log.db-wal", "reads.db", "restoring", "restored", "keys.db"];

/// Checks that every page that the file says to have is in it, or waits in the WAL to be moved into it. To be called before
/// the process has a connection that it writes with: closing a file lets go of the process's locks on it.
///
/// # Errors
/// [`LogError::Damaged`] with what is missing.
pub(super) fn check(path: &Path) -> Result<(), LogError> {
    looked(path, || look(path))
}

/// What a look finds. Beside a process that writes, one may see the file and the WAL at different times, or a part of the WAL
/// before and a part after it was written over: what is wrong must be so in several looks during which nothing changes.
pub(super) fn looked(path: &Path, look: impl Fn() -> Result<(), LogError>) -> Result<(), LogError> {
    let mut sure = 0;
    for _ in 0..LOOKS {
        let before = state(path);
        let found = look();
        sure = if before == state(path) { sure + 1 } else { 0 };
        if !matches!(found, Err(LogError::Damaged(_))) || sure == SURE {
            return found;
        }
        std::thread::park_timeout(REST);
    }
    look()
}

/// What changes when somebody writes: the length and the time of both files, and the round of the WAL.
fn state(path: &Path) -> impl PartialEq + use<> {
    let of = |path: &Path| std::fs::metadata(path).ok().map(|file| (file.len(), file.modified().ok()));
    (of(path), of(&beside(path, "-wal")), wal_round(path))
}

fn look(path: &Path) -> Result<(), LogError> {
    let size = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unavailable(&error)),
    };
    // The engine makes the file before it writes the first page, and no WAL before that.
    if size == 0 {
        return if wal_size(path) == 0 { Ok(()) } else { Err(cut_short(size, HEADER as u64)) };
    }
    let header = header(path, size)?;
    let page = page_size(&header)?;
    if size > page && header[18] == WITH_WAL && is_stray(&beside(path, "-journal"))? {
        return Err(LogError::Damaged(
            "log.db-journal is no part of the log, which is written without one: move it out of the folder"
                .to_owned(),
        ));
    }
    let wal = Wal::read(&beside(path, "-wal"), page)?;
    let told = u64::from(integer(&header[28..]));
    let pages = wal.pages_after.unwrap_or(told);
    let lost = (size / page + 1..=pages).find(|number| !wal.pages.contains(number));
    if lost.is_some() {
        return Err(cut_short(size, pages * page));
    }
    // The log only grows.
    if pages < told { Err(older()) } else { Ok(()) }
}

fn header(path: &Path, size: u64) -> Result<[u8; HEADER], LogError> {
    let mut header = [0; HEADER];
    match File::open(path).and_then(|mut file| file.read_exact(&mut header)) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Err(cut_short(size, HEADER as u64)),
        read => read.map(|()| header).map_err(|error| unavailable(&error)),
    }
}

/// What the WAL beside a file holds.
///
/// # Errors
/// When either cannot be read.
pub(super) fn wal(path: &Path) -> Result<Wal, LogError> {
    let page = page_size(&header(path, size_of(path))?)?;
    Wal::read(&beside(path, "-wal"), page)
}

/// What tells a round of the WAL from the one that was written over it.
pub(super) fn wal_round(path: &Path) -> Option<[u8; 8]> {
    let mut header = [0; WAL_HEADER];
    File::open(beside(path, "-wal")).and_then(|mut file| file.read_exact(&mut header)).ok()?;
    header[16..24].try_into().ok()
}

/// Whether a journal would be rolled back into a file that is written with a WAL. The only one that belongs to such a file
/// is that of the change to a WAL, which holds the first page as it was before.
fn is_stray(journal: &Path) -> Result<bool, LogError> {
    if size_of(journal) == 0 {
        return Ok(false);
    }
    let mut file = BufReader::new(File::open(journal).map_err(|error| unavailable(&error))?);
    let mut header = [0; JOURNAL_HEADER];
    let mut record = [0; 4 + HEADER];
    let mut is_change = read_whole(&mut file, &mut header)?;
    if is_change {
        // The header fills a sector.
        let rest = u64::from(integer(&header[20..])).saturating_sub(JOURNAL_HEADER as u64);
        std::io::copy(&mut file.by_ref().take(rest), &mut std::io::sink())
            .map_err(|error| unavailable(&error))?;
        is_change = read_whole(&mut file, &mut record)?;
    }
    Ok(!is_change || integer(&record) != 1 || record[4 + 18] == WITH_WAL)
}

/// How long the WAL beside the file is, bytes.
pub(super) fn wal_size(path: &Path) -> u64 {
    size_of(&beside(path, "-wal"))
}

fn size_of(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

/// What there is to say of a WAL that does not follow on the file.
pub(super) fn older() -> LogError {
    LogError::Damaged(
        "log.db-wal is older than log.db, and moving it there would take away what came since: put back a copy that was \
         taken whole (`kundwebb backup`), or the log.db-wal that belongs to log.db; if it was put there by mistake, move it \
         out of the folder"
            .to_owned(),
    )
}

/// Checks that a log that is not there may be made: that nothing in the folder tells of one.
///
/// # Errors
/// [`LogError::Damaged`] that names the trace.
pub fn may_be_made(folder: &Path) -> Result<(), LogError> {
    let there = std::fs::metadata(folder.join(FILE)).is_ok_and(|file| file.len() > 0);
    if there || !folder.exists() {
        return Ok(());
    }
    let mut trace = TRACES.iter().map(|name| folder.join(name)).find(|path| path.exists());
    trace = trace.or_else(|| read_models(folder)).or_else(|| first(&folder.join("files"), |_| true));
    let mail = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "eml");
    trace = trace.or_else(|| first(&folder.join("mail"), mail));
    trace.map_or(Ok(()), |trace| {
        Err(LogError::Damaged(format!(
            "log.db is missing in {}, though {} tells that there was one",
            folder.display(),
            trace.file_name().unwrap_or_default().to_string_lossy()
        )))
    })
}

/// A file of read models in a folder.
pub(super) fn read_models(folder: &Path) -> Option<PathBuf> {
    first(folder, |path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("read-") && name.ends_with(".db")
    })
}

fn first(folder: &Path, is_wanted: impl Fn(&PathBuf) -> bool) -> Option<PathBuf> {
    std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).find(is_wanted)
}

fn cut_short(size: u64, wanted: u64) -> LogError {
    LogError::Damaged(format!(
        "log.db has {size} bytes of {wanted}: it was cut short, or copied while it was written"
    ))
}

fn page_size(header: &[u8; HEADER]) -> Result<u64, LogError> {
    let no_log = |what: &str| LogError::Damaged(format!("log.db is no log of kundwebb: {what}"));
    if &header[..MAGIC.len()] != MAGIC {
        return Err(no_log("its first bytes are others"));
    }
    match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => Ok(65_536),
        size if size.is_power_of_two() && size >= 512 => Ok(size),
        size => Err(no_log(&format!("it says that its pages have {size} bytes"))),
    }
}

/// What the WAL holds up to its last commit.
#[derive(Default)]
pub(super) struct Wal {
    /// The pages that it holds.
    pub pages: HashSet<u64>,
    /// How many commits it holds.
    pub commits: u64,
    /// How many pages the file has with it.
    pages_after: Option<u64>,
}

impl Wal {
    /// Reads it as the engine does when it recovers: up to the first frame that is of an older round, or whose sum is
    /// wrong. After that a crash leaves at most one commit, for each is synced before the next begins; more are commits
    /// that were acknowledged, and that the engine would drop without a word.
    fn read(path: &Path, page: u64) -> Result<Self, LogError> {
        let mut wal = Self::default();
        let Ok(file) = File::open(path) else { return Ok(wal) };
        let mut file = BufReader::new(file);
        let mut header = [0; WAL_HEADER];
        if !read_whole(&mut file, &mut header)? {
            return Ok(wal);
        }
        if header == [0; WAL_HEADER] {
            // The header is on the disk before the first frame: so a crash leaves nothing but zeros.
            return if only_zeros(&mut file)? { Ok(wal) } else { Err(damaged("its first bytes are gone")) };
        }
        let mut sum = Sum { big: integer(&header) & 1 == 1, parts: [0; 2] };
        sum.add(&header[..24]);
        if integer(&header) & !1 != WAL_MAGIC || sum.written() != header[24..] {
            return Err(damaged("its first bytes are others"));
        }
        let mut frame = vec![0; FRAME_HEADER + usize::try_from(page).unwrap_or_default()];
        let (mut waiting, mut whole, mut dropped) = (Vec::new(), true, 0);
        while read_whole(&mut file, &mut frame)? {
            let of_this_round = frame[8..16] == header[16..24];
            let committed = integer(&frame[4..]);
            if whole {
                sum.add(&frame[..8]);
                sum.add(&frame[FRAME_HEADER..]);
                whole = of_this_round && sum.written() == frame[16..FRAME_HEADER];
            }
            if whole {
                waiting.push(u64::from(integer(&frame)));
                if committed > 0 {
                    wal.pages.extend(waiting.drain(..));
                    wal.pages_after = Some(u64::from(committed));
                    wal.commits += 1;
                }
            } else if of_this_round && committed > 0 {
                dropped += 1;
            }
        }
        if dropped > 1 { Err(damaged(&format!("{dropped} commits in it cannot be read"))) } else { Ok(wal) }
    }
}

fn damaged(what: &str) -> LogError {
    LogError::Damaged(format!("log.db-wal is damaged: {what}. It may hold what was acknowledged last"))
}

/// The running sum of a WAL.
struct Sum {
    /// Whether its words are read with the most significant byte first.
    big: bool,
    parts: [u32; 2],
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let [mut one, mut other] = self.parts;
        for words in bytes.chunks_exact(8) {
            let [first, second] = [&words[..4], &words[4..]].map(|word| {
                let word = integer(word);
                if self.big { word } else { word.swap_bytes() }
            });
            one = one.wrapping_add(first).wrapping_add(other);
            other = other.wrapping_add(second).wrapping_add(one);
        }
        self.parts = [one, other];
    }

    /// As a header or a frame holds it.
    fn written(&self) -> [u8; 8] {
        let [one, other] = self.parts.map(u32::to_be_bytes);
        [one[0], one[1], one[2], one[3], other[0], other[1], other[2], other[3]]
    }
}

fn only_zeros(file: &mut impl BufRead) -> Result<bool, LogError> {
    loop {
        let bytes = file.fill_buf().map_err(|error| unavailable(&error))?;
        if bytes.is_empty() || bytes.iter().any(|byte| *byte != 0) {
            return Ok(bytes.is_empty());
        }
        let read = bytes.len();
        file.consume(read);
    }
}

/// Fills the buffer; false at the end of the file.
fn read_whole(file: &mut impl Read, buffer: &mut [u8]) -> Result<bool, LogError> {
    match file.read_exact(buffer) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true).map_err(|error| unavailable(&error)),
    }
}

fn integer(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(ending);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// A file with half of its pages in the WAL, as a running program has it.
    fn running() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join(FILE)).unwrap();
        let fill =
            "INSERT INTO t SELECT randomblob(3000) FROM (VALUES (1), (2), (3), (4), (5), (6), (7), (8))";
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode=WAL; CREATE TABLE t (b); {fill}; PRAGMA wal_checkpoint; {fill};"
            ))
            .unwrap();
        (folder, connection)
    }

    fn copy(from: &Path, to: &Path, name: &str, part: impl Fn(usize) -> usize) {
        let bytes = std::fs::read(from.join(name)).unwrap();
        std::fs::write(to.join(name), &bytes[..part(bytes.len())]).unwrap();
    }

    #[test]
    fn a_whole_file_is_whole_with_its_wal_and_at_its_last_checkpoint_without() {
        let (folder, _connection) = running();
        check(&folder.path().join(FILE)).unwrap();
        let other = tempfile::tempdir().unwrap();
        copy(folder.path(), other.path(), FILE, |all| all);
        check(&other.path().join(FILE)).unwrap();
    }

    #[test]
    fn a_file_copied_in_part_is_torn_even_where_a_wal_would_cover_it() {
        let (folder, _connection) = running();
        for part in [1, 3] {
            let other = tempfile::tempdir().unwrap();
            copy(folder.path(), other.path(), FILE, |all| all * part / 4);
            copy(folder.path(), other.path(), "log.db-wal", |all| all);
            let error = check(&other.path().join(FILE)).unwrap_err().to_string();
            assert!(error.contains("cut short"), "{error}");
        }
        let other = tempfile::tempdir().unwrap();
        copy(folder.path(), other.path(), FILE, |_| 50);
        assert!(check(&other.path().join(FILE)).is_err());
    }

    /// The pages at the end are in the WAL only: a checkpoint that was cut off looks so, and is no damage.
    #[test]
    fn what_a_checkpoint_had_not_moved_yet_is_no_damage() {
        let (folder, connection) = running();
        let other = tempfile::tempdir().unwrap();
        copy(folder.path(), other.path(), "log.db-wal", |all| all);
        let before = std::fs::metadata(folder.path().join(FILE)).unwrap().len();
        connection.execute_batch("PRAGMA wal_checkpoint").unwrap();
        copy(folder.path(), other.path(), FILE, |_| usize::try_from(before).unwrap());
        assert!(std::fs::metadata(folder.path().join(FILE)).unwrap().len() > before);
        check(&other.path().join(FILE)).unwrap();
        copy(folder.path(), other.path(), "log.db-wal", |all| all / 2);
        let (told, _) = (check(&other.path().join(FILE)), connection);
        assert!(told.unwrap_err().to_string().contains("cut short"));
    }

    #[test]
    fn a_journal_is_not_rolled_back_into_a_log() {
        let (folder, _connection) = running();
        let path = folder.path().join(FILE);
        std::fs::write(folder.path().join("log.db-journal"), b"").unwrap();
        check(&path).unwrap();
        std::fs::write(folder.path().join("log.db-journal"), b"x").unwrap();
        assert!(check(&path).unwrap_err().to_string().contains("log.db-journal is no part of the log"));
    }

    /// A backup is written without a WAL: when it is started, it is changed to one, and a crash may leave the journal of that.
    #[test]
    fn the_journal_of_the_change_to_a_wal_is_the_engines_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE t (b); INSERT INTO t VALUES (randomblob(9000));").unwrap();
        let journal = beside(&path, "-journal");
        connection.execute_batch("PRAGMA journal_mode=PERSIST; BEGIN; INSERT INTO t VALUES (1);").unwrap();
        // What the engine wrote before it changes the first page; its sum and count do not matter here.
        let before = std::fs::read(&path).unwrap();
        connection.execute_batch("COMMIT; PRAGMA journal_mode=DELETE; PRAGMA journal_mode=WAL;").unwrap();
        assert_eq!(std::fs::read(&path).unwrap()[18], WITH_WAL);
        let mut own = vec![0; 512];
        own[20..24].copy_from_slice(&512_u32.to_be_bytes());
        own.extend(1_u32.to_be_bytes());
        own.extend(&before[..4096]);
        std::fs::write(&journal, &own).unwrap();
        check(&path).unwrap();
        own[512 + 4 + 18] = WITH_WAL;
        std::fs::write(&journal, &own).unwrap();
        assert!(check(&path).is_err());
    }

    #[test]
    fn a_wal_that_tells_of_fewer_pages_than_the_file_is_older() {
        let (folder, connection) = running();
        let wal = std::fs::read(folder.path().join("log.db-wal")).unwrap();
        connection.execute_batch("INSERT INTO t VALUES (randomblob(30000)); PRAGMA wal_checkpoint").unwrap();
        let other = tempfile::tempdir().unwrap();
        copy(folder.path(), other.path(), FILE, |all| all);
        std::fs::write(other.path().join("log.db-wal"), wal).unwrap();
        let told = check(&other.path().join(FILE)).unwrap_err().to_string();
        assert!(told.contains("older than log.db"), "{told}");
    }

    /// One commit at the end may be half written; one that others follow was acknowledged.
    #[test]
    fn a_wal_that_was_damaged_is_no_end_of_the_log() {
        let (folder, connection) = running();
        for _ in 0..3 {
            connection.execute_batch("INSERT INTO t VALUES (randomblob(3000))").unwrap();
        }
        let whole = std::fs::read(folder.path().join("log.db-wal")).unwrap();
        let tells = |wal: &[u8]| {
            let other = tempfile::tempdir().unwrap();
            copy(folder.path(), other.path(), FILE, |all| all);
            std::fs::write(other.path().join("log.db-wal"), wal).unwrap();
            check(&other.path().join(FILE)).map_err(|error| error.to_string())
        };
        tells(&whole).unwrap();
        let changed = |at: usize| {
            let mut wal = whole.clone();
            wal[at] ^= 1;
            tells(&wal)
        };
        for at in [0, 10, 30, WAL_HEADER + 8, WAL_HEADER + FRAME_HEADER + 100, whole.len() / 2] {
            assert!(changed(at).unwrap_err().contains("log.db-wal is damaged"), "{at}");
        }
        changed(whole.len() - 1).unwrap();
        tells(&whole[..whole.len() - 100]).unwrap();
        tells(&[0; 4096]).unwrap();
        let headless = [&[0; WAL_HEADER], &whole[WAL_HEADER..]].concat();
        assert!(tells(&headless).unwrap_err().contains("log.db-wal is damaged"));
        tells(&[]).unwrap();
        drop(connection);
    }

    #[test]
    fn no_log_is_made_where_one_is_lost() {
        for trace in
            ["log.db-wal", "read-0123456789abcdef.db", "reads.db", "files/x", "restoring", "restored"]
        {
            let folder = tempfile::tempdir().unwrap();
            may_be_made(folder.path()).unwrap();
            std::fs::create_dir(folder.path().join("files")).unwrap();
            may_be_made(folder.path()).unwrap();
            std::fs::write(folder.path().join(trace), b"x").unwrap();
            assert!(
                may_be_made(folder.path()).unwrap_err().to_string().contains("log.db is missing"),
                "{trace}"
            );
            std::fs::write(folder.path().join(FILE), b"x").unwrap();
            may_be_made(folder.path()).unwrap();
        }
    }
}
