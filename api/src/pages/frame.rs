//! What stands around every page: language, title, menu, who is logged in, help. Templates reach the texts through it.

use std::borrow::Cow;
use std::fmt::Display;

use chrono::{DateTime, NaiveDate, Utc};
use domain::access::{Duty, Role};
use domain::calendar::{self, Opening};
use domain::vocabulary::Language;
use infrastructure::tokens::Identity;
use projections::services;
use uuid::Uuid;

use crate::pages::session::Left;
use crate::pages::{Visitor, failures};
use crate::texts::Text;
use crate::{App, Failure, assets, format};

/// The frame of a page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The language of the page.
    pub language: Language,
    /// The title of the page, without the name of the web.
    pub title: String,
    /// Whether the page tells of something that is wrong; its title then begins with it.
    pub error: bool,
    /// Path and query of the page, for coming back to it.
    pub address: String,
    /// Where one logs in to come back to the page.
    pub login: String,
    /// The name of who is logged in.
    pub person: Option<String>,
    /// Who is logged in, sealed for forms to carry; empty for nobody.
    pub owner: String,
    /// What tells a script that it is somebody else.
    pub owner_mark: Option<Uuid>,
    /// The role of who is logged in.
    pub role: Option<Role>,
    /// The role in words, of who has several.
    pub acting_as: Option<Text>,
    /// The name of the chosen employer.
    pub employer: Option<String>,
    /// How long the login lasts.
    pub left: Option<Left>,
    /// Whether anybody may choose who to be.
    pub demo: bool,
    /// Whether files that are attached are not scanned, for this is a demo.
    pub unscanned: bool,
    /// The centre's phone number.
    pub phone: String,
    /// Whether the centre is open now, in words.
    pub opening: String,
}

impl Frame {
    /// The frame of a page with a title, for a visitor.
    ///
    /// # Errors
    /// When the read models cannot be read.
    pub async fn new(app: &App, visitor: &Visitor, title: impl Display) -> Result<Self, Failure> {
        let language = visitor.language;
        // The centre's own work for every employer.
        let of_the_centre = visitor.role().is_some_and(|role| !role.is_customer());
        let employer = match visitor.employer.filter(|_| !of_the_centre) {
            Some(number) => app.query(move |tables| services::employer(tables, number)).await?,
            None => None,
        };
        let caller = visitor.caller().ok();
        let name = caller.map(|caller| &caller.identity);
        Ok(Self {
            language,
            title: title.to_string(),
            error: false,
            address: visitor.address.clone(),
            login: failures::way_in(visitor, &visitor.address),
            person: name.map(called),
            owner: caller.map(|caller| app.sealed_owner(caller.actor.person)).unwrap_or_default(),
            owner_mark: caller.map(|caller| app.owner_mark(caller.actor.person)),
            role: visitor.role(),
            acting_as: visitor
                .role()
                .filter(|_| !visitor.other_roles.is_empty())
                .map(|role| Text::new(language, format!("role-{role}"))),
            employer: employer.map(|employer| match language {
                Language::Sv => employer.name_sv,
                Language::En => employer.name_en,
            }),
            left: visitor.ends.map(|ends| Left::of(ends, app.clock.now())),
            demo: app.config.demo.enabled,
            unscanned: app.config.demo.enabled && app.scanning.scanner().is_none(),
            phone: app.config.phone.clone(),
            opening: opening(language, app.clock.now()),
        })
    }

    /// The same frame around a page that tells of something wrong.
    #[must_use]
    pub fn with_error(mut self, error: bool) -> Self {
        self.error = error;
        self
    }

    /// The text of a key.
    pub fn t(&self, key: impl Into<Cow<'static, str>>) -> Text {
        Text::new(self.language, key)
    }

    /// The word for a code of the domain, for example `area` and `lon`.
    pub fn word(&self, list: &str, code: impl Display) -> Text {
        self.t(format!("{list}-{code}"))
    }

    /// The address of an asset.
    pub fn asset(&self, name: &str) -> String {
        assets::asset_url(name)
    }

    /// A date in running text.
    pub fn date(&self, day: &NaiveDate) -> String {
        format::date(self.language, *day)
    }

    /// A moment in running text.
    pub fn moment(&self, at: &DateTime<Utc>) -> String {
        format::moment(self.language, *at)
    }

    /// The time of day.
    pub fn time(&self, at: &DateTime<Utc>) -> String {
        format::time(self.language, *at)
    }

    /// A moment in tables.
    pub fn moment_short(&self, at: &DateTime<Utc>) -> String {
        format::moment_short(self.language, *at)
    }

    /// A day in tables.
    pub fn day_short(&self, at: &DateTime<Utc>) -> String {
        format::date_short(format::day_of(*at))
    }

    /// The size of a file.
    pub fn size(&self, bytes: &u64) -> String {
        format::size(self.language, *bytes)
    }

    /// A number with its thousands apart.
    pub fn number(&self, value: &u64) -> String {
        format::number(*value)
    }

    /// Whether the visitor may have cases of their own: so may whoever has not logged in.
    pub fn own_cases(&self) -> bool {
        self.role.is_none_or(|role| role.may(Duty::OwnCases))
    }

    /// Whether the visitor is logged in in a role that does this, by its code.
    pub fn may(&self, duty: &str) -> bool {
        Duty::parse(duty).is_some_and(|duty| self.role.is_some_and(|role| role.may(duty)))
    }

    /// What the text of a key says before and after the centre's phone number.
    pub fn around_phone(&self, key: &'static str) -> (String, String) {
        let text = self.t(key).with("phone", &self.phone).to_string();
        let parts = text.split_once(&self.phone).map(|(before, after)| (before.to_owned(), after.to_owned()));
        parts.unwrap_or((text, String::new()))
    }

    /// The centre's phone number as a phone dials it (RFC 3966).
    pub fn dialled(&self) -> String {
        self.phone.chars().filter(|character| character.is_ascii_digit() || *character == '+').collect()
    }

    /// The other language.
    pub fn other_language(&self) -> Language {
        match self.language {
            Language::Sv => Language::En,
            Language::En => Language::Sv,
        }
    }

    /// Whether a menu entry leads to where the reader is.
    pub fn at(&self, path: &str) -> bool {
        let own = self.address.split('?').next().unwrap_or_default();
        own == path || (path != "/" && own.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
    }
}

/// What somebody is called: by name, else by what they log in by, without the provider that it is said by.
fn called(identity: &Identity) -> String {
    let own = || identity.subject.split_once('#').map_or(identity.subject.as_str(), |(_, own)| own);
    identity.name.as_deref().unwrap_or_else(own).to_owned()
}

/// Whether the centre is open, and until or from when.
fn opening(language: Language, now: DateTime<Utc>) -> String {
    match calendar::opening(now) {
        Opening::Open => Text::new(language, "opening-open").to_string(),
        Opening::OpensAt(day) if day == calendar::day(now) => {
            Text::new(language, "opening-today").to_string()
        }
        Opening::OpensAt(day) if Some(day) == calendar::day(now).succ_opt() => {
            Text::new(language, "opening-tomorrow").to_string()
        }
        Opening::OpensAt(day) => {
            Text::new(language, "opening-later").with("date", format::date(language, day)).to_string()
        }
    }
}
