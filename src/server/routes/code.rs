//! Code: what people look at in a browser, and where programs of Git clone from.

use actix_web::http::Method;

use crate::git::{http, pages};
use crate::permissions::Right::{self, ReadCode, SeeProject};
use crate::web::endpoint::{Area, Endpoint};
use crate::web::page::public_endpoint;

/// What reading takes.
const READ: &[Right] = &[SeeProject, ReadCode];

/// Before everything else that is about a project: what stands behind `/-/` is a path in a repository, which may look
/// like any other address, also like one of these: a project's path ends at the first `/-/`.
pub(super) fn pages() -> Area {
    Area {
        prefix: "",
        endpoints: vec![
            page(
                "/{full_path:(?:[^/-][^/]*/?)+}/-/tree{rest:(?:/.*)?}",
                pages::tree,
            ),
            page(
                "/{full_path:(?:[^/-][^/]*/?)+}/-/blob/{rest:.+}",
                pages::blob,
            ),
            page("/{full_path:(?:[^/-][^/]*/?)+}/-/raw/{rest:.+}", pages::raw),
            page(
                "/{full_path:(?:[^/-][^/]*/?)+}/-/commits{rest:(?:/.*)?}",
                pages::commits,
            ),
            page(
                "/{full_path:(?:[^/-][^/]*/?)+}/-/commit/{sha:.+}",
                pages::commit,
            ),
            page("/{full_path:(?:[^/-][^/]*/?)+}/-/branches", pages::branches),
            page("/{full_path:(?:[^/-][^/]*/?)+}/-/tags", pages::tags),
            page(
                "/{full_path:(?:[^/-][^/]*/?)+}/-/archive/{rest:.+}",
                pages::download,
            ),
        ],
    }
}

fn page<F, Fut>(path: &'static str, handler: F) -> Endpoint
where
    F: Fn(crate::web::page::PageCall) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<actix_web::HttpResponse, crate::error::Error>> + 'static,
{
    public_endpoint(Method::GET, path, READ, handler)
}

/// Clone addresses, before the other pages: those end in anything.
pub(super) fn clone_addresses() -> Area {
    use http::endpoint;
    const REFS: &str = "/{full_path:.+}.git/info/refs";
    const LARGE: &str = "/{full_path:.+}.git/info/lfs/{rest:.*}";
    Area {
        prefix: "",
        endpoints: vec![
            // Before GET, which would answer it too.
            endpoint(Method::HEAD, REFS, http::no_head),
            endpoint(Method::GET, REFS, http::info_refs),
            endpoint(
                Method::POST,
                "/{full_path:.+}.git/git-upload-pack",
                http::upload_pack,
            ),
            endpoint(
                Method::POST,
                "/{full_path:.+}.git/git-receive-pack",
                http::receive_pack,
            ),
            endpoint(Method::GET, LARGE, http::no_large_files),
            endpoint(Method::POST, LARGE, http::no_large_files),
            endpoint(Method::GET, "/{full_path:.+}.git", http::to_project),
            endpoint(
                Method::GET,
                "/{full_path:.+}/info/refs",
                http::to_git_address,
            ),
        ],
    }
}
