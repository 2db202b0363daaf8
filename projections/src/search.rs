//! Full text over number, subject, message, answer and messages. Swedish letters are letters (å ≠ a); the words are
//! indexed as they stand, and the query word is stemmed, stripped of one definite ending, and searched by prefix:
//! Snowball alone does not find *ärendet* from *ärende*.

use std::collections::HashSet;

use domain::Event;
use infrastructure::Recorded;
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};
use rust_stemmers::{Algorithm, Stemmer};

use crate::narrowing::Conditions;
use crate::{Projection, ReadError};

/// The projection.
pub struct Search;

/// Most cases that a search looks at: the newest of those that hold the words exactly so, then of the others.
const FOUND: usize = 1000;
/// A further word of a query stands anywhere in the case.
const ALSO: &str = "of_case IN (SELECT of_case FROM search_event WHERE event IN \
                    (SELECT rowid FROM full_text WHERE full_text MATCH ?))";
/// Most words of a query that are looked at.
const WORDS: usize = 8;
/// Definite endings, longest first.
const ENDINGS: [&str; 7] = ["ets", "et", "ens", "en", "na", "n", "t"];
/// Letters that must remain when an ending is stripped.
const REMAINING: usize = 4;

impl Projection for Search {
    fn name(&self) -> &'static str {
        "search"
    }

    fn version(&self) -> u32 {
        2
    }

    // The index holds no copy of the texts, one row an event: what was written is never indexed again.
    fn ddl(&self) -> &'static str {
        "CREATE TABLE search_event (event INTEGER PRIMARY KEY, of_case BLOB NOT NULL) STRICT;
         CREATE VIRTUAL TABLE full_text USING fts5 (
            words, content = '', detail = none, tokenize = 'unicode61 remove_diacritics 0');
         CREATE VIRTUAL TABLE search_terms USING fts5vocab (full_text, row);"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        match &event.event {
            Event::CaseReceived { case_number, personal, .. } => {
                let digits: String = case_number.to_string().chars().filter(char::is_ascii_digit).collect();
                let mut words = format!("{case_number} {digits}");
                if let Some(question) = personal.open() {
                    words.push_str(&format!(" {} {}", question.subject.as_str(), question.message.as_str()));
                }
                add(tables, event, &words)
            }
            Event::MessageAdded { personal, .. }
            | Event::InformationRequested { personal, .. }
            | Event::CaseClosed { personal, .. } => match personal.open() {
                Some(letter) => add(tables, event, letter.text.as_str()),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

fn add(tables: &Connection, event: &Recorded, words: &str) -> Result<(), ReadError> {
    tables
        .prepare_cached("INSERT INTO search_event VALUES (?1, ?2)")?
        .execute(params![event.position, event.stream.0])?;
    tables
        .prepare_cached("INSERT INTO full_text (rowid, words) VALUES (?1, ?2)")?
        .execute(params![event.position, words])?;
    Ok(())
}

/// The cases that a search has found, by their place in the queue.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Those that hold the words as they were typed.
    exactly: Vec<i64>,
    /// Those that hold other forms of them.
    otherwise: Vec<i64>,
    /// Whether there are more than were looked at.
    pub(crate) more: bool,
}

impl Found {
    pub(crate) const fn count(&self) -> u64 {
        (self.exactly.len() + self.otherwise.len()) as u64
    }

    /// Those that hold the words as they were typed, as a JSON list.
    pub(crate) fn exactly(&self) -> String {
        format!("{:?}", self.exactly)
    }

    /// All of them, as a JSON list.
    pub(crate) fn all(&self) -> String {
        format!("{:?}", [self.exactly.as_slice(), &self.otherwise].concat())
    }
}

