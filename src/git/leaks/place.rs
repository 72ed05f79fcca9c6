//! Where a token stands, as people look for it; and whether this push brought it there.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt as _;

use super::{Content, Incoming, Suspect};
use crate::access_tokens::spotting::Spotter;

/// How many digits of an id are told.
const SHORT: usize = 10;

/// What stands for a value in a text that is told.
const MASK: &str = "[token]";

/// Where a token stands, in words: `commit 1f0c9d83aa, file deploy/.env, line 3`. The token itself is in none of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Place {
    /// The name of a reference, and nothing in it.
    pub fn of_reference(name: &str, spotter: &Spotter) -> Place {
        Place(format!("the name {}", told(name.as_bytes(), spotter)))
    }
}

/// What was looked up before: a token in the name of a folder is in every tree above it.
#[derive(Default)]
struct Known {
    /// Is the object in the repository already?
    objects: HashMap<String, bool>,
    /// As [`Incoming::adding`] told of a path.
    names: HashMap<Vec<u8>, Option<Option<String>>>,
}

impl Incoming<'_> {
    /// Where these stand, in their order; nothing for one that isn't new with this push: Git completes what came by
    /// what is there already. Looks no further when `most` are found.
    ///
    /// # Errors
    /// When Git can't be run.
    pub fn places(
        &self,
        suspects: &[&Suspect],
        spotter: &Spotter,
        most: usize,
    ) -> io::Result<Vec<Option<Place>>> {
        let reached = self.reached(suspects)?;
        let (mut places, mut found, mut known) = (Vec::new(), 0, Known::default());
        for suspect in suspects {
            if found == most {
                break;
            }
            let place = self.place(suspect, &reached, &mut known, spotter)?;
            found += usize::from(place.is_some());
            places.push(place);
        }
        Ok(places)
    }

    fn place(
        &self,
        suspect: &Suspect,
        reached: &HashMap<String, Vec<u8>>,
        known: &mut Known,
        spotter: &Spotter,
    ) -> io::Result<Option<Place>> {
        let id = &*suspect.object;
        let short = short(id);
        if suspect.content == Content::Reference {
            return Ok(Some(Place::of_reference(id, spotter)));
        }
        let Some(path) = reached.get(id) else {
            let place = format!("object {short}, which no branch or tag leads to");
            let is_there = match known.objects.get(id) {
                Some(is_there) => *is_there,
                None => self.is_there(id)?,
            };
            known.objects.insert(id.to_owned(), is_there);
            return Ok((!is_there).then_some(Place(place)));
        };
        let place = match &suspect.content {
            Content::Commit(line) => format!("commit {short}, message, line {line}"),
            Content::Tag(line) => format!("tag {short}, message, line {line}"),
            Content::File(line) => {
                let commit = commit(self.first_with(id)?);
                format!("{commit}, file {}, line {line}", told(path, spotter))
            }
            Content::Name(name) => {
                let mut whole = path.clone();
                if !whole.is_empty() {
                    whole.push(b'/');
                }
                whole.extend_from_slice(name);
                let added = match known.names.get(&whole) {
                    Some(added) => added.clone(),
                    None => self.adding(&whole)?,
                };
                known.names.insert(whole.clone(), added.clone());
                let Some(added) = added else {
                    return Ok(None);
                };
                format!("{}, the name {}", commit(added), told(&whole, spotter))
            }
            Content::Reference => return Ok(None),
        };
        Ok(Some(Place(place)))
    }

    /// Which of these objects the new references lead to, and those that are there don't; with their paths.
    fn reached(&self, suspects: &[&Suspect]) -> io::Result<HashMap<String, Vec<u8>>> {
        let mut reached = HashMap::new();
        if suspects.iter().all(|one| one.content == Content::Reference) {
            return Ok(reached);
        }
        let wanted: HashSet<&[u8]> = suspects.iter().map(|one| one.object.as_bytes()).collect();
        let mut list = self.command();
        list.args(["rev-list", "--objects", "--stdin", "--not", "--all"]);
        let mut take = |line: &[u8]| {
            let (id, path) = match line.iter().position(|byte| *byte == b' ') {
                Some(at) => (&line[..at], &line[at + 1..]),
                None => (line, &[][..]),
            };
            if wanted.contains(id) {
                reached.insert(String::from_utf8_lossy(id).into_owned(), path.to_owned());
            }
        };
        self.list(list, b'\n', &mut take)?;
        Ok(reached)
    }

    /// The commit that brings this path, as far as one can be told; nothing if the path isn't new.
    fn adding(&self, path: &[u8]) -> io::Result<Option<Option<String>>> {
        let added = self.first_that_adds(path, true)?;
        if added.is_none() && self.first_that_adds(path, false)?.is_some() {
            return Ok(None);
        }
        Ok(Some(added))
    }

    /// Has the repository this object already, without what is held back?
    fn is_there(&self, id: &str) -> io::Result<bool> {
        let mut look = self.git.command(self.repository);
        look.args(["cat-file", "-e", id]);
        self.stop.start(look)?.wait()
    }

    /// The first new commit that has this content somewhere where none of its parents has it, or not all.
    fn first_with(&self, object: &str) -> io::Result<Option<String>> {
        let mut log = self.command();
        log.args(["log", "-m", "--format=%H", "--reverse"])
            .arg(format!("--find-object={object}"))
            .args(["--stdin", "--not", "--all"]);
        let mut first = None;
        let mut take = |line: &[u8]| {
            if first.is_none() && !line.is_empty() {
                first = Some(String::from_utf8_lossy(line).into_owned());
            }
        };
        self.list(log, b'\n', &mut take)?;
        Ok(first)
    }

    /// The first commit, of the new ones or of those that are there, that has this path and whose parents all don't.
    fn first_that_adds(&self, path: &[u8], new: bool) -> io::Result<Option<String>> {
        let mut log = self.command();
        log.args(["log", "--full-history", "-c", "--no-renames", "--reverse"])
            .args(["--diff-filter=A", "--name-only", "--format=%x00%H"]);
        if new {
            log.args(["--stdin", "--not", "--all"]);
        } else {
            log.arg("--all");
        }
        log.arg("--").arg(OsStr::from_bytes(path));
        let mut first = None;
        // An id, and then the path if it really is one of them: merges are listed in any case.
        let mut take = |record: &[u8]| {
            let record = String::from_utf8_lossy(record);
            let mut lines = record.lines().filter(|line| !line.is_empty());
            if let (None, Some(id), Some(_)) = (&first, lines.next(), lines.next()) {
                first = Some(id.to_owned());
            }
        };
        self.list(log, 0, &mut take)?;
        Ok(first)
    }
}

