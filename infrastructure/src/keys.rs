//! The installation's keys: the master key, which never lies in the database, what is derived from it, and the
//! key that signs tokens.

pub mod former;

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use domain::access::Role;
use domain::event::Profile;
use domain::text::Email;
use domain::{OrganisationNumber, PersonId};
use ed25519_dalek::{SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use self::former::Former;
use crate::random;
use crate::sealing::{Key, SealError};

const MASTER: &str = "master.key";
const TOKEN: &str = "token.key";
/// The files in which an installation's keys lie; beside them may be that of the former keys of tokens,
/// [`former::FORMER`].
pub const KEY_FILES: [&str; 2] = [MASTER, TOKEN];

/// All files in which keys may lie.
pub const ALL_KEY_FILES: [&str; 3] = [MASTER, TOKEN, former::FORMER];

/// The keys of an installation. Cheap to clone is not needed: shared in an `Arc`.
pub struct Keys {
    master: Key,
    /// Wraps the keys of streams.
    wrapping: Key,
    token: SigningKey,
    /// Those that signed tokens before.
    former: Vec<Former>,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A key file cannot be read or written.
    #[error("the key file {path} cannot be used: {reason}")]
    File {
        /// Which file.
        path: String,
        /// What the operating system says, or what is wrong with the content.
        reason: String,
    },
}

impl Keys {
    /// Reads `master.key` and `token.key` in a folder, or makes them (mode 0600) where `may_create` allows it.
    ///
    /// # Errors
    /// When a file cannot be read, made, or is not a key; a key that is missing where the log already has events
    /// must not be made anew.
    pub fn open(folder: &Path, may_create: bool) -> Result<Self, KeyError> {
        let master = Key::new(read_or_create(&folder.join(MASTER), may_create)?);
        Ok(Self {
            wrapping: Key::new(derive(&master, "purpose", &[b"wrap"])),
            token: SigningKey::from_bytes(&read_or_create(&folder.join(TOKEN), may_create)?),
            former: former::read(folder)?,
            master,
        })
    }

    /// Makes another key that signs tokens; the one before still verifies what it signed. Each file is whole at every moment,
    /// and wherever this is cut off the keys that are there go on.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn rotate_token(folder: &Path, now: DateTime<Utc>) -> Result<Self, KeyError> {
        let before = Self::open(folder, false)?;
        let own = Former::of(&before.token, now);
        let failed = |path: &str, error: std::io::Error| KeyError::File {
            path: folder.join(path).display().to_string(),
            reason: error.to_string(),
        };
        let kept = before.former.into_iter().filter(|former| former.until > now && former.key != own.key);
        let former: Vec<Former> = kept.chain([own.clone()]).collect();
        former::write(folder, &former).map_err(|error| failed(former::FORMER, error))?;
        replace(&folder.join(TOKEN)).map_err(|error| failed(TOKEN, error))?;
        Self::open(folder, false)
    }

    /// Removes the former keys whose tokens have all expired; gives how many.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn forget_former(&mut self, folder: &Path, now: DateTime<Utc>) -> std::io::Result<usize> {
        let before = self.former.len();
        self.former.retain(|former| former.until > now);
        let forgotten = before - self.former.len();
        if forgotten > 0 {
            former::write(folder, &self.former)?;
        }
        Ok(forgotten)
    }

    /// Tells two master keys apart without telling the key.
    pub fn master_fingerprint(&self) -> String {
        hex::encode(&self.derive("fingerprint", &[])[..16])
    }

    /// Tells two keys that sign tokens apart without telling the key.
    pub fn token_fingerprint(&self) -> String {
        fingerprint(&self.token.verifying_key())
    }

    /// Whether tokens were signed with a key before, by what tells it from others.
    pub fn was_token(&self, other: &str) -> bool {
        self.former.iter().any(|former| fingerprint(&former.key) == other)
    }

    /// The key that signs tokens.
    pub const fn token(&self) -> &SigningKey {
        &self.token
    }

    /// The keys that signed tokens before, newest last.
    pub fn former(&self) -> &[Former] {
        &self.former
    }

    /// A key for one purpose, derived from the master key.
    pub fn purpose(&self, purpose: &str) -> Key {
        Key::new(self.derive("purpose", &[purpose.as_bytes()]))
    }

    /// HMAC-SHA-256 under the master key over a label and length-prefixed parts.
    pub fn derive(&self, label: &str, parts: &[&[u8]]) -> [u8; 32] {
        derive(&self.master, label, parts)
    }

    /// An id (UUIDv8) that always comes out the same for the same parts, and cannot be turned back.
    pub fn derived_id(&self, label: &str, parts: &[&[u8]]) -> Uuid {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.derive(label, parts)[..16]);
        Uuid::new_v8(bytes)
    }

    /// As [`Keys::derived_id`], in order of the time to which it belongs, to the millisecond: rows that are added
    /// together then lie together.
    pub fn derived_id_at(&self, at: DateTime<Utc>, label: &str, parts: &[&[u8]]) -> Uuid {
        let mut bytes = *self.derived_id(label, parts).as_bytes();
        bytes[..6].copy_from_slice(&at.timestamp_millis().to_be_bytes()[2..]);
        Uuid::new_v8(bytes)
    }

    /// The pseudonym of a person's login.
    pub fn login(&self, subject: &str) -> PersonId {
        PersonId(self.derived_id("login", &[subject.as_bytes()]))
    }

    /// The pseudonym of a caller. The name of a system is nobody's login, though it may read the same.
    pub fn pseudonym(&self, role: Role, subject: &str) -> PersonId {
        match role {
            Role::System => PersonId(self.derived_id("system", &[subject.as_bytes()])),
            _ => self.login(subject),
        }
    }

    /// The pseudonym of somebody known by employer and e-mail address only.
    pub fn caller(&self, employer: OrganisationNumber, email: &Email) -> PersonId {
        PersonId(self.derived_id("caller", &[employer.as_str().as_bytes(), email.key().as_bytes()]))
    }

    /// Tells a change of a profile without telling the profile.
    pub fn profile_fingerprint(&self, role: Role, profile: &Profile) -> String {
        let text = serde_json::to_vec(profile).unwrap_or_default();
        hex::encode(&self.derive("profile", &[role.code().as_bytes(), &text])[..16])
    }

    /// Wraps the key of a stream for the database.
    pub fn wrap(&self, key: &Key, stream: Uuid) -> Vec<u8> {
        self.wrapping.seal(key.bytes(), stream.as_bytes())
    }

    /// Unwraps the key of a stream.
    ///
    /// # Errors
    /// When it was wrapped by another master key, for another stream, or was damaged.
    pub fn unwrap(&self, wrapped: &[u8], stream: Uuid) -> Result<Key, SealError> {
        let bytes = self.wrapping.open(wrapped, stream.as_bytes())?;
        Ok(Key::new(<[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| SealError)?))
    }
}

