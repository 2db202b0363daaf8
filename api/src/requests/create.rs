//! The body of Create, and what becomes of it: the command, the person on whose behalf it is, the case it follows.

use domain::access::Role;
use domain::case::commands::Create;
use domain::case_number::CaseNumberError;
use domain::files::UploadedFile;
use domain::person::SeePerson;
use domain::refusal::{Code, FieldErrors};
use domain::text::{Body, Email, PersonName, Subject};
use domain::topic::demands_file;
use domain::{Area, CaseNumber, Channel, FieldError, Language, OrganisationNumber, SubArea};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::{App, Caller};
use crate::fields::Fields;
use crate::requests::{choice, topic};

/// Longest login, characters.
const LOGIN_MAX: usize = 255;

/// A new case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct CreateRequest {
    /// Organisation number of the employer.
    #[schema(required = true, nullable = false)]
    pub employer: Option<String>,
    /// `lon`, `ekonomi`, `e-handel` or `it-tjanstestod`.
    #[schema(required = true, nullable = false)]
    pub area: Option<String>,
    /// `supportarende` or `beslut-underlag` (which needs a file); mandatory for `lon`, refused elsewhere.
    pub sub_area: Option<String>,
    /// `pol-mintid`, `palasso`, `primula`, `agresso`, `visma-proceedo` or `annat`; mandatory for `it-tjanstestod`.
    pub system: Option<String>,
    /// At most 200 characters, without a personal identity number.
    #[schema(required = true, nullable = false)]
    pub subject: Option<String>,
    /// At most 10 000 characters.
    #[schema(required = true, nullable = false)]
    pub message: Option<String>,
    /// Ids of staged files.
    #[schema(required = false)]
    pub attachments: Vec<String>,
    /// `sv` (when absent) or `en`: the language of the mails.
    pub language: Option<String>,
    /// The number of an earlier case that this one goes on from.
    pub follows_up: Option<String>,
    /// `telefon` when an officer registers a call; otherwise absent.
    pub channel: Option<String>,
    /// On whose behalf: mandatory from officers, optional from systems, refused from employees.
    pub reporter: Option<ReporterRequest>,
}

/// The person on whose behalf a case is created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ReporterRequest {
    /// The person's login, where it is known.
    pub subject: Option<String>,
    /// The person's name.
    #[schema(required = true, nullable = false)]
    pub name: Option<String>,
    /// The person's e-mail address; mails about the case go there.
    #[schema(required = true, nullable = false)]
    pub email: Option<String>,
}

/// A parsed [`CreateRequest`].
#[derive(Clone, Debug)]
pub struct Created {
    /// The command; its `followed` case is looked up by the number that it names.
    pub command: Create,
    /// The person on whose behalf it is.
    pub see: Option<SeePerson>,
}

impl CreateRequest {
    /// Reads it from JSON.
    pub fn read(fields: &mut Fields) -> Self {
        Self {
            employer: fields.text("employer"),
            area: fields.text("area"),
            sub_area: fields.text("subArea"),
            system: fields.text("system"),
            subject: fields.text("subject"),
            message: fields.text("message"),
            attachments: fields.texts("attachments"),
            language: fields.text("language"),
            follows_up: fields.text("followsUp"),
            channel: fields.text("channel"),
            reporter: fields.object("reporter", |reporter| ReporterRequest {
                subject: reporter.text("subject"),
                name: reporter.text("name"),
                email: reporter.text("email"),
            }),
        }
    }

