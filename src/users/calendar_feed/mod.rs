//! The address under which calendar programs, which can't sign in, read a person's expiry calendar.
//!
//! What makes it theirs is derived from the instance's secret and a salt of the person: the page can show it again, and
//! the database holds nothing that opens it. Another salt is another address.

pub mod reader;
pub mod reset;
mod store;

use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::access_tokens::secret::DigestKey;
use crate::context::Context;
use crate::redaction::FILTERED;

/// What every feed token begins with.
pub const PREFIX: &str = "lkft-";

/// The secret in the address: `lkft-`, the person's id, and 64 hexadecimal digits.
pub struct FeedToken(Zeroizing<String>);

impl FeedToken {
    /// The one of this person, with this salt.
    pub fn of(key: &DigestKey, user_id: i64, salt: &[u8]) -> Self {
        let named = format!("calendar feed {user_id} {}", hex::encode(salt));
        let digits = Zeroizing::new(hex::encode(key.digest(&named).as_bytes()));
        FeedToken(Zeroizing::new(format!(
            "{PREFIX}{user_id}-{}",
            digits.as_str()
        )))
    }

    /// The value itself, for the page of its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Is this the same? Takes as long whatever is different.
    pub fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }

    /// The address of the calendar of all that ends soon for this person, for their calendar program.
    pub fn address(&self, ctx: &Context) -> String {
        ctx.url(&format!("{PERSONAL}?feed_token={}", self.expose()))
    }
}

impl fmt::Debug for FeedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FILTERED)
    }
}

/// Where a person's calendar is.
const PERSONAL: &str = "/-/user_settings/expiry_calendar.ics";

/// Whose feed token this says it is; nothing for what looks like none.
fn claimed_by(given: &str) -> Option<i64> {
    let (id, _) = given.strip_prefix(PREFIX)?.split_once('-')?;
    // In the one way in which we write it.
    id.parse()
        .ok()
        .filter(|number: &i64| *number > 0 && number.to_string() == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_follows_from_key_person_and_salt_and_from_nothing_less() {
        let (key, other) = (DigestKey::derive(b"one"), DigestKey::derive(b"another"));
        let of = |key: &DigestKey, id, salt: u8| FeedToken::of(key, id, &[salt; 32]);
        let token = of(&key, 12, 1);
        assert!(token.is(of(&key, 12, 1).expose()));
        for different in [of(&other, 12, 1), of(&key, 13, 1), of(&key, 12, 2)] {
            assert!(!token.is(different.expose()));
        }
        assert!(!token.is("") && !token.is(&token.expose()[..70]));
        assert_eq!(token.expose().len(), "lkft-12-".len() + 64);
        assert_eq!(format!("{token:?}"), FILTERED);
    }

    #[test]
    fn a_token_says_whose_it_is_in_one_way_only() {
        let token = FeedToken::of(&DigestKey::derive(b"one"), 12, &[1; 32]);
        assert_eq!(claimed_by(token.expose()), Some(12));
        for none in [
            "",
            "lkft-",
            "lkft-12",
            "lkft--1-ab",
            "lkft-0-ab",
            "lkft-012-ab",
            "lkft-+12-ab",
            "LKFT-12-ab",
            "glpat-12-ab",
            "lkft-99999999999999999999-ab",
            " lkft-12-ab",
        ] {
            assert_eq!(claimed_by(none), None, "{none}");
        }
    }
}
