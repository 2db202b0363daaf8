//! What a file store does, one suite for every place: a folder, a bucket, and a bucket that others use too.

use std::path::PathBuf;

use domain::refusal::Code;
use objects::{BUCKET, KEY, Objects, REGION, SECRET};

use super::*;

const PDF: &[u8] = b"%PDF-1.7\n";
/// More than two parts of a bucket.
const LARGE: usize = 2 * PART + 3 * CHUNK + 7;

/// A place of its own.
struct Town {
    store: FileStore,
    /// Where its objects can be laid hands on.
    folder: PathBuf,
    server: Option<Objects>,
    _kept: Option<tempfile::TempDir>,
}

impl Town {
    fn folder() -> Self {
        let kept = tempfile::tempdir().unwrap();
        let place = Place::Data(kept.path().to_path_buf());
        let store = FileStore::open(&place).unwrap();
        Self { store, folder: place.folder().unwrap(), server: None, _kept: Some(kept) }
    }

    fn bucket() -> Self {
        Self::in_bucket("")
    }

    fn prefix() -> Self {
        Self::in_bucket("a/b")
    }

    fn in_bucket(prefix: &str) -> Self {
        let server = Objects::threads().unwrap();
        let store = reached(&server, prefix, SECRET);
        Self { store, folder: server.bucket().join(prefix), server: Some(server), _kept: None }
    }

