//! The Luhn check digit (ISO/IEC 7812-1 annex B), used by case numbers and organisation numbers.

/// The check digit that makes `digits` followed by it pass the Luhn test. `digits` are values 0–9.
pub(crate) fn check_digit(digits: impl DoubleEndedIterator<Item = u8>) -> u8 {
    let sum: u32 = digits
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let weighted = if place % 2 == 0 { u32::from(digit) * 2 } else { u32::from(digit) };
            weighted / 10 + weighted % 10
        })
        .sum();
    u8::try_from((10 - sum % 10) % 10).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_that_swedish_forms_show_as_example_passes() {
        assert_eq!(check_digit([9, 9, 9, 9, 9, 9, 9, 9, 9].into_iter()), 9);
    }

    #[test]
    fn the_example_of_the_standard() {
        assert_eq!(check_digit([7, 9, 9, 2, 7, 3, 9, 8, 7, 1].into_iter()), 3);
    }
}
