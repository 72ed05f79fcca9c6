//! What a top-level group pays for, where that matters.

use std::fmt;
use std::str::FromStr;

/// Whether plans matter: how this instance is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Offering {
    /// One's own instance: plans don't matter.
    #[default]
    SelfManaged,
    /// A service for others, with plans and trials.
    Hosted,
}

impl FromStr for Offering {
    type Err = String;

    fn from_str(text: &str) -> Result<Offering, String> {
        match text {
            "self_managed" => Ok(Offering::SelfManaged),
            "hosted" => Ok(Offering::Hosted),
            _ => Err("it must be self_managed or hosted".to_owned()),
        }
    }
}

impl fmt::Display for Offering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Offering::SelfManaged => "self_managed",
            Offering::Hosted => "hosted",
        })
    }
}

/// The tier of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tier {
    /// Nothing is paid.
    #[default]
    Free,
    /// Paid.
    Premium,
    /// Paid, with everything.
    Ultimate,
}

impl Tier {
    /// All of them.
    pub const ALL: [Tier; 3] = [Tier::Free, Tier::Premium, Tier::Ultimate];

    /// As columns and commands have it.
    pub const fn name(self) -> &'static str {
        match self {
            Tier::Free => "free",
            Tier::Premium => "premium",
            Tier::Ultimate => "ultimate",
        }
    }

    /// The tier of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name)
    }
}

/// What a top-level group has, and all that lies below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Plan {
    /// Its tier.
    pub tier: Tier,
    /// Only tried, not paid.
    pub trial: bool,
}

impl Plan {
    /// May group and project access tokens be made? Everybody may on their own instance; on a hosted one that takes a
    /// plan that is paid and not a trial. Listing, using and revoking tokens never depend on it.
    pub fn allows_creation(self, offering: Offering) -> bool {
        match offering {
            Offering::SelfManaged => true,
            Offering::Hosted => self.tier != Tier::Free && !self.trial,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_hosted_instance_creation_takes_a_paid_plan_that_is_no_trial() {
        for (tier, trial, hosted) in [
            (Tier::Free, false, false),
            (Tier::Free, true, false),
            (Tier::Premium, false, true),
            (Tier::Premium, true, false),
            (Tier::Ultimate, false, true),
            (Tier::Ultimate, true, false),
        ] {
            let plan = Plan { tier, trial };
            assert_eq!(plan.allows_creation(Offering::Hosted), hosted, "{plan:?}");
            assert!(plan.allows_creation(Offering::SelfManaged), "{plan:?}");
        }
    }

    #[test]
    fn tiers_and_offerings_are_read_as_they_are_written() {
        for tier in Tier::ALL {
            assert_eq!(Tier::parse(tier.name()), Some(tier));
        }
        assert_eq!(Tier::parse("gold"), None);
        for offering in [Offering::SelfManaged, Offering::Hosted] {
            assert_eq!(offering.to_string().parse(), Ok(offering));
        }
        assert!("free".parse::<Offering>().is_err());
    }
}
