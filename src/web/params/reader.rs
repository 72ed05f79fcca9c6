//! Hands out parameters by name and type.

use chrono::{DateTime, NaiveDate, Utc};

use super::described::{Described, Kind};
use super::{
    Checked, DEFAULT_PER_PAGE, LONGEST_SEARCH, MAX_CHOICES, MAX_NUMBERS, MAX_PER_PAGE,
    ParamProblem, Params, Rejected, Value, parse_date, parse_date_time,
};
use crate::db::{PageRequest, Paging};

/// Hands out parameters by name and type, and notes what is wrong with them.
///
/// For an optional parameter, `null` and an empty text are the same as leaving it out.
pub struct Reader<'a> {
    pub(super) params: &'a Params,
    pub(super) problems: Vec<(&'static str, ParamProblem)>,
    /// Where what is asked for is noted, in place of reading it.
    pub(super) described: Option<Vec<Described>>,
}

impl<'a> Reader<'a> {
    /// Notes a problem that the handler found by itself.
    pub fn reject<T>(&mut self, name: &'static str, problem: ParamProblem) -> Checked<T> {
        self.problems.push((name, problem));
        Err(Rejected(()))
    }

    /// Was it sent as an empty text? Where that has a meaning of its own, such as taking an end away.
    pub fn is_emptied(&self, name: &str) -> bool {
        matches!(self.params.get(name), Some(Value::Text(text)) if text.is_empty())
    }

    /// Was it sent as `null` or as an empty text? Where that means to have none from now on.
    pub fn is_blanked(&self, name: &str) -> bool {
        self.params.get(name).is_some_and(Value::is_blank)
    }

    /// A text, which may be empty.
    pub fn required_text(&mut self, name: &'static str) -> Checked<String> {
        self.asks(name, || Kind::Text, true)?;
        match self.params.get(name) {
            None | Some(Value::Null) => self.reject(name, ParamProblem::Missing),
            Some(Value::Text(text)) => Ok(text.clone()),
            Some(_) => self.reject(name, ParamProblem::Invalid),
        }
    }

