//! What is in a repository, as the API shows it.

use chrono::{DateTime, FixedOffset};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::context::Context;
use crate::git::browse::log::{Commit, Stats};
use crate::git::browse::references::{Branch, Tag};
use crate::git::browse::tree::Entry;
use crate::permissions::Right;
use crate::projects::Project;

/// A moment with the zone in which it was: `2026-11-25T09:15:30.000+01:00`.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct ZonedMoment(pub DateTime<FixedOffset>);

impl Serialize for ZonedMoment {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(&self.0.format("%Y-%m-%dT%H:%M:%S%.3f%:z"))
    }
}

/// A branch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Branch)]
pub struct BranchObject {
    name: String,
    /// Where it is.
    commit: CommitObject,
    /// Is all of it in the default branch, which has gone on since?
    merged: bool,
    /// Only Maintainers push to it.
    protected: bool,
    developers_can_push: bool,
    developers_can_merge: bool,
    /// May the caller push to it?
    can_push: bool,
    /// Is it the one that a clone checks out?
    default: bool,
    web_url: String,
}

impl BranchObject {
    /// As this caller sees it.
    pub fn of(ctx: &Context, project: &Project, branch: Branch) -> Self {
        let default = branch.name == project.default_branch;
        let right = if default {
            Right::PushToProtectedBranch
        } else {
            Right::PushCode
        };
        let may = ctx.actor.could(right, &project.place(), &ctx.policy);
        BranchObject {
            web_url: ctx.url(&format!("/{}/-/tree/{}", project.full_path(), branch.name)),
            commit: CommitObject::of(ctx, project, branch.commit),
            merged: branch.merged,
            protected: default,
            developers_can_push: false,
            developers_can_merge: false,
            can_push: may && !project.archived,
            default,
            name: branch.name,
        }
    }
}

/// A commit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Commit)]
pub struct CommitObject {
    id: String,
    /// Its first eight characters.
    short_id: String,
    /// As `committed_date`.
    created_at: ZonedMoment,
    /// Those that it follows.
    parent_ids: Vec<String>,
    /// The first line of its message.
    title: String,
    message: String,
    /// Who wrote it.
    author_name: String,
    author_email: String,
    authored_date: ZonedMoment,
    /// Who put it there.
    committer_name: String,
    committer_email: String,
    committed_date: ZonedMoment,
    web_url: String,
}

impl CommitObject {
    /// With links to this project.
    pub fn of(ctx: &Context, project: &Project, commit: Commit) -> Self {
        let Commit {
            id,
            parents,
            author,
            committer,
            message,
        } = commit;
        CommitObject {
            short_id: id.chars().take(8).collect(),
            created_at: ZonedMoment(committer.at),
            parent_ids: parents,
            title: message.lines().next().unwrap_or_default().to_owned(),
            message,
            author_name: author.name,
            author_email: author.email,
            authored_date: ZonedMoment(author.at),
            committer_name: committer.name,
            committer_email: committer.email,
            committed_date: ZonedMoment(committer.at),
            web_url: ctx.url(&format!("/{}/-/commit/{id}", project.full_path())),
            id,
        }
    }
}

/// What lies in a folder.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TreeEntry)]
pub struct EntryObject {
    /// The object.
    id: String,
    /// The last part of its path.
    name: String,
    /// `tree`, `blob`, or `commit` for a place where another repository belongs.
    #[serde(rename = "type")]
    kind: &'static str,
    /// From the top.
    path: String,
    /// `100644`, `100755`, `120000`, `040000` or `160000`.
    mode: String,
}

impl From<Entry> for EntryObject {
    fn from(entry: Entry) -> Self {
        EntryObject {
            id: entry.id,
            name: entry.path.rsplit('/').next().unwrap_or_default().to_owned(),
            kind: entry.kind.name(),
            path: entry.path,
            mode: entry.mode,
        }
    }
}

/// A file.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = File)]
pub struct FileObject {
    /// The last part of its path.
    pub(super) file_name: String,
    /// From the top.
    pub(super) file_path: String,
    /// In bytes.
    pub(super) size: usize,
    /// `base64`
    pub(super) encoding: &'static str,
    /// The SHA-256 of its bytes.
    pub(super) content_sha256: String,
    /// The revision, as it was asked for.
    #[serde(rename = "ref")]
    pub(super) revision: String,
    /// The object.
    pub(super) blob_id: String,
    /// The commit that the revision stands for.
    pub(super) commit_id: String,
    /// The last commit up to there that changed it.
    pub(super) last_commit_id: String,
    /// Is it a program?
    pub(super) execute_filemode: bool,
    /// All of it.
    pub(super) content: String,
}

impl FileObject {
    /// The same with its bytes, encoded.
    pub(super) fn with_content(self, content: String) -> Self {
        FileObject { content, ..self }
    }
}

/// A commit with all that there is to tell of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CommitDetail)]
pub struct CommitDetailObject {
    #[serde(flatten)]
    commit: CommitObject,
    /// Absent with `stats=false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    stats: Option<StatsObject>,
    /// Nothing runs pipelines here.
    status: Option<String>,
    project_id: i64,
    /// Nothing runs pipelines here.
    last_pipeline: Option<i64>,
}

/// How many lines came and went.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CommitStats)]
pub struct StatsObject {
    additions: u64,
    deletions: u64,
    /// Both.
    total: u64,
}

impl CommitDetailObject {
    /// With links to this project.
    pub fn of(ctx: &Context, project: &Project, commit: Commit, stats: Option<Stats>) -> Self {
        CommitDetailObject {
            commit: CommitObject::of(ctx, project, commit),
            stats: stats.map(|stats| StatsObject {
                additions: stats.additions,
                deletions: stats.deletions,
                total: stats.additions.saturating_add(stats.deletions),
            }),
            status: None,
            project_id: project.id,
            last_pipeline: None,
        }
    }
}

/// A tag.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tag)]
pub struct TagObject {
    name: String,
    /// Its own; empty for one that only names a commit.
    message: String,
    /// What it points to: a commit, or an object of its own with the message.
    target: String,
    /// The commit that it is in the end; `null` for a tag on something else.
    commit: Option<CommitObject>,
    release: Option<String>,
    protected: bool,
    /// Of a tag with a message, when it was made.
    created_at: Option<ZonedMoment>,
}

impl TagObject {
    /// With links to this project.
    pub fn of(ctx: &Context, project: &Project, tag: Tag) -> Self {
        TagObject {
            name: tag.name,
            message: tag.message,
            target: tag.target,
            commit: tag
                .commit
                .map(|commit| CommitObject::of(ctx, project, commit)),
            release: None,
            protected: false,
            created_at: tag.created_at.map(ZonedMoment),
        }
    }
}

/// Which file was written where.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WrittenFile)]
pub struct WrittenObject {
    /// From the top.
    pub(super) file_path: String,
    pub(super) branch: String,
}
