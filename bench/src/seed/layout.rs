//! Who is where: ids, paths and values, all of them computed, so that a load knows them without asking.

use latchkey::access_tokens::secret::{Plaintext, TokenShape};
use rand::{SeedableRng as _, rngs::StdRng};

/// What the values of tokens are drawn from, together with their ids.
const SEED: u64 = 0x6c61_7463_686b_6579;

/// Ids from here on belong to the tokens and groups that there are many of.
const FIRST_ID: i64 = 1_000_000;

/// Tokens of one group, on average.
const TOKENS_OF_A_GROUP: u64 = 100;

/// Where tokens are made and revoked: a top-level group with subgroups, so that none of them grows large.
pub(crate) const MEASURED: i64 = 1000;
/// How many subgroups it has; their ids follow its own.
pub(crate) const SUBGROUPS: i64 = 100;

/// The group with a page full of tokens.
pub(crate) const PAGE: i64 = 1200;
/// How many that are.
pub(crate) const ON_PAGE: i64 = 100;

/// The group with so many tokens that lists of them have many pages.
pub(crate) const LONG: i64 = 1201;
/// A page further down than this is of no use to anybody: 1,000 pages of 20.
const LONGEST: u64 = 20_100;

/// Groups within each other, twenty of them; their ids follow this one.
pub(crate) const LADDER: i64 = 1301;
/// How many that are.
pub(crate) const RUNGS: i64 = 20;

/// People who sign in.
pub(crate) const FIRST_PERSON: i64 = 1001;
/// How many that are.
pub(crate) const PEOPLE: i64 = 40;

/// The tokens of [`PAGE`].
pub(crate) const FIRST_ON_PAGE: i64 = 10_001;
/// A token of the top of the ladder.
pub(crate) const LADDER_TOKEN: i64 = 10_201;
/// The token of the person who owns it all.
pub(crate) const OWNER_TOKEN: i64 = 10_202;

/// When all tokens end: no run of the future is to find them dead.
pub(crate) const EXPIRES_AT: &str = "2099-12-31";

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Tokens that a load can draw.
    pub(crate) tokens: u64,
    /// Groups from a top-level group down to the lowest one below it.
    pub(crate) depth: u64,
}

/// A token of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seeded {
    /// Its id, which is its bot's as well.
    pub(crate) id: i64,
    /// The group that it belongs to.
    pub(crate) group: i64,
    /// The top-level group above that.
    pub(crate) root: i64,
}

impl Layout {
    /// Groups with tokens, in chains of the same depth.
    pub(crate) fn groups(self) -> u64 {
        let depth = self.depth.max(1);
        (self.tokens / TOKENS_OF_A_GROUP / depth).max(1) * depth
    }

    /// How many of the tokens are in the long group: no more than half of them.
    pub(crate) fn long(self) -> u64 {
        (self.tokens / 2).min(LONGEST)
    }

    /// One of the tokens, by its number.
    pub(crate) fn token(self, number: u64) -> Seeded {
        let id = FIRST_ID + number.cast_signed();
        if number < self.long() {
            return Seeded {
                id,
                group: LONG,
                root: LONG,
            };
        }
        let group = number % self.groups();
        Seeded {
            id,
            group: FIRST_ID + group.cast_signed(),
            root: FIRST_ID + self.chain(group).cast_signed(),
        }
    }

    /// A group that this token reads: at the bottom of its chain, so that its role comes from above.
    pub(crate) fn readable(self, number: u64) -> i64 {
        let token = self.token(number);
        match token.group {
            LONG => LONG,
            _ => token.root + self.depth.max(1).cast_signed() - 1,
        }
    }

    /// A group by its number, with the ids from the top down to itself.
    pub(crate) fn lineage(self, group: u64) -> Vec<i64> {
        (self.chain(group)..=group)
            .map(|number| FIRST_ID + number.cast_signed())
            .collect()
    }

    fn chain(self, group: u64) -> u64 {
        group - group % self.depth.max(1)
    }
}

/// The value of the token with this id. A token that doesn't exist has one as well.
pub(crate) fn value(id: i64) -> Plaintext {
    let mut rng = StdRng::seed_from_u64(SEED ^ id.cast_unsigned());
    Plaintext::generate(TokenShape::Checked, "glpat-", &mut rng)
}

/// The name under which one of the people signs in.
pub(crate) fn login(person: i64) -> String {
    format!("person{person}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const SMALL: Layout = Layout {
        tokens: 5_000,
        depth: 5,
    };

    #[test]
    fn a_token_has_the_same_value_whenever_it_is_asked_for_and_no_other_has_it() {
        let values: HashSet<String> = (0..1_000).map(|id| value(id).expose().to_owned()).collect();
        assert_eq!(values.len(), 1_000);
        assert_eq!(value(7).expose(), value(7).expose());
    }

    #[test]
    fn every_token_reads_a_group_whose_ancestors_include_its_own() {
        for number in 0..SMALL.tokens {
            let (token, read) = (SMALL.token(number), SMALL.readable(number));
            if token.group == LONG {
                assert_eq!(read, LONG);
                continue;
            }
            let lineage = SMALL.lineage((read - FIRST_ID).cast_unsigned());
            assert_eq!(lineage.len(), 5);
            assert_eq!(lineage[0], token.root);
            assert!(lineage.contains(&token.group));
        }
    }

    #[test]
    fn no_more_than_half_of_the_tokens_are_in_the_long_group() {
        assert_eq!(SMALL.long(), 2_500);
        let large = Layout {
            tokens: 10_000_000,
            depth: 5,
        };
        assert_eq!(large.long(), LONGEST);
        assert_eq!(large.groups(), 100_000);
    }

    #[test]
    fn few_tokens_still_have_a_chain_of_groups() {
        let few = Layout {
            tokens: 10,
            depth: 20,
        };
        assert_eq!(few.groups(), 20);
        assert_eq!(few.lineage(19).len(), 20);
    }
}
