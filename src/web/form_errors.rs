//! What a change refuses, told on the form that asked for it.

use super::views::forms::FormErrors;
use crate::error::{Error, What};

/// A field of a form.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// How the rules call it, such as `visibility`.
    pub rule: &'static str,
    /// Its short name in the form, such as `visibility_level`.
    pub name: &'static str,
    /// What stands above it, such as `Visibility level`.
    pub caption: &'static str,
}

impl Field {
    /// A field of a form.
    pub const fn new(rule: &'static str, name: &'static str, caption: &'static str) -> Self {
        Field {
            rule,
            name,
            caption,
        }
    }
}

/// The reasons that belong on the form, in its words; everything else stays an error. Who may not do
/// this at all doesn't learn that it can be done.
///
/// # Errors
/// What isn't about the form.
pub fn on_form(error: Error, fields: &[Field]) -> Result<FormErrors, Error> {
    match error {
        Error::Invalid(invalid) => {
            let mut errors = FormErrors::none();
            for ((rule, message), sentence) in invalid.iter().zip(invalid.sentences()) {
                match fields.iter().find(|field| field.rule == rule) {
                    Some(field) => errors.add(field.name, format!("{} {message}", field.caption)),
                    None => errors.add("", sentence),
                }
            }
            Ok(errors)
        }
        Error::Refused(reason) | Error::Conflict(reason) | Error::Forbidden(Some(reason)) => {
            Ok(FormErrors::about_form(reason))
        }
        Error::Forbidden(None) => Err(Error::NotFound(What::Thing)),
        other => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FieldErrors;

    const FIELDS: [Field; 2] = [
        Field::new("path", "path", "Group URL"),
        Field::new("visibility", "visibility_level", "Visibility level"),
    ];

    fn texts(errors: &FormErrors) -> Vec<(&str, &str)> {
        errors
            .messages
            .iter()
            .map(|error| (error.field.as_str(), error.text.as_str()))
            .collect()
    }

    #[test]
    fn each_reason_stands_at_its_field_in_the_words_of_the_form() {
        let mut invalid = FieldErrors::default();
        invalid.add("path", "has already been taken");
        invalid.add("visibility", "is not allowed");
        invalid.add("parent_id", "is nested too deep");
        let errors = on_form(Error::Invalid(invalid), &FIELDS).unwrap();
        assert_eq!(
            texts(&errors),
            [
                ("path", "Group URL has already been taken"),
                ("visibility_level", "Visibility level is not allowed"),
                ("", "Parent id is nested too deep"),
            ]
        );
    }

    #[test]
    fn a_reason_about_no_field_stands_above_the_form() {
        for error in [
            Error::refused("Because"),
            Error::Conflict("Because".into()),
            Error::Forbidden(Some("Because".into())),
        ] {
            assert_eq!(texts(&on_form(error, &FIELDS).unwrap()), [("", "Because")]);
        }
    }

    #[test]
    fn without_the_right_there_is_nothing_to_be_found() {
        assert!(matches!(
            on_form(Error::forbidden(), &FIELDS),
            Err(Error::NotFound(_))
        ));
        assert!(matches!(
            on_form(Error::internal(anyhow::anyhow!("x")), &FIELDS),
            Err(Error::Internal(_))
        ));
    }
}
