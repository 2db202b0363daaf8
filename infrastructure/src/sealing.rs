//! Sealed content: XChaCha20-Poly1305 with a random nonce before the ciphertext. The associated data binds a sealed
//! part to its place.
//!
//! The construction is that of draft-irtf-cfrg-xchacha: HChaCha20 makes a key of the first 16 bytes of the nonce, and
//! ChaCha20-Poly1305 (RFC 8439) of AWS-LC seals with it and the rest; on short texts it is four times as fast as the
//! one in pure Rust, which the tests hold it against.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use chacha20::{R20, hchacha};
use domain::StreamId;

use crate::random;

/// Length of the nonce that stands before the ciphertext.
pub const NONCE_BYTES: usize = 24;
/// Length of the tag that stands after it.
pub const TAG_BYTES: usize = 16;

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
        let mut sealed = Vec::with_capacity(NONCE_BYTES + plain.len() + TAG_BYTES);
        sealed.extend_from_slice(&nonce);
        self.seal_onto(&mut sealed, &nonce, plain, place);
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
        let mut sealed = Vec::with_capacity(plain.len() + TAG_BYTES);
        self.seal_onto(&mut sealed, nonce, plain, place);
        sealed
    }

    #[expect(clippy::expect_used, reason = "nothing but a text of 256 GB can fail")]
    fn seal_onto(&self, sealed: &mut Vec<u8>, nonce: &[u8; NONCE_BYTES], plain: &[u8], place: &[u8]) {
        let begin = sealed.len();
        sealed.extend_from_slice(plain);
        let (key, nonce) = self.inner(nonce);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(place), &mut sealed[begin..]);
        sealed.extend_from_slice(tag.expect("a text that fits").as_ref());
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
        let mut plain = ciphertext.to_vec();
        let (key, nonce) = self.inner(nonce);
        let length = key.open_in_place(nonce, Aad::from(place), &mut plain).map_err(|_| SealError)?.len();
        plain.truncate(length);
        Ok(plain)
    }

    /// The key and the nonce of the inner cipher.
    #[expect(clippy::expect_used, reason = "the key has the length that the cipher asks for")]
    fn inner(&self, nonce: &[u8; NONCE_BYTES]) -> (LessSafeKey, Nonce) {
        let [first, rest] = [&nonce[..16], &nonce[16..]];
        let mut input = [0; 16];
        input.copy_from_slice(first);
        let key = hchacha::<R20>(&self.0.into(), &input.into());
        let mut inner = [0; 12];
        inner[4..].copy_from_slice(rest);
        let key = UnboundKey::new(&CHACHA20_POLY1305, &key).expect("32 bytes");
        (LessSafeKey::new(key), Nonce::assume_unique_for_key(inner))
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
    use chacha20poly1305::aead::{Aead, KeyInit, Payload};
    use chacha20poly1305::{XChaCha20Poly1305, XNonce};
    use uuid::Uuid;

    use super::*;

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
    /// What is stored is XChaCha20-Poly1305, byte for byte, whatever computes it.
    #[test]
    fn the_bytes_are_those_of_another_implementation() {
        for length in [0_usize, 1, 15, 16, 17, 63, 64, 65, 300, 5000] {
            let (key, nonce) = (Key::random(), random::bytes::<NONCE_BYTES>());
            let plain: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
            let other = XChaCha20Poly1305::new(&(*key.bytes()).into());
            let payload = Payload { msg: &plain, aad: b"place" };
            let sealed = other.encrypt(&XNonce::from(nonce), payload).unwrap();
            assert_eq!(key.seal_with(&nonce, &plain, b"place"), sealed);
            assert_eq!(key.open_with(&nonce, &sealed, b"place").unwrap(), plain);
        }
    }
}
