//! The payroll calendar as people's own calendars take it.

use std::collections::BTreeSet;

use crate::support::TestApp;

/// The lines of a document, unfolded (RFC 5545 section 3.1).
fn lines(text: &str) -> Vec<String> {
    assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']), "{text:?}");
    assert!(text.split("\r\n").all(|line| line.len() <= 75), "no line is longer than 75 octets");
    text.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
}

#[tokio::test]
async fn the_schedule_is_a_calendar_whose_entries_keep_their_ids() {
    let app = TestApp::start().await;
    let mut ids = Vec::new();
    for (language, words) in [("sv", "SUMMARY:Lön 2026-12: Utbetalning"), ("en", "SUMMARY:Payroll 2026-12: ")]
    {
        let url = format!("{}/tjanster/tidplan.ics?kod={language}", app.url);
        let answer = app.client.get(&url).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/calendar; charset=utf-8");
        let lines = lines(&answer.text().await.unwrap());
        let count = |line: &str| lines.iter().filter(|own| *own == line).count();
        let entries = count("BEGIN:VEVENT");
        assert!(entries >= 40 && entries % 4 == 0 && count("END:VEVENT") == entries, "{entries}");
        assert_eq!((count("VERSION:2.0"), count("BEGIN:VCALENDAR"), count("END:VCALENDAR")), (1, 1, 1));
        assert!(lines.iter().any(|line| line.starts_with(words)), "{words} in {lines:?}");
        let starting = |start: &str| -> Vec<String> {
            lines.iter().filter(|line| line.starts_with(start)).cloned().collect()
        };
        assert!(starting("PRODID:").len() == 1 && starting("DTSTAMP:").len() == entries);
        // A day is a day, and noon in Stockholm is eleven in winter.
        assert!(lines.contains(&"DTEND:20261216T110000Z".to_owned()), "{lines:?}");
        assert_eq!(starting("DTSTART;VALUE=DATE:").len() * 4, entries * 3);
        let own: BTreeSet<String> = starting("UID:").into_iter().collect();
        assert_eq!(own.len(), entries);
        ids.push(own);
    }
    assert_eq!(ids[0], ids[1]);
}
