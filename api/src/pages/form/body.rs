//! Reading the body of a form, field by field as it comes in. Files go straight to the store, never whole into memory.

use axum::extract::multipart::{Field, Multipart};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::{StatusCode, header};
use domain::refusal::{Code, FieldError};
use domain::{Language, PersonId};
use infrastructure::files::FileError;

use super::{ACTION, Form, KEY, RECEIPT, REMOVE, VERSION};
use crate::pages::Visitor;
use crate::{App, Failure};

/// Most bytes of one text field; a message may have 10 000 characters of four bytes, and what is too long must still
/// come back to be shortened.
const TEXT_BYTES: usize = 256 * 1024;
/// Most bytes of everything but the files.
const FORM_BYTES: usize = 2 * 1024 * 1024;
/// Most fields and files.
const FIELDS: usize = 200;

pub(super) async fn read(
    app: &App,
    visitor: &Visitor,
    form: &mut Form,
    mut request: Request,
) -> Result<(), Failure> {
    let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut reading =
        Reading { app, owner: visitor.owner(), language: visitor.language, form, removed: None };
    if media_type.unwrap_or_default().starts_with("multipart/form-data") {
        let limits = app.config.limits();
        let files = usize::try_from(limits.file_bytes).unwrap_or(usize::MAX);
        let limit = files.saturating_mul(limits.files_at_once).saturating_add(FORM_BYTES);
        DefaultBodyLimit::max(limit).apply(&mut request);
        let multipart = Multipart::from_request(request, &()).await;
        reading.multipart(multipart.map_err(|_| Failure::UnsupportedMediaType)?).await?;
    } else {
        DefaultBodyLimit::max(FORM_BYTES).apply(&mut request);
        let fields = axum::Form::<Vec<(String, String)>>::from_request(request, &()).await;
        let axum::Form(fields) = fields.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Failure::TooLarge,
            _ => Failure::UnsupportedMediaType,
        })?;
        for (name, value) in fields.into_iter().take(FIELDS) {
            reading.text(&name, &value).await;
        }
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
}

impl Reading<'_> {
    async fn multipart(&mut self, mut multipart: Multipart) -> Result<(), Failure> {
        for _ in 0..FIELDS {
            let field = match multipart.next_field().await {
                Ok(Some(field)) => field,
                Ok(None) => return Ok(()),
                Err(error) => return self.cut_off("", &error.to_string()),
            };
            let name = field.name().unwrap_or_default().to_owned();
            match field.file_name().map(str::to_owned) {
                // A field for files in which none was chosen.
                Some(file_name) if file_name.is_empty() => {}
                Some(file_name) => self.file(&file_name, field).await,
                None => {
                    let value = text_of(field).await?;
                    self.text(&name, &value).await;
                }
            }
        }
        Err(Failure::TooLarge)
    }

    /// The sender stopped in the middle: what has come is kept, and the form tells what has not.
    fn cut_off(&mut self, file_name: &str, reason: &str) -> Result<(), Failure> {
        tracing::debug!(reason, "a form was cut off");
        if !self.form.errors.iter().any(|error| error.field == super::FILES) {
            self.refuse(&FieldError::new("/attachments", Code::FileUnreadable).with("file", file_name));
        }
        Ok(())
    }

    async fn text(&mut self, name: &str, value: &str) {
        match name {
            KEY => self.form.key = value.trim().parse().unwrap_or(self.form.key),
            VERSION => self.form.version = value.trim().parse().ok(),
            ACTION => self.form.action = Some(value.to_owned()),
            REMOVE => self.removed = Some(value.to_owned()),
            RECEIPT => self.receipt(value).await,
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

    async fn file(&mut self, file_name: &str, content: Field<'_>) {
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
                let _ = self.cut_off(file_name, &reason);
            }
            Err(FileError::Store(reason)) => {
                tracing::error!(reason, "a file could not be stored");
                self.refuse(&FieldError::new("/attachments", Code::FileFailed).with("file", file_name));
            }
        }
    }

    fn refuse(&mut self, error: &FieldError) {
        self.form.add_field_errors(self.language, std::slice::from_ref(error));
    }

    /// Takes away the file that a button named, and looks at the files together.
    fn finish(&mut self) {
        if let Some(removed) = self.removed.take() {
            self.form.removed = true;
            self.form.files.retain(|file| file.file.card.attachment_id.to_string() != removed);
        }
        if let Err(error) = self.app.config.limits().check(&self.form.uploaded(), 0) {
            self.refuse(&error);
        }
    }
}

/// A text field, which may not be longer than anything that belongs in one.
async fn text_of(mut field: Field<'_>) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    while let Ok(Some(more)) = field.chunk().await {
        bytes.extend_from_slice(&more);
        if bytes.len() > TEXT_BYTES {
            return Err(Failure::TooLarge);
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
