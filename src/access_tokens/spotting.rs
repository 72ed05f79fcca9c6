//! Values of tokens in bytes that may be anything: files, messages, pictures.

use regex::bytes::Regex;
use zeroize::Zeroizing;

use super::secret::Candidate;

/// The longest prefix that values can have, in characters.
const PREFIX_MAX: usize = 20;

/// The shortest payload of the checked shape, in characters.
const PAYLOAD_MIN: usize = 27;

/// What follows the payload in the checked shape: version, length and checksum.
const TAIL: usize = 13;

/// The characters after the prefix in the classic shape.
const CLASSIC: usize = 20;

/// No value is longer, in bytes.
pub const LONGEST: usize = Candidate::MAX_LENGTH;

/// Finds what may be a token of this instance.
#[derive(Debug)]
pub struct Spotter {
    checked: Regex,
    /// One for each prefix: one may begin with another.
    classic: Vec<Regex>,
}

/// Something that may be a token.
pub struct Spotted {
    /// Where it begins.
    pub at: usize,
    /// The value.
    pub value: Zeroizing<String>,
}

impl Spotter {
    /// One for tokens of this instance, whose values begin, or once began, with these prefixes. In the checked shape a
    /// value is found whatever its prefix; in the classic one only by it.
    ///
    /// # Errors
    /// When the pattern can't be made, which no prefix causes.
    pub fn new<'a>(prefixes: impl Iterator<Item = &'a str>) -> Result<Spotter, regex::Error> {
        let classic = prefixes.filter(|prefix| !prefix.is_empty()).map(|prefix| {
            let prefix = regex::escape(prefix);
            Regex::new(&format!("(?-u){prefix}[0-9A-Za-z_-]{{{CLASSIC}}}"))
        });
        Ok(Spotter {
            checked: Regex::new(r"(?-u)[0-9A-Za-z_-]{27,400}\.01\.[0-9a-z]{9}")?,
            classic: classic.collect::<Result<Vec<Regex>, regex::Error>>()?,
        })
    }

    /// All that may be one, from the front.
    pub fn spot(&self, bytes: &[u8]) -> Vec<Spotted> {
        let mut spotted = Vec::new();
        for found in self.checked.find_iter(bytes) {
            // Where the prefix begins can't be seen, but only from there the checksum is right.
            let first = found.start().saturating_sub(PREFIX_MAX);
            let last = found.end() - TAIL - PAYLOAD_MIN;
            spotted.extend((first..=last).find_map(|at| candidate(bytes, at, found.end())));
        }
        let checked = spotted.len();
        for pattern in &self.classic {
            // What is found may overlap with what else is there.
            let mut from = 0;
            while let Some(found) = pattern.find_at(bytes, from) {
                from = found.start() + 1;
                // The beginning of a checked value looks like a classic one.
                let before = spotted[..checked].partition_point(|one| one.at <= found.start());
                let within = before.checked_sub(1).is_some_and(|last| {
                    let one: &Spotted = &spotted[last];
                    one.at + one.value.len() > found.start()
                });
                if !within {
                    spotted.extend(candidate(bytes, found.start(), found.end()));
                }
            }
        }
        spotted.sort_by_key(|spotted| spotted.at);
        spotted
    }
}

fn candidate(bytes: &[u8], at: usize, end: usize) -> Option<Spotted> {
    let text = std::str::from_utf8(bytes.get(at..end)?).ok()?;
    // White space would be cut off, and the place be another.
    if text.starts_with(char::is_whitespace) || Candidate::parse(text).is_err() {
        return None;
    }
    Some(Spotted {
        at,
        value: Zeroizing::new(text.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_tokens::secret::{Plaintext, TokenShape};

    fn value(shape: TokenShape, prefix: &str) -> String {
        Plaintext::generate(shape, prefix, &mut rand::rng())
            .expose()
            .to_owned()
    }

    fn spotted(text: &[u8]) -> Vec<(usize, String)> {
        let spotter = Spotter::new(["glpat-", "acme.", ""].into_iter()).unwrap();
        let spotted = spotter.spot(text).into_iter();
        spotted.map(|one| (one.at, one.value.to_string())).collect()
    }

    #[test]
    fn a_checked_value_is_found_whatever_stands_around_it() {
        for prefix in ["glpat-", "other_", "", "a@b:c.", "12345678901234567890"] {
            let value = value(TokenShape::Checked, prefix);
            for (before, after) in [
                ("", ""),
                ("token = \"", "\"\n"),
                ("https://x:", "@host/acme.git"),
                ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxx-", "-yyyy"),
                ("\0\u{1}é", "\0"),
            ] {
                let text = format!("{before}{value}{after}");
                let found = spotted(text.as_bytes());
                assert!(
                    found.contains(&(before.len(), value.clone())),
                    "{before}{prefix}…{after}: {}",
                    found.len()
                );
            }
        }
    }

    #[test]
    fn a_classic_value_is_found_by_its_prefix() {
        let value = value(TokenShape::Classic, "acme.");
        let text = format!("one {value}\ntwo {value}");
        assert_eq!(spotted(text.as_bytes()).len(), 2);
        // One right behind what looks like the beginning of one.
        let doubled = format!("acme.{value}");
        assert!(spotted(doubled.as_bytes()).contains(&(5, value.clone())));
        let other = value.replace("acme.", "nobody");
        assert_eq!(spotted(other.as_bytes()), []);
    }

    #[test]
    fn a_wrong_checksum_is_noise() {
        let value = value(TokenShape::Checked, "");
        let last = if value.ends_with('0') { '1' } else { '0' };
        let wrong = format!("{}{last}", &value[..value.len() - 1]);
        assert_eq!(spotted(wrong.as_bytes()), []);
        assert_eq!(spotted(&[0xff; 600]), []);
    }
}
