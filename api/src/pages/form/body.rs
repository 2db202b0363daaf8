//! Reading the body of a form, field by field as it comes in. Files go straight to the store, never whole into memory.

use axum::body::Body;
use axum::extract::Request;
use domain::refusal::{Code, FieldError};
use domain::{Language, PersonId};
use futures::StreamExt;
use infrastructure::files::FileError;
use percent_encoding::percent_decode;

use super::{ACTION, Action, Form, KEY, OWNER, RECEIPT, REMOVE, VERSION};
use crate::app::room::Taken;
use crate::multipart::{Part, Parts};
use crate::pages::Visitor;
use crate::texts::Text;
use crate::v1::body::whole;
use crate::v1::headers::media_type;
use crate::{App, Failure};

/// Most bytes of everything but the files: what is far too long must still come back to be shortened.
const FORM_BYTES: usize = 2 * 1024 * 1024;
/// Most bytes of a form of somebody whom we do not know, and for whom nothing can be kept: the choice of an employer.
const STRANGER_BYTES: u64 = 16 * 1024;
/// Most fields and files.
const FIELDS: usize = 200;

pub(super) async fn read(
    app: &App,
    visitor: &Visitor,
    form: &mut Form,
    mut request: Request,
) -> Result<(), Failure> {
    if visitor.owner().is_none() {
        // Room is for those whom we know: a stranger has so little of it that it need not be counted.
        let content = std::mem::take(request.body_mut()).into_data_stream();
        let bytes = whole(None, content, STRANGER_BYTES).await?.ok_or(Failure::Unauthorized)?;
        *request.body_mut() = Body::from(bytes);
    }
    let (owner, language, room) = (visitor.owner(), visitor.language, &app.room);
    let mut reading = Reading { app, owner, language, form, removed: None, taken: room.begin() };
    match media_type(request.headers()).as_deref() {
        Some("multipart/form-data") => {
            let limits = app.config.limits();
            let most = limits.file_bytes.saturating_mul(limits.files_at_once as u64);
            let parts = Parts::of(request, most.saturating_add(FORM_BYTES as u64)).await;
            reading.multipart(parts.ok_or(Failure::UnsupportedMediaType)?).await?;
        }
        Some("application/x-www-form-urlencoded") => {
            let content = request.into_body().into_data_stream();
            let bytes = whole(Some(room), content, FORM_BYTES as u64).await?.ok_or(Failure::TooLarge)?;
            percent_decode(&bytes).decode_utf8().map_err(|_| Failure::Syntax)?;
            for (name, value) in form_urlencoded::parse(&bytes).take(FIELDS) {
                reading.text(&name, &value).await;
            }
        }
        _ => return Err(Failure::UnsupportedMediaType),
    }
    reading.finish();
    Ok(())
}

/// A form while it comes in.
struct Reading<'a> {
    app: &'a App,
    owner: Option<PersonId>,
    language: Language,
    form: &'a mut Form,
    /// The id of the file that is taken away.
    removed: Option<String>,
    /// Room for its fields.
    taken: Taken,
}

impl Reading<'_> {
    /// Where the sender stops in the middle, what has come is kept, and the form tells what has not.
    async fn multipart(&mut self, mut parts: Parts) -> Result<(), Failure> {
        for _ in 0..FIELDS {
            let mut part = match parts.next().await {
                Ok(Some(part)) => part,
                Ok(None) => return Ok(()),
                Err(error) => {
                    tracing::debug!(%error, "a form was cut off");
                    if self.form.errors.is_empty() {
                        self.form.add_error("", Text::new(self.language, "form-cut-off"));
                    }
                    return Ok(());
                }
            };
            match part.file_name().map(str::to_owned) {
                // A field for files in which none was chosen.
                Some(file_name) if file_name.is_empty() => {}
                Some(file_name) => self.file(&file_name, &mut part).await,
                None => {
                    let value = self.text_of(&mut part).await?;
                    self.text(part.name(), &value).await;
                }
            }
            part.read_over().await;
        }
        Err(Failure::TooLarge)
    }

    async fn text(&mut self, name: &str, value: &str) {
        match name {
            OWNER => {
                self.form.owner = self.app.opened_owner(value);
                // Its files are those of who began it.
                self.owner = self.form.owner.or(self.owner);
            }
            KEY => self.form.key = value.trim().parse().unwrap_or(self.form.key),
            VERSION => self.form.version = value.trim().parse().ok(),
            ACTION => self.form.action = Some(value.to_owned()),
            REMOVE => self.removed = Some(value.to_owned()),
            RECEIPT => self.receipt(value).await,
            _ if self.form.window.read(name, value) => {}
            // Browsers send line ends as two characters; people count them as one.
            _ => self.form.set(name, value.replace("\r\n", "\n")),
        }
    }

    async fn receipt(&mut self, receipt: &str) {
        let Some(owner) = self.owner else { return };
        let file = self.app.received(&owner.to_string(), receipt);
        let there = match &file {
            Some(file) => self.app.is_still_staged(owner, file).await.unwrap_or(true),
            None => false,
        };
        match file {
            Some(file) if there => self.form.attach(self.app, owner, file),
            _ => self.refuse(&FieldError::new("/attachments", Code::UploadUnknown)),
        }
    }

    async fn file(&mut self, file_name: &str, content: &mut Part<'_>) {
        let limits = self.app.config.limits();
        if self.form.files.len() >= limits.files_at_once {
            let many = FieldError::new("/attachments", Code::FileMany).with("max", limits.files_at_once);
            return self.refuse(&many);
        }
        let Some(owner) = self.owner else {
            return self.refuse(&FieldError::new("/attachments", Code::FileFailed).with("file", file_name));
        };
        match self.app.stage_for_form(owner, file_name, content).await {
            Ok(file) => self.form.attach(self.app, owner, file),
            Err(FileError::Refused(error)) => {
                self.refuse(&FieldError { pointer: "/attachments".to_owned(), ..error });
            }
            Err(FileError::CutOff(reason)) => {
                tracing::debug!(reason, "a file was cut off");
                self.refuse(&FieldError::new("/attachments", Code::FileUnreadable).with("file", file_name));
            }
            Err(error) => {
                tracing::error!(%error, "a file could not be stored");
                self.refuse(&FieldError::new("/attachments", Code::FileFailed).with("file", file_name));
            }
        }
    }

    fn refuse(&mut self, error: &FieldError) {
        self.form.add_field_errors(self.language, std::slice::from_ref(error));
    }

    /// Takes away the file that a button named, and looks at the files together, unless they are only kept for later.
    fn finish(&mut self) {
        if let Some(removed) = self.removed.take() {
            self.form.removed = true;
            self.form.files.retain(|file| file.file.card.attachment_id.to_string() != removed);
        }
        if self.form.action() != Action::SaveDraft
            && let Err(error) = self.app.config.limits().check(&self.form.uploaded(), 0)
        {
            self.refuse(&error);
        }
    }

    /// A text field, which may not be longer than anything that belongs in one.
    async fn text_of(&mut self, part: &mut Part<'_>) -> Result<String, Failure> {
        let mut bytes = Vec::new();
        while let Some(Ok(more)) = part.next().await {
            let all = self.taken.grow(more.len())?;
            bytes.extend_from_slice(&more);
            if all > FORM_BYTES {
                return Err(Failure::TooLarge);
            }
        }
        String::from_utf8(bytes).map_err(|_| Failure::Syntax)
    }
}
