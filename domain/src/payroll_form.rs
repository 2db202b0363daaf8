//! Payroll forms (*löneblanketter*): a code, a name, and a file that a newer one may replace.

use crate::event::{Event, Files, Sealed};
use crate::files::UploadedFile;
use crate::refusal::{Code, FieldError, FieldErrors};
use crate::text::published;

/// Longest name of a form, in characters.
pub const NAME_MAX: usize = 100;
/// Longest code of a form.
const CODE_MAX: usize = 12;

/// The code of a form as it is kept, `L-101`: capital letters, digits, and hyphens between them.
pub fn code(text: &str) -> Option<String> {
    let code = text.trim().to_ascii_uppercase();
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (code.len() <= CODE_MAX && code.split('-').all(plain)).then_some(code)
}

/// What kind of document a form may be, as people call it; none for what is no document.
pub fn kind_of(media_type: &str) -> Option<&'static str> {
    match media_type {
        "application/pdf" => Some("PDF"),
        "application/msword" | "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => {
            Some("Word")
        }
        "application/vnd.ms-excel" | "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => {
            Some("Excel")
        }
        _ => None,
    }
}

/// What stands in the form by which a payroll form is published, as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the event")]
pub struct WrittenForm<'a> {
    pub code: &'a str,
    pub name_sv: &'a str,
    pub name_en: &'a str,
    /// The new file; none leaves the one that is there.
    pub file: Option<&'a UploadedFile>,
}

impl WrittenForm<'_> {
    /// The event that publishes it, anew or in place of what it was.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn publish(&self) -> Result<Event, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let code = errors.take(code(self.code).ok_or_else(|| FieldError::new("/code", Code::FormCode)));
        let mut name = |text, pointer| {
            errors.take(published(text, pointer, NAME_MAX, Some(Code::NameMissing))).unwrap_or_default()
        };
        let (name_sv, name_en) = (name(self.name_sv, "/nameSv"), name(self.name_en, "/nameEn"));
        if let Some(UploadedFile { card, .. }) = self.file
            && kind_of(&card.media_type).is_none()
        {
            errors.push(FieldError::new("/attachments", Code::FormFile).with("file", &card.file_name));
        }
        let file = self.file.into_iter();
        match code {
            Some(code) if errors.is_empty() => Ok(Event::PayrollFormPublished {
                code,
                name_sv,
                name_en,
                attachment_ids: file.clone().map(|file| file.card.attachment_id).collect(),
                stored_files: file.clone().map(|file| file.stored.clone()).collect(),
                personal: Sealed::Open(Files { files: file.map(|file| file.card.clone()).collect() }),
            }),
            _ => Err(errors.into_inner()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::testing::file;

    const WRITTEN: WrittenForm<'_> =
        WrittenForm { code: " l-101", name_sv: "Anställning ", name_en: "Employment", file: None };

    fn wrong(form: &WrittenForm<'_>) -> Vec<(String, &'static str)> {
        let errors = form.publish().unwrap_err();
        errors.into_iter().map(|error| (error.pointer, error.code.code())).collect()
    }

    #[test]
    fn a_form_is_published_with_or_without_a_file() {
        let without = WRITTEN.publish().unwrap();
        assert!(without.attachment_ids().is_empty() && without.files().is_empty());
        let file = file(7, 10);
        let with = WrittenForm { file: Some(&file), ..WRITTEN }.publish().unwrap();
        assert_eq!(with.attachment_ids(), [file.card.attachment_id]);
        assert_eq!((with.files(), with.stored_files()), (&[file.card][..], &[file.stored][..]));
        let Event::PayrollFormPublished { code, name_sv, name_en, .. } = with else { panic!() };
        assert_eq!(
            (code.as_str(), name_sv.as_str(), name_en.as_str()),
            ("L-101", "Anställning", "Employment")
        );
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let mut picture = file(7, 10);
        picture.card.media_type = "image/png".to_owned();
        let long = "å".repeat(NAME_MAX + 1);
        let all = WrittenForm { code: "L 101", name_sv: " ", name_en: &long, file: Some(&picture) };
        let expected = [
            ("/code", "form.code"),
            ("/nameSv", "name.missing"),
            ("/nameEn", "text.long"),
            ("/attachments", "form.file"),
        ];
        assert_eq!(wrong(&all), expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }

    #[test]
    fn codes_are_short_and_plain() {
        for (text, expected) in [("L-101", Some("L-101")), ("b2", Some("B2")), ("a-b-c", Some("A-B-C"))] {
            assert_eq!(code(text).as_deref(), expected);
        }
        for text in ["", "-", "L-", "L--1", "../x", "L/1", "Å-1", "L-1011010101010", "a b", "L.1"] {
            assert_eq!(code(text), None, "{text}");
        }
    }
}
