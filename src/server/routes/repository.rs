//! `/api/v4/projects/:id/repository`: what programs ask of code.

use crate::access_tokens::scope::ScopeNeed::Write;
use crate::git::api;
use crate::permissions::Right::{self, PushCode, PushToProtectedBranch, ReadCode, SeeProject};
use crate::web::api::{delete, post, public, put};
use crate::web::endpoint::{Area, Endpoint};

/// What reading takes.
const READ: &[Right] = &[SeeProject, ReadCode];

/// What changing something takes; each branch says which of them.
const PUSH: &[Right] = &[SeeProject, ReadCode, PushCode, PushToProtectedBranch];

/// Before the projects themselves: the longer path is looked at first.
pub(super) fn area() -> Area {
    Area {
        prefix: "/api/v4/projects/{id}/repository",
        endpoints: endpoints(),
    }
}

fn endpoints() -> Vec<Endpoint> {
    vec![
        public("/branches", "List branches", READ, api::branches),
        post(
            "/branches",
            "Create a branch",
            Write,
            PUSH,
            api::create_branch,
        ),
        public("/branches/{branch}", "Show a branch", READ, api::branch),
        delete(
            "/branches/{branch}",
            "Delete a branch",
            Write,
            PUSH,
            api::delete_branch,
        ),
        public("/tags", "List tags", READ, api::tags),
        public("/tags/{tag_name}", "Show a tag", READ, api::tag),
        public("/commits", "List commits", READ, api::commits),
        public("/commits/{sha}", "Show a commit", READ, api::commit),
        public("/tree", "List files and folders", READ, api::tree),
        public(
            "/files/{file_path}",
            "Show a file, with its content in base64",
            READ,
            api::file,
        ),
        post(
            "/files/{file_path}",
            "Create a file",
            Write,
            PUSH,
            api::create_file,
        ),
        put(
            "/files/{file_path}",
            "Change a file",
            Write,
            PUSH,
            api::update_file,
        ),
        delete(
            "/files/{file_path}",
            "Delete a file",
            Write,
            PUSH,
            api::delete_file,
        ),
        public(
            "/files/{file_path}/raw",
            "Show the content of a file",
            READ,
            api::raw,
        ),
        public(
            "/archive",
            "Download everything as an archive, `.tar.gz`",
            READ,
            api::archive,
        ),
        public(
            "/archive.{format}",
            "Download everything as an archive",
            READ,
            api::archive_as,
        ),
    ]
}
