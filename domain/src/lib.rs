//! The case rules of Kundwebb. Everything here is a pure function of its arguments: no I/O, no clock,
//! no randomness, no async. What only the outside can give comes in as [`Context`].

pub mod access;
pub mod calendar;
pub mod case;
pub mod case_number;
pub mod content;
pub mod employer;
pub mod event;
pub mod files;
pub mod ids;
pub mod notification;
pub mod organisation_number;
pub mod payroll_form;
pub mod payroll_period;
pub mod person;
pub mod reading;
pub mod refusal;
pub mod satisfaction;
pub mod scope;
pub mod service_status;
pub mod settings;
pub mod text;
pub mod topic;
pub mod vocabulary;

mod context;
mod luhn;

pub use access::{Actor, Role};
pub use case::{Case, CaseCommand, Status};
pub use case_number::CaseNumber;
pub use context::Context;
pub use event::{Event, Sealed};
pub use ids::{AttachmentId, CaseId, PersonId, StreamId};
pub use organisation_number::OrganisationNumber;
pub use reading::Reading;
pub use refusal::{FieldError, Refusal};
pub use topic::Topic;
pub use vocabulary::{Area, Channel, Language, NoteKind, SubArea, System};
