//! The demo's employers and service-status notices.

use chrono::{DateTime, TimeDelta, Utc};
use domain::service_status::NoticeKind;
use domain::{Event, StreamId, System};
use infrastructure::CommandError;
use infrastructure::committer::{Append, Expected};

use crate::App;
use crate::content::first_catalogue;
use crate::demo::employers::EMPLOYERS;

/// A notice to be published, or resolved when it has no event of its own.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    /// When it is published.
    pub(super) at: DateTime<Utc>,
    stream: StreamId,
    event: Event,
}

/// Registers the employers.
///
/// # Errors
/// When the log cannot be written.
pub(super) async fn register_employers(app: &App) -> Result<(), CommandError> {
    for employer in EMPLOYERS.iter() {
        app.committer.append(employer.append(app, "demo", Expected::New, first_catalogue())).await?;
    }
    Ok(())
}

/// Publishes a notice.
///
/// # Errors
/// When the log cannot be written.
pub(super) async fn publish(app: &App, notice: Notice) -> Result<(), CommandError> {
    let append = Append {
        stream: notice.stream,
        actor: app.keys.login("demo"),
        employer: None,
        event: notice.event,
        expected: Expected::Any,
        upkeep: None,
    };
    app.committer.append(append).await.map(drop)
}

/// What the demo tells of, latest first: a disruption that is over, one that goes on, and planned maintenance.
pub(super) fn planned(now: DateTime<Utc>) -> Vec<Notice> {
    let hours = |hours: i64| now + TimeDelta::hours(hours);
    let slow = notice(
        1,
        hours(-9 * 24),
        NoticeKind::Disruption,
        None,
        [
            "Kundwebben är långsam",
            "Kundwebben is slow",
            "Det kan ta längre tid än vanligt att skicka ett ärende.",
            "Sending a case may take longer than usual.",
            "Du kan arbeta som vanligt. Inget går förlorat.",
            "You can work as usual. Nothing is lost.",
        ],
    );
    let over = Notice { at: hours(-9 * 24 + 3), stream: slow.stream, event: Event::NoticeResolved {} };
    let unreachable = notice(
        2,
        hours(-2),
        NoticeKind::Disruption,
        Some(System::Primula),
        [
            "Primula går inte att nå",
            "Primula cannot be reached",
            "Det går inte att logga in i egenrapporteringen. Sista dag för attest flyttas inte.",
            "It is not possible to log in to self-reporting. The last day for approval is not moved.",
            "Vänta med din rapport tills Primula fungerar igen.",
            "Wait with your report until Primula works again.",
        ],
    );
    let closed = notice(
        3,
        hours(-24),
        NoticeKind::Maintenance,
        Some(System::VismaProceedo),
        [
            "Visma Proceedo är stängt på lördag kl. 06.00–12.00",
            "Visma Proceedo is closed on Saturday 06:00–12:00",
            "Fakturor som kommer in under tiden läses in efteråt.",
            "Invoices that come in meanwhile are read in afterwards.",
            "Attestera det som är bråttom senast på fredag.",
            "Approve what is urgent by Friday.",
        ],
    );
    let mut notices = vec![
        slow,
        over,
        with_times(unreachable, hours(-2), None, Some(hours(2))),
        with_times(
            closed,
            saturday(now) + TimeDelta::hours(6),
            Some(saturday(now) + TimeDelta::hours(12)),
            None,
        ),
    ];
    notices.sort_by_key(|notice| std::cmp::Reverse(notice.at));
    notices
}

/// The start of the next Saturday in Sweden.
fn saturday(now: DateTime<Utc>) -> DateTime<Utc> {
    let mut day = domain::calendar::day(now);
    loop {
        day = day.succ_opt().unwrap_or(day);
        if chrono::Datelike::weekday(&day) == chrono::Weekday::Sat {
            return domain::calendar::day_start(day);
        }
    }
}

fn notice(
    number: u8,
    at: DateTime<Utc>,
    kind: NoticeKind,
    system: Option<System>,
    words: [&str; 6],
) -> Notice {
    let mut bytes = *b"demo-notice\0\0\0\0\0";
    bytes[15] = number;
    let [title_sv, title_en, body_sv, body_en, advice_sv, advice_en] = words.map(str::to_owned);
    let event = Event::NoticePublished {
        kind,
        system,
        title_sv,
        title_en,
        body_sv,
        body_en,
        advice_sv,
        advice_en,
        starts: at.timestamp_micros(),
        ends: None,
        next_update: None,
    };
    Notice { at, stream: StreamId(uuid::Uuid::new_v8(bytes)), event }
}

fn with_times(
    mut notice: Notice,
    from: DateTime<Utc>,
    to: Option<DateTime<Utc>>,
    update: Option<DateTime<Utc>>,
) -> Notice {
    if let Event::NoticePublished { starts, ends, next_update, .. } = &mut notice.event {
        *starts = from.timestamp_micros();
        *ends = to.map(|at| at.timestamp_micros());
        *next_update = update.map(|at| at.timestamp_micros());
    }
    notice
}
