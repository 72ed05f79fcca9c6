//! Branches and tags.

use std::collections::{HashMap, HashSet};
use std::process::Command;

use chrono::{DateTime, FixedOffset};

use super::log::{Commit, moment};
use super::run::{page, run};
use super::{Opened, SMALL, name};
use crate::db::{Page, PageRequest};
use crate::error::Error;

/// What the messages of a page of tags may take, in bytes, and one of them; a larger one isn't told.
const TAGS: usize = 16 * 1024 * 1024;
const LARGEST_TAG: usize = 128 * 1024;

/// A branch.
#[derive(Debug, Clone)]
pub struct Branch {
    /// Its name, without `refs/heads/`.
    pub name: String,
    /// Where it is.
    pub commit: Commit,
    /// Is all of it in the default branch, which has gone on since?
    pub merged: bool,
}

/// A tag.
#[derive(Debug, Clone)]
pub struct Tag {
    /// Its name, without `refs/tags/`.
    pub name: String,
    /// What it points to: a commit, or an object of its own with a message.
    pub target: String,
    /// The commit in the end; none for a tag on something else.
    pub commit: Option<Commit>,
    /// Its own message; empty where it has none.
    pub message: String,
    /// When it was made, if it says so.
    pub created_at: Option<DateTime<FixedOffset>>,
}

/// How tags are sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TagOrder {
    /// By their names.
    Name,
    /// By when they, or their commits, were made.
    #[default]
    Updated,
    /// By the numbers in their names.
    Version,
}

