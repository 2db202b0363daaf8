//! The real program on disks and folders that fail it: full, broken, torn, put back, and stopped in the middle.

mod backup;
mod check;
mod damage;
mod failing_calls;
mod full;
mod holding;
mod secrecy;
mod stopping;
