//! Received and closed per day as a drawing: bars for what came in, a line with points for what was closed, so that
//! no colour is needed to tell them apart. The numbers stand in the table beside it.

use projections::statistics::Flow;

/// The room for the scale to the left of the days.
const LEFT: u64 = 44;
/// The room above the highest value.
const TOP: u64 = 12;
/// The height of the days' room.
const HEIGHT: u64 = 180;
/// The room for the days' names.
const BOTTOM: u64 = 28;
/// The least width of the days' room.
const WIDTH: u64 = 640;
/// The least width of a day.
const DAY: u64 = 4;
/// The width that the name of a day needs.
const NAME: u64 = 56;
/// Most parts of the scale.
const PARTS: u64 = 5;

/// The drawing, in units of a picture of `width` × `height`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chart {
    pub(super) width: u64,
    pub(super) height: u64,
    /// Where the days' room begins and ends.
    pub(super) left: u64,
    pub(super) right: u64,
    pub(super) base: u64,
    pub(super) bars: Vec<Bar>,
    pub(super) points: Vec<Point>,
    /// The points as a line.
    pub(super) line: String,
    pub(super) scale: Vec<Mark>,
    pub(super) days: Vec<Mark>,
}

/// What came in on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) x: u64,
    pub(super) y: u64,
    pub(super) width: u64,
    pub(super) height: u64,
}

/// What was closed on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) x: u64,
    pub(super) y: u64,
}

/// A mark on a scale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) at: u64,
    pub(super) text: String,
}

impl Chart {
    /// The drawing of days that follow each other.
    pub(super) fn new(flows: &[Flow]) -> Self {
        let days = (flows.len() as u64).max(1);
        let step = (WIDTH / days).max(DAY);
        let base = TOP + HEIGHT;
        let highest = flows.iter().map(|flow| flow.received.max(flow.closed)).max().unwrap_or_default();
        let part = part(highest);
        let top = part * highest.div_ceil(part).max(1);
        let y = |value: u64| base - value * HEIGHT / top;
        let x = |place: u64| LEFT + place * step;
        let bar_width = (step * 3 / 5).max(2);
        let bar = |(place, flow): (u64, &Flow)| Bar {
            x: x(place) + (step - bar_width) / 2,
            y: y(flow.received),
            width: bar_width,
            height: base - y(flow.received),
        };
        let point = |(place, flow): (u64, &Flow)| Point { x: x(place) + step / 2, y: y(flow.closed) };
        let points: Vec<Point> = (0..).zip(flows).map(point).collect();
        let every = NAME.div_ceil(step);
        let name = |(place, flow): (u64, &Flow)| {
            (place % every == 0)
                .then(|| Mark { at: x(place) + step / 2, text: flow.day.format("%-d/%-m").to_string() })
        };
        Self {
            width: LEFT + days * step + TOP,
            height: base + BOTTOM,
            left: LEFT,
            right: LEFT + days * step,
            base,
            bars: (0..).zip(flows).map(bar).collect(),
            line: points.iter().map(|point| format!("{},{} ", point.x, point.y)).collect(),
            points,
            scale: (0..=top / part)
                .map(|place| Mark { at: y(place * part), text: crate::format::number(place * part) })
                .collect(),
            days: (0..).zip(flows).filter_map(name).collect(),
        }
    }
}

/// The step of a scale up to `highest`: 1, 2 or 5 times a power of ten, at most [`PARTS`] of it.
fn part(highest: u64) -> u64 {
    let mut power = 1;
    loop {
        for part in [power, 2 * power, 5 * power] {
            if highest.div_ceil(part) <= PARTS {
                return part;
            }
        }
        power *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    fn flows(received: &[u64]) -> Vec<Flow> {
        let first = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
        first
            .iter_days()
            .zip(received)
            .map(|(day, received)| Flow { day, received: *received, closed: 1 })
            .collect()
    }

    #[test]
    fn scales_are_round() {
        for (highest, step) in [(0, 1), (1, 1), (5, 1), (6, 2), (11, 5), (26, 10), (101, 50), (9_999, 2_000)]
        {
            assert_eq!(part(highest), step, "{highest}");
        }
    }

    #[test]
    fn the_highest_bar_fits_and_heights_are_proportional() {
        let chart = Chart::new(&flows(&[0, 5, 10]));
        assert_eq!(chart.bars.iter().map(|bar| bar.height).collect::<Vec<_>>(), [0, 90, 180]);
        assert!(chart.bars.iter().all(|bar| bar.y >= TOP && bar.y + bar.height == chart.base));
        assert_eq!(chart.scale.first().unwrap().text, "0");
        assert_eq!(chart.scale.last().unwrap().text, "10");
    }

    #[test]
    fn no_days_and_many_days_are_drawn_too() {
        assert!(Chart::new(&[]).bars.is_empty());
        let year = Chart::new(&flows(&[1; 365]));
        assert_eq!(year.bars.len(), 365);
        assert!(year.bars.iter().all(|bar| bar.x + bar.width <= year.right));
        assert!(year.days.len() < 30);
    }
}
