//! The parameters of an API request, wherever they came from, read with their types checked.
//!
//! A handler reads all that it needs in one go, and a request with several mistakes gets one
//! answer that names them all:
//!
//! ```ignore
//! let new = params.read(|p| {
//!     let name = p.required_text("name");
//!     let expires_at = p.date("expires_at");
//!     Ok(New { name: name?, expires_at: expires_at? })
//! })?;
//! ```

mod dates;
pub mod described;
mod json;
mod reader;
#[cfg(test)]
mod tests;

pub use dates::{parse_date, parse_date_time};
pub use described::Parameters;
pub use reader::Reader;

use std::collections::BTreeMap;
use std::fmt;

use percent_encoding::percent_decode;
use serde::de::Deserializer as _;
use zeroize::Zeroizing;

use json::TopLevel;

/// How deeply a JSON body may be nested, the outermost object included.
pub const MAX_DEPTH: usize = 64;
/// How many words a list of choices may have, repeats counted.
pub const MAX_CHOICES: usize = 32;
/// How many numbers a list may have.
pub const MAX_NUMBERS: usize = 200;
/// The longest text to look for, in characters: as long as the longest name.
pub const LONGEST_SEARCH: usize = 255;
/// Smallest first, or largest.
pub const DIRECTIONS: [(&str, bool); 2] = [("asc", false), ("desc", true)];
/// The rows of a page if nobody says otherwise.
pub const DEFAULT_PER_PAGE: i64 = 20;
/// The rows that a page has at most.
pub const MAX_PER_PAGE: i64 = 100;

/// The parameters of one request. Those in the path outrank the body's, and those the query's.
#[derive(Default)]
pub struct Params {
    path: Values,
    body: Values,
    query: Values,
}

type Values = BTreeMap<String, Value>;

/// A parameter as it came.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Text(String),
    List(Vec<Value>),
    /// What no parameter is: a fraction, an object, bytes that are not text.
    Other,
}

impl Value {
    /// Sent, but with nothing in it.
    fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            _ => false,
        }
    }
}

impl Params {
    /// Starts with the query string of the URL, without its question mark.
    pub fn from_query(query: &str) -> Self {
        let mut params = Self::default();
        read_form(&mut params.query, query.as_bytes());
        params
    }

    /// Adds a form, `application/x-www-form-urlencoded`.
    pub fn merge_form(&mut self, body: impl AsRef<[u8]>) {
        read_form(&mut self.body, body.as_ref());
    }

    /// Adds the fields of a form that was decoded already, such as a multipart one.
    pub fn merge_fields(&mut self, fields: impl IntoIterator<Item = (String, String)>) {
        for (name, text) in fields {
            add_field(&mut self.body, name, Value::Text(text));
        }
    }

    /// Adds a JSON object. An empty body has no parameters.
    pub fn merge_json(&mut self, body: &[u8]) -> Result<(), MalformedBody> {
        if body.trim_ascii().is_empty() {
            return Ok(());
        }
        let mut json = serde_json::Deserializer::from_slice(body);
        let object = json
            .deserialize_map(TopLevel)
            .and_then(|object| json.end().map(|()| object))
            .map_err(|_| MalformedBody)?;
        self.body.extend(object);
        Ok(())
    }

    /// Adds a parameter from the path, decoded.
    pub fn set_path(&mut self, name: &str, text: impl Into<String>) {
        self.path.insert(name.to_owned(), Value::Text(text.into()));
    }

    /// Takes out a credential. Empty ones, and what is no text, count as absent.
    pub fn take_secret(&mut self, name: &str) -> Option<Zeroizing<String>> {
        let found = [&mut self.path, &mut self.body, &mut self.query]
            .map(|layer| layer.remove(name))
            .into_iter()
            .flatten()
            .next();
        match found {
            Some(Value::Text(text)) if !text.trim().is_empty() => Some(Zeroizing::new(text)),
            _ => None,
        }
    }

    /// Reads what a handler needs. The answer names every parameter that is wrong.
    ///
    /// Ask for all of them before the first `?`, or the later ones go unchecked.
    pub fn read<T>(
        &self,
        read: impl FnOnce(&mut Reader<'_>) -> Checked<T>,
    ) -> Result<T, InvalidParams> {
        let mut reader = Reader {
            params: self,
            problems: Vec::new(),
            described: None,
        };
        match read(&mut reader) {
            Ok(value) if reader.problems.is_empty() => Ok(value),
            _ => Err(InvalidParams(reader.problems)),
        }
    }

    /// Body and query without credentials, in a form that is the same for the same parameters. It holds values:
    /// it is for digests, not for eyes.
    pub fn fingerprint(&self) -> String {
        format!("{:?} {:?}", self.body, self.query)
    }

    fn get(&self, name: &str) -> Option<&Value> {
        [&self.path, &self.body, &self.query]
            .into_iter()
            .find_map(|layer| layer.get(name))
    }
}

/// Names only: a value may be a secret.
impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |layer: &Values| layer.keys().cloned().collect::<Vec<_>>();
        f.debug_struct("Params")
            .field("path", &names(&self.path))
            .field("body", &names(&self.body))
            .field("query", &names(&self.query))
            .finish()
    }
}

/// Adds the pairs of a query string or a form.
fn read_form(values: &mut Values, form: &[u8]) {
    let mut read = Values::new();
    for pair in form.split(|byte| *byte == b'&') {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = halves.next().and_then(decode);
        let value = halves.next().unwrap_or_default();
        // A name that is no text is nobody's parameter.
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            let value = decode(value).map_or(Value::Other, Value::Text);
            add_field(&mut read, name, value);
        }
    }
    values.extend(read);
}

fn decode(text: &[u8]) -> Option<String> {
    let text: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    String::from_utf8(percent_decode(&text).collect()).ok()
}

/// `name[]` adds to a list; of a repeated plain name, the last counts.
fn add_field(values: &mut Values, name: String, value: Value) {
    match name.strip_suffix("[]") {
        Some(list) => match values.get_mut(list) {
            Some(Value::List(entries)) => entries.push(value),
            _ => {
                values.insert(list.to_owned(), Value::List(vec![value]));
            }
        },
        None => {
            values.insert(name, value);
        }
    }
}

/// The body is not what its `Content-Type` says, or is more than any request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("message body does not match declared format")]
pub struct MalformedBody;

/// One parameter is wrong; the reader has noted which and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected(());

/// A parameter, or the knowledge that it was wrong.
pub type Checked<T> = Result<T, Rejected>;

/// Why a parameter is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamProblem {
    /// It is required and was not sent.
    #[error("is missing")]
    Missing,
    /// It is of another type.
    #[error("is invalid")]
    Invalid,
    /// It is not one of those on offer.
    #[error("does not have a valid value")]
    NotOnOffer,
    /// It is out of range.
    #[error("has a value not allowed")]
    NotAllowed,
}

/// Every parameter that is wrong, in the order in which they were asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct InvalidParams(Vec<(&'static str, ParamProblem)>);

impl InvalidParams {
    /// The names and what is wrong with each.
    pub fn problems(&self) -> &[(&'static str, ParamProblem)] {
        &self.0
    }
}

impl fmt::Display for InvalidParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, problem)) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{name} {problem}")?;
        }
        Ok(())
    }
}