    /// The command that `caller` gives by it, with the staged files; `channel` is the door that it came through.
    ///
    /// # Errors
    /// Everything that is wrong with the fields.
    pub fn parse(
        &self,
        app: &App,
        caller: &Caller,
        files: Vec<UploadedFile>,
        channel: Channel,
    ) -> Result<Created, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let employer = OrganisationNumber::parse(self.employer.as_deref().unwrap_or_default());
        let employer =
            errors.take(employer.ok_or_else(|| FieldError::new("/employer", Code::EmployerMissing)));
        let codes = (self.area.as_deref(), self.sub_area.as_deref(), self.system.as_deref());
        let topic = topic(&mut errors, codes);
        let subject = errors.take(Subject::parse(self.subject.as_deref().unwrap_or_default(), "/subject"));
        let message = self.message.as_deref().unwrap_or_default();
        let message = errors.take(Body::parse(message, "/message", Code::MessageMissing));
        if self.demands_file() && self.attachments.is_empty() && files.is_empty() {
            errors.push(FieldError::new("/attachments", Code::FileRequired));
        }
        let language = self.language(&mut errors);
        let follows_up = self.follows_up(&mut errors);
        let channel = self.channel(&mut errors, channel);
        let reporter = self.reporter(&mut errors, caller);
        let (Some(employer), Some(topic), Some(subject), Some(message), true) =
            (employer, topic, subject, message, errors.is_empty())
        else {
            return Err(errors.into_inner());
        };
        let see = reporter.map(|(login, name, email)| {
            app.reporter(caller.actor.role, employer, login.as_deref(), name, email)
        });
        let on_behalf_of = see.as_ref().map(|person| person.id);
        let command =
            Create { employer, topic, subject, message, files, language, follows_up, channel, on_behalf_of };
        Ok(Created { command, see })
    }

    /// Whether a file is mandatory, whatever else may be wrong.
    fn demands_file(&self) -> bool {
        let area = self.area.as_deref().map(str::trim).and_then(Area::parse);
        let sub_area = self.sub_area.as_deref().map(str::trim).and_then(SubArea::parse);
        area.is_some_and(|area| demands_file(area, sub_area))
    }

    fn language(&self, errors: &mut FieldErrors) -> Language {
        let Some(code) = self.language.as_deref() else { return Language::Sv };
        let language =
            Language::parse(code).ok_or_else(|| FieldError::new("/language", Code::LanguageUnknown));
        errors.take(language).unwrap_or(Language::Sv)
    }

    /// The door's channel, unless an officer says that it was a call; the command checks who may.
    fn channel(&self, errors: &mut FieldErrors, door: Channel) -> Channel {
        let named = choice(errors, self.channel.as_deref(), Channel::parse, "/channel").unwrap_or(door);
        if named != door && named != Channel::Telefon {
            errors.push(FieldError::new("/channel", Code::ChannelRefused));
        }
        named
    }

    fn follows_up(&self, errors: &mut FieldErrors) -> Option<CaseNumber> {
        let number = self.follows_up.as_deref().map(str::trim).filter(|number| !number.is_empty())?;
        errors.take(CaseNumber::parse(number).map_err(|error| {
            let code = match error {
                CaseNumberError::CheckDigit => Code::NumberCheck,
                CaseNumberError::Form => Code::NumberUnknown,
            };
            FieldError::new("/followsUp", code)
        }))
    }

    fn reporter(
        &self,
        errors: &mut FieldErrors,
        caller: &Caller,
    ) -> Option<(Option<String>, PersonName, Email)> {
        let Some(reporter) = &self.reporter else {
            if caller.actor.role == Role::Officer {
                errors.push(FieldError::new("/reporter", Code::ReporterMissing));
            }
            return None;
        };
        let for_another = caller.actor.role == Role::Requester && self.demands_file();
        if caller.actor.role.is_customer() && !for_another {
            errors.push(FieldError::new("/reporter", Code::ReporterRefused));
            return None;
        }
        let login = reporter.subject.as_deref().map(str::trim).filter(|login| !login.is_empty());
        // By whom somebody logs in, only officers and systems know.
        if login.is_some() && for_another {
            errors.push(FieldError::new("/reporter/subject", Code::ReporterRefused));
            return None;
        }
        if login.is_some_and(|login| login.chars().count() > LOGIN_MAX || login.chars().any(char::is_control))
        {
            errors.push(FieldError::new("/reporter/subject", Code::FieldValue));
            return None;
        }
        let name = PersonName::parse(reporter.name.as_deref().unwrap_or_default(), "/reporter/name");
        let email = Email::parse(reporter.email.as_deref().unwrap_or_default(), "/reporter/email");
        let (name, email) = (errors.take(name), errors.take(email));
        Some((login.map(str::to_owned), name?, email?))
    }
}
