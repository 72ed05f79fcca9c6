//! What administrators should think about, given how things are set.

use super::Settings;

/// What somebody who lets people sign up by themselves should think about.
pub fn about(settings: &Settings, creation_allowed: bool) -> Vec<String> {
    let open = settings.signup_enabled && !settings.require_admin_approval_after_user_signup;
    let mut advice = Vec::new();
    if open && creation_allowed {
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
        for (settings, creation_allowed, advised) in [
            (settings(true, false), true, true),
            (settings(true, false), false, false),
            (settings(true, true), true, false),
            (settings(false, false), true, false),
        ] {
            assert_eq!(
                about(&settings, creation_allowed).len(),
                usize::from(advised)
            );
        }
    }
}
