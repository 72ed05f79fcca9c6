//! The history: commits as Git tells them.

use std::collections::HashMap;

use chrono::{DateTime, Datelike as _, FixedOffset, Utc};

use super::run::run;
use super::{Opened, SMALL, name};
use crate::db::{Page, PageRequest, Total};
use crate::error::Error;

/// What a page of commits may take, in bytes.
const LOG: usize = 32 * 1024 * 1024;

/// The largest commit that is told whole, in bytes. Of a larger one its title is told, and that only to a point, so that
/// nobody's message keeps others from being told.
const LARGEST: usize = 128 * 1024;

/// How many commits Git can skip.
const FARTHEST: i64 = 2_000_000_000;

/// How far back a file is followed, in commits that changed it.
const FOLLOWED: usize = 20_000;

/// One line for each of these, then the message.
const FORMAT: &str = "--format=tformat:%H%n%P%n%an%n%ae%n%ad%n%cn%n%ce%n%cd%n%B";

/// The same in few bytes.
const SHORT_FORMAT: &str = "--format=tformat:%H%n%<(4100,trunc)%P%n%<(200,trunc)%an%n%<(200,trunc)%ae%n%ad%n%<(200,trunc)%cn%n%<(200,trunc)%ce%n%cd%n%<(300,trunc)%s";

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// Those that it follows.
    pub parents: Vec<String>,
    /// Who wrote it.
    pub author: Signature,
    /// Who put it there.
    pub committer: Signature,
    /// What for.
    pub message: String,
}

/// Who, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// A name.
    pub name: String,
    /// An address.
    pub email: String,
    /// With the zone of whoever did it.
    pub at: DateTime<FixedOffset>,
}

/// Which commits.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Those that change this.
    pub path: Option<String>,
    /// Those from this moment on.
    pub since: Option<DateTime<Utc>>,
    /// Those until this moment.
    pub until: Option<DateTime<Utc>>,
}

/// How much a commit changes, in lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Lines that came.
    pub additions: u64,
    /// Lines that went.
    pub deletions: u64,
}

impl Opened {
    /// One page of the history that ends with this commit. Nobody counts how long the history is.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn log(
        &self,
        commit: &str,
        filter: &Filter,
        request: PageRequest,
    ) -> Result<Page<Commit>, Error> {
        if request.offset() > FARTHEST {
            return self.page_of(Vec::new(), request).await;
        }
        let mut command = self.command("rev-list");
        command
            .arg(format!("--skip={}", request.offset()))
            .arg(format!(
                "--max-count={}",
                request.per_page.saturating_add(1)
            ));
        if let Some(since) = filter.since {
            command.arg(format!("--since=@{} +0000", since.timestamp().max(0)));
        }
        if let Some(until) = filter.until {
            command.arg(format!("--until=@{} +0000", until.timestamp().max(0)));
        }
        command.args(["--end-of-options", commit, "--"]);
        command.args(&filter.path);
        let output = run(command, Vec::new(), SMALL).await?.or_unavailable()?;
        let told = String::from_utf8_lossy(&output);
        self.page_of(told.lines().map(str::to_owned).collect(), request)
            .await
    }

    /// The commits with these ids, one more than the page holds.
    async fn page_of(&self, ids: Vec<String>, request: PageRequest) -> Result<Page<Commit>, Error> {
        let mut found = self.commits(&ids).await?;
        let rows = ids.iter().filter_map(|id| found.remove(id)).collect();
        let mut page = Page::new(rows, request, 0);
        page.total = Total::Many;
        Ok(page)
    }

    /// One page of the history of a file, also under the names that it had before.
    ///
    /// # Errors
    /// As [`Opened::log`].
    pub async fn log_of_file(
        &self,
        commit: &str,
        path: &str,
        request: PageRequest,
    ) -> Result<Page<Commit>, Error> {
        let first = usize::try_from(request.offset()).unwrap_or(usize::MAX);
        let mut ids: Vec<String> = Vec::new();
        if first < FOLLOWED {
            // Git would skip commits before it looks at names: it is asked for all of them.
            let most = request.offset().saturating_add(request.per_page);
            let mut command = self.command("log");
            command
                .args(["--follow", "--no-show-signature", "--format=tformat:%H"])
                .arg(format!("--max-count={}", most.saturating_add(1)))
                .args(["--end-of-options", commit, "--", path]);
            let output = run(command, Vec::new(), LOG).await?.or_unavailable()?;
            let told = String::from_utf8_lossy(&output);
            ids = told.lines().skip(first).map(str::to_owned).collect();
        }
        self.page_of(ids, request).await
    }

    /// These commits, by their ids.
    ///
    /// # Errors
    /// As [`Opened::log`].
    pub async fn commits(&self, ids: &[String]) -> Result<HashMap<String, Commit>, Error> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let sizes = self.sizes(ids).await?;
        let (large, usual): (Vec<&String>, Vec<&String>) = ids
            .iter()
            .partition(|id| sizes.get(*id).is_some_and(|size| *size > LARGEST));
        let mut told = HashMap::new();
        for (ids, format) in [(usual, FORMAT), (large, SHORT_FORMAT)] {
            if ids.is_empty() {
                continue;
            }
            let mut command = self.command("log");
            command
                .args(["-z", "--date=raw", "--no-show-signature", format])
                .args(["--no-walk=unsorted", "--stdin"]);
            let asked: String = ids.iter().map(|id| format!("{id}\n")).collect();
            let output = run(command, asked.into_bytes(), LOG)
                .await?
                .or_unavailable()?;
            for mut commit in read(&output) {
                if format == SHORT_FORMAT {
                    // Git fills the line up.
                    commit.message.truncate(commit.message.trim_end().len());
                }
                told.insert(commit.id.clone(), commit);
            }
        }
        Ok(told)
    }

    /// How large these objects are, in bytes.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub(super) async fn sizes(&self, ids: &[String]) -> Result<HashMap<String, usize>, Error> {
        let mut command = self.command("cat-file");
        command.arg("--batch-check=%(objectname) %(objectsize)");
        let asked: String = ids.iter().map(|id| format!("{id}\n")).collect();
        let output = run(command, asked.into_bytes(), SMALL)
            .await?
            .or_unavailable()?;
        let text = String::from_utf8_lossy(&output);
        Ok(text
            .lines()
            .filter_map(|line| {
                let (id, size) = line.split_once(' ')?;
                Some((id.to_owned(), size.parse().ok()?))
            })
            .collect())
    }

    /// The commit with this id, which is there.
    ///
    /// # Errors
    /// As [`Opened::log`].
    pub async fn commit(&self, id: &str) -> Result<Option<Commit>, Error> {
        let mut found = self.commits(&[id.to_owned()]).await?;
        Ok(found.remove(id))
    }

    /// The last commit, up to this one, that changed what lies at a path.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn last_change(&self, commit: &str, path: &str) -> Result<Option<String>, Error> {
        let mut command = self.command("rev-list");
        command.args(["--max-count=1", "--end-of-options", commit, "--", path]);
        let output = run(command, Vec::new(), SMALL).await?.or_unavailable()?;
        let id = String::from_utf8_lossy(&output).trim().to_owned();
        Ok(Some(id).filter(|id| !id.is_empty()))
    }

    /// How much a commit changes in its first parent.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn stats(&self, commit: &str) -> Result<Stats, Error> {
        let mut command = self.command("log");
        command
            .args(["--max-count=1", "--format=", "--shortstat"])
            .args(["--diff-merges=first-parent", "--no-renames"])
            .args(["--no-ext-diff", "--no-textconv"])
            .args(["--end-of-options", commit, "--"]);
        let output = run(command, Vec::new(), SMALL).await?.or_unavailable()?;
        Ok(read_stats(&String::from_utf8_lossy(&output)))
    }
}

