//! Code in the browser: folders, files, the history, branches and tags.

use askama::Template;

use super::components::{Badge, Moment, Pagination};
use super::shell::Shell;
use super::sidebar::initial;

/// Where in a repository a page is: the steps of the path, and where to switch to.
#[derive(Clone)]
pub struct Whereabouts {
    /// The branch, tag or commit.
    pub revision: String,
    /// Branches and tags to go on with, with whether it is the one shown.
    pub branches: Vec<RevisionLink>,
    /// The same of tags.
    pub tags: Vec<RevisionLink>,
    /// The page of all branches.
    pub all_branches: String,
    /// The page of all tags.
    pub all_tags: String,
    /// From the top of the repository to what is shown, which is last.
    pub steps: Vec<Step>,
}

/// A folder or file on the way.
#[derive(Clone)]
pub struct Step {
    /// Its name.
    pub label: String,
    /// Its page; nothing for what is shown.
    pub href: Option<String>,
}

/// A branch or tag to switch to.
#[derive(Clone)]
pub struct RevisionLink {
    /// Its name.
    pub name: String,
    /// The same page there.
    pub href: String,
    /// Whether it is the one shown.
    pub current: bool,
}

/// A commit in a line.
#[derive(Clone)]
pub struct CommitLine {
    /// The first line of its message.
    pub title: String,
    /// Its page.
    pub href: String,
    /// The beginning of its id.
    pub short_id: String,
    /// The whole id, to copy.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// When it was put there.
    pub at: Moment,
}

impl CommitLine {
    /// The letter of the avatar.
    pub fn initial(&self) -> String {
        initial(&self.author)
    }
}

/// What lies in a folder.
#[derive(Clone)]
pub struct EntryRow {
    /// Its name.
    pub name: String,
    /// Its page; none for a commit of another repository.
    pub href: Option<String>,
    /// Its symbol in the sprite.
    pub icon: &'static str,
    /// What it is, for those who can't see the symbol: `Folder`, `File`, `Link`, `Submodule`.
    pub kind: &'static str,
    /// The last commit that changed it, if it can be told.
    pub latest: Option<CommitLine>,
}

/// A folder: what lies in it, and what its README says.
#[derive(Clone)]
pub struct Folder {
    /// Where it is.
    pub at: Whereabouts,
    /// The last commit that changed it.
    pub latest: Option<CommitLine>,
    /// The history of it.
    pub history: String,
    /// The folder above.
    pub up: Option<String>,
    /// What lies in it.
    pub rows: Vec<EntryRow>,
    /// The foot; nothing if all is on one page.
    pub pagination: Option<Pagination>,
    /// What it says of itself.
    pub readme: Option<Readme>,
}

/// A file that tells what a folder is about.
#[derive(Clone)]
pub struct Readme {
    /// Its name.
    pub name: String,
    /// Its page.
    pub href: String,
    /// What is in it.
    pub content: Content,
}

/// What is in a file.
#[derive(Clone)]
pub enum Content {
    /// Text, line by line.
    Text(Vec<String>),
    /// HTML that was made safe.
    Rendered(String),
    /// A picture, at this address.
    Picture(String),
    /// What is said in place of it.
    Withheld(String),
    /// Nothing at all.
    Empty,
}

