//! Reading a file entry by entry: however long it is, one entry is in memory.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, BufReader, Read};
use std::marker::PhantomData;
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::format::{At, Entry, FORMAT, Header, Section, VERSION};
use crate::error::Error;

/// The longest entry, in bytes.
const ENTRY_MAX: u64 = 1 << 20;

/// What is done with a file as it is read.
pub trait Sink {
    /// Everything before the first list was read.
    ///
    /// # Errors
    /// Ends the reading.
    fn begin(&mut self, header: &Header) -> Result<(), Error>;

    /// An entry was read.
    ///
    /// # Errors
    /// Ends the reading.
    fn entry(&mut self, at: At, entry: Entry) -> Result<(), Error>;

    /// A list is over.
    ///
    /// # Errors
    /// Ends the reading.
    fn end_of(&mut self, _section: Section) -> Result<(), Error> {
        Ok(())
    }
}

/// Reads a whole file.
///
/// # Errors
/// [`Error::Refused`] with the place of what is wrong with it; what the sink says.
pub fn read(file: impl Read, sink: &mut dyn Sink) -> Result<(), Error> {
    let budget = Rc::new(Cell::new(ENTRY_MAX));
    let guarded = Guarded {
        inner: file,
        budget: Rc::clone(&budget),
    };
    let state = State {
        budget,
        place: RefCell::default(),
        failure: RefCell::default(),
    };
    let mut input =
        serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 16, guarded));
    let outcome = Document {
        state: &state,
        sink,
    }
    .deserialize(&mut input)
    .and_then(|()| input.end());
    outcome.map_err(|error| {
        state
            .failure
            .take()
            .unwrap_or_else(|| located(&state.place.borrow(), &error))
    })
}

fn located(place: &str, error: &serde_json::Error) -> Error {
    if place.is_empty() {
        Error::refused(format!("the file can't be imported: {error}"))
    } else {
        Error::refused(format!("{place}: {error}"))
    }
}

/// Refuses to read on when an entry has no end, before it fills the memory.
struct Guarded<R> {
    inner: R,
    budget: Rc<Cell<u64>>,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let left = self.budget.get().checked_sub(read as u64);
        self.budget.set(left.ok_or_else(|| {
            io::Error::other(format!("an entry is longer than {ENTRY_MAX} bytes"))
        })?);
        Ok(read)
    }
}

/// What all levels of the reading share.
struct State {
    budget: Rc<Cell<u64>>,
    /// Where we are, for the message.
    place: RefCell<String>,
    /// What ended the reading, if it wasn't the form.
    failure: RefCell<Option<Error>>,
}

impl State {
    fn at(&self, place: impl Into<String>) {
        *self.place.borrow_mut() = place.into();
        self.budget.set(ENTRY_MAX);
    }

    /// Keeps what the sink says; the library only needs to know that it ends here.
    fn keep<E: serde::de::Error>(&self, outcome: Result<(), Error>) -> Result<(), E> {
        outcome.map_err(|error| {
            *self.failure.borrow_mut() = Some(error);
            E::custom("ended")
        })
    }

    /// A value with the place of what is wrong in it.
    fn value<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        &self,
        from: D,
    ) -> Result<T, D::Error> {
        serde_path_to_error::deserialize(from).map_err(|error| {
            let path = error.path().to_string();
            if path != "." {
                let mut place = self.place.borrow_mut();
                if !path.starts_with('[') {
                    place.push('.');
                }
                place.push_str(&path);
            }
            error.into_inner()
        })
    }
}

