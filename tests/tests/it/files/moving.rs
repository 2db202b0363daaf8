//! `kundwebb files move`: every file there and back, proven; nothing is deleted that is not proven at the other place.

use std::fs;

use cluster::Cluster;

use super::*;
use crate::program::words;

const BUCKET: &str = "s3://kundwebb/town";

#[track_caller]
fn moved(output: &Output, said: &str) {
    assert!(output.status.success() && words(output).contains(said), "{}", words(output));
}

#[track_caller]
fn refused(output: &Output, said: &str) {
    assert!(!output.status.success() && words(output).contains(said), "{}", words(output));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_move_to_a_bucket_and_back_and_can_be_read_after_each() {
    let town = Town::new();
    let data = town.path("data");
    let there = ["files", "move", "--from", LOCAL, "--to", BUCKET];
    let there_and_delete = [&there[..], &["--delete-source"]].concat();
    let program = town.start(&data, LOCAL).await;
    let mut cases =
        vec![(case_with(&program, PDF).await, pdf(0)), (case_with(&program, &pdf(LARGE)).await, pdf(LARGE))];
    let staged = uploaded(&program, PDF).await;
    refused(&town.run(&data, LOCAL, &there), "another kundwebb process uses the data folder");
    program.stop().await;
    refused(&town.run(&data, LOCAL, &there_and_delete), "is the place that is in use");
    refused(&town.run(&data, LOCAL, &["files", "move", "--from", LOCAL, "--to", LOCAL]), "the same place");
    moved(&town.run(&data, LOCAL, &there), "holds 3 files, each as the log says: 3 copied");
    moved(&town.run(&data, LOCAL, &there), "0 copied, 3 there already, 0 deleted");
    // An earlier try was cut off: what it has left is made whole.
    let half = town.objects.objects().unwrap().remove(0);
    fs::write(&half, "half").unwrap();
    moved(&town.run(&data, LOCAL, &there), "1 copied, 2 there already, 0 deleted");
    assert_eq!(fs::read_dir(data.join("files")).unwrap().count(), 3);

    let program = town.start(&data, BUCKET).await;
    for (case, content) in &cases {
        reads(&program, case, content).await;
    }
    let begun = program.anna().try_create(&new_key(), &[staged]).await;
    cases.push((Acknowledged::default().note(begun).await.unwrap(), pdf(0)));
    cases.push((case_with(&program, PDF).await, pdf(0)));
    program.stop().await;
    moved(&town.run(&data, BUCKET, &there_and_delete), "0 copied, 4 there already, 3 deleted");
    assert_eq!(fs::read_dir(data.join("files")).unwrap().count(), 0);
    assert!(town.run(&data, BUCKET, &["check"]).status.success());

    let back = ["files", "move", "--from", BUCKET, "--to", LOCAL];
    moved(&town.run(&data, BUCKET, &back), "set files.store = \"local\"");
    moved(&town.run(&data, LOCAL, &[&back[..], &["--delete-source"]].concat()), "4 there already, 4 deleted");
    assert_eq!(town.count(), 0);
    let program = town.start(&data, LOCAL).await;
    for (case, content) in &cases {
        reads(&program, case, content).await;
    }
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_or_missing_is_told_and_never_copied_over_or_deleted() {
    let town = Town::new();
    let data = town.path("data");
    let program = town.start(&data, LOCAL).await;
    let cases = [case_with(&program, PDF).await, case_with(&program, PDF).await];
    program.stop().await;
    let there = ["files", "move", "--from", LOCAL, "--to", BUCKET];
    let object = fs::read_dir(data.join("files")).unwrap().next().unwrap().unwrap().path();
    let name = object.file_name().unwrap().to_str().unwrap().to_owned();
    let whole = fs::read(&object).unwrap();
    fs::write(&object, [&whole[1..], b"x"].concat()).unwrap();
    refused(&town.run(&data, LOCAL, &there), &name);
    assert_eq!(town.count(), 1, "the other is copied, and this one is not");
    fs::write(&object, &whole).unwrap();
    moved(&town.run(&data, LOCAL, &there), "1 copied, 1 there already");
    // The source is damaged now, and the target has what it was: that is kept, and may be deleted at the source.
    fs::write(&object, [&whole[1..], b"x"].concat()).unwrap();
    moved(&town.run(&data, LOCAL, &there), "0 copied, 2 there already");
    // Damaged at both.
    let copy = town.objects.objects().unwrap().into_iter().find(|path| path.ends_with(&name)).unwrap();
    fs::write(&copy, "half").unwrap();
    let both = town.run(&data, BUCKET, &[&there[..], &["--delete-source"]].concat());
    refused(&both, &name);
    assert!(object.exists(), "what is not proven at the other place stays");
    // The storage is away: nothing happens.
    town.objects.kill().unwrap();
    refused(&town.run(&data, LOCAL, &there), "does not answer");
    town.objects.run().unwrap();
    fs::write(&object, &whole).unwrap();
    moved(&town.run(&data, LOCAL, &there), "1 copied, 1 there already");
    let program = town.start(&data, BUCKET).await;
    for case in &cases {
        reads(&program, case, PDF).await;
    }
    program.stop().await;
}

/// On PostgreSQL they move beside the nodes, which all see the same bucket afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn files_move_beside_running_nodes_that_share_their_log() {
    let town = Town::new();
    let cluster = tokio::task::spawn_blocking(|| Cluster::shared().unwrap()).await.unwrap();
    let database = Arc::clone(&cluster);
    let url = tokio::task::spawn_blocking(move || database.database().unwrap()).await.unwrap();
    let variables = |place: &str| {
        let mut variables = town.variables(place);
        variables.push(("KUNDWEBB_LOG", url.clone()));
        variables
    };
    let data = town.path("data");
    let there = ["files", "move", "--from", LOCAL, "--to", BUCKET];
    let one = town.try_start(&data, &variables(LOCAL)).await.unwrap();
    let case = case_with(&one, &pdf(LARGE)).await;
    moved(&run_with(&data, &variables(LOCAL), &there), "1 copied, 0 there already");
    let well = run_with(&data, &variables(LOCAL), &["check"]);
    assert!(words(&well).contains("Only this node has them"), "{}", words(&well));
    let late = case_with(&one, PDF).await;
    one.stop().await;
    let variables = variables(BUCKET);
    let one = town.try_start(&data, &variables).await.unwrap();
    moved(&run_with(&data, &variables, &there), "1 copied, 1 there already");
    let pairs: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let two = one.beside(&town.path("two"), &Start { variables: &pairs, ..Start::default() }).await;
    reads(&two, &case, &pdf(LARGE)).await;
    reads(&two, &late, PDF).await;
    // Stored at one node, attached at another, read at the first.
    let file = uploaded(&one, PDF).await;
    let begun = two.anna().try_create(&new_key(), &[file]).await;
    let begun = Acknowledged::default().note(begun).await.unwrap();
    let until = Instant::now() + PATIENCE;
    while !one.anna().get(&format!("/cases/{}", begun["id"].as_str().unwrap())).await.status().is_success() {
        assert!(Instant::now() < until, "the case does not show");
    }
    reads(&one, &begun, PDF).await;
    one.stop().await;
    two.stop().await;
}
