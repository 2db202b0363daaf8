//! Attached files in an S3-compatible storage: the real program, and a real S3 server in a process of its own that is
//! killed and comes back; files that move there and back; what `check`, `backup` and `restore` do with them.

mod moving;
mod storage;

use std::future::ready;
use std::io::Error;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use objects::Objects;
use reqwest::multipart::{Form, Part};
use reqwest::{Body, Method, Response};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::program::{Acknowledged, PATIENCE, Program, Start, binary};
use crate::support::{PDF, new_key};

/// More than two parts of an upload.
const LARGE: usize = 12_000_000;
/// What a program says of its files where they lie in the data folder.
const LOCAL: &str = "local";

/// A running storage, and a folder for what uses it.
struct Town {
    objects: Arc<Objects>,
    folder: tempfile::TempDir,
}

impl Town {
    fn new() -> Self {
        let objects = Objects::process(Path::new(binary())).unwrap();
        Self { objects: Arc::new(objects), folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// The environment of a program whose files lie at a place.
    fn variables(&self, place: &str) -> Vec<(&'static str, String)> {
        let mut variables = self.objects.variables().to_vec();
        variables.push(("KUNDWEBB_FILES__STORE", place.to_owned()));
        variables
    }

    async fn try_start(&self, data: &Path, variables: &[(&str, String)]) -> Result<Program, String> {
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Program::try_start(data, &Start { variables: &variables, ..Start::default() }).await
    }

    async fn start(&self, data: &Path, place: &str) -> Program {
        self.try_start(data, &self.variables(place)).await.unwrap_or_else(|said| panic!("{said}"))
    }

    fn run(&self, data: &Path, place: &str, arguments: &[&str]) -> Output {
        run_with(data, &self.variables(place), arguments)
    }

    /// How many objects the storage holds.
    fn count(&self) -> usize {
        self.objects.objects().unwrap().len()
    }

    /// Waits until the storage holds so many objects and nothing that is unfinished.
    async fn until_it_holds(&self, count: usize) {
        let until = Instant::now() + PATIENCE;
        while self.count() != count || self.objects.unfinished().unwrap() > 0 {
            assert!(Instant::now() < until, "{} objects", self.count());
            tokio::task::yield_now().await;
        }
    }
}

fn run_with(data: &Path, variables: &[(&str, String)], arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.args(arguments).arg("--data").arg(data);
    command.envs(variables.iter().map(|(name, value)| (*name, value))).output().unwrap()
}

fn pdf(length: usize) -> Vec<u8> {
    let mut content = PDF.to_vec();
    content.resize(length.max(PDF.len()), b'x');
    content
}

async fn uploaded(program: &Program, content: &[u8]) -> String {
    let answer = program.anna().try_upload(content).await.unwrap();
    assert!(answer.status().is_success(), "{:?}: {}", answer.status(), program.said());
    let upload: Value = answer.json().await.unwrap();
    upload["uploadId"].as_str().unwrap().to_owned()
}

/// A case with a file of this content.
async fn case_with(program: &Program, content: &[u8]) -> Value {
    let file = uploaded(program, content).await;
    Acknowledged::default().note(program.anna().try_create(&new_key(), &[file]).await).await.unwrap()
}

/// The first file of a case, as it is asked for.
async fn download(program: &Program, case: &Value) -> Response {
    let anna = program.anna();
    let case: Value =
        anna.get(&format!("/cases/{}", case["id"].as_str().unwrap())).await.json().await.unwrap();
    let file = case["attachments"][0]["attachmentId"].as_str().unwrap();
    anna.get(&format!("/cases/{}/attachments/{file}", case["id"].as_str().unwrap())).await
}

async fn reads(program: &Program, case: &Value, content: &[u8]) {
    let answer = download(program, case).await;
    assert!(answer.status().is_success(), "{}: {}", answer.status(), program.said());
    assert!(answer.bytes().await.unwrap() == content, "another content");
}

/// Sends a file up to its middle, waits, and then sends the rest, or breaks off.
async fn upload_with_a_break(
    program: &Program,
    middle: impl Future<Output = ()> + Send + 'static,
    ends: bool,
) -> reqwest::Result<Response> {
    let (first, second) = (pdf(LARGE / 2), vec![b'x'; LARGE / 2]);
    let rest = stream::once(async move {
        middle.await;
        if ends { Ok(second) } else { Err(Error::other("gone")) }
    });
    let content = stream::once(ready(Ok(first))).chain(rest);
    let part = Part::stream(Body::wrap_stream(content)).file_name("faktura.pdf");
    let request = program.anna().request(Method::POST, "/uploads");
    request.multipart(Form::new().part("file", part)).send().await
}

/// Waits until a part of an upload has reached the storage.
async fn part_arrives(objects: &Objects) {
    let until = Instant::now() + PATIENCE;
    // What tells of the upload, and the part.
    while objects.unfinished().unwrap() < 2 {
        assert!(Instant::now() < until, "nothing arrives");
        tokio::task::yield_now().await;
    }
}

/// The storage is away, and the caller is told that it may be tried again.
async fn is_away(answer: Response) {
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["type"], json!("/problems/files.unavailable"), "{problem}");
}
