//! The cases before and after a case: what goes on from what.

use domain::Actor;
use projections::{CaseView, ReadError, protection, queue};

use super::address;
use crate::{App, Failure};

/// A case of which the reader may know the number, with the address of its page where the reader may see it.
pub type Named = (String, Option<String>);

/// The cases before and after a case.
#[derive(Clone, Debug, Default)]
pub struct Related {
    /// The one that it goes on from.
    pub follows: Option<Named>,
    /// Those that go on from it, as far as the reader may see them.
    pub followed_by: Vec<Named>,
}

impl Related {
    /// What is related to a case that somebody reads.
    ///
    /// # Errors
    /// When the read models cannot be read.
    pub async fn of(app: &App, reader: &Actor, view: &CaseView) -> Result<Self, Failure> {
        let (reach, number, follows_up) = (reader.reach(), view.number, view.follows_up);
        let (hides, reporter) = (reader.role.hides_protected(), view.reporter);
        let found = app.query(move |tables| {
            let tells = |other| {
                Ok::<_, ReadError>(hides && protection::is_told_by_relation(tables, reporter, other)?)
            };
            let mut related = Self::default();
            if let Some(number) = follows_up {
                let earlier = queue::by_number(tables, number)?;
                if !tells(earlier.as_ref().and_then(|(_, standing)| standing.reporter))? {
                    let readable = earlier.filter(|(_, standing)| reach.covers(standing));
                    related.follows = Some((number.to_string(), readable.map(|(case, _)| address(case))));
                }
            }
            for (case, number) in queue::following(tables, &reach, number)? {
                if !tells(queue::standing(tables, case)?.and_then(|standing| standing.reporter))? {
                    related.followed_by.push((number.to_string(), Some(address(case))));
                }
            }
            Ok(related)
        });
        Ok(found.await?)
    }
}
