//! Create: a case comes in (*Inkommit*) from an employee, an officer on behalf of a caller, or a system.

use crate::access::{Action, Role, Standing, may};
use crate::case::commands::parts;
use crate::case::{Case, allow, readable};
use crate::case_number::CaseNumber;
use crate::context::Context;
use crate::event::{Event, Question, Sealed};
use crate::files::UploadedFile;
use crate::ids::PersonId;
use crate::organisation_number::OrganisationNumber;
use crate::refusal::{Code, FieldError, FieldErrors, Refusal};
use crate::text::{Body, Subject};
use crate::topic::Topic;
use crate::vocabulary::{Channel, Language};

/// Files a new case.
#[derive(Clone, Debug)]
pub struct Create {
    /// The employer that the case belongs to.
    pub employer: OrganisationNumber,
    /// What it is about.
    pub topic: Topic,
    /// The subject line.
    pub subject: Subject,
    /// The message.
    pub message: Body,
    /// The files.
    pub files: Vec<UploadedFile>,
    /// The language of the reporter.
    pub language: Language,
    /// An earlier case that this one goes on from.
    pub follows_up: Option<CaseNumber>,
    /// How it came in.
    pub channel: Channel,
    /// The person on whose behalf the caller reports; none when the caller is the reporter.
    pub on_behalf_of: Option<PersonId>,
}

impl Create {
    pub(crate) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        let reporter = self.reporter(context);
        let standing = Standing {
            employer: self.employer,
            area: self.topic.area(),
            reporter,
            registered_by: context.actor.person,
        };
        allow(may(context.actor, Action::Create, &standing))?;
        if let Some(status) = case.status() {
            return Err(Refusal::WrongPhase(status));
        }
        self.check(context)?;
        let (attachment_ids, stored_files, files) = parts(&self.files);
        Ok(vec![Event::CaseReceived {
            case_number: context.next_number,
            employer: self.employer,
            area: self.topic.area(),
            sub_area: self.topic.sub_area(),
            system: self.topic.system(),
            channel: self.channel,
            follows_up: self.follows_up,
            reporter,
            registered_by: context.actor.person,
            language: self.language,
            attachment_ids,
            stored_files,
            personal: Sealed::Open(Question {
                subject: self.subject.clone(),
                message: self.message.clone(),
                files,
            }),
        }])
    }

    /// Whose case it becomes: the employee's own; the person named by an officer or a system; else nobody's.
    fn reporter(&self, context: &Context<'_>) -> Option<PersonId> {
        if context.actor.role == Role::Employee { Some(context.actor.person) } else { self.on_behalf_of }
    }

    fn check(&self, context: &Context<'_>) -> Result<(), Refusal> {
        let mut errors = FieldErrors::default();
        match (context.actor.role, self.on_behalf_of) {
            (Role::Employee, Some(_)) => errors.push(FieldError::new("/reporter", Code::ReporterRefused)),
            (Role::Officer, None) => errors.push(FieldError::new("/reporter", Code::ReporterMissing)),
            _ => {}
        }
        if self.channel == Channel::Telefon && context.actor.role != Role::Officer {
            errors.push(FieldError::new("/channel", Code::ChannelRefused));
        }
        if context.employer_areas.is_some_and(|areas| !areas.contains(&self.topic.area())) {
            errors.push(
                FieldError::new("/area", Code::AreaNotAvailable)
                    .with("employer", self.employer)
                    .with("area", self.topic.area()),
            );
        }
        if self.topic.needs_file() && self.files.is_empty() {
            errors.push(FieldError::new("/attachments", Code::FileRequired));
        }
        errors.take(context.limits.check(&self.files, 0));
        if self.follows_up.is_some()
            && context.followed.is_none_or(|case| readable(context.actor, case).is_err())
        {
            errors.push(FieldError::new("/followsUp", Code::NumberUnknown));
        }
        errors.finish().map_err(Refusal::Fields)
    }
}
