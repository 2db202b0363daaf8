//! The HTTP API, black box: one module a promise of its contract.

mod description;
mod life;