struct Document<'a> {
    state: &'a State,
    sink: &'a mut dyn Sink,
}

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Document { state, sink } = self;
        let refuse = |message: String| state.keep::<A::Error>(Err(Error::refused(message)));
        let mut header = Header::default();
        let (mut format, mut version): (Option<String>, Option<i64>) = (None, None);
        let mut seen: Vec<String> = Vec::new();
        let mut last: Option<Section> = None;
        while let Some(key) = map.next_key::<String>()? {
            state.at(key.as_str());
            if seen.contains(&key) {
                refuse(format!("{key}: is there twice"))?;
            }
            seen.push(key.clone());
            match (key.as_str(), Section::parse(&key)) {
                ("format", _) => format = Some(map.next_value_seed(Whole(state, PhantomData))?),
                ("version", _) => version = Some(map.next_value_seed(Whole(state, PhantomData))?),
                ("source", _) => header.source = map.next_value_seed(Whole(state, PhantomData))?,
                ("prefixes", _) => {
                    header.prefixes = map.next_value_seed(Whole(state, PhantomData))?;
                }
                ("digests", _) => {
                    header.digests = map.next_value_seed(Whole(state, PhantomData))?
                }
                (_, Some(section)) => {
                    if last.is_none() {
                        state.keep(check_format(format.as_deref(), version))?;
                        state.keep(sink.begin(&header))?;
                    }
                    if last.is_some_and(|last| last > section) {
                        refuse(format!("{key}: comes too late; {}", order()))?;
                    }
                    last = Some(section);
                    map.next_value_seed(List {
                        state,
                        sink: &mut *sink,
                        section,
                    })?;
                    state.at("");
                    state.keep(sink.end_of(section))?;
                    continue;
                }
                (_, None) => refuse(format!("{key}: is no part of a file; {}", order()))?,
            }
            if last.is_some() {
                refuse(format!("{key}: comes too late; {}", order()))?;
            }
            state.at("");
        }
        if last.is_none() {
            state.keep(check_format(format.as_deref(), version))?;
            state.keep(sink.begin(&header))?;
        }
        Ok(())
    }
}

fn order() -> String {
    let lists = Section::ALL.map(Section::key).join(", ");
    format!("format, version, source, prefixes and digests come first, then {lists}")
}

fn check_format(format: Option<&str>, version: Option<i64>) -> Result<(), Error> {
    match (format, version) {
        (Some(FORMAT), Some(VERSION)) => Ok(()),
        (Some(FORMAT), Some(other)) => Err(Error::refused(format!(
            "version: is {other}; this program reads version {VERSION}"
        ))),
        (Some(FORMAT), None) => Err(Error::refused("version: is missing")),
        _ => Err(Error::refused(format!(
            "format: must be {FORMAT:?}, before anything else"
        ))),
    }
}

/// A value that is read at once.
struct Whole<'a, T>(&'a State, PhantomData<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Whole<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        self.0.value(from)
    }
}

/// A list of which each entry goes to the sink as soon as it is read.
struct List<'a> {
    state: &'a State,
    sink: &'a mut dyn Sink,
    section: Section,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        match self.section {
            Section::Users => self.each(items, Entry::User),
            Section::Groups => self.each(items, Entry::Group),
            Section::Projects => self.each(items, Entry::Project),
            Section::Memberships => self.each(items, Entry::Membership),
            Section::Bots => self.each(items, Entry::Bot),
            Section::Tokens => self.each(items, Entry::Token),
            Section::TakenAway => self.each(items, Entry::TakenAway),
        }
    }
}

