//! Operational status (*driftstatus*): notices of disruptions and planned maintenance, visible to all.

use crate::vocabulary::vocabulary;

vocabulary! {
    /// What a notice tells of.
    NoticeKind {
        /// Something does not work (*driftstörning*).
        Disruption = "disruption",
        /// Something will be closed (*planerat underhåll*).
        Maintenance = "maintenance",
    }
}
