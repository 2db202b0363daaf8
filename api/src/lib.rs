//! What people and systems meet: the pages, the JSON API, the mails and the command line.

pub mod app;
pub mod assets;
pub mod backup;
pub mod cli;
pub mod config;
pub mod content;
pub mod demo;
pub mod download;
pub mod employers;
pub mod failure;
pub mod fields;
pub mod format;
pub mod identity;
pub mod limits;
pub mod mail;
pub mod markdown;
pub mod multipart;
pub mod named_files;
pub mod operations;
pub mod pages;
pub mod payroll;
pub mod reactions;
pub mod requests;
pub mod scanning;
pub mod server;
pub mod tasks;
pub mod telemetry;
pub mod texts;
pub mod trace;
pub mod v1;

pub use app::App;
pub use config::Config;
pub use failure::Failure;
