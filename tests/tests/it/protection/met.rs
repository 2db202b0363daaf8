//! Whoever is met while a mark is on its way: neither side finds the other in the read models when it looks.

use domain::PersonId;
use rusqlite::Connection;

use super::*;

/// Anna, whose address it is, and those who are met with it: by a call at another employer, and by another login.
struct Meeting<'a> {
    app: &'a TestApp,
    anna: PersonId,
    olle: TestCaller<'a>,
    /// The end of the log before.
    before: u64,
}

impl<'a> Meeting<'a> {
    async fn of(app: &'a TestApp) -> Self {
        app.employee("anna").case("En faktura").await;
        let (anna, olle) = (app.app.keys.login("anna"), app.officer("olle"));
        olle.list("").await;
        let before = app.app.log.head().await.unwrap().position;
        Self { app, anna, olle, before }
    }

    /// Waits until the log has so many events more.
    async fn has(&self, events: u64) {
        while self.app.app.log.head().await.unwrap().position < self.before + events {
            tokio::task::yield_now().await;
        }
    }

    /// Writes the caller and the case of the call, and the login and its case.
    async fn meet(&self) -> [Done; 2] {
        let call = json!({
            "employer": PROVMYNDIGHETEN, "area": "ekonomi", "subject": "Ett samtal", "message": "Hej",
            "channel": "telefon", "language": "sv", "reporter": {"name": NAME, "email": ADDRESS},
        });
        let same = Identity { email: Some(ADDRESS.to_owned()), ..identity("anna-2", Role::Employee) };
        let second = self.app.caller(same);
        tokio::join!(self.olle.create(&call), second.case("Från ny inloggning")).into()
    }
}

#[tokio::test]
async fn a_mark_goes_with_whoever_is_met_while_it_is_on_its_way() {
    for mark_first in [true, false] {
        let app = TestApp::start().await;
        let meeting = Meeting::of(&app).await;
        let held = Connection::open(crate::program::read_models(app.folder())).unwrap();
        held.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mark = async {
            meeting.has(if mark_first { 0 } else { 3 }).await;
            app.app.protect(meeting.anna, meeting.anna, true).await.unwrap();
        };
        let met = async {
            meeting.has(if mark_first { 1 } else { 0 }).await;
            meeting.meet().await
        };
        let shown = async {
            meeting.has(4).await;
            held.execute_batch("ROLLBACK").unwrap();
        };
        let ((), cases, ()) = tokio::join!(mark, met, shown);
        for case in cases {
            let read = meeting.olle.read(&case.id).await;
            assert_eq!(read["reporter"]["protected"], true, "{mark_first} {read}");
            assert_eq!(read["reporter"]["name"], Value::Null, "{mark_first}");
        }
    }
}
