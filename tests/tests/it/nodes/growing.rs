//! A small installation grows: `kundwebb log copy` moves its log into a database, killed again and again on the way, and
//! back into a folder.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use infrastructure::keys::KEY_FILES;

use super::Town;
use crate::program::{Program, Start, binary, words};

/// So many that the copy has several transactions.
const CASES: &str = "1200";

fn kundwebb(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).arg("--data").arg(data);
    command
}

/// Starts a subcommand and reads what it says until it has said a number of lines that hold these words, or ends.
fn until_said(mut command: Command, what: &str, times: usize) -> (Child, usize) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = lines.map_while(Result::ok).filter(|line| line.contains(what)).take(times).count();
    (child, said)
}

/// What a subcommand prints; it must do what it shall.
fn printed(data: &Path, arguments: &[&str]) -> String {
    let done = kundwebb(data, arguments).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", words(&done));
    String::from_utf8(done.stdout).unwrap()
}

/// A demo in a folder, at rest.
fn demo(data: &Path) {
    let serve = kundwebb(data, &["serve", "--demo-cases", CASES, "--listen", "127.0.0.1:0"]);
    let (mut child, ready) = until_said(serve, "ready", 1);
    assert_eq!(ready, 1);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Of a copy that was cut off every command says so.
fn nobody_takes_it_for_whole(data: &Path, log: &str) {
    let backup = data.join("../backup");
    let commands: [&[&str]; 4] = [
        &["serve", "--demo", "--listen", "127.0.0.1:0"],
        &["check"],
        &["log", "verify"],
        &["backup", "--to", backup.to_str().unwrap()],
    ];
    for arguments in commands {
        let done = kundwebb(data, arguments).args(["--log", log]).output().unwrap();
        let said = words(&done);
        assert!(
            !done.status.success() && said.contains("run `kundwebb log copy` again"),
            "{arguments:?}: {said}"
        );
        assert!(
            !said.contains("put the log's own") && !said.contains("`kundwebb restore`"),
            "{arguments:?}: {said}"
        );
    }
}

/// Copies it, killed after it has told of one transaction, then of two, and so on, until it comes to its end.
fn copy_with_kills(data: &Path, from: &str, to: &str) -> usize {
    let mut kills = 0;
    loop {
        let copy = kundwebb(data, &["log", "copy", "--from", from, "--to", to]);
        let (mut child, said) = until_said(copy, "events", kills + 1);
        if said <= kills {
            assert!(child.wait().unwrap().success());
            return kills;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        if kills == 0 {
            nobody_takes_it_for_whole(data, to);
        }
        kills += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_installation_grows_without_loss_however_often_the_copy_is_killed() {
    let town = Town::new().await;
    let (small, grown, back) = (town.data(0), town.data(1), town.data(2));
    let url = town.url.clone();
    let kills = tokio::task::spawn_blocking({
        let (small, grown, back) = (small.clone(), grown.clone(), back.clone());
        move || {
            demo(&small);
            let folder = format!("sqlite:{}", small.display());
            let kills = copy_with_kills(&small, &folder, &url);
            assert!(kills > 0, "it was killed on its way");
            for folder in [&grown, &back] {
                fs::create_dir_all(folder).unwrap();
                for key in KEY_FILES {
                    fs::copy(small.join(key), folder.join(key)).unwrap();
                }
            }
            let exported = printed(&small, &["log", "export"]);
            assert!(exported.lines().count() > 3000);
            assert!(exported == printed(&grown, &["log", "export", "--log", &url]), "the same bytes");
            printed(&grown, &["log", "verify", "--log", &url]);
            printed(&small, &["log", "copy", "--from", &url, "--to", &format!("sqlite:{}", back.display())]);
            assert!(exported == printed(&back, &["log", "export"]), "and back");
            printed(&back, &["log", "verify"]);
            kills
        }
    });
    assert!(kills.await.unwrap() > 0);
    // A node goes on there.
    let variables = [("KUNDWEBB_LOG", town.url.as_str())];
    let node = Program::start_with(&grown, &Start { variables: &variables, ..Start::default() }).await;
    let created = node.anna().try_create(&crate::support::new_key(), &[]).await.unwrap();
    assert_eq!(created.status(), 201, "{}", created.text().await.unwrap());
    node.stop().await;
}
