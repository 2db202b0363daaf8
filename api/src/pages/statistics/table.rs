//! Open cases as a table: a row for each employer, in each area a column for each open status, sums around. Or the sums alone.

use std::collections::BTreeSet;

use domain::{Area, OrganisationNumber, Status};
use projections::statistics::Standing;

use crate::pages::officers::names::Names;

/// The statuses of open cases.
const OPEN: [Status; 2] = [Status::Received, Status::InProcess];

/// The table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// The codes of the areas, each over one column for each open status.
    pub(super) areas: Vec<&'static str>,
    /// The employers that have open cases, where the reader may tell them apart.
    pub(super) rows: Vec<Row>,
    /// The sums of the columns.
    pub(super) sums: Vec<u64>,
    /// All open cases.
    pub(super) total: u64,
}

/// The cases of an employer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) employer: String,
    pub(super) counts: Vec<u64>,
    pub(super) sum: u64,
}

impl Table {
    /// The table of what stands open, by employers where there are names for them.
    pub(super) fn new(standings: &[Standing], areas: &[Area], names: Option<&Names>) -> Self {
        let columns: Vec<(Area, Status)> =
            areas.iter().flat_map(|area| OPEN.into_iter().map(move |status| (*area, status))).collect();
        let rows = names.map(|names| rows(standings, &columns, names)).unwrap_or_default();
        let sums = counts(standings, &columns, None);
        Self { areas: areas.iter().map(|area| area.code()).collect(), total: sums.iter().sum(), rows, sums }
    }
}

/// A row for each employer with open cases, by name.
fn rows(standings: &[Standing], columns: &[(Area, Status)], names: &Names) -> Vec<Row> {
    let open = standings.iter().filter(|standing| OPEN.contains(&standing.status));
    let employers: BTreeSet<OrganisationNumber> = open.map(|standing| standing.employer).collect();
    let row = |employer| {
        let counts = counts(standings, columns, Some(employer));
        Row { employer: names.employer(employer), sum: counts.iter().sum(), counts }
    };
    let mut rows: Vec<Row> = employers.into_iter().map(row).collect();
    rows.sort_by(|a, b| a.employer.cmp(&b.employer));
    rows
}

/// The counts of an employer, or of all, for each column.
fn counts(
    standings: &[Standing],
    columns: &[(Area, Status)],
    employer: Option<OrganisationNumber>,
) -> Vec<u64> {
    let of = |standing: &&Standing| employer.is_none_or(|employer| employer == standing.employer);
    let count = |column: &(Area, Status)| {
        let here = standings.iter().filter(of).filter(|found| (found.area, found.status) == *column);
        here.map(|standing| standing.count).sum()
    };
    columns.iter().map(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_go_both_ways_and_closed_cases_are_not_open() {
        let employer = |text: &str| OrganisationNumber::parse(text).unwrap();
        let standing =
            |status, area, number: &str, count| Standing { status, area, employer: employer(number), count };
        let standings = [
            standing(Status::Received, Area::Lon, "2021006453", 3),
            standing(Status::InProcess, Area::EHandel, "2021006453", 2),
            standing(Status::Received, Area::Lon, "2021000969", 4),
            standing(Status::Closed, Area::Lon, "2021000969", 50),
        ];
        let areas = [Area::Lon, Area::EHandel];
        let table = Table::new(&standings, &areas, Some(&Names::default()));
        assert_eq!(table.sums, [7, 0, 0, 2]);
        assert_eq!(table.rows.iter().map(|row| row.sum).collect::<Vec<_>>(), [4, 5]);
        assert_eq!((table.rows.len(), table.total), (2, 9));
        let sums = Table::new(&standings, &areas, None);
        assert_eq!(sums, Table { rows: Vec::new(), ..table });
    }
}
