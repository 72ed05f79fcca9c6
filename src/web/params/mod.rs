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
mod json;
#[cfg(test)]
mod tests;

pub use dates::{parse_date, parse_date_time};

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
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
        };
        match read(&mut reader) {
            Ok(value) if reader.problems.is_empty() => Ok(value),
            _ => Err(InvalidParams(reader.problems)),
        }
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

/// Hands out parameters by name and type, and notes what is wrong with them.
///
/// For an optional parameter, `null` and an empty text are the same as leaving it out.
pub struct Reader<'a> {
    params: &'a Params,
    problems: Vec<(&'static str, ParamProblem)>,
}

impl<'a> Reader<'a> {
    /// Notes a problem that the handler found by itself.
    pub fn reject<T>(&mut self, name: &'static str, problem: ParamProblem) -> Checked<T> {
        self.problems.push((name, problem));
        Err(Rejected(()))
    }

    /// Was it sent as `null` or as an empty text? Settings are blanked like that.
    pub fn is_blanked(&self, name: &str) -> bool {
        self.params.get(name).is_some_and(Value::is_blank)
    }

    /// A text, which may be empty.
    pub fn required_text(&mut self, name: &'static str) -> Checked<String> {
        match self.params.get(name) {
            None | Some(Value::Null) => self.reject(name, ParamProblem::Missing),
            Some(Value::Text(text)) => Ok(text.clone()),
            Some(_) => self.reject(name, ParamProblem::Invalid),
        }
    }

    /// A text.
    pub fn text(&mut self, name: &'static str) -> Checked<Option<String>> {
        self.optional(name, |value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// A text, where an empty one has a meaning of its own, such as taking a description away.
    pub fn text_or_empty(&mut self, name: &'static str) -> Checked<Option<String>> {
        if matches!(self.params.get(name), Some(Value::Text(text)) if text.is_empty()) {
            return Ok(Some(String::new()));
        }
        self.text(name)
    }

    /// An integer. One too large for us becomes the largest that we know.
    pub fn integer(&mut self, name: &'static str) -> Checked<Option<i64>> {
        self.optional(name, as_integer)
    }

    /// An integer that must be sent.
    pub fn required_integer(&mut self, name: &'static str) -> Checked<i64> {
        let value = self.integer(name);
        self.required(name, value)
    }

    /// A boolean, in one of the many ways to write one.
    pub fn boolean(&mut self, name: &'static str) -> Checked<Option<bool>> {
        self.optional(name, as_boolean)
    }

    /// A date, `YYYY-MM-DD`. Of a date-time, the date as it is written counts.
    pub fn date(&mut self, name: &'static str) -> Checked<Option<NaiveDate>> {
        self.optional(name, |value| match value {
            Value::Text(text) => parse_date(text),
            _ => None,
        })
    }

    /// A point in time, ISO 8601. Without a zone it is UTC; a date alone means its midnight.
    pub fn date_time(&mut self, name: &'static str) -> Checked<Option<DateTime<Utc>>> {
        self.optional(name, |value| match value {
            Value::Text(text) => parse_date_time(text),
            _ => None,
        })
    }

    /// One of several words.
    pub fn choice<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Checked<Option<T>> {
        match self.text(name)? {
            None => Ok(None),
            Some(text) => match parse(&text) {
                None => self.reject(name, ParamProblem::NotOnOffer),
                chosen => Ok(chosen),
            },
        }
    }

    /// One of several numbers.
    pub fn number_choice<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(i64) -> Option<T>,
    ) -> Checked<Option<T>> {
        match self.integer(name)? {
            None => Ok(None),
            Some(number) => match parse(number) {
                None => self.reject(name, ParamProblem::NotOnOffer),
                chosen => Ok(chosen),
            },
        }
    }

    /// One of several numbers, which must be sent.
    pub fn required_number_choice<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(i64) -> Option<T>,
    ) -> Checked<T> {
        let value = self.number_choice(name, parse);
        self.required(name, value)
    }

