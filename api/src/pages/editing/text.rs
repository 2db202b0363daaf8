//! The form of what a page says: heading and text in both languages, and how they will look.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use domain::content::{ContentPage, TEXT_MAX, WrittenContent};
use domain::{Event, Language};
use projections::content::PageWords;

use super::What;
use crate::content::{Told, in_language};
use crate::pages::form::Action;
use crate::pages::{Form, Frame, Visitor, render_with};
use crate::texts::Text;
use crate::{App, Failure};

#[derive(Template)]
#[template(path = "pages/editing_text.html")]
struct TextPage {
    frame: Frame,
    form: Form,
    what: What,
    /// Whether an earlier version is in the form.
    taken: bool,
    /// How it will look, where that was asked for.
    preview: Vec<(Language, Told)>,
    text_max: u64,
}

pub(super) fn read(form: &Form) -> WrittenContent<'_> {
    WrittenContent {
        title_sv: form.value("titleSv"),
        body_sv: form.value("bodySv"),
        title_en: form.value("titleEn"),
        body_en: form.value("bodyEn"),
    }
}

/// A form with what a page says.
pub(super) fn written(id: &'static str, words: PageWords) -> Form {
    Form::new(id)
        .with("titleSv", words.sv.title.unwrap_or_default())
        .with("bodySv", words.sv.body)
        .with("titleEn", words.en.title.unwrap_or_default())
        .with("bodyEn", words.en.body)
}

/// What a page says in each language, with its headings below those of the page that it stands in.
pub(super) fn in_both(words: &PageWords) -> Vec<(Language, Told)> {
    Language::ALL.iter().map(|language| (*language, in_language(words, *language, 4))).collect()
}

/// How a form will look, as far as it can be published.
fn preview(form: &mut Form, language: Language, page: ContentPage) -> Vec<(Language, Told)> {
    match read(form).publish(page) {
        Ok(Event::ContentPublished { sv, en, .. }) => in_both(&PageWords { sv, en }),
        Ok(_) => Vec::new(),
        Err(errors) => {
            form.add_field_errors(language, &errors);
            Vec::new()
        }
    }
}

pub(super) async fn page(
    app: &App,
    visitor: &Visitor,
    page: ContentPage,
    mut form: Form,
    taken: bool,
    status: StatusCode,
) -> Result<Response, Failure> {
    let language = visitor.language;
    let asked = form.action() == Action::ShowAgain;
    let preview = if asked { preview(&mut form, language, page) } else { Vec::new() };
    let what = What::Page(page);
    let title = Text::new(language, "editing-text-title").with("page", Text::new(language, what.key()));
    let frame = Frame::new(app, visitor, title).await?.with_error(!form.errors.is_empty());
    let text_max = u64::try_from(TEXT_MAX).unwrap_or_default();
    render_with(status, &TextPage { frame, form, what, taken, preview, text_max })
}
