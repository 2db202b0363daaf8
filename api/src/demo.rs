//! The demo: fictional employers, persons to be, and cases made by running the real commands.

pub mod employers;
pub mod persons;

use crate::Config;

/// Fills an empty data folder.
///
/// # Errors
/// When the folder cannot be used.
pub async fn fill(_config: &Config, _say: impl Fn(&str)) -> anyhow::Result<()> {
    Ok(())
}
