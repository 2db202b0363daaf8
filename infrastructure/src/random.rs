//! The only place where chance is asked for: keys, nonces and ids.

use uuid::Uuid;

/// Random bytes of the operating system.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
#[expect(
    clippy::expect_used,
    reason = "without randomness nothing may be sealed; the operating system always has some"
)]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A new id, ordered by time (UUIDv7, RFC 9562).
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn id() -> Uuid {
    Uuid::now_v7()
}