fn fingerprint(key: &VerifyingKey) -> String {
    hex::encode(&Sha256::digest(key.as_bytes())[..16])
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
/// HMAC-SHA-256 under a key over a label and length-prefixed parts.
pub(crate) fn derive(key: &Key, label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).expect("any length");
    for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn read_or_create(path: &Path, may_create: bool) -> Result<[u8; 32], KeyError> {
    let failed = |reason: String| KeyError::File { path: path.display().to_string(), reason };
    if !path.exists() && may_create {
        create(path).map_err(|error| failed(error.to_string()))?;
    }
    let text = fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => failed("it is missing; put it back from where it is kept".to_owned()),
        _ => failed(error.to_string()),
    })?;
    let bytes =
        hex::decode(text.trim()).map_err(|_| failed("it does not hold 64 hexadecimal digits".to_owned()))?;
    <[u8; 32]>::try_from(bytes.as_slice())
        .map_err(|_| failed("it does not hold 64 hexadecimal digits".to_owned()))
}

/// Makes a key file whole or not at all, and durable before anything is sealed with it. Where two make it at once, the
/// first one's stands.
fn create(path: &Path) -> std::io::Result<()> {
    match fresh(path)?.persist_noclobber(path) {
        Err(error) if error.error.kind() != ErrorKind::AlreadyExists => return Err(error.error),
        _ => {}
    }
    fs::File::open(folder_of(path))?.sync_all()
}

/// Puts another key in the place of one, whole or not at all.
fn replace(path: &Path) -> std::io::Result<()> {
    fresh(path)?.persist(path).map_err(|error| error.error)?;
    fs::File::open(folder_of(path))?.sync_all()
}

