//! What a push brings, object by object: looked through as it comes by, however large it is.

use std::io::{self, BufRead as _, BufReader, Read};
use std::process::ChildStdout;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::found::Found;
use super::{Content, Unsearchable};
use crate::access_tokens::spotting::{LONGEST, Spotter};

/// Read of an object at once, in bytes.
pub(super) const WINDOW: usize = 1024 * 1024;

/// No name of a file is longer, in bytes; no file system takes one that is.
const LONGEST_NAME: u64 = 64 * 1024;

/// The header of one object in the stream.
pub(super) struct Object {
    id: Arc<str>,
    size: u64,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Blob,
    Commit,
    Tag,
    Tree,
}

/// Objects, one after the other, as `cat-file --batch` writes them.
pub(super) struct Objects {
    from: BufReader<ChildStdout>,
}

impl Objects {
    pub(super) fn of(stdout: ChildStdout) -> Objects {
        Objects {
            from: BufReader::with_capacity(WINDOW, stdout),
        }
    }

    /// The next one; [`Objects::read`] has to follow.
    pub(super) fn next(&mut self) -> io::Result<Option<Object>> {
        let mut header = Vec::new();
        if self.from.read_until(b'\n', &mut header)? == 0 {
            return Ok(None);
        }
        let header = String::from_utf8_lossy(&header);
        let mut words = header.trim_end_matches('\n').split(' ');
        let (Some(kind), Some(size), Some(id)) = (words.next(), words.next(), words.next()) else {
            return Err(odd());
        };
        Ok(Some(Object {
            id: Arc::from(id),
            size: size.parse().map_err(io::Error::other)?,
            kind: match kind {
                "blob" => Kind::Blob,
                "commit" => Kind::Commit,
                "tag" => Kind::Tag,
                "tree" => Kind::Tree,
                _ => return Err(odd()),
            },
        }))
    }

    /// Reads an object to its end.
    pub(super) fn read(
        &mut self,
        object: &Object,
        spotter: &Spotter,
        found: &mut Found,
    ) -> io::Result<()> {
        // The content, and a line end after it.
        let mut rest = (&mut self.from).take(object.size);
        let mut add = |value, content| found.add(value, &object.id, content);
        match object.kind {
            Kind::Tree => {
                // Ids are written as bytes here.
                let id = object.id.len() / 2;
                look_through_names(
                    &mut rest,
                    id,
                    |value, name| add(value, Content::Name(name)),
                    spotter,
                )?;
            }
            Kind::Blob => look_through(
                &mut rest,
                |value, line| add(value, Content::File(line)),
                spotter,
            )?,
            Kind::Commit => {
                look_through(
                    &mut rest,
                    |value, line| add(value, Content::Commit(line)),
                    spotter,
                )?;
            }
            Kind::Tag => look_through(
                &mut rest,
                |value, line| add(value, Content::Tag(line)),
                spotter,
            )?,
        }
        let mut newline = [0];
        self.from.read_exact(&mut newline)
    }
}

fn odd() -> io::Error {
    io::Error::other("git told of an object in another way")
}

/// Looks through the names in a tree: a mode, a space, the name, a NUL and the bytes of an id, again and again.
fn look_through_names(
    from: &mut io::Take<impl io::BufRead>,
    id: usize,
    mut found: impl FnMut(Zeroizing<String>, Vec<u8>) -> io::Result<()>,
    spotter: &Spotter,
) -> io::Result<()> {
    let (mut entry, mut skipped) = (Vec::new(), vec![0; id]);
    while from.limit() > 0 {
        entry.clear();
        from.by_ref().take(LONGEST_NAME).read_until(0, &mut entry)?;
        if entry.pop() != Some(0) {
            return Err(io::Error::other(Unsearchable::LongName));
        }
        from.read_exact(&mut skipped)?;
        let name = entry
            .splitn(2, |byte| *byte == b' ')
            .nth(1)
            .unwrap_or(&entry);
        for spotted in spotter.spot(name) {
            found(spotted.value, name.to_owned())?;
        }
    }
    Ok(())
}

/// Looks through a text of any length. What begins so near to the end of a window that it may go on behind it is
/// looked for in the next one.
fn look_through(
    from: &mut impl Read,
    mut found: impl FnMut(Zeroizing<String>, usize) -> io::Result<()>,
    spotter: &Spotter,
) -> io::Result<()> {
    let mut window = Vec::with_capacity(WINDOW + LONGEST);
    // The line at the front of the window.
    let mut line = 1;
    loop {
        let read = from.take(WINDOW as u64).read_to_end(&mut window)?;
        let last = read < WINDOW;
        let done = if last {
            window.len()
        } else {
            window.len() - LONGEST
        };
        let mut counted = 0;
        for spotted in spotter.spot(&window) {
            if spotted.at < done {
                line += count_lines(&window[counted..spotted.at]);
                counted = spotted.at;
                found(spotted.value, line)?;
            }
        }
        if last {
            return Ok(());
        }
        line += count_lines(&window[counted..done]);
        window.drain(..done);
    }
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access_tokens::secret::{Plaintext, TokenShape};

    #[test]
    fn names_in_a_tree_are_looked_through_and_nothing_between_them() {
        let value = Plaintext::generate(TokenShape::Checked, "glpat-", &mut rand::rng());
        let value = value.expose();
        let mut tree = Vec::new();
        for name in ["a b", &format!("x {value}.txt"), "z"] {
            tree.extend_from_slice(format!("100644 {name}\0").as_bytes());
            tree.extend_from_slice(&[0; 20]);
        }
        let spotter = Spotter::new(["glpat-"].into_iter()).unwrap();
        let look = |tree: &[u8]| {
            let mut names = Vec::new();
            let mut from = tree.take(tree.len() as u64);
            look_through_names(
                &mut from,
                20,
                |_, name| {
                    names.push(name);
                    Ok(())
                },
                &spotter,
            )?;
            Ok::<_, io::Error>(names)
        };
        assert_eq!(
            look(&tree).unwrap(),
            [format!("x {value}.txt").into_bytes()]
        );
        let long = format!("100644 {}\0", "x".repeat(70_000));
        assert!(look(long.as_bytes()).is_err(), "nothing is passed over");
    }

    fn lines_of(text: &[u8]) -> Vec<usize> {
        let spotter = Spotter::new(["glpat-"].into_iter()).unwrap();
        let mut lines = Vec::new();
        look_through(
            &mut &*text,
            |_, line| {
                lines.push(line);
                Ok(())
            },
            &spotter,
        )
        .unwrap();
        lines
    }

    #[test]
    fn a_token_is_found_once_with_its_line_wherever_the_windows_part() {
        let value = Plaintext::generate(TokenShape::Checked, "glpat-", &mut rand::rng());
        let value = value.expose();
        for before in [
            0,
            10,
            WINDOW - 700,
            WINDOW - 520,
            WINDOW - value.len() - 1,
            WINDOW - value.len(),
            WINDOW - 20,
            WINDOW - 1,
            WINDOW,
            WINDOW + 5,
            2 * WINDOW - 30,
        ] {
            // A line end in every tenth byte, none right before the value.
            let mut text: Vec<u8> = (0..before)
                .map(|at| if at % 10 == 0 { b'\n' } else { b' ' })
                .collect();
            let lines = count_lines(&text) + 1;
            text.extend_from_slice(value.as_bytes());
            text.extend_from_slice(&[b' '; 3000]);
            assert_eq!(lines_of(&text), [lines], "after {before} bytes");
        }
    }
}
