//! The JSON API under `/api/v1`, after the national REST API profile.
