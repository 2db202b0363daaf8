//! The next version of the program: this tree, with one more field in an event and other rows in a projection, built beside
//! the program that is tested. What it needs beside the tree's own code is there already.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, ensure};

use crate::service;

/// What differs: the file, what stands there once, and what stands there in the next version.
const CHANGES: [(&str, &str, &str); 7] = [
    (
        "domain/src/event.rs",
        "    MessageAdded {\n        from: Party,\n",
        "    MessageAdded {\n        #[serde(default)]\n        weight: u32,\n        from: Party,\n",
    ),
    (
        "domain/src/case/commands/add_message.rs",
        "Event::MessageAdded { from: party(context.actor),",
        "Event::MessageAdded { weight: 7, from: party(context.actor),",
    ),
    ("projections/src/timeline.rs", "-> u32 {\n        1\n", "-> u32 {\n        2\n"),
    (
        "projections/src/timeline.rs",
        "for_customer INTEGER NOT NULL, PRIMARY KEY",
        "for_customer INTEGER NOT NULL, weight INTEGER, PRIMARY KEY",
    ),
    ("projections/src/timeline.rs", "?8, ?9)", "?8, ?9, ?10)"),
    (
        "projections/src/timeline.rs",
        "                for_customer,\n            ]",
        "                for_customer,\n                match &event.event {\n                    Event::MessageAdded { \
         weight, .. } => Some(weight),\n                    _ => None,\n                },\n            ]",
    ),
    ("api/Cargo.toml", "name = \"kundwebb\"\npath", "name = \"kundwebb-next\"\npath"),
];

/// What stands around the version of this tree's packages: where it is given, and for each of them in `Cargo.lock`. The
/// packages of the next version have another, so that neither takes what was built of the other for its own.
const VERSIONS: [(&str, &str, usize); 2] =
    [("Cargo.toml", "edition = ", 1), ("Cargo.lock", "dependencies = ", CODE.len() + REST.len())];

/// What the next version writes into its field, as the log holds it.
pub const FIELD: &str = "\"weight\":7";

/// What holds for all of it.
const OF_ALL: [&str; 3] = ["Cargo.toml", "Cargo.lock", ".cargo/config.toml"];
/// The folders of its own code.
const CODE: [&str; 4] = ["domain", "infrastructure", "projections", "api"];
/// What it is built beside, so that what both need is built once, and of which it needs nothing but the names.
const REST: [&str; 4] = ["tests", "tests/checker", "tests/cluster", "tests/objects"];
/// A test of nothing: with a test among what is built, what all need has the same features as where this program was built.
const NO_TEST: &str = "tests/tests/it/main.rs";

/// The next version, built as this program was built.
///
/// # Errors
/// When it cannot be built, or the tree no longer holds what differs.
pub fn program() -> anyhow::Result<&'static Path> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = PROGRAM.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    built.as_deref().map_err(|error| anyhow::anyhow!("{error}"))
}

fn build() -> anyhow::Result<PathBuf> {
    let folder = service::build_folder()?;
    let target = folder.parent().unwrap_or(&folder);
    let copy = target.join("next-version");
    write(&copy)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // Other tests are at work beside. Lints look at this version, not at that one.
    let mut command = Command::new("nice");
    command.env_remove("RUSTC_WORKSPACE_WRAPPER");
    command.args(["-n", "5"]).arg(cargo).args(["build", "--quiet", "--offline", "--locked", "--workspace"]);
    command.args(["--bin", "kundwebb-next", "--test", "it"]);
    if folder.ends_with("release") {
        command.arg("--release");
    }
    command.arg("--target-dir").arg(target).current_dir(&copy);
    let status = command.status().context("cargo cannot be run")?;
    ensure!(status.success(), "the next version cannot be built; its tree is {}", copy.display());
    Ok(folder.join("kundwebb-next"))
}

/// Writes its tree. What is as it was is left alone, so that only what differs is built again.
fn write(copy: &Path) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the tests lie in the tree")?;
    let mut files = BTreeSet::from(OF_ALL.map(PathBuf::from));
    for folder in CODE {
        list(root, Path::new(folder), &mut files)?;
    }
    files.extend(REST.map(|folder| Path::new(folder).join("Cargo.toml")));
    for file in &files {
        let content = std::fs::read(root.join(file))?;
        put(&copy.join(file), &changed(file, content)?)?;
    }
    let nothing = REST.map(|folder| Path::new(folder).join("src/lib.rs")).into_iter();
    for file in nothing.chain([PathBuf::from(NO_TEST)]) {
        put(&copy.join(&file), b"//! Nothing.\n")?;
        files.insert(file);
    }
    let mut found = BTreeSet::new();
    list(copy, Path::new(""), &mut found)?;
    for left_over in found.difference(&files) {
        std::fs::remove_file(copy.join(left_over))?;
    }
    Ok(())
}

/// A file as the next version has it.
fn changed(file: &Path, content: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    let changes = CHANGES.iter().filter(|(changed, ..)| Path::new(changed) == file);
    let changes = changes.map(|(_, before, after)| ((*before).to_owned(), (*after).to_owned(), 1));
    let versions = VERSIONS.iter().filter(|(changed, ..)| Path::new(changed) == file);
    let versions = versions.map(|(_, behind, count)| {
        let version = |ending: &str| format!("version = \"{}{ending}\"\n{behind}", env!("CARGO_PKG_VERSION"));
        (version(""), version("-next"), *count)
    });
    let changes: Vec<_> = changes.chain(versions).collect();
    if changes.is_empty() {
        return Ok(content);
    }
    let mut text = String::from_utf8(content)?;
    for (before, after, count) in changes {
        let found = text.matches(&before).count();
        ensure!(
            found == count,
            "the next version cannot be made: {} holds {found} times, not {count}: {before}",
            file.display()
        );
        text = text.replace(&before, &after);
    }
    Ok(text.into_bytes())
}

/// Every file of a folder in the tree.
fn list(root: &Path, folder: &Path, files: &mut BTreeSet<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            list(root, &path, files)?;
        } else {
            files.insert(path);
        }
    }
    Ok(())
}

fn put(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    if std::fs::read(file).is_ok_and(|found| found == content) {
        return Ok(());
    }
    std::fs::create_dir_all(file.parent().unwrap_or(file))?;
    Ok(std::fs::write(file, content)?)
}
