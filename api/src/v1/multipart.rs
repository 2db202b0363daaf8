//! Files of a multipart body, staged while they come in: never whole in memory, and nothing stays of a request that is
//! refused or cut off.

use axum::extract::Request;
use axum::http::header;
use domain::FieldError;
use domain::files::{MEGABYTE, UploadedFile};
use domain::refusal::Code;
use infrastructure::files::FileError;

use crate::app::Caller;
use crate::app::uploads::StageError;
use crate::failure::MOST_TOLD;
use crate::multipart::Parts;
use crate::v1::body::{announced, drain};
use crate::v1::headers::media_type;
use crate::{App, Failure};

/// The media type.
pub const MULTIPART: &str = "multipart/form-data";
/// The name of the parts that hold files.
const FILE: &str = "file";

/// Stages the files of a body, at least one and at most `most`.
///
/// # Errors
/// [`Failure::UnsupportedMediaType`], [`Failure::TooLarge`], [`Failure::Syntax`], [`Failure::Fields`]; then nothing
/// stays staged.
pub async fn stage(
    app: &App,
    caller: &Caller,
    request: Request,
    most: usize,
) -> Result<Vec<UploadedFile>, Failure> {
    let (app, caller) = (app.clone(), caller.clone());
    // A caller who hangs up drops the request; the task goes on to the end of what came and takes it back.
    let task = tokio::spawn(async move {
        let mut files = Vec::new();
        match take_all(&app, &caller, request, most, &mut files).await {
            Ok(()) => Ok(files),
            Err(failure) => {
                app.unstage(&files).await;
                Err(failure)
            }
        }
    });
    task.await.unwrap_or(Err(Failure::Internal))
}

async fn take_all(
    app: &App,
    caller: &Caller,
    request: Request,
    most: usize,
    files: &mut Vec<UploadedFile>,
) -> Result<(), Failure> {
    let (parts, body) = request.into_parts();
    // Room for one file too many, so that it is refused by name and not only as too much.
    let largest = app.config.limits().case_bytes + app.config.limits().file_bytes + MEGABYTE;
    let is_multipart = media_type(&parts.headers).as_deref() == Some(MULTIPART);
    if !is_multipart || announced(&parts.headers) > largest {
        if !parts.headers.contains_key(header::EXPECT) {
            drain(&mut body.into_data_stream()).await;
        }
        return Err(if is_multipart { Failure::TooLarge } else { Failure::UnsupportedMediaType });
    }
    let request = Request::from_parts(parts, body);
    let mut parts = Parts::of(request, largest).await.ok_or(Failure::Syntax)?;
    let mut errors = Vec::new();
    loop {
        let mut part = match parts.next().await {
            Ok(Some(part)) => part,
            Ok(None) => break,
            Err(_) => return Err(broken(&parts)),
        };
        let name = part.name().to_owned();
        if name != FILE {
            errors.push(FieldError::new(format!("/{name}"), Code::FieldUnknown).with("name", name));
        } else if files.len() == most {
            errors.push(FieldError::new("/file", Code::FileMany).with("max", most));
            break;
        } else {
            let file_name = part.file_name().unwrap_or_default().to_owned();
            match app.stage(caller, &file_name, &mut part).await {
                Ok(file) => files.push(file),
                Err(error) => match refused(error) {
                    Ok(error) => errors.push(error),
                    Err(failure) => return Err(failure.unwrap_or_else(|| broken(&parts))),
                },
            }
        }
        if errors.len() == MOST_TOLD {
            break;
        }
        part.read_over().await;
    }
    if files.is_empty() && errors.is_empty() {
        errors.push(FieldError::new("/file", Code::FileRequired));
    }
    if errors.is_empty() { Ok(()) } else { Err(Failure::Fields(errors)) }
}

/// Why a body ended before its end.
fn broken(parts: &Parts) -> Failure {
    if parts.exceeded() { Failure::TooLarge } else { Failure::Syntax }
}

/// What is wrong with a file; otherwise why it could not be staged, or nothing where the body broke off.
fn refused(error: StageError) -> Result<FieldError, Option<Failure>> {
    match error {
        StageError::File(FileError::Refused(error)) => {
            Ok(FieldError { pointer: format!("/{FILE}"), ..error })
        }
        StageError::File(FileError::CutOff(_)) => Err(None),
        StageError::File(error) => Err(Some(error.into())),
        StageError::Command(error) => Err(Some(error.into())),
    }
}