/// The cases that hold all words of what somebody typed and fulfil the conditions.
pub(crate) fn found(tables: &Connection, typed: &str, conditions: &Conditions) -> Result<Found, ReadError> {
    let lower = typed.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(WORDS).collect();
    let mut found = Found::default();
    let mut seen = HashSet::new();
    // The words hold letters and digits only, so quoting cannot be broken out of.
    let exact = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>();
    found.exactly = newest(tables, &exact, conditions, &mut seen)?;
    let forms = words.iter().map(|word| format!("\"{}\" *", stem(word))).collect::<Vec<_>>();
    found.otherwise = newest(tables, &forms, conditions, &mut seen)?;
    found.more = seen.len() > FOUND;
    Ok(found)
}

/// The cases that an expression for each word finds, what was written last first, until [`FOUND`] are seen.
fn newest(
    tables: &Connection,
    expressions: &[String],
    conditions: &Conditions,
    seen: &mut HashSet<i64>,
) -> Result<Vec<i64>, ReadError> {
    let Some((first, others)) = expressions.split_first() else { return Ok(Vec::new()) };
    let mut conditions = conditions.clone();
    conditions.with("full_text MATCH ?", Value::Text(first.clone()));
    for other in others {
        conditions.with(ALSO, Value::Text(other.clone()));
    }
    let sql = format!(
        "SELECT place FROM full_text CROSS JOIN search_event ON event = full_text.rowid \
         CROSS JOIN queue ON case_id = of_case WHERE {} ORDER BY full_text.rowid DESC",
        conditions.sql()
    );
    let mut statement = tables.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(conditions.values()))?;
    let mut places = Vec::new();
    while seen.len() <= FOUND
        && let Some(row) = rows.next()?
    {
        let place = row.get(0)?;
        if seen.insert(place) && seen.len() <= FOUND {
            places.push(place);
        }
    }
    Ok(places)
}

