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

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use percent_encoding::percent_decode;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

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

/// The outermost object of a JSON body.
struct TopLevel;

impl<'de> Visitor<'de> for TopLevel {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Values, A::Error> {
        read_object(map, MAX_DEPTH - 1)
    }
}

/// Reads an object whose values may be nested `depth` times more. A repeated name is refused:
/// which one counts would be a guess, and another program may guess otherwise.
fn read_object<'de, A: MapAccess<'de>>(mut map: A, depth: usize) -> Result<Values, A::Error> {
    let mut values = Values::new();
    while let Some(name) = map.next_key::<String>()? {
        let value = map.next_value_seed(Nested { depth })?;
        if values.insert(name, value).is_some() {
            return Err(de::Error::custom("a name is repeated"));
        }
    }
    Ok(values)
}

/// A JSON value that may be nested `depth` times.
#[derive(Clone, Copy)]
struct Nested {
    depth: usize,
}

impl Nested {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth }),
            None => Err(E::custom("nested too deeply")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut entries = Vec::new();
        while let Some(entry) = seq.next_element_seed(deeper)? {
            entries.push(entry);
        }
        Ok(Value::List(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        let Self { depth } = self.deeper()?;
        read_object(map, depth)?;
        Ok(Value::Other)
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

/// Reads a date as clients send it: `YYYY-MM-DD`, or an ISO 8601 date-time of which the date counts
/// as it is written, whatever its zone.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let (date, rest) = text.split_at_checked(10)?;
    if !rest.is_empty() {
        parse_date_time(text)?;
    }
    parse_calendar_date(date)
}

/// Reads a point in time as clients send it: an ISO 8601 date-time, in UTC if it names no zone, or
/// a date, which means its midnight.
pub fn parse_date_time(text: &str) -> Option<DateTime<Utc>> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = parse_calendar_date(date)?;
    let (time, offset) = if rest.is_empty() {
        (NaiveTime::MIN, TimeDelta::zero())
    } else {
        parse_time(rest.strip_prefix(['T', 't'])?)?
    };
    let local = date.and_time(time);
    Some(local.checked_sub_signed(offset)?.and_utc())
}

fn parse_calendar_date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    if bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let year = digits(text.get(..4)?)?;
    let month = digits(text.get(5..7)?)?;
    let day = digits(text.get(8..)?)?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fraction`, and the zone's distance from UTC.
fn parse_time(text: &str) -> Option<(NaiveTime, TimeDelta)> {
    let zone_at = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(zone_at);
    let (clock, fraction) = match clock.split_once(['.', ',']) {
        Some((clock, fraction)) if clock.len() == 8 => (clock, Some(fraction)),
        Some(_) => return None,
        None => (clock, None),
    };
    let parts: Vec<u32> = clock
        .split(':')
        .map(|part| (part.len() == 2).then(|| digits(part)).flatten())
        .collect::<Option<_>>()?;
    let (hour, minute, second) = match parts[..] {
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let nanoseconds = match fraction {
        None => 0,
        Some(fraction) if fraction.len() <= 9 => {
            digits(&format!("{fraction:0<9}")).filter(|_| !fraction.is_empty())?
        }
        Some(_) => return None,
    };
    let time = NaiveTime::from_hms_nano_opt(hour, minute, second, nanoseconds)?;
    Some((time, parse_zone(zone)?))
}

/// Nothing, `Z`, `+HH`, `+HHMM` or `+HH:MM`.
fn parse_zone(text: &str) -> Option<TimeDelta> {
    if matches!(text, "" | "Z" | "z") {
        return Some(TimeDelta::zero());
    }
    let (sign, distance) = text.split_at_checked(1)?;
    let (hours, minutes) = match distance.len() {
        2 => (distance, "00"),
        4 => distance.split_at_checked(2)?,
        5 => distance
            .split_once(':')
            .filter(|(hours, _)| hours.len() == 2)?,
        _ => return None,
    };
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let distance = TimeDelta::minutes(i64::from(hours * 60 + minutes));
    Some(if sign == "-" { -distance } else { distance })
}

/// ASCII digits only; the parser of the standard library would take a plus as well.
fn digits(text: &str) -> Option<u32> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(body: &str) -> Params {
        let mut params = Params::default();
        params.merge_json(body.as_bytes()).unwrap();
        params
    }

    fn query(text: &str) -> Params {
        Params::from_query(text)
    }

    /// The parameter `x`, or what is wrong with it.
    fn read<T>(
        params: &Params,
        get: impl FnOnce(&mut Reader<'_>) -> Checked<T>,
    ) -> Result<T, String> {
        params.read(get).map_err(|error| error.to_string())
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn every_mistake_is_named_in_one_answer() {
        let read_token = |params: &Params| {
            read(params, |p| {
                let name = p.required_text("name");
                let scopes = p.required_choices("scopes", |s| (s == "api").then_some(()));
                let level = p.number_choice("access_level", |n| (n == 50).then_some(n));
                let expires_at = p.date("expires_at");
                Ok((name?, scopes?.len(), level?, expires_at?))
            })
        };
        for (body, expected) in [
            ("{}", "name is missing, scopes is missing"),
            (r#"{"name":"x"}"#, "scopes is missing"),
            (r#"{"scopes":["api"]}"#, "name is missing"),
            (
                r#"{"name":null,"scopes":null}"#,
                "name is missing, scopes is missing",
            ),
            (
                r#"{"name":5,"scopes":{},"access_level":"x","expires_at":"tomorrow"}"#,
                "name is invalid, scopes is invalid, access_level is invalid, expires_at is invalid",
            ),
            (
                r#"{"name":"x","scopes":["api","bogus"],"access_level":17}"#,
                "scopes does not have a valid value, access_level does not have a valid value",
            ),
        ] {
            assert_eq!(read_token(&json(body)), Err(expected.to_owned()), "{body}");
        }
        assert_eq!(
            read_token(&json(r#"{"name":"x","scopes":["api"],"other":1}"#)),
            Ok(("x".to_owned(), 1, None, None))
        );
    }

    #[test]
    fn a_value_is_never_handed_out_beside_a_problem() {
        let params = query("x=1");
        let answer = read(&params, |p| {
            let _ = p.required_text("y");
            p.required_text("x")
        });
        assert_eq!(answer, Err("y is missing".to_owned()));
    }

    #[test]
    fn the_path_outranks_the_body_and_the_body_the_query() {
        let mut params = query("x=query&y=query&z=query");
        params.set_path("x", "path");
        params.merge_json(br#"{"x":"body","y":"body"}"#).unwrap();
        for (name, value) in [("x", "path"), ("y", "body"), ("z", "query")] {
            assert_eq!(
                read(&params, |p| p.required_text(name)),
                Ok(value.to_owned())
            );
        }

        let mut params = query("x=query&scopes[]=query");
        params.merge_form("x=form&scopes[]=a&scopes[]=b");
        params.merge_fields([("x".to_owned(), "multipart".to_owned())]);
        assert_eq!(
            read(&params, |p| p.required_text("x")),
            Ok("multipart".to_owned())
        );
        assert_eq!(
            read(&params, |p| p.choices("scopes", |s| Some(s.to_owned()))),
            Ok(Some(vec!["a".to_owned(), "b".to_owned()]))
        );
    }

    #[test]
    fn a_null_in_the_body_hides_the_query() {
        let mut params = query("x=5");
        params.merge_json(br#"{"x":null}"#).unwrap();
        assert_eq!(read(&params, |p| p.integer("x")), Ok(None));
    }

    #[test]
    fn forms_are_decoded() {
        let params = query("a=1+2%2B3&b=%C3%A9&c&d=&e=%zz&%66=g&=x&&h=1=2&i=%FF");
        let text = |name: &'static str| read(&params, move |p| p.text(name));
        assert_eq!(text("a"), Ok(Some("1 2+3".to_owned())));
        assert_eq!(text("b"), Ok(Some("é".to_owned())));
        assert_eq!(text("c"), Ok(None));
        assert_eq!(text("d"), Ok(None));
        assert_eq!(text("e"), Ok(Some("%zz".to_owned())));
        assert_eq!(text("f"), Ok(Some("g".to_owned())));
        assert_eq!(text("h"), Ok(Some("1=2".to_owned())));
        assert_eq!(text("i"), Err("i is invalid".to_owned()));

        // Bytes that are no text in a parameter that nobody asks for do no harm.
        assert_eq!(
            read(&query("%FF=1&x=%FF&y=2"), |p| p.integer("y")),
            Ok(Some(2))
        );
        assert_eq!(read(&query("x=1&x=2"), |p| p.integer("x")), Ok(Some(2)));
    }

    #[test]
    fn a_text_is_required_optional_or_empty_with_a_meaning() {
        for (body, required, optional, or_empty) in [
            ("{}", Err("x is missing"), Ok(None), Ok(None)),
            (r#"{"x":null}"#, Err("x is missing"), Ok(None), Ok(None)),
            (r#"{"x":""}"#, Ok(""), Ok(None), Ok(Some(""))),
            (r#"{"x":" "}"#, Ok(" "), Ok(Some(" ")), Ok(Some(" "))),
            (r#"{"x":"a"}"#, Ok("a"), Ok(Some("a")), Ok(Some("a"))),
            (
                r#"{"x":1}"#,
                Err("x is invalid"),
                Err("x is invalid"),
                Err("x is invalid"),
            ),
            (
                r#"{"x":["a"]}"#,
                Err("x is invalid"),
                Err("x is invalid"),
                Err("x is invalid"),
            ),
        ] {
            let params = json(body);
            let own = |result: Result<Option<&str>, &str>| {
                result
                    .map(|text| text.map(ToOwned::to_owned))
                    .map_err(ToOwned::to_owned)
            };
            assert_eq!(
                read(&params, |p| p.required_text("x")),
                required.map(ToOwned::to_owned).map_err(ToOwned::to_owned),
                "{body}"
            );
            assert_eq!(read(&params, |p| p.text("x")), own(optional), "{body}");
            assert_eq!(
                read(&params, |p| p.text_or_empty("x")),
                own(or_empty),
                "{body}"
            );
        }
    }

    #[test]
    fn settings_are_blanked_with_null_or_an_empty_text() {
        for (body, blanked) in [
            ("{}", false),
            (r#"{"x":null}"#, true),
            (r#"{"x":""}"#, true),
            (r#"{"x":0}"#, false),
            (r#"{"x":[]}"#, false),
        ] {
            assert_eq!(
                read(&json(body), |p| Ok(p.is_blanked("x"))),
                Ok(blanked),
                "{body}"
            );
        }
    }

    #[test]
    fn integers_are_plain_decimal_ones_sent_as_numbers_or_text() {
        for (sent, expected) in [
            ("50", Ok(Some(50))),
            ("\"50\"", Ok(Some(50))),
            ("0", Ok(Some(0))),
            ("\"0\"", Ok(Some(0))),
            ("-1", Ok(Some(-1))),
            ("\"-1\"", Ok(Some(-1))),
            ("2147483648", Ok(Some(2_147_483_648))),
            ("9223372036854775807", Ok(Some(i64::MAX))),
            ("9223372036854775808", Ok(Some(i64::MAX))),
            ("\"99999999999999999999\"", Ok(Some(i64::MAX))),
            ("\"-99999999999999999999\"", Ok(Some(i64::MIN))),
            ("null", Ok(None)),
            ("\"\"", Ok(None)),
            ("50.0", Err(())),
            ("5e1", Err(())),
            ("\"50.0\"", Err(())),
            ("\"5e1\"", Err(())),
            ("\"050\"", Err(())),
            ("\"+50\"", Err(())),
            ("\"-0\"", Err(())),
            ("\"-\"", Err(())),
            ("\" 50\"", Err(())),
            ("\"0x10\"", Err(())),
            ("\"５０\"", Err(())),
            ("\"fifty\"", Err(())),
            ("[50]", Err(())),
            ("{\"a\":50}", Err(())),
            ("true", Err(())),
            ("1e30", Err(())),
        ] {
            assert_eq!(
                read(&json(&format!("{{\"x\":{sent}}}")), |p| p.integer("x")),
                expected.map_err(|()| "x is invalid".to_owned()),
                "{sent}"
            );
        }
        assert_eq!(
            read(&json("{}"), |p| p.required_integer("x")),
            Err("x is missing".to_owned())
        );
        assert_eq!(read(&query("x=7"), |p| p.required_integer("x")), Ok(7));
    }

    #[test]
    fn a_number_must_be_on_offer() {
        let choose = |number: i64| [10, 50].contains(&number).then_some(number);
        for (sent, expected) in [
            ("50", Ok(Some(50))),
            ("\"10\"", Ok(Some(10))),
            ("null", Ok(None)),
            ("60", Err("x does not have a valid value")),
            ("0", Err("x does not have a valid value")),
            ("-1", Err("x does not have a valid value")),
            ("2147483648", Err("x does not have a valid value")),
            ("50.0", Err("x is invalid")),
            ("\"fifty\"", Err("x is invalid")),
            ("[50]", Err("x is invalid")),
        ] {
            let params = json(&format!("{{\"x\":{sent}}}"));
            assert_eq!(
                read(&params, |p| p.number_choice("x", choose)),
                expected.map_err(ToOwned::to_owned),
                "{sent}"
            );
            let required = expected.and_then(|number| number.ok_or("x is missing"));
            assert_eq!(
                read(&params, |p| p.required_number_choice("x", choose)),
                required.map_err(ToOwned::to_owned),
                "{sent}"
            );
        }
    }

    #[test]
    fn booleans_are_written_in_many_ways() {
        for (sent, expected) in [
            ("true", Ok(Some(true))),
            ("false", Ok(Some(false))),
            ("1", Ok(Some(true))),
            ("0", Ok(Some(false))),
            ("null", Ok(None)),
            ("\"\"", Ok(None)),
            ("2", Err(())),
            ("1.0", Err(())),
            ("[true]", Err(())),
            ("\"maybe\"", Err(())),
            ("\" true\"", Err(())),
        ] {
            assert_eq!(
                read(&json(&format!("{{\"x\":{sent}}}")), |p| p.boolean("x")),
                expected.map_err(|()| "x is invalid".to_owned()),
                "{sent}"
            );
        }
        for (words, expected) in [
            (["true", "t", "1", "yes", "on", "TRUE"], true),
            (["false", "f", "0", "no", "off", "No"], false),
        ] {
            for word in words {
                assert_eq!(
                    read(&query(&format!("x={word}")), |p| p.boolean("x")),
                    Ok(Some(expected)),
                    "{word}"
                );
            }
        }
    }

    #[test]
    fn a_date_is_what_the_calendar_knows_or_invalid() {
        let five_kilobytes = format!("\"{}\"", "2027-01-01".repeat(512));
        for (sent, expected) in [
            ("\"2027-01-01\"", Some("2027-01-01")),
            ("\"2028-02-29\"", Some("2028-02-29")),
            ("\"1970-01-01\"", Some("1970-01-01")),
            ("\"9999-12-31\"", Some("9999-12-31")),
            // Date-times are cut to the date that stands there.
            ("\"2027-01-01T00:00:00+14:00\"", Some("2027-01-01")),
            ("\"2027-01-01T23:59:59-12:00\"", Some("2027-01-01")),
            ("\"2027-01-01T00:00:00.000Z\"", Some("2027-01-01")),
            ("\"2027-02-29\"", None),
            ("\"2027-13-01\"", None),
            ("\"2027-00-10\"", None),
            ("\"2027-01-00\"", None),
            ("\"2027-1-1\"", None),
            ("\"20270101\"", None),
            ("\"tomorrow\"", None),
            ("1e9", None),
            ("0", None),
            ("true", None),
            ("{}", None),
            ("[]", None),
            ("[\"2027-01-01\"]", None),
            ("\" 2027-01-01 \"", None),
            ("\"2027-01-01 \"", None),
            ("\"２０２７-０１-０１\"", None),
            ("\"10000-01-01\"", None),
            ("\"-2027-01-01\"", None),
            ("\"+2027-01-01\"", None),
            ("\"2027-01-+1\"", None),
            ("\"2027/01-01\"", None),
            ("\"2027-01/01\"", None),
            ("\"01-01-2027\"", None),
            ("\"2027-01-01Z\"", None),
            ("\"2027-01-01T\"", None),
            ("\"2027-01-01Tgarbage\"", None),
            ("\"2027-01-01T25:00:00Z\"", None),
            ("\"2027-01-0é\"", None),
            (&five_kilobytes, None),
        ] {
            assert_eq!(
                read(&json(&format!("{{\"x\":{sent}}}")), |p| p.date("x")),
                expected
                    .map(|text| Some(day(text)))
                    .ok_or_else(|| "x is invalid".to_owned()),
                "{sent}"
            );
        }
        for blank in ["null", "\"\""] {
            assert_eq!(
                read(&json(&format!("{{\"x\":{blank}}}")), |p| p.date("x")),
                Ok(None)
            );
        }
    }

    #[test]
    fn a_point_in_time_is_utc_unless_it_names_its_zone() {
        for (text, expected) in [
            ("2026-11-20", Some("2026-11-20T00:00:00Z")),
            ("2026-11-20T09:15", Some("2026-11-20T09:15:00Z")),
            ("2026-11-20T09:15:30", Some("2026-11-20T09:15:30Z")),
            ("2026-11-20T09:15:30Z", Some("2026-11-20T09:15:30Z")),
            ("2026-11-20t09:15:30z", Some("2026-11-20T09:15:30Z")),
            ("2026-11-20T09:15:30.5Z", Some("2026-11-20T09:15:30.5Z")),
            (
                "2026-11-20T09:15:30,123456789Z",
                Some("2026-11-20T09:15:30.123456789Z"),
            ),
            ("2026-11-20T09:15:30+02:00", Some("2026-11-20T07:15:30Z")),
            ("2026-11-20T09:15:30-0530", Some("2026-11-20T14:45:30Z")),
            ("2026-11-20T01:15+02", Some("2026-11-19T23:15:00Z")),
            ("", None),
            ("2026-11-20 09:15:30", None),
            ("2026-11-20T9:15", None),
            ("2026-11-20T09", None),
            ("2026-11-20T09:15:30.", None),
            ("2026-11-20T09:15.5", None),
            ("2026-11-20T09:15:59.1234567890", None),
            ("2026-11-20T09:60:00", None),
            ("2026-11-20T24:00:00", None),
            ("2026-11-20T09:15:30+", None),
            ("2026-11-20T09:15:30+2", None),
            ("2026-11-20T09:15:30+24:00", None),
            ("2026-11-20T09:15:30+02:60", None),
            ("2026-11-20T09:15:30 02:00", None),
            ("2026-11-20T09:15:30Zz", None),
            ("2026-11-20T+9:15", None),
        ] {
            let expected: Option<DateTime<Utc>> = expected.map(|text| text.parse().unwrap());
            assert_eq!(parse_date_time(text), expected, "{text:?}");
        }
        assert_eq!(
            read(&query("x=nope"), |p| p.date_time("x")),
            Err("x is invalid".to_owned())
        );
        assert_eq!(
            read(&query("x=2026-11-20"), |p| p.date_time("x")),
            Ok(parse_date_time("2026-11-20"))
        );
    }

    #[test]
    fn a_word_must_be_on_offer() {
        let state = |text: &str| (text == "active").then_some(1);
        for (text, expected) in [
            ("", Ok(None)),
            ("x=", Ok(None)),
            ("x=active", Ok(Some(1))),
            ("x=Active", Err("x does not have a valid value")),
            ("x[]=active", Err("x is invalid")),
        ] {
            assert_eq!(
                read(&query(text), |p| p.choice("x", state)),
                expected.map_err(ToOwned::to_owned),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_list_comes_as_an_array_as_repeated_fields_or_as_one_word() {
        let word = |text: &str| (text.len() == 1).then(|| text.to_owned());
        let list = |params: &Params| {
            read(params, |p| p.required_choices("x", word)).map(|words| words.concat())
        };
        for (text, expected) in [
            ("x[]=a&x[]=b", Ok("ab")),
            ("x%5B%5D=a&x%5B%5D=b", Ok("ab")),
            ("x=a", Ok("a")),
            ("x=a&x[]=b", Ok("b")),
            ("x=", Ok("")),
            ("", Err("x is missing")),
            ("x=a,b", Err("x does not have a valid value")),
            ("x[]=", Err("x does not have a valid value")),
        ] {
            assert_eq!(
                list(&query(text)),
                expected.map(ToOwned::to_owned).map_err(ToOwned::to_owned),
                "{text:?}"
            );
        }
        for (sent, expected) in [
            ("[\"a\",\"b\",\"a\"]", Ok("aba")),
            ("\"a\"", Ok("a")),
            ("[]", Ok("")),
            ("[\"\"]", Err("x does not have a valid value")),
            ("[\"a\",\"bogus\"]", Err("x does not have a valid value")),
            ("[1]", Err("x is invalid")),
            ("[null]", Err("x is invalid")),
            ("[[\"a\"]]", Err("x is invalid")),
            ("1", Err("x is invalid")),
            ("null", Err("x is missing")),
        ] {
            assert_eq!(
                list(&json(&format!("{{\"x\":{sent}}}"))),
                expected.map(ToOwned::to_owned).map_err(ToOwned::to_owned),
                "{sent}"
            );
        }
        assert_eq!(read(&json("{}"), |p| p.choices("x", word)), Ok(None));
        assert_eq!(read(&query("x="), |p| p.choices("x", word)), Ok(None));
        assert_eq!(
            read(&json(r#"{"x":[]}"#), |p| p.choices("x", word)),
            Ok(Some(vec![]))
        );
    }

    #[test]
    fn a_list_has_an_end() {
        let of = |entries: usize| query(&"x[]=1&".repeat(entries));
        assert_eq!(read(&of(200), |p| p.integers("x")), Ok(Some(vec![1; 200])));
        assert_eq!(
            read(&of(201), |p| p.integers("x")),
            Err("x is invalid".to_owned())
        );
        assert_eq!(
            read(&of(32), |p| p.choices("x", |_| Some(1))),
            Ok(Some(vec![1; 32]))
        );
        assert_eq!(
            read(&of(33), |p| p.required_choices("x", |_| Some(1))),
            Err("x does not have a valid value".to_owned())
        );
    }

    #[test]
    fn integers_come_in_lists_too() {
        for (text, expected) in [
            ("x[]=1&x[]=2", Ok(Some(vec![1, 2]))),
            ("x=3", Ok(Some(vec![3]))),
            ("", Ok(None)),
            ("x[]=1&x[]=b", Err("x is invalid".to_owned())),
        ] {
            assert_eq!(
                read(&query(text), |p| p.integers("x")),
                expected,
                "{text:?}"
            );
        }
        assert_eq!(
            read(&json(r#"{"x":[1,"2"]}"#), |p| p.integers("x")),
            Ok(Some(vec![1, 2]))
        );
    }

    #[test]
    fn pages_have_a_number_and_a_size() {
        for (text, expected) in [
            ("", Ok((1, 20))),
            ("page=&per_page=", Ok((1, 20))),
            ("page=3&per_page=100", Ok((3, 100))),
            ("page=1&per_page=1", Ok((1, 1))),
            ("per_page=101", Ok((1, 100))),
            ("per_page=9223372036854775808", Ok((1, 100))),
            ("page=1000000", Ok((1_000_000, 20))),
            ("per_page=0", Err("per_page has a value not allowed")),
            ("per_page=-1", Err("per_page has a value not allowed")),
            ("page=0", Err("page has a value not allowed")),
            (
                "page=9223372036854775808",
                Err("page has a value not allowed"),
            ),
            ("page=abc", Err("page is invalid")),
            ("per_page=1.5", Err("per_page is invalid")),
            (
                "page=0&per_page=x",
                Err("page has a value not allowed, per_page is invalid"),
            ),
        ] {
            let pages = read(&query(text), |p| {
                let (page, per_page) = (p.page(), p.per_page());
                Ok((page?, per_page?))
            });
            assert_eq!(pages, expected.map_err(ToOwned::to_owned), "{text:?}");
        }
    }

    #[test]
    fn a_body_that_is_no_json_object_is_refused() {
        for body in [
            &b"{"[..],
            b"[]",
            b"null",
            b"\"x\"",
            b"5",
            b"{} x",
            b"{}{}",
            b"{\"a\":1,}",
            b"{'a':1}",
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":\"\xff\"}",
            b"\xef\xbb\xbf{}",
            b"{\x00}",
            b"\xff\xfe{\x00}\x00",
            b"{\"a\":1e999}",
            b"{\"a\":NaN}",
            b"a=b",
        ] {
            let refused = Params::default().merge_json(body);
            assert_eq!(
                refused.map_err(|error| error.to_string()),
                Err("message body does not match declared format".to_owned()),
                "{}",
                String::from_utf8_lossy(body)
            );
        }
        for body in ["", "  \r\n", "{}", " { } "] {
            let read = read(&json(body), |p| p.required_text("name"));
            assert_eq!(read, Err("name is missing".to_owned()), "{body:?}");
        }
    }

    #[test]
    fn a_refused_body_leaves_nothing_behind() {
        let mut params = query("x=1");
        params.merge_json(br#"{"x":2,"y":3,"#).unwrap_err();
        assert_eq!(read(&params, |p| p.integer("x")), Ok(Some(1)));
        assert_eq!(read(&params, |p| p.integer("y")), Ok(None));
    }

    #[test]
    fn a_name_must_not_be_repeated_at_any_depth() {
        for (body, ok) in [
            (r#"{"a":1,"b":1}"#, true),
            (r#"{"a":1,"a":1}"#, false),
            (r#"{"a":1,"\u0061":1}"#, false),
            (r#"{"a":{"b":1,"b":2}}"#, false),
            (r#"{"a":[{"b":1},{"b":2}]}"#, true),
            (r#"{"a":[{"b":1,"b":2}]}"#, false),
        ] {
            let merged = Params::default().merge_json(body.as_bytes());
            assert_eq!(merged.is_ok(), ok, "{body}");
        }
    }

    #[test]
    fn a_body_may_be_nested_to_the_limit_and_no_deeper() {
        fn lists(depth: usize) -> String {
            format!(
                "{{\"x\":{}{}}}",
                "[".repeat(depth - 1),
                "]".repeat(depth - 1)
            )
        }
        fn objects(depth: usize) -> String {
            format!("{}1{}", "{\"x\":".repeat(depth), "}".repeat(depth))
        }
        for body in [lists, objects] {
            let merge = |depth| Params::default().merge_json(body(depth).as_bytes());
            assert_eq!(merge(MAX_DEPTH), Ok(()));
            assert_eq!(merge(MAX_DEPTH + 1), Err(MalformedBody));
            assert_eq!(merge(100_000), Err(MalformedBody));
        }
        assert_eq!(MAX_DEPTH, 64);
    }

    #[test]
    fn a_credential_is_taken_out_of_every_place() {
        let mut params = query("private_token=query&x=1");
        params.merge_json(br#"{"private_token":"body"}"#).unwrap();
        assert_eq!(
            params.take_secret("private_token").unwrap().as_str(),
            "body"
        );
        assert_eq!(params.take_secret("private_token"), None);
        assert_eq!(read(&params, |p| p.text("private_token")), Ok(None));
        assert_eq!(read(&params, |p| p.integer("x")), Ok(Some(1)));

        for nothing in ["private_token=", "private_token=+", "private_token[]=x", ""] {
            assert_eq!(
                query(nothing).take_secret("private_token"),
                None,
                "{nothing:?}"
            );
        }
    }

    #[test]
    fn values_are_not_printed() {
        let mut params = query("private_token=hunter2");
        params.set_path("id", "hunter2");
        params.merge_form("password=hunter2");
        let printed = format!("{params:?}");
        assert!(!printed.contains("hunter2"));
        assert!(printed.contains("private_token") && printed.contains("password"));
    }

    #[test]
    fn a_handler_may_reject_a_parameter_by_itself() {
        let answer: Result<(), _> = query("x=1")
            .read(|p| p.reject("x", ParamProblem::NotOnOffer))
            .map_err(|error| error.problems().to_vec());
        assert_eq!(answer, Err(vec![("x", ParamProblem::NotOnOffer)]));
    }

    proptest! {
        #[test]
        fn every_date_is_read_back(days in 0_i64..3_652_000) {
            let date = day("0001-01-01") + TimeDelta::days(days);
            prop_assert_eq!(parse_date(&date.to_string()), Some(date));
        }

        #[test]
        fn every_point_in_time_is_read_back_in_every_zone(
            seconds in 0_i64..4_000_000_000, milliseconds in 0_u32..1000, offset in -1439_i32..1440
        ) {
            let time = DateTime::from_timestamp(seconds, milliseconds * 1_000_000).unwrap();
            let zone = chrono::FixedOffset::east_opt(offset * 60).unwrap();
            let local = time.with_timezone(&zone);
            prop_assert_eq!(parse_date_time(&local.to_rfc3339()), Some(time));
            prop_assert_eq!(parse_date(&local.to_rfc3339()), Some(local.date_naive()));
        }

        #[test]
        fn every_integer_is_read_back(number: i64) {
            prop_assert_eq!(parse_integer(&number.to_string()), Some(number));
            let params = json(&format!("{{\"x\":{number}}}"));
            prop_assert_eq!(read(&params, |p| p.integer("x")), Ok(Some(number)));
        }

        #[test]
        fn no_input_at_all_is_a_crash(
            bytes in proptest::collection::vec(any::<u8>(), 0..100), text in ".{0,40}"
        ) {
            let mut params = Params::from_query(&text);
            params.merge_form(&bytes);
            let _ = params.merge_json(&bytes);
            let _ = params.merge_json(text.as_bytes());
            let _ = (parse_date(&text), parse_date_time(&text), parse_integer(&text));
        }

        #[test]
        fn dates_with_anything_behind_them_are_no_crash(rest in ".{0,20}") {
            let _ = parse_date(&format!("2026-11-20{rest}"));
            let _ = parse_date_time(&format!("2026-11-20T{rest}"));
        }
    }
}
