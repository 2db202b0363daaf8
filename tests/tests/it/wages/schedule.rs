//! The payroll schedule: periods that are added, corrected and withdrawn, as a page and as people's calendars take them.

use std::collections::BTreeMap;

use icalendar::{Calendar, CalendarComponent, Component};
use reqwest::StatusCode;
use reqwest::header::IF_NONE_MATCH;

use super::{editor, send, services};
use crate::officer_pages::browser::{Browser, Page};
use crate::support::TestApp;

const LIST: &str = "/redaktion/tidplan";
const NEW: &str = "/redaktion/tidplan/ny";
const JANUARY: &str = "/redaktion/tidplan/2027-01";

/// The days of January 2027, with something else in some fields.
fn days<'a>(other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("documents", "2027-01-11"),
        ("approval", "2027-01-18T12:00"),
        ("run", "2027-01-18"),
        ("payDay", "2027-01-25"),
    ];
    let kept = usual.into_iter().filter(|(name, _)| other.iter().all(|(own, _)| own != name));
    kept.chain(other.iter().copied()).collect()
}

async fn change(by: &Browser<'_>, other: &[(&str, &str)]) -> Page {
    let page = by.get(JANUARY).await;
    send(by, &page, JANUARY, &days(other), None).await
}

async fn text(app: &TestApp) -> String {
    app.client.get(format!("{}/tjanster/tidplan.ics", app.url)).send().await.unwrap().text().await.unwrap()
}

/// The entries of a calendar as a program reads them: by id the sequence, when it was changed, the state and the start.
fn entries(text: &str) -> BTreeMap<String, [String; 4]> {
    let calendar: Calendar = text.parse().unwrap();
    assert_eq!(calendar.property_value("METHOD"), Some("PUBLISH"));
    let entry = |component: &CalendarComponent| {
        let event = component.as_event().unwrap();
        let value = |name| event.property_value(name).unwrap().to_owned();
        assert_eq!(value("DTSTAMP"), value("LAST-MODIFIED"));
        (value("UID"), ["SEQUENCE", "LAST-MODIFIED", "STATUS", "DTSTART"].map(value))
    };
    let read: BTreeMap<_, _> = calendar.components.iter().map(entry).collect();
    assert_eq!(read.len(), calendar.components.len(), "no id comes twice");
    read
}

#[tokio::test]
async fn a_period_is_corrected_and_its_history_kept() {
    let app = TestApp::start().await;
    let dan = editor(&app, "dan").await;
    dan.get(LIST).await.shows(200, "Lägg till 2028-01");
    let sent = change(&dan, &[("payDay", "2027-01-26")]).await;
    let page = dan.done(&sent).await;
    page.shows(
        200,
        "23 november 2026 kl. 09.36, Dan Provsson 2027-01-11 2027-01-18 12.00 2027-01-18 2027-01-26",
    );
    page.shows(200, "Följde med Kundwebben 2027-01-11 2027-01-18 12.00 2027-01-18 2027-01-25");
    let shown = services(&app, "sv").await;
    assert!(shown.contains("2027-01-26") && !shown.contains("2027-01-25"));
    for (fields, words) in [
        ([("payDay", "2027-01-24")], "Utbetalningen kan inte vara en helgdag. Välj en bankdag."),
        ([("payDay", "2027-01-18")], "Utbetalningen måste vara efter lönekörningen."),
        ([("documents", "2027-01-19")], "Attesten kan inte vara före sista dagen för underlag."),
        ([("run", "2027-01-15")], "Lönekörningen kan inte vara före attesten."),
        ([("run", "x")], "Skriv en dag, till exempel 2027-01-25."),
    ] {
        let refused = change(&dan, &fields).await;
        refused.shows(422, words);
        assert!(refused.html.contains(&format!("value=\"{}\"", fields[0].1)));
    }
    let auditor = app.auditor().get("/events?limit=1000").send().await.ok();
    let published = auditor["events"].as_array().unwrap().iter();
    assert_eq!(published.filter(|event| event["type"] == "PayrollPeriodPublished").count(), 1);
}

