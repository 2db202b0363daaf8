//! The HTTP API, black box: one module a promise of its contract.

mod description;
mod feed;
mod headers;
mod idempotency;
mod life;
mod lists;
mod order;
mod past;
mod phases;
mod poison;
mod rights;
mod systems;
mod uploads;
