//! The cases before and after a case: what goes on from what.

use domain::Actor;
use projections::{CaseView, queue};

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
        // Where the log does not answer, the number stands there without a link.
        let earlier = match view.follows_up {
            Some(number) => app.case_of_number(number).await.ok().flatten(),
            None => None,
        };
        let (reach, number) = (reader.reach(), view.number);
        let found = app.query(move |tables| {
            let standing = earlier.map(|case| queue::standing(tables, case)).transpose()?.flatten();
            let readable = standing.is_some_and(|standing| reach.covers(&standing));
            Ok((earlier.filter(|_| readable), queue::following(tables, &reach, number)?))
        });
        let (earlier, later) = found.await?;
        Ok(Self {
            follows: view.follows_up.map(|number| (number.to_string(), earlier.map(address))),
            followed_by: later
                .into_iter()
                .map(|(case, number)| (number.to_string(), Some(address(case))))
                .collect(),
        })
    }
}
