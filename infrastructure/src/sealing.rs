//! Sealed content: XChaCha20-Poly1305 with a random nonce before the ciphertext. The associated data binds a sealed
//! part to its place.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use domain::StreamId;

use crate::random;

/// Length of the nonce that stands before the ciphertext.
pub const NONCE_BYTES: usize = 24;

/// A symmetric key. Never shown.
#[derive(Clone)]
pub struct Key([u8; 32]);

/// A sealed part that does not open: wrong key, wrong place, or damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed content does not open with this key at this place")]
pub struct SealError;

impl Key {
    /// A key of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A new random key.
    pub fn random() -> Self {
        Self(random::bytes())
    }

    /// The bytes, for wrapping.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals `plain`, bound to `place`.
    pub fn seal(&self, plain: &[u8], place: &[u8]) -> Vec<u8> {
        let nonce = random::bytes::<NONCE_BYTES>();
        let mut sealed = nonce.to_vec();
        sealed.extend(self.seal_with(&nonce, plain, place));
        sealed
    }

    /// Opens what was sealed at `place`.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open(&self, sealed: &[u8], place: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_BYTES).ok_or(SealError)?;
        self.open_with(nonce.try_into().map_err(|_| SealError)?, ciphertext, place)
    }

    /// Seals with a nonce that the caller makes sure is used once.
    pub fn seal_with(&self, nonce: &[u8; NONCE_BYTES], plain: &[u8], place: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: plain, aad: place };
        self.cipher().encrypt(&XNonce::from(*nonce), payload).unwrap_or_default()
    }

    /// Opens with a known nonce.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open_with(
        &self,
        nonce: &[u8; NONCE_BYTES],
        ciphertext: &[u8],
        place: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let payload = Payload { msg: ciphertext, aad: place };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| SealError)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// The associated data of an event's sealed part: stream, version, type.
pub fn place(stream: StreamId, version: u64, type_name: &str) -> Vec<u8> {
    let mut place = stream.0.as_bytes().to_vec();
    place.extend(version.to_be_bytes());
    place.extend(type_name.as_bytes());
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn opens_only_with_the_key_at_the_place() {
        let key = Key::random();
        let here = place(StreamId(Uuid::from_u128(1)), 1, "CaseReceived");
        let sealed = key.seal("åäö".as_bytes(), &here);
        assert_eq!(key.open(&sealed, &here).unwrap(), "åäö".as_bytes());
        for other in [
            place(StreamId(Uuid::from_u128(2)), 1, "CaseReceived"),
            place(StreamId(Uuid::from_u128(1)), 2, "CaseReceived"),
            place(StreamId(Uuid::from_u128(1)), 1, "CaseClosed"),
        ] {
            assert_eq!(key.open(&sealed, &other), Err(SealError));
        }
        assert_eq!(Key::random().open(&sealed, &here), Err(SealError));
        for length in 0..sealed.len() {
            assert_eq!(key.open(&sealed[..length], &here), Err(SealError));
        }
    }
}
