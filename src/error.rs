//! What can go wrong, in the language of the product. The edges turn it into answers.

use std::fmt;

/// Why something wasn't done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It isn't there, or this actor may not know that it is.
    #[error("{0} not found")]
    NotFound(What),
    /// Nobody, or nobody that we know.
    #[error("not authenticated: {0:?}")]
    Unauthenticated(Denied),
    /// The credential is fine, but its scopes don't cover this. Names the scopes that would do.
    #[error("insufficient scope, needs one of: {0}")]
    InsufficientScope(&'static str),
    /// Known, and not allowed. The reason may be shown.
    #[error("forbidden{}", .0.as_ref().map(|why| format!(": {why}")).unwrap_or_default())]
    Forbidden(Option<String>),
    /// A parameter is missing or can't be read; names it.
    #[error("{0}")]
    Parameter(String),
    /// A rule of the product says no, in a sentence that people may read.
    #[error("{0}")]
    Refused(String),
    /// As [`Error::Refused`], in the words that clients of the API know, with nothing before them.
    #[error("{0}")]
    Told(String),
    /// As [`Error::Invalid`], for a new object of this kind, which is told in one sentence.
    #[error("the {0} could not be saved: {1}")]
    NotSaved(&'static str, FieldErrors),
    /// A list can't be paged like this in this order.
    #[error("no keyset pagination in this order")]
    NoKeyset,
    /// No, and the caller isn't told why.
    #[error("bad request")]
    BadRequest,
    /// Fields of a form or an object that can't be as they are.
    #[error("{0}")]
    Invalid(FieldErrors),
    /// It would collide with what is there.
    #[error("{0}")]
    Conflict(String),
    /// This kind of caller can't ask for this.
    #[error("not applicable")]
    NotApplicable,
    /// Too often; try again after so many seconds.
    #[error("too many requests, retry after {0} s")]
    TooManyRequests(u64),
    /// Something that we depend on is away or overloaded; nobody's request was wrong.
    #[error("unavailable")]
    Unavailable(#[source] anyhow::Error),
    /// A bug. The cause is for the log.
    #[error("internal error")]
    Internal(#[source] anyhow::Error),
}

/// What wasn't found, as answers name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A group.
    Group,
    /// A project.
    Project,
    /// Where a project is to be made.
    Namespace,
    /// A user.
    User,
    /// A group or project access token: whose, and the id as it was asked for.
    ResourceToken(&'static str, String),
    /// One row of a list, such as a membership.
    Entry,
    /// A branch of a repository.
    Branch,
    /// A tag of a repository.
    Tag,
    /// A commit of a repository.
    Commit,
    /// A folder of a repository.
    Tree,
    /// A file of a repository.
    File,
    /// Anything else.
    Thing,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Group => f.write_str("Group"),
            What::Project => f.write_str("Project"),
            What::Namespace => f.write_str("Namespace"),
            What::User => f.write_str("User"),
            What::ResourceToken(kind, id) => {
                write!(f, "Could not find {kind} access token with token_id: {id}")
            }
            What::Entry => f.write_str("Entry"),
            What::Branch => f.write_str("Branch"),
            What::Tag => f.write_str("Tag"),
            What::Commit => f.write_str("Commit"),
            What::Tree => f.write_str("Tree"),
            What::File => f.write_str("File"),
            What::Thing => f.write_str("Thing"),
        }
    }
}

/// Why a caller isn't known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// No credential, or one that matches nothing.
    Unknown,
    /// The token's date has come.
    Expired,
    /// The token was revoked.
    Revoked,
}

/// Messages by field, in the order in which they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors(Vec<(&'static str, String)>);

impl FieldErrors {
    /// One message about one field.
    pub fn one(field: &'static str, message: impl Into<String>) -> Self {
        FieldErrors(vec![(field, message.into())])
    }

    /// Adds a message about a field (its name in the API, such as `path`).
    pub fn add(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.push((field, message.into()));
    }

    /// Nothing wrong?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Ok` if nothing is wrong.
    ///
    /// # Errors
    /// [`Error::Invalid`] with what was collected.
    pub fn check(self) -> Result<(), Error> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self))
        }
    }

    /// The messages with their fields.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0
            .iter()
            .map(|(field, message)| (*field, message.as_str()))
    }

    /// Sentences such as "Name can't be blank".
    pub fn sentences(&self) -> Vec<String> {
        self.iter()
            .map(|(field, message)| format!("{} {message}", label(field)))
            .collect()
    }
}

/// How a field is called in a sentence: `access_level` is "Access level".
fn label(field: &str) -> String {
    let mut words = field.replace('_', " ");
    if let Some(first) = words.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    words
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentences().join(", "))
    }
}

impl Error {
    /// A bug, with its cause for the log.
    pub fn internal(cause: anyhow::Error) -> Self {
        Error::Internal(cause)
    }

    /// An outage, with its cause for the log.
    pub fn unavailable(cause: anyhow::Error) -> Self {
        Error::Unavailable(cause)
    }

    /// A rule that says no.
    pub fn refused(reason: impl Into<String>) -> Self {
        Error::Refused(reason.into())
    }

    /// Known and not allowed, without a reason.
    pub fn forbidden() -> Self {
        Error::Forbidden(None)
    }

    /// A wrong field.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Error::Invalid(FieldErrors::one(field, message))
    }
}

/// A missing row is a bug unless the query said `.optional()`; a lost server is an outage.
impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        if crate::db::violation::is_outage(&error) {
            Error::Unavailable(error.into())
        } else {
            Error::Internal(error.into())
        }
    }
}
