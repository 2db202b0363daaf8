//! The read log on both engines.
