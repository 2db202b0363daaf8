//! Drafts: what was typed and attached and not sent, found again on the page where it was typed.

use std::time::Duration;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::files::UploadedFile;
use domain::refusal::{Code, FieldError};
use domain::{Language, PersonId};
use infrastructure::{CommandError, random};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Action, Apart, FILES, Form, Window};
use crate::app::Caller;
use crate::app::drafts::KEPT_DAYS;
use crate::pages::failures::way_in;
use crate::pages::login::{onward, role_address};
use crate::pages::{Frame, Visitor, render_with};
use crate::texts::Text;
use crate::{App, Failure};

/// How long it is known that a draft is over: no browser sends what a page kept when it was left later than that.
const OVER: Duration = Duration::from_secs(60 * 60);

/// How many windows that kept a draft before are known by it.
const EARLIER: usize = 8;

/// A form as it is kept.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Draft {
    /// The page where it was typed; empty of one that is over.
    address: String,
    /// When it was kept.
    saved_at: DateTime<Utc>,
    fields: Vec<(String, String)>,
    files: Vec<UploadedFile>,
    /// The version of what it changes on which it was begun.
    #[serde(default)]
    version: Option<u64>,
    /// The window that kept it, or sent it or threw it away.
    #[serde(default)]
    window: Option<Uuid>,
    /// Which keeping by the script of that window it was.
    #[serde(default)]
    turn: Option<u64>,
    /// The windows that kept it before, each with its last turn.
    #[serde(default)]
    earlier: Vec<(Uuid, u64)>,
    /// What tells this content of it from others: the same that comes once more is the same.
    #[serde(default)]
    keeping: Uuid,
}

impl Draft {
    /// Whether it was sent or thrown away.
    fn is_over(&self) -> bool {
        self.address.is_empty()
    }

    /// The windows that have kept it, each with its last turn.
    fn turns(&self) -> impl Iterator<Item = (Uuid, u64)> {
        self.window.zip(self.turn).into_iter().chain(self.earlier.iter().copied())
    }
}

impl Form {
    /// Keeps the form as it is.
    async fn save(&mut self, app: &App, owner: PersonId, address: &str) -> Result<(), Failure> {
        let saved_at = app.clock.now();
        let until = saved_at + Duration::from_secs(KEPT_DAYS * 24 * 60 * 60);
        for file in &self.files {
            app.keep_staged(owner, &file.file, until).await?;
        }
        let address = address.to_owned();
        let (fields, files, version) = (self.fields.clone(), self.uploaded(), self.version);
        let (window, turn, keeping) = (self.window.id, self.window.turn, self.content(app));
        let earlier = self.earlier(app, owner).await;
        let draft = Draft { address, saved_at, fields, files, version, window, turn, earlier, keeping };
        app.save_draft(owner, self.key, &draft, until).await?;
        self.saved_at = Some(saved_at);
        (self.window.seen, self.window.keeper) = (Some(keeping), window);
        Ok(())
    }

    /// Keeps the form, with its files, for its owner to find on the page of `address`. What was sent so is no draft: what a
    /// browser keeps by itself may come late. What another window has sent or kept under the same key, and this one does not
    /// show, is not written over: this becomes a draft of its own. `path` is what tells its command from others.
    ///
    /// # Errors
    /// When it comes too soon after others; when the log cannot be read or written.
    pub async fn keep(
        &mut self,
        app: &App,
        caller: &Caller,
        (address, path): (&str, &str),
    ) -> Result<(), Failure> {
        self.ready()?;
        let fingerprint = self.fingerprint(path);
        self.keep_for(app, caller.actor.person, (address, Some(&fingerprint))).await
    }

    /// As [`Form::keep`], of a form that was not done. What was to be sent stays under its key, lest it is done twice.
    async fn keep_undone(&mut self, app: &App, owner: PersonId, address: &str) -> Result<(), Failure> {
        let fingerprint = if self.action() == Action::Send { None } else { Some([].as_slice()) };
        self.keep_for(app, owner, (address, fingerprint)).await
    }

