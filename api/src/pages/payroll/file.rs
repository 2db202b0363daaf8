//! The file of a payroll form as a download, named after the form.

use axum::http::HeaderMap;
use axum::response::Response;
use domain::Language;
use domain::files::FileCard;
use infrastructure::files::safe_name;
use projections::payroll_forms::{FormFile, PayrollForm};

use super::FormInWords;
use crate::app::scanning::OpenFile;
use crate::download::download;
use crate::{App, Failure};

/// Answers with the file of a form.
///
/// # Errors
/// [`Failure::NotFound`] where it has none; as [`OpenFile::of_form`] and [`download`].
pub async fn send(
    app: &App,
    language: Language,
    form: PayrollForm,
    asked: &HeaderMap,
) -> Result<Response, Failure> {
    let FormInWords { code, name, .. } = FormInWords::of(language, &form);
    let file = form.file.ok_or(Failure::NotFound)?;
    let file_name = file_name(&code, &name, &file.card.file_name);
    let file = FormFile { card: FileCard { file_name, ..file.card }, ..file };
    download(app, OpenFile::of_form(&file)?, asked).await
}

/// `L-101 Anställningsunderlag.pdf`, whatever the file was called when it came.
fn file_name(code: &str, name: &str, came_as: &str) -> String {
    let ending = came_as.rsplit_once('.').map_or("", |(_, ending)| ending).to_lowercase();
    safe_name(&format!("{code} {name}.{ending}").replace(['/', '\\', '"', ':', '*', '?', '<', '>', '|'], "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_what_its_form_is() {
        assert_eq!(file_name("L-101", "Timlön", "Kopia (3).PDF"), "L-101 Timlön.pdf");
        assert_eq!(file_name("L-1", "Sjuk/vård: \"a\"\n", "x.docx"), "L-1 Sjuk-vård- -a-.docx");
    }
}
