//! Which request comes next.

use rand::{RngExt as _, rngs::StdRng};

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum What {
    /// A group, with a token from the whole table
    Group,
    /// A token asks for itself, one that was made a moment ago if there is one
    Own,
    /// The first 20 tokens of a group
    List,
    /// The page of a group with 100 tokens, for somebody who signed in
    Page,
    /// A group, with a value that no token has
    Stranger,
    Create,
    Rotate,
    Revoke,
    /// Another role for a member
    Role,
    SignIn,
}

impl What {
    /// Does it change what the ledger is about?
    pub(crate) fn is_change(self) -> bool {
        matches!(
            self,
            What::Create | What::Rotate | What::Revoke | What::Role
        )
    }
}

/// How often each comes, of a thousand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mix(&'static [(What, u32)]);

/// Mostly reads. Somebody signs in with every five-hundredth request.
pub(crate) const MOSTLY_READS: Mix = Mix(&[
    (What::Group, 400),
    (What::Own, 160),
    (What::List, 120),
    (What::Page, 40),
    (What::Stranger, 20),
    (What::Create, 90),
    (What::Rotate, 50),
    (What::Revoke, 88),
    (What::Role, 30),
    (What::SignIn, 2),
]);

/// As many changes as reads: for faults.
pub(crate) const HALF_CHANGES: Mix = Mix(&[
    (What::Group, 200),
    (What::Own, 100),
    (What::List, 90),
    (What::Page, 60),
    (What::Stranger, 40),
    (What::Create, 190),
    (What::Rotate, 120),
    (What::Revoke, 120),
    (What::Role, 75),
    (What::SignIn, 5),
]);

/// Nothing but changes.
pub(crate) const CHANGES: Mix = Mix(&[
    (What::Create, 400),
    (What::Rotate, 250),
    (What::Revoke, 200),
    (What::Role, 150),
]);

impl Mix {
    /// The next one.
    pub(crate) fn draw(self, rng: &mut StdRng) -> What {
        let all: u32 = self.0.iter().map(|(_, often)| often).sum();
        let mut left = rng.random_range(0..all);
        for (what, often) in self.0 {
            if left < *often {
                return *what;
            }
            left -= often;
        }
        What::Group
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn each_kind_comes_as_often_as_it_should() {
        for mix in [MOSTLY_READS, HALF_CHANGES, CHANGES] {
            assert_eq!(mix.0.iter().map(|(_, often)| often).sum::<u32>(), 1000);
            let mut rng = StdRng::seed_from_u64(1);
            let drawn: Vec<What> = (0..50_000).map(|_| mix.draw(&mut rng)).collect();
            for (what, often) in mix.0 {
                let count = drawn.iter().filter(|one| *one == what).count() as u32;
                assert!(
                    count.abs_diff(often * 50) < often * 10 + 60,
                    "{what:?}: {count}"
                );
            }
        }
    }
}