impl List<'_> {
    fn each<'de, T: DeserializeOwned, A: SeqAccess<'de>>(
        self,
        mut items: A,
        entry: impl Fn(T) -> Entry,
    ) -> Result<(), A::Error> {
        for index in 0.. {
            let at = At {
                section: self.section,
                index,
            };
            self.state.at(at.to_string());
            let Some(item) = items.next_element_seed(Whole(self.state, PhantomData))? else {
                break;
            };
            self.state.keep(self.sink.entry(at, entry(item)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes what it is given.
    #[derive(Default)]
    struct Seen(Vec<String>);

    impl Sink for Seen {
        fn begin(&mut self, header: &Header) -> Result<(), Error> {
            self.0.push(format!("from {:?}", header.source));
            Ok(())
        }
        fn entry(&mut self, at: At, _: Entry) -> Result<(), Error> {
            self.0.push(at.to_string());
            Ok(())
        }
        fn end_of(&mut self, section: Section) -> Result<(), Error> {
            self.0.push(format!("end of {}", section.key()));
            Ok(())
        }
    }

    const HEAD: &str = r#""format":"latchkey-import","version":1"#;

    fn seen(text: &str) -> Vec<String> {
        let mut seen = Seen::default();
        read(text.as_bytes(), &mut seen).unwrap();
        seen.0
    }

    fn refused(text: &str) -> String {
        read(text.as_bytes(), &mut Seen::default())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn entries_come_one_after_the_other_with_their_places() {
        let group = |path: &str| format!(r#"{{"path":"{path}","name":"x"}}"#);
        let text = format!(
            r#"{{{HEAD},"source":"old","groups":[{},{}],"tokens":[]}}"#,
            group("a"),
            group("b")
        );
        assert_eq!(
            seen(&text),
            [
                "from Some(\"old\")",
                "groups[0]",
                "groups[1]",
                "end of groups",
                "end of tokens"
            ]
        );
        assert_eq!(seen(&format!("{{{HEAD}}}")), ["from None"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let user = r#""username":"ann","name":"Ann","email":"ann@example.com""#;
        for (text, expected) in [
            (String::new(), "the file can't be imported: EOF"),
            ("[]".into(), "the file can't be imported: invalid type"),
            ("{}".into(), "format: must be"),
            (r#"{"users":[]}"#.into(), "format: must be"),
            (
                r#"{"format":"gitlab","version":1}"#.into(),
                "format: must be",
            ),
            (
                r#"{"format":"latchkey-import"}"#.into(),
                "version: is missing",
            ),
            (
                r#"{"format":"latchkey-import","version":2}"#.into(),
                "version: is 2",
            ),
            (
                r#"{"format":"latchkey-import","version":"1"}"#.into(),
                "version: invalid type",
            ),
            (
                format!(r#"{{{HEAD},"people":[]}}"#),
                "people: is no part of a file",
            ),
            (format!(r#"{{{HEAD},"users":{{}}}}"#), "users: invalid type"),
            (
                format!(r#"{{{HEAD},"groups":[],"users":[]}}"#),
                "users: comes too late",
            ),
            (
                format!(r#"{{{HEAD},"users":[],"source":"x"}}"#),
                "source: comes too late",
            ),
            (
                format!(r#"{{{HEAD},"users":[],"users":[]}}"#),
                "users: is there twice",
            ),
            (
                format!(r#"{{{HEAD},"users":[{{{user}}},{{"username":1}}]}}"#),
                "users[1].username: invalid type",
            ),
            (
                format!(r#"{{{HEAD},"users":[{{{user},"pasword":"x"}}]}}"#),
                "users[0].pasword: unknown field `pasword`",
            ),
            (
                format!(r#"{{{HEAD},"users":[{{{user},"username":"bob"}}]}}"#),
                "users[0]: duplicate field `username`",
            ),
            (
                format!(r#"{{{HEAD},"users":[{{"username":"ann"}}]}}"#),
                "users[0]: missing field `name`",
            ),
            (format!(r#"{{{HEAD},"users":[{{{user}"#), "users[0].?: EOF"),
            (format!(r#"{{{HEAD},"users":[{{{user}}}"#), "users[1]: EOF"),
            (
                format!(r#"{{{HEAD},"digests":{{"kind":"md5"}}}}"#),
                "digests.kind: unknown variant `md5`",
            ),
            (
                format!(r#"{{{HEAD}}} more"#),
                "the file can't be imported: trailing characters",
            ),
        ] {
            let found = refused(&text);
            assert!(found.starts_with(expected), "{text}\n{found}");
        }
    }

    #[test]
    fn dates_and_roles_are_read_and_nothing_near_them() {
        for (field, expected) in [
            (
                r#""expires_at":"2027-02-29""#,
                "memberships[0].expires_at: ",
            ),
            (r#""created_at":"yesterday""#, "memberships[0].created_at: "),
            (r#""group":7"#, "memberships[0].group: "),
        ] {
            let text =
                format!(r#"{{{HEAD},"memberships":[{{"user":"ann","access_level":50,{field}}}]}}"#);
            assert!(refused(&text).starts_with(expected), "{}", refused(&text));
        }
        let text = format!(r#"{{{HEAD},"memberships":[{{"user":"ann","access_level":45}}]}}"#);
        let found = refused(&text);
        assert!(
            found.starts_with("memberships[0].access_level: 45 is not"),
            "{found}"
        );
    }

    #[test]
    fn an_entry_without_an_end_is_not_read_to_it() {
        let start = format!(r#"{{{HEAD},"groups":[{{"path":"a","name":""#);
        let endless = start.as_bytes().chain(io::repeat(b'x'));
        let error = read(endless, &mut Seen::default()).unwrap_err().to_string();
        assert!(error.contains("longer than"), "{error}");
        let nested = format!(r#"{{{HEAD},"groups":["#);
        let endless = nested.as_bytes().chain(io::repeat(b'['));
        let error = read(endless, &mut Seen::default()).unwrap_err().to_string();
        assert!(error.starts_with("groups[0]"), "{error}");
        let spaces = HEAD.as_bytes().chain(io::repeat(b' '));
        assert!(read(spaces, &mut Seen::default()).is_err());
    }
}
