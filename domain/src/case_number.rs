//! The case number that a person reads over the phone: year, running number, check digit (`2026-000123-3`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::luhn::check_digit;

/// A case number. Unique, issued in the event that receives the case, in a series per year without holes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CaseNumber {
    year: u16,
    running: u64,
}

/// Why a text is not a case number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseNumberError {
    /// Not year, running number and check digit.
    Form,
    /// The last digit does not match the others: somebody misread or mistyped.
    CheckDigit,
}

impl CaseNumber {
    /// The number `running` (from 1) of `year` (four digits).
    pub const fn new(year: u16, running: u64) -> Self {
        Self { year, running }
    }

    /// The year of the series: the Swedish calendar year of receipt.
    pub const fn year(self) -> u16 {
        self.year
    }

    /// The running number within the year, from 1.
    pub const fn running(self) -> u64 {
        self.running
    }

    /// Reads a case number with or without hyphens and blanks around or between.
    ///
    /// # Errors
    /// [`CaseNumberError::Form`] when it is no case number, [`CaseNumberError::CheckDigit`] when its last digit
    /// does not match.
    pub fn parse(text: &str) -> Result<Self, CaseNumberError> {
        let mut digits = Vec::with_capacity(16);
        for character in text.trim().chars() {
            match character {
                '0'..='9' => digits.push(character as u8 - b'0'),
                '-' | '\u{2010}'..='\u{2013}' | '\u{2212}' | ' ' | '\u{a0}' => {}
                _ => return Err(CaseNumberError::Form),
            }
            if digits.len() > 20 {
                return Err(CaseNumberError::Form);
            }
        }
        if digits.len() < 11 {
            return Err(CaseNumberError::Form);
        }
        let (body, check) = digits.split_at(digits.len() - 1);
        if check_digit(body.iter().copied()) != check[0] {
            return Err(CaseNumberError::CheckDigit);
        }
        let number = |part: &[u8]| part.iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(*digit));
        let (year, running) = (number(&body[..4]), number(&body[4..]));
        let padded = body.len() > 10 && body[4] == 0;
        if year < 1000 || running == 0 || padded {
            return Err(CaseNumberError::Form);
        }
        let year = u16::try_from(year).map_err(|_| CaseNumberError::Form)?;
        Ok(Self { year, running })
    }
}

impl fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:04}{:06}", self.year, self.running);
        let check = check_digit(digits.bytes().map(|digit| digit - b'0'));
        write!(f, "{}-{}-{check}", &digits[..4], &digits[4..])
    }
}

impl fmt::Debug for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<CaseNumber> for String {
    fn from(number: CaseNumber) -> Self {
        number.to_string()
    }
}

impl TryFrom<String> for CaseNumber {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).map_err(|_| "not a case number")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_design() {
        for (year, running, text) in
            [(2026, 123, "2026-000123-3"), (2026, 1, "2026-000001-1"), (2026, 1_000_000, "2026-1000000-4")]
        {
            assert_eq!(CaseNumber::new(year, running).to_string(), text);
            assert_eq!(CaseNumber::parse(text), Ok(CaseNumber::new(year, running)));
        }
    }

    #[test]
    fn hyphens_and_blanks_do_not_matter() {
        for text in ["20260001233", " 2026 000123 3 ", "2026–000123–3", "2026-0001233"] {
            assert_eq!(CaseNumber::parse(text), Ok(CaseNumber::new(2026, 123)), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "2026", "2026-000000-0", "x2026-000123-3", "2026-0000123-3", &"1".repeat(400)] {
            assert!(CaseNumber::parse(text).is_err(), "{text}");
        }
        assert_eq!(CaseNumber::parse("2026-000123-4"), Err(CaseNumberError::CheckDigit));
    }

    proptest! {
        #[test]
        fn every_number_is_read_back(year in 1000_u16..=9999, running in 1_u64..10_000_000_000) {
            let number = CaseNumber::new(year, running);
            prop_assert_eq!(CaseNumber::parse(&number.to_string()), Ok(number));
            let stored = serde_json::to_string(&number).unwrap();
            prop_assert_eq!(serde_json::from_str::<CaseNumber>(&stored).unwrap(), number);
        }

        #[test]
        fn one_wrong_digit_is_always_found(running in 1_u64..=999_999, place in 0_usize..11, other in 1_u8..=9) {
            let mut digits: Vec<u8> = CaseNumber::new(2026, running).to_string().bytes().filter(u8::is_ascii_digit).collect();
            digits[place] = b'0' + (digits[place] - b'0' + other) % 10;
            let text = String::from_utf8(digits).unwrap();
            prop_assert!(CaseNumber::parse(&text).is_err());
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".*") {
            let _ = CaseNumber::parse(&text);
        }
    }
}
