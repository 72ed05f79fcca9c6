//! Text that people write: names, descriptions and mail addresses.
//!
//! Text is kept as it was given, without the white space around it. Lengths count Unicode scalar
//! values. Marks of writing direction are kept; pages isolate them.

use std::fmt;

use chrono::NaiveDate;

/// The longest name or description, in characters.
pub const MAX_LENGTH: usize = 255;

/// A day as people and programs write it: `2026-11-20`, with the four digits of a year that both databases know.
pub fn calendar_date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    if bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') || bytes.len() != 10 {
        return None;
    }
    let year = digits(text.get(..4)?)?;
    let month = digits(text.get(5..7)?)?;
    let day = digits(text.get(8..)?)?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// A number of ASCII digits only; the parser of the standard library would take a plus as well.
pub fn digits(text: &str) -> Option<u32> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

/// What a token, a group, a project or a person is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name(String);

impl Name {
    /// Trims and checks a name.
    pub fn parse(text: &str) -> Result<Self, TextProblem> {
        let problem = |rule| TextProblem {
            attribute: "Name",
            rule,
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(problem(TextRule::Blank));
        }
        if text.chars().any(char::is_control) {
            return Err(problem(TextRule::Characters));
        }
        if text.chars().count() > MAX_LENGTH {
            return Err(problem(TextRule::TooLong));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, taken out.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What something is for. It may have several lines.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Description(String);

impl Description {
    /// Trims and checks a description. None if there is nothing in it.
    pub fn parse(text: &str) -> Result<Option<Self>, TextProblem> {
        let problem = |rule| TextProblem {
            attribute: "Description",
            rule,
        };
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        if text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r'))
        {
            return Err(problem(TextRule::Characters));
        }
        if text.chars().count() > MAX_LENGTH {
            return Err(problem(TextRule::TooLong));
        }
        Ok(Some(Self(text.to_owned())))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, taken out.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A mail address, checked for its form only: whether it exists, a mail to it will tell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    /// The longest address that mail servers take.
    pub const MAX_LENGTH: usize = 254;

    /// Trims and checks an address.
    pub fn parse(text: &str) -> Result<Self, TextProblem> {
        let problem = |rule| TextProblem {
            attribute: "Email",
            rule,
        };
        let text = text.trim();
        if text.is_empty() {
            return Err(problem(TextRule::Blank));
        }
        if text.len() > Self::MAX_LENGTH {
            return Err(problem(TextRule::Invalid));
        }
        let is_plain = |part: &str| {
            !part.is_empty()
                && !part.contains(|c: char| {
                    // Some of these would let one address become two in the header of a mail.
                    c.is_control() || c.is_whitespace() || "@<>()[],;:\\\"".contains(c)
                })
        };
        match text.split_once('@') {
            Some((mailbox, host)) if is_plain(mailbox) && is_plain(host) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(problem(TextRule::Invalid)),
        }
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// By what the address is found: all lower case.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is wrong with a text. As a whole sentence: `Name can't be blank`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{attribute} {rule}")]
pub struct TextProblem {
    /// Which text it is, as people read it.
    pub attribute: &'static str,
    /// The rule that it breaks; alone, it is the sentence without its subject.
    pub rule: TextRule,
}

/// A rule for texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextRule {
    /// There must be something.
    #[error("can't be blank")]
    Blank,
    /// It must not be too long.
    #[error("is too long (maximum is {MAX_LENGTH} characters)")]
    TooLong,
    /// It must not hold control characters.
    #[error("contains invalid characters")]
    Characters,
    /// It must have its form.
    #[error("is invalid")]
    Invalid,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error<T: fmt::Debug>(result: Result<T, TextProblem>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn names_are_kept_as_given_without_the_white_space_around() {
        let emoji = "👩‍💻";
        let longest = "x".repeat(255);
        let longest_emoji = "🔑".repeat(255);
        for (text, kept) in [
            ("a", "a"),
            ("  deploy bot \n", "deploy bot"),
            ("\u{3000}x\u{a0}", "x"),
            (emoji, emoji),
            ("\u{202e}gnitirw\u{202c}", "\u{202e}gnitirw\u{202c}"),
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
            (&longest, &longest),
            (&longest_emoji, &longest_emoji),
        ] {
            let name = Name::parse(text).unwrap();
            assert_eq!(name.as_str(), kept);
            assert_eq!(name.to_string(), kept);
            assert_eq!(name.into_string(), kept);
        }
    }

    #[test]
    fn a_name_that_cannot_be_used_says_why() {
        let too_long = "x".repeat(256);
        let too_long_emoji = "🔑".repeat(256);
        for (text, expected) in [
            ("", "Name can't be blank"),
            ("   ", "Name can't be blank"),
            (" \n\t\u{3000}", "Name can't be blank"),
            (&too_long, "Name is too long (maximum is 255 characters)"),
            (
                &too_long_emoji,
                "Name is too long (maximum is 255 characters)",
            ),
            ("a\0b", "Name contains invalid characters"),
            ("\0", "Name contains invalid characters"),
            ("a\nb", "Name contains invalid characters"),
            ("a\tb", "Name contains invalid characters"),
            ("a\u{7f}", "Name contains invalid characters"),
            ("a\u{85}b", "Name contains invalid characters"),
            ("a\u{9b}b", "Name contains invalid characters"),
        ] {
            assert_eq!(error(Name::parse(text)), expected, "{text:?}");
        }
        assert_eq!(
            Name::parse("").unwrap_err().rule.to_string(),
            "can't be blank"
        );
    }

    #[test]
    fn the_length_of_a_name_counts_after_trimming() {
        let padded = format!("  {}  ", "x".repeat(255));
        assert_eq!(Name::parse(&padded).unwrap().as_str().len(), 255);
    }

    #[test]
    fn a_description_may_be_missing_and_may_have_lines() {
        for (text, kept) in [
            ("", None),
            (" \n ", None),
            ("nightly deploy", Some("nightly deploy")),
            (" one\ntwo\r\nthree ", Some("one\ntwo\r\nthree")),
            ("\u{200f}x", Some("\u{200f}x")),
        ] {
            let description = Description::parse(text).unwrap();
            assert_eq!(
                description.as_ref().map(Description::as_str),
                kept,
                "{text:?}"
            );
        }
        assert!(Description::parse(&"é".repeat(255)).is_ok());
    }

    #[test]
    fn a_description_that_cannot_be_used_says_why() {
        let too_long = "x".repeat(256);
        for (text, expected) in [
            (
                &*too_long,
                "Description is too long (maximum is 255 characters)",
            ),
            ("a\0b", "Description contains invalid characters"),
            ("a\tb", "Description contains invalid characters"),
            ("a\u{1b}[31m", "Description contains invalid characters"),
        ] {
            assert_eq!(error(Description::parse(text)), expected, "{text:?}");
        }
    }

    #[test]
    fn a_mail_address_has_one_at_sign_and_something_on_both_sides() {
        let longest = format!("{}@example.com", "a".repeat(242));
        for text in [
            "a@b",
            "Ana.Lima+x@Example.com",
            "ünal@exämple.com",
            &longest,
        ] {
            let email = Email::parse(text).unwrap();
            assert_eq!(email.as_str(), text);
            assert_eq!(email.key(), text.to_lowercase());
        }
        assert_eq!(
            Email::parse(" ana@example.com\n").unwrap().as_str(),
            "ana@example.com"
        );

        let too_long = format!("a{longest}");
        for text in [
            "ana",
            "@example.com",
            "ana@",
            "@",
            "a@b@c",
            "a b@c",
            "a@b c",
            "a@b\nBcc: x@y",
            "a@b\0",
            "Ana <ana@example.com>",
            "a@b,c",
            "a;b@c",
            &too_long,
        ] {
            assert_eq!(error(Email::parse(text)), "Email is invalid", "{text:?}");
        }
        assert_eq!(error(Email::parse(" ")), "Email can't be blank");
    }

    proptest! {
        #[test]
        fn a_checked_text_is_checked_again_without_change(text in "(?s).{0,300}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(Name::parse(name.as_str()), Ok(name));
            }
            if let Ok(Some(description)) = Description::parse(&text) {
                let again = Description::parse(description.as_str());
                prop_assert_eq!(again, Ok(Some(description)));
            }
        }

        #[test]
        fn names_never_hold_control_characters(text in "(?s).{0,20}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert!(!name.as_str().chars().any(char::is_control));
                prop_assert!((1..=255).contains(&name.as_str().chars().count()));
            }
        }
    }
}