/// A new key in a file beside `path`: for its owner alone, under a name of its own.
fn fresh(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut part = tempfile::NamedTempFile::new_in(folder_of(path))?;
    part.write_all(hex::encode(random::bytes::<32>()).as_bytes())?;
    part.as_file().sync_all()?;
    Ok(part)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn keys_are_made_once_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let made = Keys::open(folder.path(), true).unwrap();
        for name in ["master.key", "token.key"] {
            let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
        for may_create in [true, false] {
            let again = Keys::open(folder.path(), may_create).unwrap();
            assert_eq!(again.master_fingerprint(), made.master_fingerprint());
            assert_eq!(again.token().to_bytes(), made.token().to_bytes());
        }
    }

    #[test]
    fn all_who_make_the_keys_at_once_have_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let start = Barrier::new(8);
        let made = || {
            start.wait();
            let keys = Keys::open(folder.path(), true).unwrap();
            (keys.master_fingerprint(), keys.token().to_bytes())
        };
        let all: Vec<_> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..8).map(|_| scope.spawn(made)).collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).collect()
        });
        let stored = Keys::open(folder.path(), false).unwrap();
        let stored = (stored.master_fingerprint(), stored.token().to_bytes());
        assert!(all.iter().all(|keys| *keys == stored));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn a_lost_or_damaged_key_is_said_in_words_and_never_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        Keys::open(folder.path(), true).unwrap();
        let path = folder.path().join("master.key");
        let said = || Keys::open(folder.path(), false).err().unwrap().to_string();
        for damaged in ["", "abc", &"g".repeat(64), &"a".repeat(62)] {
            fs::write(&path, damaged).unwrap();
            assert!(said().contains("master.key") && said().contains("64 hexadecimal digits"), "{}", said());
            assert!(Keys::open(folder.path(), true).is_err(), "a key file that is there is never replaced");
        }
        fs::remove_file(&path).unwrap();
        assert!(said().contains("master.key") && said().contains("it is missing"), "{}", said());
        assert!(!path.exists());
    }

    #[test]
    fn another_key_signs_after_a_rotation_and_the_one_before_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let first = Keys::open(folder.path(), true).unwrap();
        let now = DateTime::from_timestamp(1_764_150_000, 0).unwrap();
        let second = Keys::rotate_token(folder.path(), now).unwrap();
        let mut third = Keys::rotate_token(folder.path(), now + chrono::TimeDelta::days(1)).unwrap();
        let all = [&first, &second, &third].map(Keys::token_fingerprint);
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
        assert_eq!(first.master_fingerprint(), third.master_fingerprint());
        assert_eq!(all.clone().map(|key| third.was_token(&key)), [true, true, false]);
        let mode = |name| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(ALL_KEY_FILES.map(mode), [0o600; 3]);
        // The first has expired, the second not yet.
        let later = third.former()[0].until;
        assert_eq!(third.forget_former(folder.path(), later).unwrap(), 1);
        let again = Keys::open(folder.path(), false).unwrap();
        assert_eq!(all.map(|key| again.was_token(&key)), [false, true, false]);
        assert_eq!(third.forget_former(folder.path(), later).unwrap(), 0);
    }

    #[test]
    fn a_wrapped_key_opens_for_its_stream_and_under_its_master_key_only() {
        let [one, other] = [(); 2].map(|()| Keys::open(tempfile::tempdir().unwrap().path(), true).unwrap());
        let (key, stream) = (Key::random(), Uuid::from_u128(1));
        let wrapped = one.wrap(&key, stream);
        assert_eq!(one.unwrap(&wrapped, stream).unwrap().bytes(), key.bytes());
        assert!(one.unwrap(&wrapped, Uuid::from_u128(2)).is_err());
        assert!(other.unwrap(&wrapped, stream).is_err());
        assert!(one.unwrap(&wrapped[1..], stream).is_err());
        assert_ne!(one.master_fingerprint(), other.master_fingerprint());
    }

    #[test]
    fn derived_ids_are_steady_and_told_apart_by_where_their_parts_end() {
        let keys = Keys::open(tempfile::tempdir().unwrap().path(), true).unwrap();
        assert_eq!(keys.login("anna"), keys.login("anna"));
        assert_ne!(keys.login("anna"), keys.login("Anna"));
        assert_eq!(keys.pseudonym(Role::Officer, "anna"), keys.login("anna"));
        assert_ne!(keys.pseudonym(Role::System, "anna"), keys.login("anna"));
        assert_ne!(keys.derived_id("x", &[b"ab", b"c"]), keys.derived_id("x", &[b"a", b"bc"]));
        assert_ne!(keys.derived_id("x", &[b"ab"]), keys.derived_id("xab", &[]));
        let [first, second] = [1_763_900_000_000, 1_763_900_000_001]
            .map(|at| DateTime::from_timestamp_millis(at).unwrap())
            .map(|at| [b"a", b"b"].map(|part| keys.derived_id_at(at, "x", &[part])));
        assert!(first.iter().max() < second.iter().min() && first[0] != first[1]);
    }
}
