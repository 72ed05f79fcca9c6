//! Folders and files at a commit.

use std::process::Command;

use super::run::{beginning, page, run};
use super::{Opened, SMALL};
use crate::db::{Page, PageRequest, Total};
use crate::error::Error;

/// The largest file that is read at once, in bytes.
pub const LARGEST_FILE: usize = 10 * 1024 * 1024;

/// What lies in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `100644`
    pub mode: String,
    /// File, folder, or a commit of another repository.
    pub kind: Kind,
    /// The object.
    pub id: String,
    /// Of a file, in bytes.
    pub size: Option<u64>,
    /// From the top.
    pub path: String,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A folder.
    Tree,
    /// A file.
    Blob,
    /// A commit of another repository.
    Commit,
}

impl Kind {
    /// As Git calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Tree => "tree",
            Kind::Blob => "blob",
            Kind::Commit => "commit",
        }
    }

    fn parse(name: &str) -> Option<Kind> {
        [Kind::Tree, Kind::Blob, Kind::Commit]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

impl Opened {
    /// One page of what lies in a folder, or anywhere below it, folders first. Nothing if the path is no folder's.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn tree(
        &self,
        commit: &str,
        path: Option<&str>,
        recursive: bool,
        request: PageRequest,
    ) -> Result<Option<Page<Entry>>, Error> {
        let mut top = format!("{commit}^{{tree}}");
        if let Some(path) = path {
            match self.entry(commit, path).await? {
                Some(entry) if entry.kind == Kind::Tree => top = entry.id,
                _ => return Ok(None),
            }
        }
        if !recursive {
            let (entries, whole) = self.lying_in(&top, path).await?;
            return Ok(Some(cut_out(entries, whole, request)));
        }
        let above = path.map(|path| format!("{path}/")).unwrap_or_default();
        let below = |record: &str| {
            let entry = read_entry(record)?;
            let path = format!("{above}{}", entry.path);
            Some(Entry { path, ..entry })
        };
        let mut command = self.command("ls-tree");
        command.args(["-z", "-r", "-t"]).arg(&top);
        Ok(Some(page(command, 0, request, below).await?))
    }

    /// What lies in a folder (empty: the top), folders first, and whether that is all: of a folder with some hundred
    /// thousand entries the first are told. Nothing if the path is no folder's.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn folder(
        &self,
        commit: &str,
        path: &str,
    ) -> Result<Option<(Vec<Entry>, bool)>, Error> {
        if path.is_empty() {
            let top = format!("{commit}^{{tree}}");
            return Ok(Some(self.lying_in(&top, None).await?));
        }
        match self.entry(commit, path).await? {
            Some(entry) if entry.kind == Kind::Tree => {
                Ok(Some(self.lying_in(&entry.id, Some(path)).await?))
            }
            _ => Ok(None),
        }
    }

    async fn lying_in(&self, tree: &str, path: Option<&str>) -> Result<(Vec<Entry>, bool), Error> {
        let mut command = self.command("ls-tree");
        command.args(["-z", tree]);
        let read = beginning(command, 16 * SMALL).await?;
        let above = path.map(|path| format!("{path}/")).unwrap_or_default();
        let mut records: Vec<&[u8]> = read.output.split(|byte| *byte == 0).collect();
        // Behind the last end there is nothing, or half a record.
        records.pop();
        let mut entries: Vec<Entry> = records
            .into_iter()
            .filter_map(|record| {
                let entry = read_entry(&String::from_utf8_lossy(record))?;
                let path = format!("{above}{}", entry.path);
                Some(Entry { path, ..entry })
            })
            .collect();
        entries.sort_by_key(|entry| entry.kind);
        Ok((entries, read.whole))
    }

    /// What lies at a path.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn entry(&self, commit: &str, path: &str) -> Result<Option<Entry>, Error> {
        let found = self.way_to(commit, path).await?;
        Ok(found.into_iter().find(|entry| entry.path == path))
    }

    /// What lies at a path, after the folders on the way there, where they are.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub(in crate::git) async fn way_to(
        &self,
        commit: &str,
        path: &str,
    ) -> Result<Vec<Entry>, Error> {
        let mut command = self.command("ls-tree");
        command.args(["-z", "-l", "-t", "--full-tree", commit, "--", path]);
        let output = run(command, Vec::new(), SMALL).await?.or_unavailable()?;
        let entries = output
            .split(|byte| *byte == 0)
            .filter_map(|record| read_entry(&String::from_utf8_lossy(record)));
        Ok(entries.collect())
    }

    /// The first bytes of a file, cut where no letter is halved.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn first_bytes(&self, file: &Entry, most: usize) -> Result<Vec<u8>, Error> {
        let mut read = beginning(self.blob(file), most).await?;
        if !read.whole
            && let Err(error) = std::str::from_utf8(&read.output)
            && error.error_len().is_none()
        {
            read.output.truncate(error.valid_up_to());
        }
        Ok(read.output)
    }

    /// A run that writes the bytes of a file, however many.
    pub fn blob(&self, file: &Entry) -> Command {
        let mut command = self.command("cat-file");
        command.args(["blob", &file.id]);
        command
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// [`Error::Refused`] for one larger than [`LARGEST_FILE`]; [`Error::Unavailable`] when Git can't be run.
    pub async fn content(&self, file: &Entry) -> Result<Vec<u8>, Error> {
        if file.size.is_none_or(|size| size > LARGEST_FILE as u64) {
            return Err(Error::refused(
                "This file is larger than 10 MiB. Clone the repository to get it.",
            ));
        }
        run(self.blob(file), Vec::new(), LARGEST_FILE)
            .await?
            .or_unavailable()
    }
}

/// One page of all that was read.
pub fn cut_out(entries: Vec<Entry>, whole: bool, request: PageRequest) -> Page<Entry> {
    let counted = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    let first = usize::try_from(request.offset()).unwrap_or(usize::MAX);
    let most = usize::try_from(request.per_page).unwrap_or(100) + 1;
    let rows = entries.into_iter().skip(first).take(most).collect();
    let mut page = Page::new(rows, request, counted);
    if !whole {
        page.total = Total::Many;
    }
    page
}

/// `<mode> <kind> <id>[ <size>]\t<path>`
fn read_entry(record: &str) -> Option<Entry> {
    let (head, path) = record.split_once('\t')?;
    let mut words = head.split_whitespace();
    Some(Entry {
        mode: words.next()?.to_owned(),
        kind: Kind::parse(words.next()?)?,
        id: words.next()?.to_owned(),
        size: words.next().and_then(|size| size.parse().ok()),
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_with_whatever_is_in_their_names() {
        let entry = read_entry("100644 blob 1f     12\ta\tb c\n").unwrap();
        assert_eq!((entry.size, entry.path.as_str()), (Some(12), "a\tb c\n"));
        let folder = read_entry("040000 tree 2a       -\tsrc").unwrap();
        assert_eq!((folder.kind, folder.size), (Kind::Tree, None));
        assert_eq!(read_entry("040000 tree 2a"), None);
        assert_eq!(read_entry(""), None);
    }
}