fn stem(word: &str) -> String {
    let stemmed = Stemmer::create(Algorithm::Swedish).stem(word).into_owned();
    let shorter = ENDINGS
        .iter()
        .filter_map(|ending| stemmed.strip_suffix(ending))
        .find(|rest| rest.chars().count() >= REMAINING);
    shorter.map_or_else(|| stemmed.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use domain::access::Reach;
    use domain::vocabulary::{NoteKind, Party};
    use proptest::prelude::*;

    use super::*;
    use crate::case_row::{Filter, Sort};
    use crate::queue;
    use crate::testing::*;

    /// Cases with these subjects, by number from 0.
    fn index(texts: &[&str]) -> Told {
        let mut told = Told::nothing();
        for (number, text) in (1..).zip(texts) {
            told.tell("2026-11-23T10:00:00Z", case(u128::from(number)), received(number, 1, text));
        }
        told
    }

    fn found(told: &Told, typed: &str) -> Vec<u64> {
        found_in_queue(told, typed).into_iter().map(|number| number - 1).collect()
    }

    #[test]
    fn every_form_of_a_swedish_word_finds_the_others() {
        let texts = ["ett ärende", "flera ärenden", "ärendet", "ärendena", "ärendets"];
        let tables = index(&texts);
        for typed in ["ärende", "ärenden", "ärendet", "ärendena", "Ärendets"] {
            let mut found = found(&tables, typed);
            found.sort_unstable();
            assert_eq!(found, [0, 1, 2, 3, 4], "{typed}");
        }
        let tables = index(&["beslut", "beslutet", "kund", "kunderna"]);
        assert_eq!(found(&tables, "beslutet"), [1, 0], "the one written so first");
        assert_eq!(found(&tables, "kunderna"), [3, 2]);
    }

    #[test]
    fn swedish_letters_are_letters_and_prefixes_are_found() {
        let tables = index(&["lönespecifikation för maj", "lonespecifikation", "gäller 2026-000123-3"]);
        assert_eq!(found(&tables, "lönespec"), [0]);
        assert_eq!(found(&tables, "lonespec"), [1]);
        assert_eq!(found(&tables, "2026-000123"), [2]);
        assert_eq!(found(&tables, "lönespecifikation juni"), [] as [u64; 0]);
    }

    /// The numbers of the cases found in the queue, best first.
    fn found_in_queue(told: &Told, typed: &str) -> Vec<u64> {
        let filter = Filter { q: Some(typed.to_owned()), ..Filter::default() };
        let order = (Sort::Oldest, 1, 20);
        let page = told
            .read
            .read(|tables| queue::find(tables, &Reach::default(), &filter, order))
            .unwrap()
            .content();
        assert_eq!(page.total, page.rows.len() as u64);
        page.rows.iter().map(|row| row.number.running()).collect()
    }

    #[test]
    fn cases_are_found_by_what_reporter_and_centre_wrote_to_each_other_and_by_number() {
        let mut told = Told::nothing();
        let at = "2026-11-23T10:00:00Z";
        told.tell(at, case(1), received(1, 1, "Lönespecifikation saknas"));
        told.tell(at, case(2), received(2, 1, "Lonespecifikation på engelska"));
        told.tell(at, case(3), received(3, 1, "Övrigt"));
        told.tell(at, case(3), message(Party::Customer, "Gäller friskvård"));
        let due_date = "2026-12-01".parse().unwrap();
        told.tell(at, case(3), Event::InformationRequested { due_date, personal: letter("Vilket kvitto?") });
        told.tell(at, case(3), closed("Utbetalningen är rättad"));
        told.tell(at, case(1), Event::NoteAdded { kind: NoteKind::Working, personal: letter("Hemligt") });
        told.tell(at, case(1), moved(domain::Area::EHandel));
        assert_eq!(found_in_queue(&told, "lönespec"), [1], "a prefix");
        assert_eq!(found_in_queue(&told, "lonespec"), [2], "ö is not o");
        assert_eq!(found_in_queue(&told, "lönespecifikationen"), [1], "another form");
        for typed in ["friskvård", "FRISKVÅRD", "kvittot", "utbetalning", "utbetalningen rättad"] {
            assert_eq!(found_in_queue(&told, typed), [3], "{typed}");
        }
        assert_eq!(found_in_queue(&told, "friskvard"), [] as [u64; 0], "å is not a");
        for typed in ["2026-000002-9", "2026 000002 9", "20260000029", "2026-000002"] {
            assert_eq!(found_in_queue(&told, typed), [2], "{typed}");
        }
        // Notes and reasons are not the reporter's to find.
        for typed in ["hemligt", "kö", "", "-", "\"", "finnsinte"] {
            assert_eq!(found_in_queue(&told, typed), [] as [u64; 0], "{typed}");
        }
    }

    #[test]
    fn words_may_stand_apart_in_a_case() {
        let mut told = index(&["Fakturan", "Fakturan", "Lönen"]);
        told.tell("2026-11-23T10:00:00Z", case(2), closed("Leverantören är rättad"));
        told.tell("2026-11-23T10:00:00Z", case(3), closed("Leverantören är rättad"));
        assert_eq!(found(&told, "leverantör faktura"), [1]);
        assert_eq!(found(&told, "faktura leverantör lön"), [] as [u64; 0]);
    }

    #[test]
    fn what_is_written_exactly_so_comes_first() {
        let mut told = Told::nothing();
        let at = "2026-11-23T10:00:00Z";
        told.tell(at, case(1), received(1, 1, "Fakturorna")).tell(at, case(2), received(2, 1, "Faktura"));
        assert_eq!(found_in_queue(&told, "faktura"), [2, 1]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: (ProptestConfig::default().cases / 16).max(4), ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_typed_a_list_is_found(typed in "[ -~åäöÅÄÖ\u{0}\u{301}]{0,40}|.*") {
            let mut told = Told::nothing();
            told.tell("2026-11-23T10:00:00Z", case(1), received(1, 1, "Omföring"));
            found_in_queue(&told, &typed);
        }
    }
}