impl Opened {
    /// One page of the branches whose names match.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn branches(
        &self,
        search: Option<&str>,
        request: PageRequest,
    ) -> Result<Page<Branch>, Error> {
        let mut command = self.command("for-each-ref");
        command.args(["--format=%(objectname) %(refname)", "refs/heads"]);
        let found = page(command, b'\n', request, |line| {
            let (id, name) = line.split_once(' ')?;
            let name = name.strip_prefix("refs/heads/")?;
            matches(search, name).then(|| (name.to_owned(), id.to_owned()))
        })
        .await?;
        let branches = self.told(&found.rows).await?;
        Ok(Page {
            rows: branches,
            request: found.request,
            total: found.total,
            has_next: found.has_next,
        })
    }

    /// The names of some branches, the default branch first. No object is read for it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn some_branches(&self, most: usize) -> Result<Vec<String>, Error> {
        let mut command = self.command("for-each-ref");
        command
            .arg(format!("--count={most}"))
            .args(["--format=%(refname)", "refs/heads"]);
        let mut names = self.names(command, "refs/heads/").await?;
        if self.branch_id(&self.default_branch).await?.is_some() {
            names.retain(|name| *name != self.default_branch);
            names.insert(0, self.default_branch.clone());
        }
        names.truncate(most);
        Ok(names)
    }

    /// The names of some tags, the one with the highest number first. No object is read for it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn some_tags(&self, most: usize) -> Result<Vec<String>, Error> {
        let mut command = self.command("for-each-ref");
        command.arg(format!("--count={most}")).args([
            "--sort=-version:refname",
            "--format=%(refname)",
            "refs/tags",
        ]);
        self.names(command, "refs/tags/").await
    }

    async fn names(&self, command: Command, beginning: &str) -> Result<Vec<String>, Error> {
        let output = run(command, Vec::new(), SMALL).await?.or_unavailable()?;
        let text = String::from_utf8_lossy(&output);
        let names = text.lines().filter_map(|line| line.strip_prefix(beginning));
        Ok(names.map(str::to_owned).collect())
    }

    /// The branch of this name.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn branch(&self, wanted: &str) -> Result<Option<Branch>, Error> {
        let Some(id) = self.branch_id(wanted).await? else {
            return Ok(None);
        };
        let told = self.told(&[(wanted.to_owned(), id)]).await?;
        Ok(told.into_iter().next())
    }

    /// The commit that the branch of this name is at.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn branch_id(&self, wanted: &str) -> Result<Option<String>, Error> {
        if !name::is_name(wanted) {
            return Ok(None);
        }
        let found = self.commits_of(&[name::branch(wanted)]).await?;
        Ok(found.into_iter().flatten().next())
    }

    /// Is there no branch at all?
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        let mut command = self.command("for-each-ref");
        command.args(["--count=1", "--format=%(refname)", "refs/heads"]);
        let output = run(command, Vec::new(), SMALL).await?.or_unavailable()?;
        Ok(output.is_empty())
    }

    /// Names and ids of branches with what there is to tell of them.
    async fn told(&self, branches: &[(String, String)]) -> Result<Vec<Branch>, Error> {
        let ids: Vec<String> = branches.iter().map(|(_, id)| id.clone()).collect();
        let commits = self.commits(&ids).await?;
        let default = self.branch_id(&self.default_branch).await?;
        let merged = match &default {
            Some(default) => self.merged_into(default, branches).await?,
            None => HashSet::new(),
        };
        let told = branches.iter().filter_map(|(name, id)| {
            Some(Branch {
                merged: default.as_ref() != Some(id) && merged.contains(&name::branch(name)),
                name: name.clone(),
                commit: commits.get(id)?.clone(),
            })
        });
        Ok(told.collect())
    }

    async fn merged_into(
        &self,
        commit: &str,
        branches: &[(String, String)],
    ) -> Result<HashSet<String>, Error> {
        if branches.is_empty() {
            return Ok(HashSet::new());
        }
        let mut command = self.command("for-each-ref");
        command
            .arg(format!("--merged={commit}"))
            .arg("--format=%(refname)")
            .args(branches.iter().map(|(name, _)| name::branch(name)));
        let output = run(command, Vec::new(), SMALL).await?.or_unavailable()?;
        let text = String::from_utf8_lossy(&output).into_owned();
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// One page of the tags whose names match.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn tags(
        &self,
        search: Option<&str>,
        order: TagOrder,
        descending: bool,
        request: PageRequest,
    ) -> Result<Page<Tag>, Error> {
        let key = match order {
            TagOrder::Name => "refname",
            TagOrder::Updated => "creatordate",
            TagOrder::Version => "version:refname",
        };
        let mut command = self.command("for-each-ref");
        command
            .arg(format!("--sort={}{key}", if descending { "-" } else { "" }))
            .args([TAG_FORMAT, "refs/tags"]);
        let found = page(command, b'\n', request, |line| {
            read_tag(line).filter(|found| matches(search, &found.name))
        })
        .await?;
        let rows = self.complete(&found.rows).await?;
        Ok(Page {
            rows,
            request: found.request,
            total: found.total,
            has_next: found.has_next,
        })
    }

    /// The tag of this name.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn tag(&self, wanted: &str) -> Result<Option<Tag>, Error> {
        if !name::is_name(wanted) {
            return Ok(None);
        }
        let mut command = self.command("for-each-ref");
        command.arg(TAG_FORMAT).arg(name::tag(wanted));
        let output = run(command, Vec::new(), SMALL).await?.or_unavailable()?;
        let text = String::from_utf8_lossy(&output);
        let found: Vec<Pointer> = text
            .lines()
            .filter_map(read_tag)
            .filter(|found| found.name == wanted)
            .collect();
        Ok(self.complete(&found).await?.into_iter().next())
    }

    async fn complete(&self, pointers: &[Pointer]) -> Result<Vec<Tag>, Error> {
        let targets: Vec<String> = pointers.iter().map(|one| one.target.clone()).collect();
        let peeled = self.commits_of(&targets).await?;
        let ids: Vec<String> = peeled.iter().flatten().cloned().collect();
        let commits = self.commits(&ids).await?;
        let mut own = self.annotations(pointers).await?;
        let tags = pointers.iter().zip(peeled).map(|(pointer, commit)| {
            let annotation = own.remove(&pointer.target).unwrap_or_default();
            Tag {
                name: pointer.name.clone(),
                target: pointer.target.clone(),
                commit: commit.and_then(|id| commits.get(&id).cloned()),
                message: annotation.message,
                created_at: annotation.created_at,
            }
        });
        Ok(tags.collect())
    }

    /// What the objects of tags say, by their ids.
    async fn annotations(
        &self,
        pointers: &[Pointer],
    ) -> Result<HashMap<String, Annotation>, Error> {
        let targets: Vec<String> = pointers
            .iter()
            .filter(|pointer| pointer.annotated)
            .map(|pointer| pointer.target.clone())
            .collect();
        let sizes = self.sizes(&targets).await?;
        let mut asked = String::new();
        for target in targets {
            if sizes.get(&target).is_some_and(|size| *size <= LARGEST_TAG) {
                asked.push_str(&target);
                asked.push('\n');
            }
        }
        let mut told = HashMap::new();
        if asked.is_empty() {
            return Ok(told);
        }
        let mut command = self.command("cat-file");
        command.arg("--batch=%(objectname) %(objectsize)");
        let output = run(command, asked.into_bytes(), TAGS)
            .await?
            .or_unavailable()?;
        let mut rest = &output[..];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let head = String::from_utf8_lossy(&rest[..end]).into_owned();
            let Some((id, size)) = head.split_once(' ') else {
                break;
            };
            let Ok(size) = size.parse::<usize>() else {
                break;
            };
            let Some(content) = rest.get(end + 1..end + 1 + size) else {
                break;
            };
            told.insert(
                id.to_owned(),
                read_annotation(&String::from_utf8_lossy(content)),
            );
            rest = rest.get(end + size + 2..).unwrap_or_default();
        }
        Ok(told)
    }
}

