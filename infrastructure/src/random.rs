//! The only place where chance is asked for: keys, nonces and ids.

use rand::RngCore;
use uuid::Uuid;

/// Random bytes of a generator fit for keys (ChaCha12), one a thread, seeded again and again by the operating system.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

/// A new id, ordered by time (UUIDv7, RFC 9562).
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn id() -> Uuid {
    Uuid::now_v7()
}