    /// As [`Form::keep`]; without a fingerprint whether it was sent is nothing to it.
    async fn keep_for(
        &mut self,
        app: &App,
        person: PersonId,
        (address, fingerprint): (&str, Option<&[u8]>),
    ) -> Result<(), Failure> {
        for key in [self.key, self.key_apart(app), random::id()] {
            self.key = key;
            let name = fingerprint.map(|_| key.to_string());
            let was_sent = match app.repeated(person, name.as_deref(), fingerprint.unwrap_or_default()).await
            {
                Ok(Some(_)) => return Ok(()),
                Ok(None) => false,
                // What is shown again may lack something of what was sent.
                Err(CommandError::KeyReused) if self.window.unanswered => return Ok(()),
                Err(CommandError::KeyReused) => true,
                Err(error) => return Err(error.into()),
            };
            self.leave_attached(app).await?;
            let kept = self.kept(app, person).await?;
            let is_over = |kept: &Draft| self.comes_after(kept) || (self.window.unanswered && kept.is_over());
            if kept.as_ref().is_some_and(is_over) {
                return Ok(());
            }
            let is_another = kept.as_ref().is_some_and(|kept| self.is_another(app, kept));
            if !was_sent && !is_another {
                break;
            }
            if was_sent && kept.is_some_and(|kept| !kept.is_over()) {
                self.forget(app, person).await;
            }
            self.apart.get_or_insert(if was_sent { Apart::Sent } else { Apart::Changed });
        }
        self.save(app, person, address).await
    }

