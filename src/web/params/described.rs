//! What an endpoint reads from its parameters, told instead of read: the same code does both, so that the
//! document of the API can't say anything else than the product does.

use super::{Checked, Params, Reader, Rejected};
use crate::settings::Policy;

/// What an endpoint reads from its parameters.
pub trait Parameters: Sized {
    /// Reads them. All of them are asked for before the first `?`.
    ///
    /// # Errors
    /// [`Rejected`] when one of them is wrong; the reader knows which.
    fn read(params: &mut Reader<'_>, policy: &Policy) -> Checked<Self>;
}

/// An endpoint without parameters.
impl Parameters for () {
    fn read(_: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        Ok(())
    }
}

/// What a parameter has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// An id, or a path.
    IdOrPath,
    /// A whole number.
    Integer,
    /// A whole number from 1.
    Positive,
    /// A whole number between these, themselves included.
    Within(i64, i64),
    /// Yes or no.
    Boolean,
    /// `YYYY-MM-DD`
    Date,
    /// ISO 8601
    DateTime,
    /// One of these words.
    Word(Vec<&'static str>),
    /// One of these numbers.
    Number(Vec<i64>),
    /// A list of these words.
    Words(Vec<&'static str>),
    /// A list of whole numbers.
    Integers,
    /// A list of texts.
    Texts,
}

/// A parameter that an endpoint asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Its name.
    pub name: &'static str,
    /// What it has to be.
    pub kind: Kind,
    /// Is the request refused without it?
    pub required: bool,
}

/// The parameters that `P` asks for, in its order.
pub fn described<P: Parameters>() -> Vec<Described> {
    let params = Params::default();
    let mut reader = Reader {
        params: &params,
        problems: Vec::new(),
        described: Some(Vec::new()),
    };
    // Nothing is handed out, so this ends at its first `?`, when all has been asked for.
    let _ = P::read(&mut reader, &Policy::default());
    reader.described.unwrap_or_default()
}

impl Reader<'_> {
    /// Notes what is asked for, and hands out nothing, if that is all that is wanted.
    pub(super) fn asks(
        &mut self,
        name: &'static str,
        kind: impl FnOnce() -> Kind,
        required: bool,
    ) -> Checked<()> {
        match &mut self.described {
            None => Ok(()),
            Some(described) => {
                described.push(Described {
                    name,
                    kind: kind(),
                    required,
                });
                Err(Rejected(()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::params::ParamProblem;

    struct Wanted;

    impl Parameters for Wanted {
        fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
            let name = params.required_text("name");
            let level = params.required_number_choice("level", &[(10, ()), (50, ())]);
            let scopes = params.required_choices("scopes", &[("api", ())]);
            let (state, days) = (
                params.choice("state", &[("on", ())]),
                params.integers("days"),
            );
            let paging = params.paging();
            let _ = (name?, level?, scopes?, state?, days?, paging?);
            Ok(Wanted)
        }
    }

    #[test]
    fn what_is_read_is_told_in_the_same_order() {
        let told: Vec<(&str, Kind, bool)> = described::<Wanted>()
            .into_iter()
            .map(|one| (one.name, one.kind, one.required))
            .collect();
        assert_eq!(
            told,
            [
                ("name", Kind::Text, true),
                ("level", Kind::Number(vec![10, 50]), true),
                ("scopes", Kind::Words(vec!["api"]), true),
                ("state", Kind::Word(vec!["on"]), false),
                ("days", Kind::Integers, false),
                ("page", Kind::Positive, false),
                ("per_page", Kind::Positive, false),
            ]
        );
        assert!(described::<()>().is_empty());
    }

    #[test]
    fn telling_notes_no_problem_and_reading_does() {
        let refused = Params::default().read(|params| Wanted::read(params, &Policy::default()));
        let problems = refused.err().map(|problems| problems.problems().to_vec());
        let missing = |name| (name, ParamProblem::Missing);
        assert_eq!(
            problems,
            Some(vec![missing("name"), missing("level"), missing("scopes")])
        );
    }
}
