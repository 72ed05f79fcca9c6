//! The addresses of the pages of a project's code.

use percent_encoding::utf8_percent_encode;

use crate::git::browse::location::Kind;
use crate::git::browse::name::is_name;
use crate::web::lists::{self, KEPT};

/// Addresses below `/acme/api/-/`.
#[derive(Debug, Clone)]
pub(super) struct Addresses {
    base: String,
}

impl Addresses {
    /// Those of the project with this full path.
    pub(super) fn of(full_path: &str) -> Self {
        Addresses {
            base: format!("/{full_path}/-"),
        }
    }

    /// `tree`, `blob`, `raw` or `commits` of a path (empty: the top) in a revision.
    pub(super) fn at(&self, page: &str, revision: &Revision, path: &str) -> String {
        format!("{}{}", self.up_to(page, revision, path), revision.query())
    }

    /// The same without what follows the path, for whatever is to be put behind it.
    pub(super) fn up_to(&self, page: &str, revision: &Revision, path: &str) -> String {
        let mut address = format!("{}/{page}/{}", self.base, encoded(&revision.name));
        if !path.is_empty() {
            address.push('/');
            address.push_str(&encoded(path));
        }
        address
    }

    /// The same with this in the query too; empty values are left out.
    pub(super) fn with(
        &self,
        page: &str,
        revision: &Revision,
        path: &str,
        query: (&str, &str),
    ) -> String {
        let address = self.up_to(page, revision, path);
        lists::address(&address, &[("ref_type", revision.ref_type()), query])
    }

    /// A commit.
    pub(super) fn commit(&self, id: &str) -> String {
        format!("{}/commit/{id}", self.base)
    }

    /// A list: `branches` or `tags`.
    pub(super) fn list(&self, of: &str) -> String {
        format!("{}/{of}", self.base)
    }

    /// All files of a revision in one file of this name.
    pub(super) fn archive(&self, revision: &Revision, file_name: &str) -> String {
        let (revision, query) = (encoded(&revision.name), revision.query());
        format!(
            "{}/archive/{revision}/{}{query}",
            self.base,
            encoded(file_name)
        )
    }
}

/// A branch, tag or commit, as an address names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Revision {
    /// What it is called.
    pub(super) name: String,
    /// Which of those with this name, where it is said.
    pub(super) kind: Option<Kind>,
}

impl Revision {
    /// Whatever is called this.
    pub(super) fn named(name: impl Into<String>) -> Self {
        Revision {
            name: name.into(),
            kind: None,
        }
    }

    /// The branch of this name. An address says so only if the name alone could mean something else.
    pub(super) fn branch(name: impl Into<String>) -> Self {
        let name = name.into();
        Revision {
            kind: (!is_name(&name) || name.starts_with("refs/")).then_some(Kind::Branch),
            name,
        }
    }

    /// The tag of this name.
    pub(super) fn tag(name: impl Into<String>) -> Self {
        Revision {
            name: name.into(),
            kind: Some(Kind::Tag),
        }
    }

    /// The value of `ref_type`; empty if nothing is said.
    pub(super) fn ref_type(&self) -> &'static str {
        match self.kind {
            Some(Kind::Branch) => "heads",
            Some(Kind::Tag) => "tags",
            None => "",
        }
    }

    /// What an address says behind its path.
    pub(super) fn query(&self) -> &'static str {
        match self.kind {
            Some(Kind::Branch) => "?ref_type=heads",
            Some(Kind::Tag) => "?ref_type=tags",
            None => "",
        }
    }
}

pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_so_that_they_are_read_as_they_are() {
        let of = Addresses::of("acme/api");
        let branch = Revision::named("feature/a#b");
        assert_eq!(
            of.at("blob", &branch, "docs/50% of?.md"),
            "/acme/api/-/blob/feature/a%23b/docs/50%25%20of%3F.md"
        );
        assert_eq!(
            of.at("tree", &Revision::tag("v1"), ""),
            "/acme/api/-/tree/v1?ref_type=tags"
        );
        assert_eq!(
            of.archive(&Revision::tag("v1"), "api-v1.zip"),
            "/acme/api/-/archive/v1/api-v1.zip?ref_type=tags"
        );
    }
}
