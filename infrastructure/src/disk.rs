//! How much room there is where the data folder lies.

use std::path::Path;

/// Bytes that this user may still write.
///
/// # Errors
/// When the file system does not tell.
pub fn free_bytes(folder: &Path) -> std::io::Result<u64> {
    fs4::available_space(folder)
}

/// Bytes of the whole file system.
///
/// # Errors
/// When the file system does not tell.
pub fn all_bytes(folder: &Path) -> std::io::Result<u64> {
    fs4::total_space(folder)
}
