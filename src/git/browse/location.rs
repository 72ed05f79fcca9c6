//! Where an address of a page leads: a revision and a path behind it, written as one text.

use super::{Opened, name};
use crate::error::Error;

/// How many parts of a text may belong to the name of a branch or tag.
const MOST_PARTS: usize = 20;

/// A place in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The branch, tag or commit as it was asked for.
    pub revision: String,
    /// The commit behind it.
    pub commit: String,
    /// From the top; empty at the top.
    pub path: String,
}

/// Which of those with the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A branch.
    Branch,
    /// A tag.
    Tag,
}

impl Kind {
    /// `heads` or `tags`; anything else says nothing.
    pub fn parse(text: &str) -> Option<Kind> {
        match text {
            "heads" => Some(Kind::Branch),
            "tags" => Some(Kind::Tag),
            _ => None,
        }
    }
}

impl Opened {
    /// Finds the place that `feature/a/docs/x.md` means. Names may contain slashes: the longest that is a branch counts,
    /// then the longest that is a tag, so that no tag `main/docs` stands before a folder of `main`. An empty text means
    /// the default branch. Nothing if there is no such revision; whether there is something at the path is another
    /// question.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn locate(&self, text: &str, kind: Option<Kind>) -> Result<Option<Location>, Error> {
        let text = text.trim_end_matches('/');
        let text = if text.is_empty() {
            self.default_branch.as_str()
        } else {
            text
        };
        let (asked, means): (Vec<String>, Vec<(&str, &str)>) =
            meanings(text, kind, &self.default_branch)
                .into_iter()
                .map(|(_, candidate, means)| (candidate, means))
                .unzip();
        let found = self.commits_of(&asked).await?;
        Ok(found
            .into_iter()
            .zip(means)
            .find_map(|(commit, (revision, path))| {
                Some(Location {
                    commit: commit?,
                    revision: revision.to_owned(),
                    path: path.to_owned(),
                })
            }))
    }
}

/// Each way to divide a text into a revision and a path, the longest revision first.
fn divisions(text: &str) -> Vec<(&str, &str)> {
    let mut divisions: Vec<(&str, &str)> = text
        .match_indices('/')
        .take(MOST_PARTS)
        .filter_map(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)))
        .collect();
    if divisions.len() < MOST_PARTS {
        divisions.push((text, ""));
    }
    divisions.reverse();
    divisions
}

/// What a text may mean, the likeliest first: its rank, what Git is asked for, and how it divides the text.
fn meanings<'a>(
    text: &'a str,
    kind: Option<Kind>,
    default_branch: &str,
) -> Vec<(usize, String, (&'a str, &'a str))> {
    let mut meanings = Vec::new();
    // What a whole id means never changes, whatever somebody calls a branch.
    let first = text.split('/').next().unwrap_or_default();
    let by_id = kind.is_none() && name::is_id(first);
    for (revision, path) in divisions(text) {
        if !path.is_empty() && !name::is_path(path) || by_id && revision != first {
            continue;
        }
        for candidate in candidates(revision, kind, default_branch) {
            let rank = ["refs/heads/", "refs/tags/", ""]
                .iter()
                .position(|beginning| candidate.starts_with(beginning))
                .unwrap_or_default();
            meanings.push((rank, candidate, (revision, path)));
        }
    }
    meanings.sort_by_key(|(rank, ..)| *rank);
    meanings
}

fn candidates(revision: &str, kind: Option<Kind>, default_branch: &str) -> Vec<String> {
    match kind {
        Some(Kind::Branch) if name::is_reference(&name::branch(revision)) => {
            vec![name::branch(revision)]
        }
        Some(Kind::Tag) if name::is_reference(&name::tag(revision)) => vec![name::tag(revision)],
        Some(_) => Vec::new(),
        None => name::candidates(revision, default_branch),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_is_tried_first() {
        assert_eq!(
            divisions("feature/a/x.md"),
            [
                ("feature/a/x.md", ""),
                ("feature/a", "x.md"),
                ("feature", "a/x.md")
            ]
        );
        assert_eq!(divisions("main"), [("main", "")]);
        let deep = "a/".repeat(1000);
        assert_eq!(divisions(&deep).len(), MOST_PARTS);
    }

    #[test]
    fn a_branch_stands_before_a_tag_with_a_longer_name() {
        let asked: Vec<String> = meanings("main/docs", None, "main")
            .into_iter()
            .map(|(_, candidate, _)| candidate)
            .collect();
        assert_eq!(
            asked,
            [
                "refs/heads/main/docs",
                "refs/heads/main",
                "refs/tags/main/docs",
                "refs/tags/main"
            ]
        );
    }

    #[test]
    fn a_whole_id_is_no_beginning_of_a_branch() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        let text = format!("{id}/README.md");
        let asked = meanings(&text, None, "main");
        assert_eq!(asked, [(2, id.to_owned(), (id, "README.md"))]);
        assert_eq!(meanings(&text, Some(Kind::Branch), "main").len(), 2);
    }

    #[test]
    fn a_kind_leaves_out_the_other() {
        let of = |kind| candidates("v1", kind, "main");
        assert_eq!(of(Some(Kind::Tag)), ["refs/tags/v1"]);
        assert_eq!(of(Some(Kind::Branch)), ["refs/heads/v1"]);
        assert_eq!(of(None), ["refs/heads/v1", "refs/tags/v1"]);
    }
}