/// The page of a folder.
#[derive(Template)]
#[template(path = "code/tree.html", whitespace = "minimize")]
pub struct TreePage {
    /// The frame.
    pub shell: Shell,
    /// What was looked for and isn't there, so that the nearest folder is shown.
    pub missing: Option<String>,
    /// The folder; nothing while nobody pushed anything.
    pub folder: Option<Folder>,
    /// The overview of the project, which tells how to push.
    pub overview: String,
    /// The files of the revision in one file: ending and address.
    pub archives: Vec<(&'static str, String)>,
}

/// The page of a file.
#[derive(Template)]
#[template(path = "code/blob.html", whitespace = "minimize")]
pub struct BlobPage {
    /// The frame.
    pub shell: Shell,
    /// Where it is.
    pub at: Whereabouts,
    /// Its name.
    pub name: String,
    /// `1.2 KiB`.
    pub size: String,
    /// `12 lines`, a link, executable: what else there is to say.
    pub notes: Vec<String>,
    /// What is in it.
    pub content: Content,
    /// Its bytes.
    pub raw: String,
    /// The same, to be saved.
    pub download: String,
    /// The history of it.
    pub history: String,
    /// The same file at this commit, whatever becomes of the branch.
    pub permalink: String,
    /// The page that shows what is rendered as it was written, or the other way round: label and address.
    pub other: Option<(&'static str, String)>,
    /// The last commit that changed it.
    pub latest: Option<CommitLine>,
}

/// The history.
#[derive(Template)]
#[template(path = "code/commits.html", whitespace = "minimize")]
pub struct CommitsPage {
    /// The frame.
    pub shell: Shell,
    /// Where; nothing while nobody pushed anything.
    pub at: Option<Whereabouts>,
    /// The overview of the project, which tells how to push.
    pub overview: String,
    /// The commits of this page, the newest first.
    pub rows: Vec<CommitLine>,
    /// The foot; nothing if all is on one page.
    pub pagination: Option<Pagination>,
}

/// A commit.
#[derive(Template)]
#[template(path = "code/commit.html", whitespace = "minimize")]
pub struct CommitPage {
    /// The frame.
    pub shell: Shell,
    /// It in a line.
    pub commit: CommitLine,
    /// What its message says below the first line; empty if nothing.
    pub message: String,
    /// Who put it there, and when, if that is somebody else.
    pub committer: Option<(String, Moment)>,
    /// Those that it follows: the beginning of the id, and the page.
    pub parents: Vec<(String, String)>,
    /// All files as of this commit.
    pub browse: String,
    /// `2 files changed`.
    pub changed: String,
    /// File by file.
    pub files: Vec<FileChange>,
    /// Is there more than is shown?
    pub cut: bool,
}

/// What a commit does to a file.
#[derive(Clone)]
pub struct FileChange {
    /// Its name; two if it moved.
    pub title: String,
    /// Its page at this commit; none if it went.
    pub href: Option<String>,
    /// What happened to it.
    pub badge: Badge,
    /// The lines.
    pub lines: Vec<DiffLine>,
    /// What is said where there are no lines.
    pub note: &'static str,
}

/// A line of a change.
#[derive(Clone)]
pub struct DiffLine {
    /// What it is printed as.
    pub kind: DiffKind,
    /// Its text.
    pub text: String,
}

/// What a line of a change is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum DiffKind {
    /// Where in the file.
    Place,
    /// Came.
    Added,
    /// Went.
    Removed,
    /// As it was.
    Kept,
}

/// A branch in a list.
#[derive(Clone)]
pub struct BranchRow {
    /// Its name.
    pub name: String,
    /// Its files.
    pub href: String,
    /// `default`, `protected`, `merged`.
    pub badges: Vec<Badge>,
    /// Where it is.
    pub commit: CommitLine,
}

/// The branches.
#[derive(Template)]
#[template(path = "code/branches.html", whitespace = "minimize")]
pub struct BranchesPage {
    /// The frame.
    pub shell: Shell,
    /// The address of this list.
    pub path: String,
    /// What is searched for.
    pub search: String,
    /// How many there are: `12`, `10,000+`.
    pub count: String,
    /// Those of this page.
    pub rows: Vec<BranchRow>,
    /// The foot; nothing if all is on one page.
    pub pagination: Option<Pagination>,
}

/// A tag in a list.
#[derive(Clone)]
pub struct TagRow {
    /// Its name.
    pub name: String,
    /// Its files; none for a tag on something that has none.
    pub href: Option<String>,
    /// Its own message; empty if it has none.
    pub message: String,
    /// Where it is.
    pub commit: Option<CommitLine>,
    /// The files in one file: ending and address.
    pub archives: Vec<(&'static str, String)>,
}

/// The tags.
#[derive(Template)]
#[template(path = "code/tags.html", whitespace = "minimize")]
pub struct TagsPage {
    /// The frame.
    pub shell: Shell,
    /// The address of this list.
    pub path: String,
    /// What is searched for.
    pub search: String,
    /// How many there are: `12`, `10,000+`.
    pub count: String,
    /// Those of this page.
    pub rows: Vec<TagRow>,
    /// The foot; nothing if all is on one page.
    pub pagination: Option<Pagination>,
}