    /// A list of words that are all on offer. A lone word is a list of one.
    pub fn choices<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Checked<Option<Vec<T>>> {
        if self.params.get(name).is_none_or(Value::is_blank) {
            return Ok(None);
        }
        let entries = self.entries(name);
        if entries.len() > MAX_CHOICES {
            return self.reject(name, ParamProblem::NotOnOffer);
        }
        let chosen = entries.iter().map(|value| match value {
            Value::Text(text) => parse(text).ok_or(ParamProblem::NotOnOffer),
            _ => Err(ParamProblem::Invalid),
        });
        match chosen.collect() {
            Ok(chosen) => Ok(Some(chosen)),
            Err(problem) => self.reject(name, problem),
        }
    }

    /// A list of words that are all on offer and that must be sent, be it empty.
    pub fn required_choices<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Checked<Vec<T>> {
        match self.params.get(name) {
            None | Some(Value::Null) => self.reject(name, ParamProblem::Missing),
            Some(Value::Text(text)) if text.is_empty() => Ok(Vec::new()),
            Some(_) => self.choices(name, parse).map(Option::unwrap_or_default),
        }
    }

    /// A list of integers. A lone one is a list of one.
    pub fn integers(&mut self, name: &'static str) -> Checked<Option<Vec<i64>>> {
        if self.params.get(name).is_none_or(Value::is_blank) {
            return Ok(None);
        }
        let entries = self.entries(name);
        match entries.iter().map(as_integer).collect() {
            Some(numbers) if entries.len() <= MAX_NUMBERS => Ok(Some(numbers)),
            _ => self.reject(name, ParamProblem::Invalid),
        }
    }

    /// The number of the page that is asked for, from 1.
    pub fn page(&mut self) -> Checked<i64> {
        match self.integer("page")? {
            None => Ok(1),
            // The upper bound keeps the number of skipped rows an integer.
            Some(page) if (1..=i64::from(i32::MAX)).contains(&page) => Ok(page),
            Some(_) => self.reject("page", ParamProblem::NotAllowed),
        }
    }

    /// How many rows a page shall have; more than the maximum is the maximum.
    pub fn per_page(&mut self) -> Checked<i64> {
        match self.integer("per_page")? {
            None => Ok(DEFAULT_PER_PAGE),
            Some(rows) if rows >= 1 => Ok(rows.min(MAX_PER_PAGE)),
            Some(_) => self.reject("per_page", ParamProblem::NotAllowed),
        }
    }

    fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Checked<Option<T>> {
        match self.params.get(name).filter(|value| !value.is_blank()) {
            None => Ok(None),
            Some(value) => match parse(value) {
                None => self.reject(name, ParamProblem::Invalid),
                parsed => Ok(parsed),
            },
        }
    }

    fn required<T>(&mut self, name: &'static str, value: Checked<Option<T>>) -> Checked<T> {
        match value? {
            Some(value) => Ok(value),
            None => self.reject(name, ParamProblem::Missing),
        }
    }

    fn entries(&self, name: &str) -> &'a [Value] {
        match self.params.get(name) {
            None => &[],
            Some(Value::List(entries)) => entries,
            Some(alone) => std::slice::from_ref(alone),
        }
    }
}

fn as_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        Value::Text(text) => parse_integer(text),
        _ => None,
    }
}

/// Reads decimal digits with an optional minus: no plus, no leading zero, no fraction, no exponent.
fn parse_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (!digits.starts_with('0') || text == "0");
    let limit = if digits.len() < text.len() {
        i64::MIN
    } else {
        i64::MAX
    };
    is_plain.then(|| text.parse().unwrap_or(limit))
}

fn as_boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Integer(1) => Some(true),
        Value::Integer(0) => Some(false),
        Value::Text(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" | "yes" | "on" => Some(true),
            "false" | "f" | "0" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
