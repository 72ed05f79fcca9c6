//! Branches and tags.

use actix_web::HttpResponse;

use super::Desk;
use super::address::Revision;
use super::archive::offers;
use crate::db::{Page, PageRequest};
use crate::error::Error;
use crate::git::browse::references::{Branch, Tag, TagOrder};
use crate::projects::frame;
use crate::web::lists;
use crate::web::page::PageCall;
use crate::web::views::code::{BranchRow, BranchesPage, TagRow, TagsPage};
use crate::web::views::components::{Badge, Tone};
use crate::web::views::sidebar::Place;

/// `GET /{full_path}/-/branches` (`ReadCode`): the branches whose names contain `?search=`.
///
/// # Errors
/// [`Error::NotFound`] for what is hidden; [`Error::Unavailable`] when Git can't be run.
pub async fn branches(call: PageCall) -> Result<HttpResponse, Error> {
    let desk = Desk::of(&call).await?;
    let (search, request) = asked(&call);
    let mut page = desk.repository.branches(wanted(&search), request).await?;
    if page.rows.is_empty() && request.page > 1 {
        let request = last_page(&page, request);
        page = desk.repository.branches(wanted(&search), request).await?;
    }
    let path = desk.addresses.list("branches");
    call.ok(&BranchesPage {
        shell: frame::shell(&call, &desk.project, "Branches", Place::Branches),
        count: lists::total(page.total),
        rows: page.rows.iter().map(|branch| desk.branch(branch)).collect(),
        pagination: lists::foot("Branches", &page, |number| {
            lists::address(&path, &[("search", &search), ("page", &number.to_string())])
        }),
        path,
        search,
    })
}

/// `GET /{full_path}/-/tags` (`ReadCode`): the tags whose names contain `?search=`, the newest first.
///
/// # Errors
/// [`Error::NotFound`] for what is hidden; [`Error::Unavailable`] when Git can't be run.
pub async fn tags(call: PageCall) -> Result<HttpResponse, Error> {
    let desk = Desk::of(&call).await?;
    let (search, request) = asked(&call);
    let list = async |request| {
        desk.repository
            .tags(wanted(&search), TagOrder::Updated, true, request)
            .await
    };
    let mut page = list(request).await?;
    if page.rows.is_empty() && request.page > 1 {
        page = list(last_page(&page, request)).await?;
    }
    let path = desk.addresses.list("tags");
    call.ok(&TagsPage {
        shell: frame::shell(&call, &desk.project, "Tags", Place::Tags),
        count: lists::total(page.total),
        rows: page.rows.iter().map(|tag| desk.tag(tag)).collect(),
        pagination: lists::foot("Tags", &page, |number| {
            lists::address(&path, &[("search", &search), ("page", &number.to_string())])
        }),
        path,
        search: search.clone(),
    })
}

fn asked(call: &PageCall) -> (String, PageRequest) {
    let request = PageRequest {
        page: call.query.page("page"),
        ..PageRequest::default()
    };
    (call.query.text("search").trim().to_owned(), request)
}

fn last_page<T>(page: &Page<T>, request: PageRequest) -> PageRequest {
    PageRequest {
        page: page.total_pages().unwrap_or(1),
        ..request
    }
}

fn wanted(search: &str) -> Option<&str> {
    (!search.is_empty()).then_some(search)
}

impl Desk<'_> {
    fn branch(&self, branch: &Branch) -> BranchRow {
        let mut badges = Vec::new();
        if branch.name == self.project.default_branch {
            badges.push(Badge::new("default", Tone::Info));
            badges.push(Badge::new("protected", Tone::Success));
        }
        if branch.merged {
            badges.push(Badge::new("merged", Tone::Neutral));
        }
        let revision = Revision::branch(branch.name.as_str());
        BranchRow {
            href: self.addresses.at("tree", &revision, ""),
            name: branch.name.clone(),
            badges,
            commit: self.commit_line(&branch.commit),
        }
    }

    fn tag(&self, tag: &Tag) -> TagRow {
        let revision = Revision::tag(tag.name.as_str());
        let has_files = tag.commit.is_some();
        TagRow {
            href: has_files.then(|| self.addresses.at("tree", &revision, "")),
            archives: if has_files {
                offers(self, &revision)
            } else {
                Vec::new()
            },
            name: tag.name.clone(),
            message: tag.message.trim().to_owned(),
            commit: tag.commit.as_ref().map(|commit| self.commit_line(commit)),
        }
    }
}