    /// A text.
    pub fn text(&mut self, name: &'static str) -> Checked<Option<String>> {
        self.asks(name, || Kind::Text, false)?;
        self.optional(name, |value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// What to look for: a text that isn't longer than what could be found.
    pub fn search(&mut self, name: &'static str) -> Checked<Option<String>> {
        match self.text(name)? {
            Some(text) if text.chars().count() > LONGEST_SEARCH => {
                self.reject(name, ParamProblem::Invalid)
            }
            text => Ok(text),
        }
    }

    /// The id or the path of something, which must be sent: a number or a text.
    pub fn required_id_or_path(&mut self, name: &'static str) -> Checked<String> {
        self.asks(name, || Kind::IdOrPath, true)?;
        match self.params.get(name) {
            Some(Value::Integer(number)) => Ok(number.to_string()),
            Some(Value::Text(text)) if text.is_empty() => self.reject(name, ParamProblem::Missing),
            _ => self.required_text(name),
        }
    }

    /// A text, where an empty one has a meaning of its own, such as taking a description away.
    pub fn text_or_empty(&mut self, name: &'static str) -> Checked<Option<String>> {
        if self.is_emptied(name) {
            return Ok(Some(String::new()));
        }
        self.text(name)
    }

    /// An integer. One too large for us becomes the largest that we know.
    pub fn integer(&mut self, name: &'static str) -> Checked<Option<i64>> {
        self.asks(name, || Kind::Integer, false)?;
        self.optional(name, as_integer)
    }

    /// An integer from `least` to `most`.
    pub fn integer_within(
        &mut self,
        name: &'static str,
        (least, most): (i64, i64),
    ) -> Checked<Option<i64>> {
        self.asks(name, || Kind::Within(least, most), false)?;
        match self.integer(name)? {
            Some(number) if !(least..=most).contains(&number) => {
                self.reject(name, ParamProblem::NotOnOffer)
            }
            number => Ok(number),
        }
    }

    /// A boolean, in one of the many ways to write one.
    pub fn boolean(&mut self, name: &'static str) -> Checked<Option<bool>> {
        self.asks(name, || Kind::Boolean, false)?;
        self.optional(name, as_boolean)
    }

    /// A date, `YYYY-MM-DD`. Of a date-time, the date as it is written counts.
    pub fn date(&mut self, name: &'static str) -> Checked<Option<NaiveDate>> {
        self.asks(name, || Kind::Date, false)?;
        self.optional(name, |value| match value {
            Value::Text(text) => parse_date(text),
            _ => None,
        })
    }

    /// A point in time, ISO 8601. Without a zone it is UTC; a date alone means its midnight.
    pub fn date_time(&mut self, name: &'static str) -> Checked<Option<DateTime<Utc>>> {
        self.asks(name, || Kind::DateTime, false)?;
        self.optional(name, |value| match value {
            Value::Text(text) => parse_date_time(text),
            _ => None,
        })
    }

    /// One of several words, each with what it stands for.
    pub fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        offered: &[(&'static str, T)],
    ) -> Checked<Option<T>> {
        self.asks(name, || Kind::Word(words(offered)), false)?;
        match self.text(name)? {
            None => Ok(None),
            Some(text) => match on_offer(offered, text.as_str()) {
                None => self.reject(name, ParamProblem::NotOnOffer),
                chosen => Ok(chosen),
            },
        }
    }

    /// One of several numbers, each with what it stands for.
    pub fn number_choice<T: Copy>(
        &mut self,
        name: &'static str,
        offered: &[(i64, T)],
    ) -> Checked<Option<T>> {
        self.asks(name, || Kind::Number(numbers(offered)), false)?;
        match self.integer(name)? {
            None => Ok(None),
            Some(number) => match on_offer(offered, number) {
                None => self.reject(name, ParamProblem::NotOnOffer),
                chosen => Ok(chosen),
            },
        }
    }

    /// One of several numbers, which must be sent.
    pub fn required_number_choice<T: Copy>(
        &mut self,
        name: &'static str,
        offered: &[(i64, T)],
    ) -> Checked<T> {
        self.asks(name, || Kind::Number(numbers(offered)), true)?;
        let value = self.number_choice(name, offered);
        self.required(name, value)
    }

    /// A list of words that are all on offer. A lone word is a list of one.
    pub fn choices<T: Copy>(
        &mut self,
        name: &'static str,
        offered: &[(&'static str, T)],
    ) -> Checked<Option<Vec<T>>> {
        self.asks(name, || Kind::Words(words(offered)), false)?;
        if self.params.get(name).is_none_or(Value::is_blank) {
            return Ok(None);
        }
        let entries = self.entries(name);
        if entries.len() > MAX_CHOICES {
            return self.reject(name, ParamProblem::NotOnOffer);
        }
        let chosen = entries.iter().map(|value| match value {
            Value::Text(text) => on_offer(offered, text.as_str()).ok_or(ParamProblem::NotOnOffer),
            _ => Err(ParamProblem::Invalid),
        });
        match chosen.collect() {
            Ok(chosen) => Ok(Some(chosen)),
            Err(problem) => self.reject(name, problem),
        }
    }

    /// A list of words that are all on offer and that must be sent, be it empty.
    pub fn required_choices<T: Copy>(
        &mut self,
        name: &'static str,
        offered: &[(&'static str, T)],
    ) -> Checked<Vec<T>> {
        self.asks(name, || Kind::Words(words(offered)), true)?;
        match self.params.get(name) {
            None | Some(Value::Null) => self.reject(name, ParamProblem::Missing),
            Some(Value::Text(text)) if text.is_empty() => Ok(Vec::new()),
            Some(_) => self.choices(name, offered).map(Option::unwrap_or_default),
        }
    }

    /// A list of integers. A lone one is a list of one.
    pub fn integers(&mut self, name: &'static str) -> Checked<Option<Vec<i64>>> {
        self.asks(name, || Kind::Integers, false)?;
        if self.params.get(name).is_none_or(Value::is_blank) {
            return Ok(None);
        }
        let entries = self.entries(name);
        match entries.iter().map(as_integer).collect() {
            Some(numbers) if entries.len() <= MAX_NUMBERS => Ok(Some(numbers)),
            _ => self.reject(name, ParamProblem::Invalid),
        }
    }

    /// A list of texts. A lone one is a list of one.
    pub fn texts(&mut self, name: &'static str) -> Checked<Option<Vec<String>>> {
        self.asks(name, || Kind::Texts, false)?;
        if self.params.get(name).is_none_or(Value::is_blank) {
            return Ok(None);
        }
        let entries = self.entries(name);
        let texts = entries.iter().map(|value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        });
        match texts.collect() {
            Some(texts) if entries.len() <= MAX_NUMBERS => Ok(Some(texts)),
            _ => self.reject(name, ParamProblem::Invalid),
        }
    }

    /// The number of the page that is asked for, from 1.
    pub fn page(&mut self) -> Checked<i64> {
        self.asks("page", || Kind::Positive, false)?;
        match self.integer("page")? {
            None => Ok(1),
            // The upper bound keeps the number of skipped rows an integer.
            Some(page) if (1..=i64::from(i32::MAX)).contains(&page) => Ok(page),
            Some(_) => self.reject("page", ParamProblem::NotAllowed),
        }
    }

    /// How many rows a page shall have; more than the maximum is the maximum.
    pub fn per_page(&mut self) -> Checked<i64> {
        self.asks("per_page", || Kind::Positive, false)?;
        match self.integer("per_page")? {
            None => Ok(DEFAULT_PER_PAGE),
            Some(rows) if rows >= 1 => Ok(rows.min(MAX_PER_PAGE)),
            Some(_) => self.reject("per_page", ParamProblem::NotAllowed),
        }
    }

    /// The page that is asked for.
    pub fn paging(&mut self) -> Checked<PageRequest> {
        let (page, per_page) = (self.page(), self.per_page());
        Ok(PageRequest {
            page: page?,
            per_page: per_page?,
        })
    }

    /// The page that is asked for, of a list that can be paged in two ways.
    pub fn either_paging(&mut self) -> Checked<Paging> {
        let request = self.paging();
        let keyset = self.text("pagination")?.as_deref() == Some("keyset");
        let request = request?;
        Ok(Paging {
            request: PageRequest {
                page: if keyset { 1 } else { request.page },
                ..request
            },
            keyset,
        })
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

fn words<T>(offered: &[(&'static str, T)]) -> Vec<&'static str> {
    offered.iter().map(|(word, _)| *word).collect()
}

fn numbers<T>(offered: &[(i64, T)]) -> Vec<i64> {
    offered.iter().map(|(number, _)| *number).collect()
}

/// What was chosen, if it is among what is offered.
fn on_offer<K: PartialEq, T: Copy>(offered: &[(K, T)], chosen: K) -> Option<T> {
    offered
        .iter()
        .find(|(key, _)| *key == chosen)
        .map(|(_, value)| *value)
}

fn as_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        Value::Text(text) => parse_integer(text),
        _ => None,
    }
}

/// Reads decimal digits with an optional minus: no plus, no leading zero, no fraction, no exponent.
pub(super) fn parse_integer(text: &str) -> Option<i64> {
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
