//! The states of streams that the committer has met: a shortcut, completed under the lock, changed after commit only.
//! Holds nothing personal.

use std::collections::HashMap;

use domain::employer::Employer;
use domain::person::Person;
use domain::{Case, Event, PersonId, StreamId};

use crate::sealing::Key;

/// Most streams kept; more empties the cache.
const STREAMS: usize = 200_000;

/// What a stream is about.
#[derive(Clone, Debug, Default)]
pub(super) enum Content {
    #[default]
    Nothing,
    Case(Case),
    Person(Person),
    Employer(Employer),
    /// Streams on which nothing is decided.
    Other,
}

/// A stream as the committer knows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    pub(super) version: u64,
    pub(super) content: Content,
    /// The key of its sealed parts, once it is known.
    pub(super) key: Option<Key>,
}

/// A stream without events.
static EMPTY: Stream = Stream { version: 0, content: Content::Nothing, key: None };
static NEW_CASE: Case = Case::New;

impl Stream {
    /// The state after one more event.
    pub(super) fn evolve(&mut self, id: StreamId, event: &Event) {
        self.version += 1;
        self.content = match (std::mem::take(&mut self.content), event) {
            (Content::Nothing, Event::CaseReceived { .. }) => Content::Case(Case::New.evolve(event)),
            (Content::Case(case), _) => Content::Case(case.evolve(event)),
            (Content::Nothing, Event::PersonSeen { .. } | Event::PersonLinked { .. }) => {
                Content::Person(Person::default().evolve(PersonId(id.0), event))
            }
            (Content::Person(person), _) => Content::Person(person.evolve(PersonId(id.0), event)),
            (Content::Nothing, Event::EmployerRegistered { .. }) => {
                Content::Employer(Employer::default().evolve(event))
            }
            (Content::Employer(employer), _) => Content::Employer(employer.evolve(event)),
            (Content::Nothing | Content::Other, _) => Content::Other,
        };
    }

    pub(super) const fn case(&self) -> &Case {
        match &self.content {
            Content::Case(case) => case,
            _ => &NEW_CASE,
        }
    }

    pub(super) fn person(&self) -> Option<&Person> {
        match &self.content {
            Content::Person(person) => Some(person),
            _ => None,
        }
    }

    pub(super) fn employer(&self) -> Option<&Employer> {
        match &self.content {
            Content::Employer(employer) => Some(employer),
            _ => None,
        }
    }
}

/// Streams by id.
#[derive(Debug, Default)]
pub(super) struct Cache(HashMap<StreamId, Stream>);

/// The state of a stream without events.
pub(super) const fn empty() -> &'static Stream {
    &EMPTY
}

impl Cache {
    pub(super) fn get(&self, id: StreamId) -> Option<&Stream> {
        self.0.get(&id)
    }

    /// Takes over what a committed batch has worked out.
    pub(super) fn accept(&mut self, streams: HashMap<StreamId, Stream>) {
        if self.0.len() + streams.len() > STREAMS {
            self.clear();
        }
        self.0.extend(streams);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