const TAG_FORMAT: &str = "--format=%(objectname) %(objecttype) %(refname)";

/// A tag, before what it points to was looked at.
struct Pointer {
    name: String,
    target: String,
    annotated: bool,
}

fn read_tag(line: &str) -> Option<Pointer> {
    let mut words = line.splitn(3, ' ');
    let (id, kind, full) = (words.next()?, words.next()?, words.next()?);
    Some(Pointer {
        name: full.strip_prefix("refs/tags/")?.to_owned(),
        target: id.to_owned(),
        annotated: kind == "tag",
    })
}

#[derive(Default)]
struct Annotation {
    message: String,
    created_at: Option<DateTime<FixedOffset>>,
}

/// Lines of a header, an empty one, the message, and perhaps a signature.
fn read_annotation(text: &str) -> Annotation {
    let (head, message) = text.split_once("\n\n").unwrap_or((text, ""));
    let tagger = head.lines().find_map(|line| line.strip_prefix("tagger "));
    let created_at = tagger
        .and_then(|line| line.rsplit_once("> "))
        .map(|(_, at)| moment(at));
    let signature = [
        "-----BEGIN PGP SIGNATURE-----",
        "-----BEGIN SSH SIGNATURE-----",
    ]
    .iter()
    .find_map(|begin| message.find(begin));
    Annotation {
        message: message[..signature.unwrap_or(message.len())]
            .trim_end()
            .to_owned(),
        created_at,
    }
}

/// Does a name contain the term, whatever the case? `^` in front ties it to the beginning, `$` behind to the end.
fn matches(term: Option<&str>, name: &str) -> bool {
    let Some(term) = term else {
        return true;
    };
    let (term, name) = (term.to_lowercase(), name.to_lowercase());
    match (term.strip_prefix('^'), term.strip_suffix('$')) {
        (Some(term), Some(_)) => term.strip_suffix('$') == Some(&name),
        (Some(term), None) => name.starts_with(term),
        (None, Some(term)) => name.ends_with(term),
        (None, None) => name.contains(&term),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_parts_of_names() {
        for (term, name, found) in [
            ("AIN", "main", true),
            ("^ma", "main", true),
            ("^ain", "main", false),
            ("in$", "main", true),
            ("ma$", "main", false),
            ("^main$", "main", true),
            ("^$", "main", false),
        ] {
            assert_eq!(matches(Some(term), name), found, "{term} {name}");
        }
        assert!(matches(None, "main"));
    }

    #[test]
    fn a_tag_of_its_own_tells_when_and_what_for() {
        let text = "object 1f\ntype commit\ntag v1\ntagger Ada <a@x> 1700000000 +0000\n\nFirst\n\nreally\n-----BEGIN PGP SIGNATURE-----\nx\n";
        let read = read_annotation(text);
        assert_eq!(read.message, "First\n\nreally");
        assert_eq!(read.created_at.unwrap().timestamp(), 1_700_000_000);
        let old = read_annotation("object 1f\ntype commit\ntag v0\n\nOld\n");
        assert_eq!((old.message.as_str(), old.created_at), ("Old", None));
    }
}
