//! What a commit changes, line by line.

use super::Opened;
use super::log::{Stats, read_stats};
use super::run::beginning;
use crate::error::Error;

/// What is read of a patch, in bytes.
const READ: usize = 256 * 1024;

/// The longest line that is told whole, in letters.
const LONGEST_LINE: usize = 2000;

/// What a commit does to its first parent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patch {
    /// File by file.
    pub files: Vec<FilePatch>,
    /// How much it changes, all in all.
    pub stats: Stats,
    /// Is there more than is told here?
    pub cut: bool,
}

/// What becomes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePatch {
    /// Where it is, or was.
    pub path: String,
    /// Where it was before, if somewhere else.
    pub from: Option<String>,
    /// What happened to it as a whole.
    pub fate: Fate,
    /// The lines, with those around them.
    pub lines: Vec<Line>,
    /// Is it no text?
    pub binary: bool,
    /// Is it a commit of another repository?
    pub submodule: bool,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It came.
    Added,
    /// It is another.
    Changed,
    /// It went.
    Removed,
    /// It is somewhere else.
    Moved,
}

/// A line of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Where in the file: `@@ -1,3 +1,4 @@`.
    Place(String),
    /// Came.
    Added(String),
    /// Went.
    Removed(String),
    /// As it was.
    Kept(String),
}

impl Opened {
    /// What a commit changes in its first parent; the first 256 KiB of it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn patch(&self, commit: &str) -> Result<Patch, Error> {
        let mut command = self.command("log");
        command
            .args(["--max-count=1", "--format=", "--shortstat", "--patch"])
            .args(["--diff-merges=first-parent", "--find-renames"])
            .args(["--no-ext-diff", "--no-textconv", "--no-color"])
            .args(["--src-prefix=a/", "--dst-prefix=b/"])
            .args(["--end-of-options", commit, "--"]);
        let read = beginning(command, READ).await?;
        let mut patch = parse(&String::from_utf8_lossy(&read.output));
        patch.cut = !read.whole;
        if patch.cut && patch.files.last().is_some_and(|file| file.lines.is_empty()) {
            // Its head may have been cut in the middle.
            patch.files.pop();
        }
        Ok(patch)
    }
}

fn parse(text: &str) -> Patch {
    let mut files: Vec<FilePatch> = Vec::new();
    let mut in_lines = false;
    let mut stats = Stats::default();
    for line in text.split('\n') {
        if files.is_empty() && line.contains(" changed") && !line.starts_with("diff ") {
            stats = read_stats(line);
        } else if let Some(names) = line.strip_prefix("diff --git ") {
            in_lines = false;
            files.push(FilePatch {
                path: halved(names),
                from: None,
                fate: Fate::Changed,
                lines: Vec::new(),
                binary: false,
                submodule: false,
            });
            continue;
        }
        let Some(file) = files.last_mut() else {
            continue;
        };
        if line.starts_with("@@ ") {
            in_lines = true;
            file.lines.push(Line::Place(line.to_owned()));
        } else if in_lines {
            file.lines.extend(read_line(line));
        } else {
            file.read_head(line);
        }
    }
    Patch {
        files,
        stats,
        cut: false,
    }
}

fn read_line(line: &str) -> Option<Line> {
    let told = |text: &str| -> String {
        match text.char_indices().nth(LONGEST_LINE) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
            None => text.to_owned(),
        }
    };
    if let Some(text) = line.strip_prefix('+') {
        Some(Line::Added(told(text)))
    } else if let Some(text) = line.strip_prefix('-') {
        Some(Line::Removed(told(text)))
    } else {
        line.strip_prefix(' ').map(|text| Line::Kept(told(text)))
    }
}

impl FilePatch {
    fn read_head(&mut self, line: &str) {
        let path = |text: &str| unquoted(text.trim_end_matches('\t'));
        if line.ends_with(" 160000") {
            self.submodule = true;
        }
        if line.starts_with("new file") {
            self.fate = Fate::Added;
        } else if line.starts_with("deleted file") {
            self.fate = Fate::Removed;
        } else if let Some(from) = line.strip_prefix("rename from ") {
            self.fate = Fate::Moved;
            self.from = Some(path(from));
        } else if let Some(to) = line.strip_prefix("rename to ") {
            self.path = path(to);
        } else if line.starts_with("Binary files ") {
            self.binary = true;
        } else if let Some(name) = line
            .strip_prefix("+++ ")
            .or_else(|| line.strip_prefix("--- "))
        {
            let name = path(name);
            if let Some(name) = name.strip_prefix("b/").or_else(|| name.strip_prefix("a/")) {
                name.clone_into(&mut self.path);
            }
        }
    }
}