#[tokio::test]
async fn a_year_is_added_and_no_period_comes_twice() {
    let app = TestApp::start().await;
    let dan = editor(&app, "dan").await;
    for (period, pay_day) in [("2028-01", "2028-01-25"), ("2028-02", "2028-02-25"), ("2028-03", "2028-03-24")]
    {
        let form = dan.get(NEW).await;
        assert!(form.html.contains(&format!("value=\"{period}\"")) && form.html.contains(pay_day));
        let proposed: Vec<(String, String)> = ["period", "documents", "approval", "run", "payDay"]
            .map(|name| {
                let input = form.html.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
                (name.to_owned(), input.split('"').next().unwrap().to_owned())
            })
            .to_vec();
        let fields: Vec<_> = proposed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let sent = send(&dan, &form, NEW, &fields, None).await;
        dan.done(&sent).await.shows(200, &format!("{period} "));
        // The same form once more is the same; another one of that period is refused.
        assert_eq!(send(&dan, &form, NEW, &fields, None).await.path(), LIST);
        let other = [&fields[..4], &[("payDay", "2028-03-31")]].concat();
        let refused = send(&dan, &form, NEW, &other, None).await;
        refused.shows(422, &format!("Perioden {period} finns redan i tidplanen."));
    }
    let form = dan.get(NEW).await;
    let wrong = send(&dan, &form, NEW, &days(&[("period", "2028-13")]), None).await;
    wrong.shows(422, "Skriv år och månad, till exempel 2027-01.");
    assert_eq!(dan.get("/redaktion/tidplan/2035-01").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nobody_overwrites_anybody() {
    let app = TestApp::start().await;
    let (dan, doris) = (editor(&app, "dan").await, editor(&app, "doris").await);
    let theirs = doris.get(JANUARY).await;
    dan.done(&change(&dan, &[("payDay", "2027-01-26")]).await).await;
    let late = days(&[("payDay", "2027-01-27")]);
    let stale = send(&doris, &theirs, JANUARY, &late, None).await;
    stale.shows(412, "Någon annan har ändrat perioden");
    assert!(stale.html.contains("value=\"2027-01-27\""));
    assert!(services(&app, "sv").await.contains("2027-01-26"));
    let out = format!("{JANUARY}/dra-in");
    assert!(!doris.done(&doris.submit(&theirs, &out, &[]).await).await.says("Perioden är indragen."));
    doris.done(&send(&doris, &stale, JANUARY, &late, None).await).await;
    assert!(services(&app, "sv").await.contains("2027-01-27"));
}

#[tokio::test]
async fn calendars_learn_what_changed_and_what_is_cancelled() {
    let app = TestApp::start().await;
    let shipped = text(&app).await;
    let before = entries(&shipped);
    let pay_day = "2027-01-pay-day@tidplan.kundwebb";
    assert_eq!(before[pay_day], ["0", "20261101T000000Z", "CONFIRMED", "20270125"]);
    app.pass(chrono::TimeDelta::hours(1));
    assert_eq!(text(&app).await, shipped, "the same data are the same bytes");

    let mut expected = before.clone();
    for (payment, sequence, at) in
        [("2027-01-26", "1", "20261123T093608Z"), ("2027-01-27", "2", "20261123T103608Z")]
    {
        // A login does not last as long.
        let dan = editor(&app, "dan").await;
        dan.done(&change(&dan, &[("payDay", payment)]).await).await;
        for what in ["documents", "approval", "run", "pay-day"] {
            let entry = expected.get_mut(&format!("2027-01-{what}@tidplan.kundwebb")).unwrap();
            (entry[0], entry[1]) = (sequence.to_owned(), at.to_owned());
        }
        expected.get_mut(pay_day).unwrap()[3] = payment.replace('-', "");
        assert_eq!(entries(&text(&app).await), expected);
        app.pass(chrono::TimeDelta::hours(1));
    }

    let url = format!("{}/tjanster/tidplan.ics", app.url);
    let known = app.client.get(&url).send().await.unwrap().headers()["etag"].clone();
    let asked = async || app.client.get(&url).header(IF_NONE_MATCH, &known).send().await.unwrap().status();
    assert_eq!(asked().await, StatusCode::NOT_MODIFIED);
    let dan = editor(&app, "dan").await;
    for (address, sequence) in [(JANUARY, "3"), ("/redaktion/tidplan/2027-02", "2")] {
        let page = dan.get(address).await;
        let page = dan.done(&dan.submit(&page, &format!("{address}/dra-in"), &[]).await).await;
        page.shows(200, "Perioden är indragen.");
        let period = address.rsplit('/').next().unwrap();
        for (_, entry) in expected.iter_mut().filter(|(id, _)| id.starts_with(period)) {
            [entry[0], entry[1], entry[2]] = [sequence, "20261123T113608Z", "CANCELLED"].map(str::to_owned);
        }
    }
    assert_eq!(entries(&text(&app).await), expected);
    assert_eq!(asked().await, StatusCode::OK);
    let shown = services(&app, "sv").await;
    assert!(!shown.contains("2027-01-27") && shown.contains("2027-03-25"));
    dan.done(&change(&dan, &[]).await).await;
    assert_eq!(entries(&text(&app).await)[pay_day][..3], ["4", "20261123T113608Z", "CONFIRMED"]);
}