    /// Begins anew what was sent before, so that it can be sent once more as something else: kept as a draft of its own
    /// where it is one, without the files that went along.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn begin_anew(
        &mut self,
        app: &App,
        owner: PersonId,
        (language, address): (Language, &str),
    ) -> Result<(), Failure> {
        self.forget(app, owner).await;
        self.key = random::id();
        self.refuse_attached(app, language).await?;
        if self.window.id.is_some()
            && let Err(error) = self.save(app, owner, address).await
        {
            // It is shown, and can be sent.
            tracing::warn!(?error, "a form that is begun anew could not be kept");
        }
        Ok(())
    }

    /// Takes away the files that are a case's already: they cannot be sent once more.
    async fn leave_attached(&mut self, app: &App) -> Result<(), Failure> {
        let mut left = Vec::new();
        for file in &self.files {
            let card = &file.file.card;
            if app.log.is_attached(card.attachment_id).await? {
                left.push(card.attachment_id);
                self.gone.push(card.file_name.clone());
            }
        }
        self.files.retain(|file| !left.contains(&file.file.card.attachment_id));
        Ok(())
    }

    /// Takes away the files that are a case's already, and tells which among what is wrong with the form.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn refuse_attached(&mut self, app: &App, language: Language) -> Result<(), Failure> {
        self.leave_attached(app).await?;
        for file in std::mem::take(&mut self.gone) {
            self.add_error(FILES, file_gone(language, file));
        }
        Ok(())
    }

    /// Whether everything of it is there as it was.
    pub fn is_whole(&self) -> bool {
        self.apart.is_none() && self.gone.is_empty()
    }

    /// As [`Form::refuse`], of a form that was not sent: a file of it that another window has sent meanwhile is told and taken
    /// away, for it would keep it from being sent for ever.
    ///
    /// # Errors
    /// As [`Form::refuse`]; when the log cannot be read.
    pub async fn refuse_files(
        &mut self,
        app: &App,
        language: Language,
        failure: Failure,
    ) -> Result<StatusCode, Failure> {
        let is_unknown = |error: &FieldError| error.code == Code::UploadUnknown;
        let failure = match failure {
            Failure::Fields(mut errors) if errors.iter().any(is_unknown) => {
                let count = self.files.len();
                self.refuse_attached(app, language).await?;
                errors.retain(|error| count == self.files.len() || !is_unknown(error));
                Failure::Fields(errors)
            }
            failure => failure,
        };
        self.refuse(language, failure)
    }

    /// That it is kept, why it is a draft of its own, if it is, and which files are no longer among it.
    pub fn kept_words(&self, language: Language, kept: &Text) -> String {
        let apart = self.apart.map(|apart| match apart {
            Apart::Changed => Text::new(language, "draft-apart"),
            Apart::Sent => Text::new(language, "draft-apart-sent"),
        });
        let gone = self.gone.iter().map(|file| file_gone(language, file.clone()));
        let words: Vec<_> = apart.iter().chain([kept]).map(Text::to_string).chain(gone).collect();
        words.join(" ")
    }

    /// The key of a draft of its window's own: the same for whatever a script keeps of it, also before it has an answer.
    fn key_apart(&self, app: &App) -> Uuid {
        let window = self.window.id.unwrap_or_else(random::id);
        app.keys.derived_id("draft-apart", &[self.key.as_bytes(), window.as_bytes()])
    }

    /// What tells what is typed and attached in it from anything else.
    fn content(&self, app: &App) -> Uuid {
        let files: Vec<_> = self.files.iter().map(|file| file.file.card.attachment_id).collect();
        let content = serde_json::to_vec(&(&self.fields, files, self.version)).unwrap_or_default();
        app.keys.derived_id("draft-content", &[&content])
    }

    /// What is kept under its key.
    async fn kept(&self, app: &App, owner: PersonId) -> Result<Option<Draft>, Failure> {
        if self.window.id.is_none() {
            return Ok(None);
        }
        let drafts: Vec<(Uuid, Draft)> = app.drafts(owner).await?;
        Ok(drafts.into_iter().find(|(key, _)| *key == self.key).map(|(_, draft)| draft))
    }

    /// The other windows that have kept what is under its key, each with its last turn; the latest of them.
    async fn earlier(&self, app: &App, owner: PersonId) -> Vec<(Uuid, u64)> {
        let kept = self.kept(app, owner).await.ok().flatten();
        let turns = kept.iter().flat_map(Draft::turns).filter(|(window, _)| Some(*window) != self.window.id);
        turns.take(EARLIER).collect()
    }

    /// Whether another window has kept what this one neither shows nor says itself.
    fn is_another(&self, app: &App, kept: &Draft) -> bool {
        let Window { id, seen, .. } = self.window;
        !kept.is_over()
            && kept.window != id
            && Some(kept.keeping) != seen
            && kept.keeping != self.content(app)
    }

    /// Whether it has come before, or its own window has kept more since.
    fn comes_after(&self, kept: &Draft) -> bool {
        let (Some(id), Some(turn)) = (self.window.id, self.window.turn) else { return false };
        // Its last keeping may come once more.
        let is_last = kept.window == Some(id) && !kept.is_over();
        kept.turns().any(|(window, last)| window == id && (turn < last || (turn == last && !is_last)))
    }

    /// Whether what it asks for was done.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn was_sent(&self, app: &App, caller: &Caller) -> Result<bool, Failure> {
        let command = app.command_id(caller.actor.person, Some(&self.key.to_string()));
        Ok(app.log.outcome(command).await?.is_some())
    }

    /// How many forms their owner left on the page of `address`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn count_left(app: &App, owner: PersonId, address: &str) -> Result<u64, Failure> {
        let drafts: Vec<(Uuid, Draft)> = app.drafts(owner).await?;
        Ok(drafts.iter().filter(|(_, draft)| draft.address == address).count() as u64)
    }

    /// The form that its owner left last on the page of `address`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn left(
        app: &App,
        owner: PersonId,
        id: &'static str,
        address: &str,
    ) -> Result<Option<Self>, Failure> {
        let drafts: Vec<(Uuid, Draft)> = app.drafts(owner).await?;
        let left = drafts.into_iter().find(|(_, draft)| draft.address == address);
        let Some((key, draft)) = left else { return Ok(None) };
        let Draft { saved_at, fields, version, keeping, window: keeper, .. } = draft;
        let window = Window { seen: Some(keeping), keeper, ..Window::new() };
        let mut form = Self { key, fields, version, saved_at: Some(saved_at), window, ..Self::new(id) };
        for file in draft.files {
            if app.log.is_attached(file.card.attachment_id).await? {
                form.gone.push(file.card.file_name);
            } else if app.is_still_staged(owner, &file).await? {
                form.attach(app, owner, file);
            }
        }
        Ok(Some(form))
    }

    /// Forgets what was kept of the form, unless another window has kept more: it was sent or thrown away, and what its window
    /// kept before then, and comes late, is no draft. What cannot be forgotten now is forgotten when its time is over.
    pub async fn forget(&self, app: &App, owner: PersonId) {
        let kept = self.kept(app, owner).await.ok().flatten();
        if kept.is_some_and(|kept| self.is_another(app, &kept)) {
            return;
        }
        let Window { id: window, turn, .. } = self.window;
        let forgotten = if window.is_some() && turn.is_some() {
            let over = Draft { window, turn, earlier: self.earlier(app, owner).await, ..Draft::default() };
            app.save_draft(owner, self.key, &over, app.clock.now() + OVER).await
        } else {
            app.forget_draft(owner, self.key).await
        };
        if let Err(error) = forgotten {
            tracing::warn!(%error, "a draft could not be forgotten");
        }
    }
}

