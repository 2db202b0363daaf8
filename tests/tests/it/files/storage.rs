//! Files that lie in a bucket: stored and read, given up, refused while the storage is away, found out by `check`, and
//! taken along by backups.

use std::fs;

use tokio::sync::oneshot;

use super::*;
use crate::program::words;

/// The lines of `check` that say what is wrong.
fn faults(output: &Output) -> Vec<String> {
    words(output).lines().filter(|line| line.starts_with("FAIL")).map(str::to_owned).collect()
}

/// It finds just this, says what to do, and ends with 1.
#[track_caller]
fn finds(output: &Output, what: &str, advice: &str) {
    let found = faults(output);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains(what) && found[0].contains(advice), "{found:?}");
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_lie_in_the_bucket_and_a_broken_upload_leaves_nothing_there() {
    let town = Town::new();
    let data = town.path("data");
    let program = town.start(&data, "s3://kundwebb/town").await;
    for (count, length) in [(1, 0), (2, LARGE)] {
        let case = case_with(&program, &pdf(length)).await;
        reads(&program, &case, &pdf(length)).await;
        assert_eq!(town.count(), count);
    }
    assert!(town.objects.bucket().join("town").is_dir() && !data.join("files").exists());
    let objects = Arc::clone(&town.objects);
    let (arrived, has_arrived) = oneshot::channel();
    let middle = async move {
        part_arrives(&objects).await;
        arrived.send(()).unwrap();
    };
    drop(upload_with_a_break(&program, middle, false).await);
    has_arrived.await.unwrap();
    town.until_it_holds(2).await;
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_storage_is_away_files_wait_and_nothing_else_does() {
    let town = Town::new();
    let data = town.path("data");
    let program = town.start(&data, "s3://kundwebb").await;
    let case = case_with(&program, &pdf(LARGE)).await;
    let objects = Arc::clone(&town.objects);
    let middle = async move {
        part_arrives(&objects).await;
        objects.kill().unwrap();
    };
    is_away(upload_with_a_break(&program, middle, true).await.unwrap()).await;
    is_away(program.anna().try_upload(PDF).await.unwrap()).await;
    is_away(download(&program, &case).await).await;
    // Everything else works, and the node says so.
    program.until_ready(true).await;
    let created = program.anna().try_create(&new_key(), &[]).await.unwrap();
    assert_eq!(created.status(), 201);
    town.objects.run().unwrap();
    assert_eq!(town.count(), 1, "nothing half is seen as an object");
    reads(&program, &case, &pdf(LARGE)).await;
    let again = case_with(&program, &pdf(LARGE)).await;
    reads(&program, &again, &pdf(LARGE)).await;
    // A node may start while it is away, and says so.
    program.stop().await;
    town.objects.kill().unwrap();
    let program = town.start(&data, "s3://kundwebb").await;
    assert!(program.said().contains("does not answer") && program.said().contains("AWS_ENDPOINT_URL"));
    is_away(download(&program, &case).await).await;
    town.objects.run().unwrap();
    reads(&program, &case, &pdf(LARGE)).await;
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_files_is_found() {
    let town = Town::new();
    for place in ["s3://kundwebb/town", LOCAL] {
        let data = town.path(&place.replace('/', "."));
        let program = town.start(&data, place).await;
        case_with(&program, &pdf(200_000)).await;
        let well = town.run(&data, place, &["check"]);
        assert!(well.status.success(), "{}", words(&well));
        assert!(words(&well).contains("the 1 files that cases name are in"), "{}", words(&well));
        let folder = if place == LOCAL { data.join("files") } else { town.objects.bucket().join("town") };
        let object = fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
        let whole = fs::read(&object).unwrap();
        fs::write(&object, &whole[..whole.len() - 1]).unwrap();
        let advice = "copy them from the files/ of a backup";
        finds(
            &town.run(&data, place, &["check"]),
            "1 of the 1 files that cases name are not as large",
            advice,
        );
        fs::remove_file(&object).unwrap();
        finds(&town.run(&data, place, &["check"]), "1 of the 1 files that cases name are missing", advice);
        fs::write(&object, &whole).unwrap();
        assert!(town.run(&data, place, &["check"]).status.success());
        program.stop().await;
    }
    let (place, data) = ("s3://kundwebb/town", town.path("s3:..kundwebb.town"));
    let mut wrong = town.variables(place);
    wrong.push(("AWS_SECRET_ACCESS_KEY", "another".to_owned()));
    finds(&run_with(&data, &wrong, &["check"]), "FAIL  files: ", "check that the bucket is there");
    let said = town.try_start(&data, &wrong).await.err().unwrap();
    assert!(said.contains("refuses us") && said.contains("AWS_SECRET_ACCESS_KEY"), "{said}");
    town.objects.kill().unwrap();
    finds(&town.run(&data, place, &["check"]), "does not answer", "AWS_ENDPOINT_URL");
    let unknown = town.run(&data, "nowhere", &["check"]);
    finds(&unknown, "`nowhere` is no place for files", "s3://BUCKET");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_takes_the_files_out_of_the_bucket_and_restore_puts_them_into_one() {
    let town = Town::new();
    let [data, backup, restored, holey] = ["data", "backup", "restored", "holey"].map(|name| town.path(name));
    let program = town.start(&data, "s3://kundwebb/one").await;
    let cases = [case_with(&program, &pdf(0)).await, case_with(&program, &pdf(LARGE)).await];
    let taken = town.run(&data, "s3://kundwebb/one", &["backup", "--to", backup.to_str().unwrap()]);
    assert!(taken.status.success(), "{}", words(&taken));
    assert_eq!(fs::read_dir(backup.join("files")).unwrap().count(), 2);
    // Away: the backup is not taken, and nothing half is left.
    town.objects.kill().unwrap();
    let away = town.run(&data, "s3://kundwebb/one", &["backup", "--to", holey.to_str().unwrap()]);
    assert!(!away.status.success() && !holey.exists(), "{}", words(&away));
    town.objects.run().unwrap();
    program.stop().await;
    for place in ["s3://kundwebb/two", LOCAL] {
        let from = ["restore", "--from", backup.to_str().unwrap()];
        let back = town.run(&restored, place, &from);
        assert!(back.status.success() && words(&back).contains("2 files"), "{}", words(&back));
        let program = town.start(&restored, place).await;
        for (case, length) in cases.iter().zip([0, LARGE]) {
            reads(&program, case, &pdf(length)).await;
        }
        program.stop().await;
        fs::remove_dir_all(&restored).unwrap();
    }
    assert_eq!(town.count(), 4);
    // What is missing in the bucket is told.
    let lost =
        town.objects.objects().unwrap().into_iter().find(|path| path.to_string_lossy().contains("/one/"));
    let lost = lost.unwrap();
    fs::remove_file(&lost).unwrap();
    let taken = town.run(&data, "s3://kundwebb/one", &["backup", "--to", holey.to_str().unwrap()]);
    let name = lost.file_name().unwrap().to_str().unwrap();
    assert!(taken.status.code() == Some(1) && words(&taken).contains(name), "{}", words(&taken));
    assert!(words(&taken).contains("s3://kundwebb/one"), "{}", words(&taken));
}
