//! The shape of the tree: what ARCHITECTURE.md promises of it is checked here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The members in the order in which they may use each other: each only what is left of it.
const LINE: [&str; 5] = ["domain", "infrastructure", "projections", "kundwebb", "tests"];
/// The independent checker of faults.
const CHECKER: &str = "checker";
/// Servers that tests start: they use nothing of ours, and stand beside.
const SERVERS: [&str; 2] = ["cluster", "objects"];
/// Longest file without its tests, lines.
const FILE_LINES: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn tracked(ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let skipped = ["target", "node_modules", "data", "artifacts"].contains(&name.as_str())
                || (name.starts_with('.') && name != ".ci");
            if path.is_dir() && !skipped {
                folders.push(path);
            } else if name.ends_with(ending) && path.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The part of a source file before its tests.
fn production(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod ").next().unwrap_or_default()
}

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let names = package["dependencies"].as_array().unwrap().iter();
            let names = names.map(|dependency| dependency["name"].as_str().unwrap().to_owned());
            (package["name"].as_str().unwrap().to_owned(), names.collect())
        })
        .collect()
}

#[test]
fn folders_are_a_straight_line() {
    let dependencies = dependencies();
    // The checker stands beside: it uses nothing of ours, and only the tests use it.
    let members = LINE.into_iter().chain([CHECKER]).chain(SERVERS);
    assert_eq!(dependencies.keys().map(String::as_str).collect::<BTreeSet<_>>(), members.collect());
    for beside in [CHECKER].iter().chain(&SERVERS) {
        assert!(LINE.iter().all(|member| !dependencies[*beside].contains(*member)), "{beside} shares code");
    }
    for (member, uses) in &dependencies {
        assert!(member == "tests" || !uses.contains(CHECKER), "{member} uses the checker");
    }
    for (place, member) in LINE.iter().enumerate() {
        for later in &LINE[place..] {
            assert!(!dependencies[*member].contains(*later), "{member} uses {later}");
        }
    }
}

#[test]
fn the_domain_is_pure() {
    let allowed = ["serde", "serde_json", "uuid", "chrono", "chrono-tz", "proptest"];
    for dependency in &dependencies()["domain"] {
        assert!(allowed.contains(&dependency.as_str()), "the domain uses {dependency}");
    }
    for file in tracked(".rs").iter().filter(|file| file.starts_with(root().join("domain"))) {
        let text = std::fs::read_to_string(file).unwrap();
        for word in ["async fn", "std::fs", "std::net", "std::thread", "std::env", "Utc::now", "SystemTime"] {
            assert!(!production(&text).contains(word), "{}: {word}", file.display());
        }
    }
}

/// The names of the Rust files in a folder, without the ending.
fn stems(folder: &str) -> BTreeSet<String> {
    let files = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect()
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}

#[test]
fn every_command_has_its_file_and_every_file_its_command() {
    let list = read("domain/src/case/commands.rs");
    let list = list.split("pub enum CaseCommand {").nth(1).unwrap().split('}').next().unwrap();
    let commands: BTreeSet<String> =
        list.lines().filter_map(|line| Some(snake_case(line.trim().split_once('(')?.0))).collect();
    assert_eq!(stems("domain/src/case/commands"), commands);
}

#[test]
fn every_projection_has_its_file() {
    let list = read("projections/src/lib.rs");
    let list = list.split("pub static ALL").nth(1).unwrap().split("];").next().unwrap();
    for part in list.split('&').skip(1).filter(|part| part.contains("::")) {
        let module = part.split("::").next().unwrap();
        assert!(root().join(format!("projections/src/{module}.rs")).is_file(), "{module}");
    }
    for stem in stems("projections/src") {
        let text = read(format!("projections/src/{stem}.rs"));
        let is_projection = production(&text).contains("impl Projection for");
        assert_eq!(is_projection, list.contains(&format!("&{stem}::")), "{stem} and the list disagree");
    }
}

#[test]
fn every_source_file_says_what_it_is_for() {
    for file in tracked(".rs") {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "{} does not begin with //!", file.display());
    }
}

#[test]
fn no_file_grows_past_what_one_reads_at_once() {
    for file in tracked(".rs") {
        let text = std::fs::read_to_string(&file).unwrap();
        let lines = production(&text).lines().count();
        assert!(lines <= FILE_LINES, "{} has {lines} lines", file.display());
    }
    assert!(tracked("mod.rs").iter().all(|file| file.file_name().unwrap() != "mod.rs"));
}

#[test]
fn nothing_is_left_over() {
    // Written apart, so that this file does not hold them itself.
    let words = ["to do!", "unimple mented!", "FIX ME", "X XX", "d bg!(", "#[ign ore", "thread::sl eep"];
    let words = words.map(|word| word.replace(' ', ""));
    for file in tracked(".rs").iter().chain(&tracked(".mjs")).chain(&tracked(".html")) {
        let text = std::fs::read_to_string(file).unwrap();
        for word in &words {
            assert!(!text.contains(word.as_str()), "{}: {word}", file.display());
        }
    }
}

/// What stands between back-quotes in a document and looks like a path or a file of ours.
fn quoted_paths(text: &str) -> Vec<String> {
    let folders = ["domain/", "infrastructure/", "projections/", "api/", "tests/", "docs/", ".ci/"];
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter(|part| folders.iter().any(|folder| part.starts_with(folder)))
        .filter(|part| !part.contains(['<', '{', '*', ' ', '…']))
        .map(|part| part.trim_end_matches('/').to_owned())
        .collect()
}

#[test]
fn what_the_documents_name_exists() {
    let sources: String = tracked(".rs").iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let text = read(document);
        for path in quoted_paths(&text) {
            assert!(root().join(&path).exists(), "{document} names {path}");
        }
        for part in text.split('`').skip(1).step_by(2).filter(|part| part.contains("::")) {
            let name = part.rsplit("::").next().unwrap().trim_end_matches("()");
            assert!(sources.contains(name), "{document} names {part}");
        }
    }
}

#[test]
fn the_tests_that_prove_what_security_says_exist() {
    let sources: String = tracked(".rs").iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let text = read("SECURITY.md");
    let table = text.split("## OWASP ASVS").nth(1).unwrap();
    let named = table.split('`').skip(1).step_by(2).filter(|part| part.contains("::"));
    let names: BTreeSet<&str> = named.map(|part| part.rsplit("::").next().unwrap()).collect();
    assert!(names.len() > 40, "{names:?}");
    for name in names {
        assert!(sources.contains(&format!("fn {name}(")), "SECURITY.md names {name}, which is no test");
    }
}

#[test]
fn the_settings_that_the_readme_shows_can_be_read() {
    let text = read("README.md");
    let examples: Vec<&str> =
        text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        let config = api::Config::parse(example).unwrap_or_else(|error| panic!("{error}: {example}"));
        config.sessions.check().unwrap();
    }
}
