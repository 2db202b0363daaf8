//! Whether a log holds what clients were told, once, and is in itself what the design promises (P1–P3, P6, P9). It shares
//! no code with the service: what both would get wrong in the same way, it would not see.

pub mod check;
pub mod log;
pub mod records;

pub use check::{Tally, check};
