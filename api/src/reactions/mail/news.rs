//! Notices of the service status by mail, to those who follow the system.

use domain::service_status::OURSELVES;
use domain::vocabulary::Template;
use domain::{Language, PersonId, System};
use infrastructure::clock::from_micros;
use infrastructure::log::Delivery;
use infrastructure::stored::{StoredEvent, Unreadable};
use projections::service_status::Notice;
use projections::settings;

use crate::App;
use crate::mail::service_status::News;
use crate::pages::service_status::{in_words, written};
use crate::reactions::mail::occasion::{About, Prepared, Unprepared, address, not_now};
use crate::reactions::mail::recipient::recipient;
use crate::reactions::mail::{Fault, MailReaction};
use crate::texts::Text;

/// What a notice says after an event of its stream.
fn told(events: &[StoredEvent], version: u64) -> Result<Option<Notice>, Unreadable> {
    let mut notice = None;
    for stored in events.iter().take_while(|event| event.version <= version) {
        let place = (stored.stream, stored.version, from_micros(stored.recorded_at));
        notice = Notice::after(notice, place, &stored.facts_only()?);
    }
    Ok(notice)
}

impl MailReaction {
    /// Who gets the news of a notice by mail.
    pub(super) async fn followers(&self, stored: &StoredEvent) -> Result<Vec<PersonId>, Fault> {
        let events = self.app.log.stream(stored.stream).await?;
        let Some(notice) = told(&events, stored.version)? else { return Ok(Vec::new()) };
        self.app.shown_position(stored.position).await.map_err(|_| Fault::Behind)?;
        let system = notice.system.map_or(OURSELVES, System::code);
        Ok(self.app.query(move |tables| settings::followers(tables, system)).await?)
    }
}

/// Puts the mail of a notice together: what it said with the event that caused the mail.
pub(super) async fn prepare(app: &App, delivery: &Delivery) -> Result<Prepared, Unprepared> {
    let missing = Unprepared::Never("the notice is not in the log");
    let version = delivery.cause.rsplit_once('-').and_then(|(_, version)| version.parse().ok());
    let Some(version) = version else { return Err(missing) };
    let events = app.log.stream(delivery.case.into()).await?;
    let notice = told(&events, version).map_err(|error| not_now(&error))?;
    let Some(notice) = notice else { return Err(missing) };
    let to = recipient(&app.reader, delivery.recipient, None).await?;
    let (language, at) = (to.language.unwrap_or(Language::Sv), notice.updated_at);
    let words = in_words(language, &notice, at);
    let (_, body, advice) = written(language, &notice);
    let web = app.config.public_url();
    let over = words.resolved.map(|resolved| format!(" {resolved}")).unwrap_or_default();
    let news = News {
        language,
        system: words.system_name,
        progress: Text::new(language, format!("progress-{}", words.progress)).to_string(),
        title: words.title,
        period: words.period + &over,
        body: body.to_owned(),
        advice: advice.to_owned(),
        next: words.next.unwrap_or_default(),
        link: format!("{web}{}", words.address),
        settings: format!("{web}/installningar"),
        phone: app.config.phone.clone(),
    };
    let letter = news.write().map_err(|error| not_now(&error))?;
    let name = format!("{}-{version}-{}-{}", Template::ServiceStatus, notice.id, delivery.recipient);
    address(app, delivery, (to, None), &About { at, language, name }, letter)
}
