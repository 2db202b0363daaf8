//! Whoever is met while a mark is on its way: neither side finds the other in the read models when it looks first.

use std::cell::Cell;
use std::time::Duration;

use domain::{Event, PersonId};
use infrastructure::committer::Expected;
use rusqlite::Connection;
use tokio::task::yield_now;

use super::*;

/// Anna, whose address it is, and those who are met with it: by a call at another employer, and by another login.
struct Meeting<'a> {
    app: &'a TestApp,
    anna: PersonId,
    olle: TestCaller<'a>,
    second: TestCaller<'a>,
    /// The end of the log before.
    before: u64,
}

impl<'a> Meeting<'a> {
    async fn of(app: &'a TestApp) -> Self {
        app.employee("anna").case("En faktura").await;
        let (anna, olle) = (app.app.keys.login("anna"), app.officer("olle"));
        olle.list("").await;
        let same = Identity { email: Some(ADDRESS.to_owned()), ..identity("anna-2", Role::Employee) };
        let before = app.app.log.head().await.unwrap().position;
        Self { app, anna, olle, second: app.caller(same), before }
    }

    async fn mark(&self) {
        self.app.app.protect(self.anna, self.anna, true).await.unwrap();
    }

    /// Writes the caller and the case of the call, and the login and its case.
    async fn meet(&self) -> [Done; 2] {
        let call = json!({
            "employer": PROVMYNDIGHETEN, "area": "ekonomi", "subject": "Ett samtal", "message": "Hej",
            "channel": "telefon", "language": "sv", "reporter": {"name": NAME, "email": ADDRESS},
        });
        tokio::join!(self.olle.create(&call), self.second.case("Från ny inloggning")).into()
    }

    /// Waits until the log has so many events more.
    async fn has(&self, events: u64) {
        while self.app.app.log.head().await.unwrap().position < self.before + events {
            yield_now().await;
        }
    }

    async fn all_are_marked(&self, cases: [Done; 2]) {
        for case in cases {
            let read = self.olle.read(&case.id).await;
            assert_eq!(read["reporter"]["protected"], true, "{read}");
            assert_eq!(read["reporter"]["name"], Value::Null);
        }
    }
}

fn hold(file: &std::path::Path) -> Connection {
    let held = Connection::open(file).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    held
}

fn let_go(held: &Connection) {
    held.execute_batch("ROLLBACK").unwrap();
}

/// Of what was written before the mark is shown.
#[tokio::test]
async fn a_mark_finds_whoever_was_met_before_it_was_shown() {
    for mark_first in [true, false] {
        let app = TestApp::start().await;
        let meeting = Meeting::of(&app).await;
        let held = hold(&crate::program::read_models(app.folder()));
        let mark = async {
            meeting.has(if mark_first { 0 } else { 3 }).await;
            meeting.mark().await;
        };
        let met = async {
            meeting.has(if mark_first { 1 } else { 0 }).await;
            meeting.meet().await
        };
        let shown = async {
            meeting.has(4).await;
            let_go(&held);
        };
        let ((), cases, ()) = tokio::join!(mark, met, shown);
        meeting.all_are_marked(cases).await;
    }
}

/// They looked before the mark was shown, and are written when it has been answered.
#[tokio::test]
async fn whoever_is_met_finds_a_mark_that_was_shown_meanwhile() {
    let app = TestApp::start().await;
    let meeting = Meeting::of(&app).await;
    let waiting = || app.app.committer.waiting();
    let (log, reads) = (app.folder().join("log.db"), hold(&crate::program::read_models(app.folder())));
    let (marked, looks) = (Cell::new(false), Cell::new(false));
    let mark = async {
        meeting.mark().await;
        marked.set(true);
    };
    let met = async {
        while !looks.get() {
            yield_now().await;
        }
        meeting.meet().await
    };
    let order = async {
        meeting.has(1).await;
        let log = hold(&log);
        // The committer takes this, and waits with it.
        let (olle, event) = (app.app.keys.login("olle"), Event::ProtectionChanged { protected: false });
        let first = app.app.append(olle, olle.into(), event, Expected::Any);
        let rest = async {
            while waiting() > 0 {
                yield_now().await;
            }
            looks.set(true);
            let looked = async {
                while waiting() < 2 {
                    yield_now().await;
                }
            };
            // Should they have come into the batch of the first, they wait, too.
            let _ = tokio::time::timeout(Duration::from_secs(1), looked).await;
            let_go(&reads);
            while !marked.get() {
                yield_now().await;
            }
            let_go(&log);
        };
        tokio::join!(first, rest).0.unwrap();
    };
    let ((), cases, ()) = tokio::join!(mark, met, order);
    meeting.all_are_marked(cases).await;
}
