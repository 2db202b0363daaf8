//! What goes wrong on the way: the program in a process of its own, killed and started again between two steps of
//! `browser/trouble.mjs`.

use tests::service::Service;

use super::Journey;

#[tokio::test]
async fn a_broken_line_and_a_program_that_is_killed_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_owned();
    let start = move || Service::start(&data).unwrap();
    let (mut service, start) = tokio::task::spawn_blocking(move || (start(), start)).await.unwrap();
    let journey = Journey::start(&["trouble.mjs", &format!("http://{}", service.address())]);
    let restart = move |line: &str| {
        assert_eq!(line, "restart", "the journey says: {line}");
        service.kill().unwrap();
        service = start();
        format!("http://{}", service.address())
    };
    journey.ends_well(restart).await;
}
