//! Employers are organisation numbers with a check digit (lag 1974:174).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::luhn::check_digit;

/// An organisation number: ten digits, the last a Luhn check digit, the third at least 2.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct OrganisationNumber([u8; 10]);

impl OrganisationNumber {
    /// Reads `NNNNNNNNNN` or `NNNNNN-NNNN`; blanks around or between do not matter.
    ///
    /// # Errors
    /// `None` when it is not ten digits, the third is under 2, or the check digit does not match.
    pub fn parse(text: &str) -> Option<Self> {
        let mut digits = [0_u8; 10];
        let mut count = 0;
        for character in text.trim().chars() {
            match character {
                '0'..='9' => {
                    *digits.get_mut(count)? = character as u8;
                    count += 1;
                }
                '-' | ' ' | '\u{a0}' | '\u{2013}' => {}
                _ => return None,
            }
        }
        let valid = count == 10
            && digits[2] >= b'2'
            && check_digit(digits[..9].iter().map(|digit| digit - b'0')) == digits[9] - b'0';
        valid.then_some(Self(digits))
    }

    /// The ten digits without hyphen, as stored and as used in the API.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The form that people read: `402100-0007`.
    pub fn display(&self) -> String {
        let digits = self.as_str();
        format!("{}-{}", &digits[..6], &digits[6..])
    }
}

impl fmt::Display for OrganisationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for OrganisationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<OrganisationNumber> for String {
    fn from(number: OrganisationNumber) -> Self {
        number.as_str().to_owned()
    }
}

impl TryFrom<String> for OrganisationNumber {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not an organisation number")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn real_and_fictional_numbers_are_read() {
        for text in ["2021006453", "202100-6453", " 402100 0007 ", "4021010006", "999999-9999"] {
            assert!(OrganisationNumber::parse(text).is_some(), "{text}");
        }
        assert_eq!(OrganisationNumber::parse("4021000007").unwrap().display(), "402100-0007");
    }

    #[test]
    fn wrong_numbers_are_refused() {
        for text in ["", "2021006454", "202100645", "20210064530", "1912121212", "abc", "202100–645x"] {
            assert!(OrganisationNumber::parse(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_number_is_read_back_in_all_its_forms(digits in 0_u32..=99_999_999, third in 2_u8..=9) {
            let mut body: Vec<u8> = format!("{digits:08}").bytes().map(|digit| digit - b'0').collect();
            body.insert(2, third);
            let check = check_digit(body.iter().copied());
            let text: String = body.iter().chain([&check]).map(u8::to_string).collect();
            let number = OrganisationNumber::parse(&text).unwrap();
            prop_assert_eq!(number.as_str(), &text);
            prop_assert_eq!(OrganisationNumber::parse(&number.display()), Some(number));
            let stored = serde_json::to_string(&number).unwrap();
            prop_assert_eq!(serde_json::from_str::<OrganisationNumber>(&stored).unwrap(), number);
            let wrong = format!("{}{}", &text[..9], (check + 1) % 10);
            prop_assert_eq!(OrganisationNumber::parse(&wrong), None);
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".*") {
            if let Some(number) = OrganisationNumber::parse(&text) {
                prop_assert_eq!(OrganisationNumber::parse(number.as_str()), Some(number));
            }
        }
    }
}