/// The name in `a/name b/name`; a name with spaces in it has only this middle. One that moved tells its names below.
fn halved(names: &str) -> String {
    let middle = names.len() / 2;
    let half = unquoted(names.get(middle + 1..).unwrap_or(names));
    half.strip_prefix("b/").unwrap_or(names).to_owned()
}

/// A path as it is: Git writes odd ones in quotes, with `\"`, `\n` or `\303` for what is odd about them.
fn unquoted(text: &str) -> String {
    let quoted = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let Some(quoted) = quoted else {
        return text.to_owned();
    };
    let mut bytes = Vec::with_capacity(quoted.len());
    let mut rest = quoted.bytes().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(digit @ b'0'..=b'7') => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    if let Some(digit) = rest.next_if(|next| (b'0'..=b'7').contains(next)) {
                        value = value * 8 + u32::from(digit - b'0');
                    }
                }
                bytes.push(u8::try_from(value).unwrap_or(b'?'));
            }
            Some(letter) => bytes.push(match letter {
                b'a' => 0x07,
                b'b' => 0x08,
                b't' => b'\t',
                b'n' => b'\n',
                b'v' => 0x0b,
                b'f' => 0x0c,
                b'r' => b'\r',
                other => other,
            }),
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_paths_are_told_as_they_are() {
        for (written, path) in [
            ("a b.txt", "a b.txt"),
            ("\"a \\\"b\\\" \\\\.txt\"", "a \"b\" \\.txt"),
            ("\"a\\n\\tb\"", "a\n\tb"),
            ("\"gr\\303\\266\\303\\237e\"", "größe"),
            ("\"\\0017\"", "\u{1}7"),
            ("\"\\777\\\"", "?\\"),
            ("\"", "\""),
        ] {
            assert_eq!(unquoted(written), path, "{written}");
        }
        assert_eq!(halved("\"a/x\\ty\" \"b/x\\ty\""), "x\ty");
    }

    #[test]
    fn each_file_is_told_with_what_became_of_it() {
        let text = "diff --git a/a b.txt b/a b.txt\nindex 1..2 100644\n--- a/a b.txt\t\n+++ b/a b.txt\t\n\
            @@ -1,2 +1,2 @@ fn x\n same\n-old\n+new\n\\ No newline at end of file\n\
            diff --git a/x.png b/x.png\nnew file mode 100644\nindex 0..1\nBinary files /dev/null and b/x.png differ\n\
            diff --git a/gone b/gone\ndeleted file mode 100644\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n--- x\n\
            diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\n\
            diff --git a/run b/run\nold mode 100644\nnew mode 100755\n";
        let patch = parse(text);
        let told: Vec<(&str, Option<&str>, Fate, usize, bool)> = patch
            .files
            .iter()
            .map(|file| {
                (
                    file.path.as_str(),
                    file.from.as_deref(),
                    file.fate,
                    file.lines.len(),
                    file.binary,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("a b.txt", None, Fate::Changed, 4, false),
                ("x.png", None, Fate::Added, 0, true),
                ("gone", None, Fate::Removed, 2, false),
                ("new", Some("old"), Fate::Moved, 0, false),
                ("run", None, Fate::Changed, 0, false),
            ]
        );
        assert_eq!(
            patch.files.first().map(|file| file.lines.clone()),
            Some(vec![
                Line::Place("@@ -1,2 +1,2 @@ fn x".into()),
                Line::Kept("same".into()),
                Line::Removed("old".into()),
                Line::Added("new".into()),
            ])
        );
        // A line that went and looks like the name of a file is a line.
        assert_eq!(
            patch.files.get(2).and_then(|file| file.lines.last()),
            Some(&Line::Removed("-- x".into()))
        );
    }
}