fn short(id: &str) -> String {
    id.chars().take(SHORT).collect()
}

fn commit(id: Option<String>) -> String {
    let id = id.as_deref().map(short);
    format!("commit {}", id.as_deref().unwrap_or("(unknown)"))
}

/// A name without what a terminal would obey, and without what may be a token.
fn told(name: &[u8], spotter: &Spotter) -> String {
    let (mut masked, mut from) = (Vec::new(), 0);
    for spotted in spotter.spot(name) {
        if spotted.at >= from {
            masked.extend_from_slice(&name[from..spotted.at]);
            masked.extend_from_slice(MASK.as_bytes());
        }
        from = from.max(spotted.at + spotted.value.len());
    }
    masked.extend_from_slice(name.get(from..).unwrap_or_default());
    let masked = String::from_utf8_lossy(&masked);
    masked
        .chars()
        .map(|letter| if letter.is_control() { '?' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_tokens::secret::{Plaintext, TokenShape};

    #[test]
    fn a_name_is_told_without_the_token_in_it() {
        let spotter = Spotter::new(["glpat-"].into_iter()).unwrap();
        let value = Plaintext::generate(TokenShape::Checked, "glpat-", &mut rand::rng());
        let value = value.expose();
        let name = format!("keys/{value}/\x1b{value}x.env");
        let told = told(name.as_bytes(), &spotter);
        assert!(!told.contains(value), "{told}");
        assert!(told.starts_with("keys/[token]/?"), "{told}");
    }
}
