//! What administrators should think about, given how things are set.

use super::Settings;
use crate::groups::plan::{Offering, Plan};

/// What somebody who lets people sign up by themselves should think about.
pub fn about(settings: &Settings, offering: Offering) -> Vec<String> {
    let open = settings.signup_enabled && !settings.require_admin_approval_after_user_signup;
    let mut advice = Vec::new();
    // Whoever signs up can make a top-level group, in which tokens can be created unless that takes a plan.
    if open && Plan::default().allows_creation(offering) {
        advice.push("Anybody can sign up, and tokens can be created. Review who may enroll by themselves: ask for approval or name the e-mail domains that are allowed. Consider turning the creation of project and group access tokens off in top-level groups where it isn't needed.".into());
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_given_where_strangers_could_make_tokens() {
        let settings = |signup_enabled, approval| Settings {
            signup_enabled,
            require_admin_approval_after_user_signup: approval,
            ..Settings::default()
        };
        for (settings, offering, advised) in [
            (settings(true, false), Offering::SelfManaged, true),
            (settings(true, false), Offering::Hosted, false),
            (settings(true, true), Offering::SelfManaged, false),
            (settings(false, false), Offering::SelfManaged, false),
        ] {
            assert_eq!(about(&settings, offering).len(), usize::from(advised));
        }
    }
}
