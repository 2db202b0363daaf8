//! What goes wrong on the way: the program in a process of its own, killed and started again between two steps of
//! `browser/trouble.mjs`.

use tests::service::Service;

use super::{PATIENCE, start, talk};

#[tokio::test]
async fn a_broken_line_and_a_program_that_is_killed_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_owned();
    let output = tokio::task::spawn_blocking(move || {
        let mut service = Service::start(&data).unwrap();
        let journey = start(&["trouble.mjs", &format!("http://{}", service.address())]);
        talk(journey, |line| {
            assert_eq!(line, "restart", "the journey says: {line}");
            service.kill().unwrap();
            service = Service::start(&data).unwrap();
            format!("http://{}", service.address())
        })
    });
    let output = tokio::time::timeout(PATIENCE, output).await.expect("the journey does not end").unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
