//! What was found in a push, kept within bounds: whoever pushes decides how much there is.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Content, Suspect, Unsearchable};

/// Different values that are looked up for one push. One with more is refused: nobody could say what is among them.
const VALUES: usize = 10_000;

/// Places of one value, and of all, that are remembered; the first of each value is.
const PLACES_OF_ONE: usize = 100;
const PLACES: usize = 50_000;

/// Values and where they stand.
#[derive(Default)]
pub(super) struct Found {
    suspects: Vec<Suspect>,
    /// By the digest of each value, how many of its places are remembered.
    values: HashMap<[u8; 32], usize>,
}

impl Found {
    /// Remembers a place of a value, unless there are enough of them.
    ///
    /// # Errors
    /// [`Unsearchable::TooMany`] inside.
    pub(super) fn add(
        &mut self,
        value: Zeroizing<String>,
        object: &Arc<str>,
        content: Content,
    ) -> io::Result<()> {
        let places = self
            .values
            .entry(Sha256::digest(value.as_bytes()).into())
            .or_default();
        let enough = *places >= PLACES_OF_ONE || self.suspects.len() >= PLACES;
        if *places > 0 && enough {
            return Ok(());
        }
        *places += 1;
        self.suspects.push(Suspect {
            value,
            object: Arc::clone(object),
            content,
        });
        if self.values.len() > VALUES {
            return Err(io::Error::other(Unsearchable::TooMany));
        }
        Ok(())
    }

    /// All that is remembered, in the order in which it was found.
    pub(super) fn into_suspects(self) -> Vec<Suspect> {
        self.suspects
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_stands_everywhere_is_one_value() {
        let (mut found, object) = (Found::default(), Arc::from("1f"));
        let value = |number: usize| Zeroizing::new(format!("glpat-{number}"));
        for line in 0..10 * PLACES_OF_ONE {
            found.add(value(0), &object, Content::File(line)).unwrap();
        }
        for number in 1..VALUES {
            found.add(value(number), &object, Content::File(1)).unwrap();
        }
        let beyond = found.add(value(VALUES), &object, Content::File(1));
        assert!(beyond.is_err());
        assert_eq!(found.into_suspects().len(), PLACES_OF_ONE + VALUES);
    }
}
