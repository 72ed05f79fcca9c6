//! What the forms of groups and projects share: the visibility level.

use super::Visibility;
use crate::web::page::Form;
use crate::web::views::forms::FormErrors;
use crate::web::views::visibility::{Visibility as Shown, VisibilityOption};

impl From<Visibility> for Shown {
    fn from(visibility: Visibility) -> Self {
        match visibility {
            Visibility::Private => Shown::Private,
            Visibility::Internal => Shown::Internal,
            Visibility::Public => Shown::Public,
        }
    }
}

/// The level that a form sent, by name or by number. An absent one is left to the rules; one that
/// doesn't exist is an error of the form.
pub fn typed_level(form: &Form, field: &str, errors: &mut FormErrors) -> Option<Visibility> {
    let text = form.get(field).filter(|text| !text.is_empty())?;
    let level =
        Visibility::parse(text).or_else(|| text.parse().ok().and_then(Visibility::from_level));
    if level.is_none() {
        errors.add(
            "visibility_level",
            "Visibility level must be private, internal or public",
        );
    }
    level
}

/// The levels that a form offers. None is wider than `ceiling` or narrower than `floor`, each a level
/// and whose it is.
pub fn levels(
    chosen: Visibility,
    ceiling: Option<(&str, Visibility)>,
    floor: Option<(&str, Visibility)>,
) -> Vec<VisibilityOption> {
    VisibilityOption::all(chosen.into(), |shown| {
        let level = Visibility::ALL
            .into_iter()
            .find(|level| Shown::from(*level) == shown)?;
        if level == chosen {
            return None;
        }
        let too_wide = ceiling.filter(|(_, widest)| !level.within(*widest));
        let too_narrow = floor.filter(|(_, narrowest)| level < *narrowest);
        too_wide
            .or(too_narrow)
            .map(|(whose, bound)| format!("{whose} is {bound}."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Visibility::{Internal, Private, Public};

    fn offered(
        chosen: Visibility,
        ceiling: Option<Visibility>,
        floor: Option<Visibility>,
    ) -> Vec<Option<String>> {
        levels(
            chosen,
            ceiling.map(|level| ("acme", level)),
            floor.map(|level| ("api", level)),
        )
        .into_iter()
        .map(|option| option.blocked)
        .collect()
    }

    #[test]
    fn a_level_that_the_neighbours_forbid_is_switched_off_with_the_reason() {
        let by_acme = |level: &str| Some(format!("acme is {level}."));
        assert_eq!(offered(Private, None, None), [None, None, None]);
        assert_eq!(
            offered(Private, Some(Private), None),
            [None, by_acme("private"), by_acme("private")]
        );
        assert_eq!(
            offered(Private, Some(Internal), None),
            [None, None, by_acme("internal")]
        );
        assert_eq!(
            offered(Public, None, Some(Internal)),
            [Some("api is internal.".into()), None, None]
        );
        assert_eq!(
            offered(Public, Some(Private), None)[2],
            None,
            "the present one stays"
        );
    }

    #[test]
    fn a_level_is_read_by_name_or_number() {
        for (typed, read, wrong) in [
            ("group%5Bv%5D=internal", Some(Internal), false),
            ("group%5Bv%5D=20", Some(Public), false),
            ("group%5Bv%5D=", None, false),
            ("", None, false),
            ("group%5Bv%5D=5", None, true),
            ("group%5Bv%5D=Secret", None, true),
        ] {
            let mut errors = FormErrors::none();
            assert_eq!(
                typed_level(&Form::parse(typed.as_bytes()), "group[v]", &mut errors),
                read,
                "{typed}"
            );
            assert_eq!(errors.has("visibility_level"), wrong, "{typed}");
        }
    }
}