fn read(output: &[u8]) -> Vec<Commit> {
    output
        .split(|byte| *byte == 0)
        .filter_map(|record| read_one(&String::from_utf8_lossy(record)))
        .collect()
}

fn read_one(record: &str) -> Option<Commit> {
    let mut lines = record.splitn(9, '\n');
    let mut next = || lines.next();
    let (id, parents) = (next()?, next()?);
    let mut signature = || {
        Some(Signature {
            name: next()?.trim_end().to_owned(),
            email: next()?.trim_end().to_owned(),
            at: moment(next()?),
        })
    };
    let (author, committer) = (signature()?, signature()?);
    Some(Commit {
        id: id.to_owned(),
        // Of very many the last one told may be cut.
        parents: parents
            .split_whitespace()
            .filter(|id| name::is_id(id))
            .map(str::to_owned)
            .collect(),
        author,
        committer,
        message: next()?.to_owned(),
    })
}

/// `1764000000 +0100`. What no calendar has is the beginning of 1970.
pub(super) fn moment(text: &str) -> DateTime<FixedOffset> {
    read_moment(text).unwrap_or_default()
}

fn read_moment(text: &str) -> Option<DateTime<FixedOffset>> {
    let (seconds, zone) = text.trim().split_once(' ')?;
    let zone: i32 = zone.parse().ok()?;
    let minutes = zone / 100 * 60 + zone % 100;
    let at = DateTime::from_timestamp(seconds.parse().ok()?, 0)?;
    let at = at.with_timezone(&FixedOffset::east_opt(minutes * 60)?);
    (1..=9998).contains(&at.year()).then_some(at)
}

/// ` 3 files changed, 5 insertions(+), 1 deletion(-)`
pub(super) fn read_stats(text: &str) -> Stats {
    let count = |word: &str| {
        text.split(',')
            .find(|part| part.contains(word))
            .and_then(|part| part.trim().split(' ').next()?.parse().ok())
            .unwrap_or(0)
    };
    Stats {
        additions: count("insertion"),
        deletions: count("deletion"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_read_with_all_of_its_message() {
        let (one, two) = ("2a".repeat(20), "3b".repeat(20));
        let record = format!(
            "1f\n{one} {two}\nAda\nada@x\n1700000000 +0130\nBob\nbob@x\n1700000001 -0500\nTitle\n\nBody\n"
        );
        let commit = read_one(&record).unwrap();
        assert_eq!(commit.parents, [one, two]);
        assert_eq!(commit.message, "Title\n\nBody\n");
        assert_eq!(commit.author.at.to_rfc3339(), "2023-11-14T23:43:20+01:30");
        assert_eq!(
            commit.committer.at.to_rfc3339(),
            "2023-11-14T17:13:21-05:00"
        );
        assert_eq!(read_one(""), None);
    }

    #[test]
    fn a_moment_that_no_calendar_has_is_told_as_one_that_it_has() {
        for text in ["", "x", "99999999999999 +0000", "1 +9999", "1"] {
            assert_eq!(moment(text).timestamp(), 0, "{text}");
        }
    }

    #[test]
    fn lines_are_counted_by_kind() {
        for (text, additions, deletions) in [
            (" 1 file changed, 2 insertions(+), 1 deletion(-)\n", 2, 1),
            (" 1 file changed, 1 insertion(+)\n", 1, 0),
            (" 2 files changed, 12 deletions(-)\n", 0, 12),
            ("", 0, 0),
        ] {
            let expected = Stats {
                additions,
                deletions,
            };
            assert_eq!(read_stats(text), expected, "{text}");
        }
    }
}
