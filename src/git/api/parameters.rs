//! What requests about repositories ask for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};

use crate::db::PageRequest;
use crate::git::browse::references::TagOrder;
use crate::settings::Policy;
use crate::web::params::{Checked, DIRECTIONS, ParamProblem, Parameters, Reader};

/// Which branches.
pub struct BranchListing {
    pub(super) search: Option<String>,
    pub(super) paging: PageRequest,
}

impl Parameters for BranchListing {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let (search, paging) = (params.search("search"), params.paging());
        Ok(BranchListing {
            search: search?,
            paging: paging?,
        })
    }
}

/// A branch to be.
pub struct NewBranch {
    pub(super) branch: String,
    pub(super) revision: String,
}

impl Parameters for NewBranch {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let (branch, revision) = (params.required_text("branch"), params.required_text("ref"));
        Ok(NewBranch {
            branch: branch?,
            revision: revision?,
        })
    }
}

/// Which folder of which revision.
pub struct TreeListing {
    pub(super) path: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) recursive: bool,
    pub(super) paging: PageRequest,
}

impl Parameters for TreeListing {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let (path, revision) = (params.text("path"), params.text("ref"));
        let (recursive, paging) = (params.boolean("recursive"), params.paging());
        Ok(TreeListing {
            path: path?,
            revision: revision?,
            recursive: recursive?.unwrap_or(false),
            paging: paging?,
        })
    }
}

/// A file of which revision.
pub struct FileAt {
    pub(super) revision: String,
}

impl Parameters for FileAt {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let revision = params.required_text("ref")?;
        Ok(FileAt { revision })
    }
}

/// A file of which revision; of the default branch if none is named.
pub struct RawFileAt {
    pub(super) revision: Option<String>,
}

impl Parameters for RawFileAt {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let revision = params.text("ref")?;
        Ok(RawFileAt { revision })
    }
}

/// Which tags, in which order.
pub struct TagListing {
    pub(super) search: Option<String>,
    pub(super) order: TagOrder,
    pub(super) descending: bool,
    pub(super) paging: PageRequest,
}

impl Parameters for TagListing {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let search = params.search("search");
        let orders = [
            ("name", TagOrder::Name),
            ("updated", TagOrder::Updated),
            ("version", TagOrder::Version),
        ];
        let order = params.choice("order_by", &orders);
        let descending = params.choice("sort", &DIRECTIONS);
        let paging = params.paging();
        Ok(TagListing {
            search: search?,
            order: order?.unwrap_or_default(),
            descending: descending?.unwrap_or(true),
            paging: paging?,
        })
    }
}

/// Which commits.
pub struct CommitListing {
    pub(super) revision: Option<String>,
    pub(super) path: Option<String>,
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) until: Option<DateTime<Utc>>,
    pub(super) paging: PageRequest,
}

impl Parameters for CommitListing {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let (revision, path) = (params.text("ref_name"), params.text("path"));
        let (since, until) = (params.date_time("since"), params.date_time("until"));
        let paging = params.paging();
        Ok(CommitListing {
            revision: revision?,
            path: path?,
            since: since?,
            until: until?,
            paging: paging?,
        })
    }
}

/// How much of a commit.
pub struct CommitAt {
    pub(super) stats: bool,
}

impl Parameters for CommitAt {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let stats = params.boolean("stats")?.unwrap_or(true);
        Ok(CommitAt { stats })
    }
}

/// What goes into an archive.
pub struct ArchiveOf {
    pub(super) revision: Option<String>,
    pub(super) path: Option<String>,
}

impl Parameters for ArchiveOf {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let (revision, path) = (params.text("sha"), params.text("path"));
        Ok(ArchiveOf {
            revision: revision?,
            path: path?,
        })
    }
}

/// How the content of a file is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Encoding {
    #[default]
    Text,
    Base64,
}

/// A commit to one file: where, what for, by whom.
pub struct FileCommit {
    pub(super) branch: String,
    pub(super) message: String,
    pub(super) start_branch: Option<String>,
    pub(super) author_email: Option<String>,
    pub(super) author_name: Option<String>,
    pub(super) last_commit_id: Option<String>,
}

impl Parameters for FileCommit {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let branch = params.required_text("branch");
        let message = params.required_text("commit_message");
        let start_branch = params.text("start_branch");
        let author_email = params.text("author_email");
        let author_name = params.text("author_name");
        let last_commit_id = params.text("last_commit_id");
        Ok(FileCommit {
            branch: branch?,
            message: message?,
            start_branch: start_branch?,
            author_email: author_email?,
            author_name: author_name?,
            last_commit_id: last_commit_id?,
        })
    }
}

/// A commit to one file, and all that is in it from then on.
pub struct FileContent {
    pub(super) commit: FileCommit,
    pub(super) content: Vec<u8>,
}

impl Parameters for FileContent {
    fn read(params: &mut Reader<'_>, policy: &Policy) -> Checked<Self> {
        let content = params.required_text("content");
        let encodings = [("text", Encoding::Text), ("base64", Encoding::Base64)];
        let encoding = params.choice("encoding", &encodings);
        let commit = FileCommit::read(params, policy);
        let (content, encoding) = (content?, encoding?.unwrap_or_default());
        let content = match encoding {
            Encoding::Text => content.into_bytes(),
            Encoding::Base64 => {
                // Many programs break it into lines.
                let text: String = content.split_ascii_whitespace().collect();
                match STANDARD.decode(text) {
                    Ok(bytes) => bytes,
                    Err(_) => return params.reject("content", ParamProblem::Invalid),
                }
            }
        };
        Ok(FileContent {
            commit: commit?,
            content,
        })
    }
}