/// That a file went with what another window has sent.
fn file_gone(language: Language, file: String) -> String {
    Text::new(language, "file-sent-before").with("file", file).to_string()
}

/// Leads to the login and back to the page of `back`, where whoever began the form finds it again: a session that ended
/// while somebody was typing, or another that began, loses nothing.
///
/// # Errors
/// When the log cannot be written.
pub async fn log_in_again(
    app: &App,
    visitor: &Visitor,
    form: &mut Form,
    back: &str,
) -> Result<Response, Failure> {
    if let Some(owner) = form.owner.or(visitor.expired) {
        form.keep_undone(app, owner, back).await?;
    }
    onward::to_login(app, visitor, &way_in(visitor, back)).await
}

#[derive(Template)]
#[template(path = "pages/other_role.html")]
struct OtherRolePage {
    frame: Frame,
    words: Text,
    address: String,
}

/// Answers a form that its sender may not send: who must log in is led there, as by [`log_in_again`]; who may not do this
/// may have changed roles in another window, and finds the form again at `back` in the role in which it was begun.
///
/// # Errors
/// The failure itself where neither a login nor another role would help; when the log cannot be written.
pub async fn not_sent(
    app: &App,
    visitor: &Visitor,
    form: &mut Form,
    back: &str,
    failure: Failure,
) -> Result<Response, Failure> {
    let role = match failure {
        Failure::Unauthorized => return log_in_again(app, visitor, form, back).await,
        Failure::Forbidden => visitor.caller()?.actor.role,
        // What the other role knows is not there in this one, or has another form.
        Failure::NotFound | Failure::Syntax if !visitor.other_roles.is_empty() => {
            visitor.caller()?.actor.role
        }
        failure => return Err(failure),
    };
    // A form that was shown to nobody is nobody's.
    if let Some(owner) = form.owner.filter(|_| !form.is_empty()) {
        form.keep_undone(app, owner, back).await?;
    }
    if visitor.other_roles.is_empty() {
        return Err(failure);
    }
    let text = |key: &str| Text::new(visitor.language, key.to_owned());
    let frame = Frame::new(app, visitor, text("role-other-title")).await?.with_error(true);
    let words = text("role-other").with("role", text(&format!("role-{role}")));
    render_with(StatusCode::FORBIDDEN, &OtherRolePage { frame, words, address: role_address(back) })
}
