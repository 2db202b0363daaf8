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
            channel: self.channel,
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

    /// Whose case it becomes: the person's who is named; else the customer's own; else nobody's.
    fn reporter(&self, context: &Context<'_>) -> Option<PersonId> {
        self.on_behalf_of.or(context.actor.role.is_customer().then_some(context.actor.person))
    }

    fn check(&self, context: &Context<'_>) -> Result<(), Refusal> {
        let mut errors = FieldErrors::default();
        match (context.actor.role, self.on_behalf_of) {
            (Role::Requester, Some(_)) if self.topic.needs_file() => {}
            (role, Some(_)) if role.is_customer() => {
                errors.push(FieldError::new("/reporter", Code::ReporterRefused));
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::testing::*;
    use crate::files::MEGABYTE;
    use crate::{Actor, Area, CaseCommand, Status};

    fn filed(create: Create) -> CaseCommand {
        CaseCommand::Create(create)
    }

    #[test]
    fn an_employee_files_a_case_of_their_own() {
        let files = vec![file(1, 10)];
        given(&[])
            .when(&reporter(), filed(create(economy(), files.clone())))
            .then(&[received(economy(), &files)]);
    }

    /// Section 3.3 of the requirements: who is authorised sends decisions and documents for others, and nothing else.
    #[test]
    fn a_requester_sends_a_decision_for_somebody_else() {
        let requester = actor(Role::Requester, 8);
        let files = vec![file(1, 10)];
        let for_another =
            |topic, files| filed(Create { on_behalf_of: Some(person(9)), ..create(topic, files) });
        let event = given(&[]).when(&requester, for_another(decision(), files.clone())).event();
        let Event::CaseReceived { reporter, registered_by, .. } = event else { panic!("{event:?}") };
        assert_eq!((reporter, registered_by), (Some(person(9)), requester.person));
        given(&[])
            .when(&requester, for_another(economy(), files.clone()))
            .then_wrong(&[("/reporter", Code::ReporterRefused)]);
        for role in [Role::Employee, Role::EmployerAdministrator] {
            given(&[])
                .when(&actor(role, 8), for_another(decision(), files.clone()))
                .then_wrong(&[("/reporter", Code::ReporterRefused)]);
        }
    }

    /// K7 on this path: *beslut/underlag* must have a file.
    #[test]
    fn a_decision_without_a_file_is_refused() {
        given(&[])
            .when(&reporter(), filed(create(decision(), vec![])))
            .then_wrong(&[("/attachments", Code::FileRequired)]);
        let files = vec![file(1, 10)];
        given(&[])
            .when(&reporter(), filed(create(decision(), files.clone())))
            .then(&[received(decision(), &files)]);
    }

    #[test]
    fn an_officer_files_for_a_caller_by_phone() {
        let by_phone =
            Create { channel: Channel::Telefon, on_behalf_of: Some(person(9)), ..create(economy(), vec![]) };
        let event = given(&[]).when(&officer(), filed(by_phone.clone())).event();
        let Event::CaseReceived { reporter: whose, registered_by, channel, .. } = event else {
            panic!("{event:?}")
        };
        assert_eq!((whose, registered_by, channel), (Some(person(9)), officer().person, Channel::Telefon));
        given(&[])
            .when(&officer(), filed(Create { on_behalf_of: None, ..by_phone.clone() }))
            .then_wrong(&[("/reporter", Code::ReporterMissing)]);
        given(&[])
            .when(&reporter(), filed(by_phone))
            .then_wrong(&[("/reporter", Code::ReporterRefused), ("/channel", Code::ChannelRefused)]);
    }

    #[test]
    fn a_system_files_for_somebody_or_for_nobody() {
        for on_behalf_of in [None, Some(person(9))] {
            let by_system = Create { channel: Channel::Api, on_behalf_of, ..create(economy(), vec![]) };
            let event = given(&[]).when(&system(), filed(by_system)).event();
            let Event::CaseReceived { reporter, registered_by, .. } = event else { panic!("{event:?}") };
            assert_eq!((reporter, registered_by), (on_behalf_of, system().person));
        }
    }

    #[test]
    fn who_may_not_file() {
        given(&[]).when(&auditor(), filed(create(economy(), vec![]))).then_refused(Refusal::Forbidden);
        let elsewhere = Actor { employers: Some(vec![]), ..reporter() };
        given(&[]).when(&elsewhere, filed(create(economy(), vec![]))).then_refused(Refusal::Forbidden);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let wrong =
            Create { follows_up: Some(number(3)), channel: Channel::Telefon, ..create(decision(), vec![]) };
        given(&[]).employer_uses(&[Area::Ekonomi]).when(&system(), filed(wrong)).then_wrong(&[
            ("/channel", Code::ChannelRefused),
            ("/area", Code::AreaNotAvailable),
            ("/attachments", Code::FileRequired),
            ("/followsUp", Code::NumberUnknown),
        ]);
    }

    #[test]
    fn files_have_limits() {
        let many = (1..=11).map(|number| file(number, 1)).collect();
        given(&[])
            .when(&reporter(), filed(create(economy(), many)))
            .then_wrong(&[("/attachments", Code::FileMany)]);
        let big = (1..=3).map(|number| file(number, 17 * MEGABYTE)).collect();
        given(&[])
            .when(&reporter(), filed(create(economy(), big)))
            .then_wrong(&[("/attachments", Code::FileTotal)]);
    }

    #[test]
    fn a_case_goes_on_from_one_that_the_caller_may_see() {
        let following = || filed(Create { follows_up: Some(number(7)), ..create(economy(), vec![]) });
        let event = given(&[]).followed(&in_closed()).when(&reporter(), following()).event();
        assert!(
            matches!(event, Event::CaseReceived { follows_up: Some(followed), .. } if followed == number(7))
        );
        given(&[])
            .followed(&in_closed())
            .when(&actor(Role::Employee, 8), following())
            .then_wrong(&[("/followsUp", Code::NumberUnknown)]);
    }

    #[test]
    fn a_case_is_received_once() {
        given(&in_received())
            .when(&reporter(), filed(create(economy(), vec![])))
            .then_refused(Refusal::WrongPhase(Status::Received));
    }
}
