//! Full text over number, subject, message, answer and messages. Swedish letters are letters (å ≠ a); the words are
//! indexed as they stand, and the query word is stemmed, stripped of one definite ending, and searched by prefix:
//! Snowball alone does not find *ärendet* from *ärende*.

use domain::Event;
use infrastructure::Recorded;
use rusqlite::{Connection, OptionalExtension, params};
use rust_stemmers::{Algorithm, Stemmer};

use crate::{Projection, ReadError};

/// The projection.
pub struct Search;

/// A condition on `case_id` with the place of one expression.
pub(crate) const CONDITION: &str = "case_id IN (SELECT case_id FROM search_case WHERE number IN \
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
        1
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE search_case (number INTEGER PRIMARY KEY, case_id BLOB NOT NULL UNIQUE) STRICT;
         CREATE VIRTUAL TABLE full_text USING fts5 (words, tokenize = 'unicode61 remove_diacritics 0', prefix = '3');"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        match &event.event {
            Event::CaseReceived { case_number, personal, .. } => {
                let digits: String = case_number.to_string().chars().filter(char::is_ascii_digit).collect();
                let mut words = format!("{case_number} {digits}");
                if let Some(question) = personal.open() {
                    words.push_str(&format!(" {} {}", question.subject.as_str(), question.message.as_str()));
                }
                tables
                    .prepare_cached("INSERT INTO search_case (case_id) VALUES (?1)")?
                    .execute([event.stream.0])?;
                let number = tables.last_insert_rowid();
                tables
                    .prepare_cached("INSERT INTO full_text (rowid, words) VALUES (?1, ?2)")?
                    .execute(params![number, words])?;
                Ok(())
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
    let number: Option<i64> = tables
        .prepare_cached("SELECT number FROM search_case WHERE case_id = ?1")?
        .query_row([event.stream.0], |row| row.get(0))
        .optional()?;
    if let Some(number) = number {
        tables
            .prepare_cached("UPDATE full_text SET words = words || ' ' || ?2 WHERE rowid = ?1")?
            .execute(params![number, words])?;
    }
    Ok(())
}

/// A query as FTS5 expressions.
pub(crate) struct Expressions {
    /// Finds the words in all their forms.
    pub(crate) prefix: String,
    /// Finds the words as they were written.
    pub(crate) exact: String,
}

/// The expressions of what somebody typed; `None` when there is no word in it.
pub(crate) fn expressions(typed: &str) -> Option<Expressions> {
    let lower = typed.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(WORDS).collect();
    if words.is_empty() {
        return None;
    }
    // The words hold letters and digits only, so quoting cannot be broken out of.
    let prefix: Vec<String> = words.iter().map(|word| format!("\"{}\" *", stem(word))).collect();
    let exact: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    Some(Expressions { prefix: prefix.join(" AND "), exact: exact.join(" AND ") })
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

    fn index(texts: &[&str]) -> Connection {
        let tables = Connection::open_in_memory().unwrap();
        tables.execute_batch(Search.ddl()).unwrap();
        for (number, text) in texts.iter().enumerate() {
            tables
                .execute("INSERT INTO full_text (rowid, words) VALUES (?1, ?2)", params![number, text])
                .unwrap();
        }
        tables
    }

    fn found(tables: &Connection, typed: &str) -> Vec<usize> {
        let Some(expressions) = expressions(typed) else { return Vec::new() };
        let mut statement =
            tables.prepare("SELECT rowid FROM full_text WHERE full_text MATCH ?1 ORDER BY rowid").unwrap();
        statement.query_map([expressions.prefix], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn every_form_of_a_swedish_word_finds_the_others() {
        let texts = ["ett ärende", "flera ärenden", "ärendet", "ärendena", "ärendets"];
        let tables = index(&texts);
        for typed in ["ärende", "ärenden", "ärendet", "ärendena", "Ärendets"] {
            assert_eq!(found(&tables, typed), [0, 1, 2, 3, 4], "{typed}");
        }
        let tables = index(&["beslut", "beslutet", "kund", "kunderna"]);
        assert_eq!(found(&tables, "beslutet"), [0, 1]);
        assert_eq!(found(&tables, "kunderna"), [2, 3]);
    }

    #[test]
    fn swedish_letters_are_letters_and_prefixes_are_found() {
        let tables = index(&["lönespecifikation för maj", "lonespecifikation", "2026-000123-3 20260001233"]);
        assert_eq!(found(&tables, "lönespec"), [0]);
        assert_eq!(found(&tables, "lonespec"), [1]);
        assert_eq!(found(&tables, "2026-000123"), [2]);
        assert_eq!(found(&tables, "20260001233"), [2]);
        assert_eq!(found(&tables, "lönespecifikation juni"), [] as [usize; 0]);
    }

    /// The numbers of the cases found in the queue, best first.
    fn found_in_queue(told: &Told, typed: &str) -> Vec<u64> {
        let filter = Filter { q: Some(typed.to_owned()), ..Filter::default() };
        let order = (Sort::Oldest, 1, 20);
        let page = told.read.read(|tables| queue::find(tables, &Reach::default(), &filter, order)).unwrap();
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
    fn what_is_written_exactly_so_comes_first() {
        let mut told = Told::nothing();
        let at = "2026-11-23T10:00:00Z";
        told.tell(at, case(1), received(1, 1, "Fakturorna")).tell(at, case(2), received(2, 1, "Faktura"));
        assert_eq!(found_in_queue(&told, "faktura"), [2, 1]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: (ProptestConfig::default().cases / 16).max(4), ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_typed_a_list_is_found(typed in "[ -~åäöÅÄÖ\u{0}\u{301}]{0,40}") {
            let mut told = Told::nothing();
            told.tell("2026-11-23T10:00:00Z", case(1), received(1, 1, "Omföring"));
            found_in_queue(&told, &typed);
        }
    }

    proptest! {
        #[test]
        fn nothing_that_can_be_typed_is_an_error(typed in ".*") {
            let tables = index(&["text"]);
            let _ = found(&tables, &typed);
        }
    }
}
