//! Which scope an operation of the API needs: one each, in one table. What is in no line is for nobody who has scopes.

use domain::scope::Scope;
use domain::scope::Scope::{CaseRead, CaseWrite, EventRead};

/// Every operation that somebody must be known for.
pub const TABLE: &[(&str, &str, Scope)] = &[
    ("GET", "/cases", CaseRead),
    ("POST", "/cases", CaseWrite),
    ("GET", "/cases/{caseId}", CaseRead),
    ("POST", "/cases/{caseId}/assign", CaseWrite),
    ("GET", "/cases/{caseId}/attachments", CaseRead),
    ("POST", "/cases/{caseId}/attachments", CaseWrite),
    ("GET", "/cases/{caseId}/attachments/{attachmentId}", CaseRead),
    ("POST", "/cases/{caseId}/close", CaseWrite),
    ("POST", "/cases/{caseId}/messages", CaseWrite),
    ("POST", "/cases/{caseId}/notes", CaseWrite),
    ("POST", "/cases/{caseId}/reclassify", CaseWrite),
    ("POST", "/cases/{caseId}/request-information", CaseWrite),
    ("POST", "/cases/{caseId}/start-processing", CaseWrite),
    ("GET", "/cases/{caseId}/timeline", CaseRead),
    ("GET", "/employers", CaseRead),
    ("GET", "/events", EventRead),
    ("GET", "/services", CaseRead),
    ("GET", "/statistics", CaseRead),
    ("POST", "/uploads", CaseWrite),
];

/// The scope that an operation needs, by its method and the template of its path.
pub fn needed(method: &str, path: &str) -> Option<Scope> {
    // The router answers one like the other.
    let method = if method == "HEAD" { "GET" } else { method };
    TABLE.iter().find(|row| (row.0, row.1) == (method, path)).map(|row| row.2)
}
