//! Open cases as a table: a row for each employer, in each area a column for each open status, sums around.

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
    /// The employers that have open cases.
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
    /// The table of what stands open.
    pub(super) fn new(standings: &[Standing], areas: &[Area], names: &Names) -> Self {
        let mut employers: Vec<OrganisationNumber> = standings
            .iter()
            .filter(|standing| OPEN.contains(&standing.status))
            .map(|standing| standing.employer)
            .collect();
        employers.sort_unstable();
        employers.dedup();
        let columns: Vec<(Area, Status)> =
            areas.iter().flat_map(|area| OPEN.into_iter().map(move |status| (*area, status))).collect();
        let mut rows: Vec<Row> =
            employers.into_iter().map(|employer| row(standings, employer, &columns, names)).collect();
        rows.sort_by(|a, b| a.employer.cmp(&b.employer));
        let sums: Vec<u64> = (0..columns.len())
            .map(|column| rows.iter().filter_map(|row| row.counts.get(column)).sum())
            .collect();
        Self { areas: areas.iter().map(|area| area.code()).collect(), total: sums.iter().sum(), rows, sums }
    }
}

fn row(
    standings: &[Standing],
    employer: OrganisationNumber,
    columns: &[(Area, Status)],
    names: &Names,
) -> Row {
    let count = |(area, status): &(Area, Status)| {
        let here = |standing: &&Standing| {
            (standing.employer, standing.area, standing.status) == (employer, *area, *status)
        };
        standings.iter().filter(here).map(|standing| standing.count).sum()
    };
    let counts: Vec<u64> = columns.iter().map(count).collect();
    Row { employer: names.employer(employer), sum: counts.iter().sum(), counts }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_go_both_ways_and_closed_cases_are_not_open() {
        let employer = |text: &str| OrganisationNumber::parse(text).unwrap();
        let standing =
            |status, area, number: &str, count| Standing { status, area, employer: employer(number), count };
        let table = Table::new(
            &[
                standing(Status::Received, Area::Lon, "2021006453", 3),
                standing(Status::InProcess, Area::EHandel, "2021006453", 2),
                standing(Status::Received, Area::Lon, "2021000969", 4),
                standing(Status::Closed, Area::Lon, "2021000969", 50),
            ],
            &[Area::Lon, Area::EHandel],
            &Names::default(),
        );
        assert_eq!(table.sums, [7, 0, 0, 2]);
        assert_eq!(table.rows.iter().map(|row| row.sum).collect::<Vec<_>>(), [4, 5]);
        assert_eq!((table.rows.len(), table.total), (2, 9));
    }
}