    fn object(&self, id: AttachmentId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// What lies there, finished or not.
    fn left(&self) -> usize {
        match &self.server {
            Some(server) => server.objects().unwrap().len() + server.unfinished().unwrap(),
            None => std::fs::read_dir(&self.folder).unwrap().count(),
        }
    }

    async fn until_nothing_is_left(&self) {
        let waiting = async {
            while self.left() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("something is left");
    }
}

fn reached(server: &Objects, prefix: &str, secret: &str) -> FileStore {
    let settings = AmazonS3Builder::new()
        .with_endpoint(server.endpoint())
        .with_allow_http(true)
        .with_region(REGION)
        .with_access_key_id(KEY)
        .with_secret_access_key(secret);
    let place = Place::Bucket { bucket: BUCKET.to_owned(), prefix: prefix.to_owned() };
    FileStore::bucket(&place, settings).unwrap()
}

fn content(
    bytes: &[u8],
    piece: usize,
) -> impl Stream<Item = Result<Bytes, &'static str>> + Unpin + Send + use<> {
    let pieces: Vec<_> = bytes.chunks(piece.max(1)).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    futures::stream::iter(pieces)
}

fn pdf(length: usize) -> Vec<u8> {
    let mut plain = PDF.to_vec();
    plain.resize(length, b'k');
    plain
}

async fn stored(town: &Town, length: usize) -> UploadedFile {
    town.store.store("Lön mars.pdf", content(&pdf(length), 70_000), FileLimits::default()).await.unwrap()
}

async fn whole(store: &FileStore, card: &FileCard) -> Result<Vec<u8>, FileError> {
    let parts: Vec<Bytes> = store.read(card).await?.try_collect().await?;
    Ok(parts.concat())
}

async fn a_file_comes_back_as_it_went_in_and_lies_encrypted(town: Town) {
    for length in [10, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 300_000, PART - 1, LARGE] {
        let file = stored(&town, length).await;
        let id = file.card.attachment_id;
        assert_eq!(file.card.size, length as u64);
        assert_eq!(file.card.sha256, hex::encode(Sha256::digest(pdf(length))));
        assert!(whole(&town.store, &file.card).await.unwrap() == pdf(length), "{length}");
        let object = std::fs::read(town.object(id)).unwrap();
        assert_eq!(object.len() as u64, stored_size(length as u64));
        assert_eq!(town.store.size(id).await.unwrap(), Some(object.len() as u64));
        assert_eq!(file.stored.stored_sha256, hex::encode(Sha256::digest(&object)));
        assert_eq!(town.store.digest(id).await.unwrap(), Some(file.stored.stored_sha256));
        assert!(!object.windows(8).any(|window| window == b"kkkkkkkk"));
    }
    assert_eq!(town.left(), 8);
}

async fn a_stored_file_that_was_cut_short_or_changed_is_noticed(town: Town) {
    let file = stored(&town, 2 * CHUNK + 5).await;
    let path = town.object(file.card.attachment_id);
    let object = std::fs::read(&path).unwrap();
    let mut changed = object.clone();
    changed[CHUNK + 100] ^= 1;
    for damaged in [&object[..2 * (CHUNK + TAG)], &changed] {
        std::fs::write(&path, damaged).unwrap();
        assert!(matches!(whole(&town.store, &file.card).await, Err(FileError::Damaged(_))));
    }
}

async fn what_is_refused_leaves_nothing_behind(town: Town) {
    let limits = FileLimits { file_bytes: LARGE as u64 - 1, ..FileLimits::default() };
    for (name, bytes, code) in [
        ("tom.pdf", Vec::new(), Code::FileEmpty),
        ("stor.pdf", pdf(LARGE), Code::FileBig),
        ("program.exe", b"MZ..".to_vec(), Code::FileType),
        ("forklädd.pdf", b"MZ not a pdf".to_vec(), Code::FileType),
        ("utan", PDF.to_vec(), Code::FileType),
    ] {
        let error = town.store.store(name, content(&bytes, 70_000), limits).await.unwrap_err();
        assert!(matches!(error, FileError::Refused(ref error) if error.code == code), "{name}: {error}");
    }
    for before in [10, LARGE] {
        let parts = content(&pdf(before), 70_000).chain(futures::stream::iter([Err("gone")]));
        let cut = town.store.store("a.pdf", parts, FileLimits::default()).await;
        assert!(matches!(cut, Err(FileError::CutOff(_))));
    }
    town.until_nothing_is_left().await;
}

/// The handler is dropped while the file is on its way.
async fn what_is_dropped_in_the_middle_leaves_nothing_behind(town: Town) {
    let sent = Arc::new(tokio::sync::Notify::new());
    let stuck = {
        let sent = Arc::clone(&sent);
        futures::stream::once(async move {
            sent.notify_one();
            std::future::pending::<Result<Bytes, &'static str>>().await
        })
    };
    let parts = Box::pin(content(&pdf(LARGE), 70_000).chain(stuck));
    let mut storing = Box::pin(town.store.store("a.pdf", parts, FileLimits::default()));
    tokio::select! {
        _ = &mut storing => panic!("it has an end"),
        () = sent.notified() => {}
    }
    assert!(town.left() > 0, "something is on its way");
    drop(storing);
    town.until_nothing_is_left().await;
}

async fn objects_are_found_and_deleted(town: Town) {
    let (one, two) = (stored(&town, 10).await, stored(&town, 2000).await);
    let [one, two] = [one, two].map(|file| file.card.attachment_id);
    std::fs::write(town.folder.join("something else"), "x").unwrap();
    let mut found: Vec<Object> = town.store.objects().try_collect().await.unwrap();
    found.sort_by_key(|object| object.size);
    assert_eq!(
        found.iter().map(|object| (object.id, object.size)).collect::<Vec<_>>(),
        [(one, stored_size(10)), (two, stored_size(2000))]
    );
    for _ in 0..2 {
        town.store.delete(one).await.unwrap();
        assert!(!town.store.holds(one).await.unwrap() && town.store.holds(two).await.unwrap());
        assert_eq!(
            (town.store.digest(one).await.unwrap(), town.store.size(one).await.unwrap()),
            (None, None)
        );
    }
    let card = stored(&town, 10).await.card;
    town.store.delete(card.attachment_id).await.unwrap();
    assert!(matches!(whole(&town.store, &card).await, Err(FileError::Damaged(_))));
}

/// Not what others keep beside ours, and not what is young.
async fn what_lies_there_for_long_is_told(town: Town) {
    let file = stored(&town, 10).await;
    let at = town.store.objects().try_next().await.unwrap().unwrap().at;
    let (before, after) = (at - chrono::TimeDelta::hours(1), at + chrono::TimeDelta::hours(1));
    std::fs::write(town.folder.join("something else"), "x").unwrap();
    assert_eq!(town.store.sweep(before, before).await.unwrap(), (0, vec![]));
    assert_eq!(town.store.sweep(before, after).await.unwrap(), (0, vec![file.card.attachment_id]));
    if town.server.is_none() {
        let half = town.folder.join(format!("{}#1", file.card.attachment_id));
        std::fs::write(&half, "x").unwrap();
        assert_eq!(town.store.sweep(before, before).await.unwrap(), (0, vec![]), "on its way in");
        assert_eq!(town.store.sweep(after, before).await.unwrap(), (1, vec![]));
        std::fs::write(&half, "x").unwrap();
        let shared = FileStore::local(&town.folder).unwrap();
        assert_eq!(shared.sweep(after, before).await.unwrap().0, 0, "it may be another node's");
    }
}

async fn a_copy_is_what_the_other_store_holds_or_is_not_taken(town: Town) {
    for other in [Town::folder(), Town::bucket()] {
        for length in [10, LARGE] {
            let file = stored(&other, length).await;
            let (id, digest) = (file.card.attachment_id, file.stored.stored_sha256);
            let wrong = town.store.take(&other.store, id, Some("ab")).await;
            assert!(matches!(wrong, Err(FileError::Damaged(_))));
            assert!(!town.store.holds(id).await.unwrap());
            let taken = town.store.take(&other.store, id, Some(&digest)).await.unwrap();
            assert_eq!(taken.as_ref(), Some(&digest));
            assert!(whole(&town.store, &file.card).await.unwrap() == pdf(length));
        }
        let unknown = AttachmentId(random::id());
        assert_eq!(town.store.take(&other.store, unknown, None).await.unwrap(), None);
    }
    assert_eq!(town.left(), 4);
}

async fn a_probe_leaves_nothing(town: Town) {
    town.store.probe().await.unwrap();
    assert_eq!(town.left(), 0);
}

/// Every test at every place.
macro_rules! everywhere {
    ($($test:ident),+ $(,)?) => {
        mod folder { $(#[tokio::test(flavor = "multi_thread")] async fn $test() { super::$test(super::Town::folder()).await; })+ }
        mod bucket { $(#[tokio::test(flavor = "multi_thread")] async fn $test() { super::$test(super::Town::bucket()).await; })+ }
        mod prefix { $(#[tokio::test(flavor = "multi_thread")] async fn $test() { super::$test(super::Town::prefix()).await; })+ }
    };
}

everywhere![
    a_file_comes_back_as_it_went_in_and_lies_encrypted,
    a_stored_file_that_was_cut_short_or_changed_is_noticed,
    what_is_refused_leaves_nothing_behind,
    what_is_dropped_in_the_middle_leaves_nothing_behind,
    objects_are_found_and_deleted,
    what_lies_there_for_long_is_told,
    a_copy_is_what_the_other_store_holds_or_is_not_taken,
    a_probe_leaves_nothing,
];

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_away_or_refuses_says_which() {
    let town = Town::bucket();
    let file = stored(&town, LARGE).await;
    let server = town.server.as_ref().unwrap();
    let refused = reached(server, "", "another").probe().await.unwrap_err();
    assert!(matches!(refused, FileError::Denied(_)), "{refused}");
    server.kill().unwrap();
    let id = file.card.attachment_id;
    let away: [FileError; 5] = [
        town.store.probe().await.unwrap_err(),
        town.store.holds(id).await.unwrap_err(),
        town.store.delete(id).await.unwrap_err(),
        town.store.store("a.pdf", content(PDF, 9), FileLimits::default()).await.unwrap_err(),
        whole(&town.store, &file.card).await.unwrap_err(),
    ];
    assert!(away.iter().all(|error| matches!(error, FileError::Store(_))), "{away:?}");
    server.run().unwrap();
    assert!(whole(&town.store, &file.card).await.unwrap() == pdf(LARGE));
}

#[test]
fn names_are_made_safe() {
    for (name, safe) in [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\Åsa\\lön.pdf", "lön.pdf"),
        ("a\u{202e}fdp.exe", "afdp.exe"),
        ("a\u{61c}b\u{2028}c\u{2029}d\u{2066}e.pdf", "abcde.pdf"),
        ("a\0\t\u{7f}\u{9b}b.pdf", "ab.pdf"),
        ("rad\r\nbrytning.pdf", "radbrytning.pdf"),
        ("", "fil"),
        ("..", "fil"),
        (".. .", "fil"),
        (". .a.pdf ", "a.pdf"),
    ] {
        assert_eq!(safe_name(name), safe);
    }
    assert_eq!(safe_name(&format!("{}.pdf", "x".repeat(500))).chars().count(), NAME_MAX);
}
