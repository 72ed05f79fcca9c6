//! The history, and what a commit changes.

use actix_web::HttpResponse;

use super::address::Revision;
use super::content::in_sight;
use super::{Desk, body, short, soon};
use crate::db::PageRequest;
use crate::error::{Error, What};
use crate::git::browse::log::{Filter, Stats};
use crate::git::browse::name;
use crate::git::browse::patch::{Fate, FilePatch, Line};
use crate::git::browse::tree::{Entry, Kind};
use crate::projects::frame;
use crate::web::lists;
use crate::web::page::PageCall;
use crate::web::views::code::{CommitPage, CommitsPage, DiffKind, DiffLine, FileChange};
use crate::web::views::components::{Badge, Pagination, Tone};
use crate::web::views::sidebar::Place;

/// How many commits are on a page.
const COMMITS: i64 = 40;

/// `GET /{full_path}/-/commits/…` (`ReadCode`): the history of a revision, or of what lies at a path in it.
///
/// # Errors
/// [`Error::NotFound`] for what isn't there and for what is hidden; [`Error::Unavailable`] when Git can't be run.
pub async fn commits(call: PageCall) -> Result<HttpResponse, Error> {
    let desk = Desk::of(&call).await?;
    let shell = frame::shell(&call, &desk.project, "Commits", Place::Commits);
    let Some(spot) = desk.spot().await? else {
        let nothing = CommitsPage {
            shell,
            at: None,
            overview: desk.overview(),
            rows: Vec::new(),
            pagination: None,
        };
        return desk.without_default(&nothing).await;
    };
    let path = &spot.location.path;
    let commit = &spot.location.commit;
    let is_file = |entry: Option<Entry>| entry.is_some_and(|entry| entry.kind == Kind::Blob);
    let filter = Filter {
        path: (!path.is_empty()).then(|| path.clone()),
        ..Filter::default()
    };
    let request = PageRequest {
        page: call.query.page("page"),
        per_page: COMMITS,
    };
    let page = if !path.is_empty() && is_file(desk.repository.entry(commit, path).await?) {
        desk.repository.log_of_file(commit, path, request).await?
    } else {
        desk.repository.log(commit, &filter, request).await?
    };
    if page.rows.is_empty() && !path.is_empty() && request.page == 1 {
        // No commit ever knew this path.
        return desk.nothing_there(&spot, What::File).await;
    }
    let href = |number: u64| {
        let number = number.to_string();
        desk.addresses
            .with("commits", &spot.revision, path, ("page", &number))
    };
    if page.rows.is_empty() && request.page > 1 {
        return Ok(call.redirect(&href(1)));
    }
    // How long the history is, nobody counts.
    let number = u64::try_from(request.page).unwrap_or(1);
    let pagination = (number > 1 || page.has_next).then(|| {
        let first = request.offset().saturating_add(1);
        let last = request
            .offset()
            .saturating_add(i64::try_from(page.rows.len()).unwrap_or(0));
        let summary = format!("{}–{}", lists::grouped(first), lists::grouped(last));
        Pagination::new("Commits", summary, number, None, page.has_next, href)
    });
    call.ok(&CommitsPage {
        shell,
        at: Some(desk.whereabouts(&spot, "commits", "commits").await?),
        overview: desk.overview(),
        rows: page
            .rows
            .iter()
            .map(|commit| desk.commit_line(commit))
            .collect(),
        pagination,
    })
}

/// `GET /{full_path}/-/commit/:sha` (`ReadCode`): a commit, and what it changes.
///
/// # Errors
/// [`Error::NotFound`] for what isn't there and for what is hidden; [`Error::Unavailable`] when Git can't be run.
pub async fn commit(call: PageCall) -> Result<HttpResponse, Error> {
    let desk = Desk::of(&call).await?;
    let missing = || Error::NotFound(What::Commit);
    let asked = call.decoded("sha");
    let id = desk
        .repository
        .resolve(Some(&asked))
        .await?
        .ok_or_else(missing)?;
    if !name::is_id(&asked) {
        // What a name means changes; the address of a commit doesn't.
        return Ok(call.redirect(&desk.addresses.commit(&id)));
    }
    let commit = desk.repository.commit(&id).await?.ok_or_else(missing)?;
    let patch = soon(desk.repository.patch(&id)).await;
    let slow = patch.is_none();
    let patch = patch.unwrap_or_default();
    let revision = Revision::named(id.as_str());
    let files: Vec<FileChange> = patch
        .files
        .into_iter()
        .map(|file| {
            let has_page = file.fate != Fate::Removed && !file.submodule;
            let href = has_page.then(|| desk.addresses.at("blob", &revision, &file.path));
            shown(file, href)
        })
        .collect();
    let mut line = desk.commit_line(&commit);
    line.at = desk.moment(commit.author.at);
    let by_another = commit.committer.name != commit.author.name
        || commit.committer.email != commit.author.email;
    call.ok(&CommitPage {
        shell: frame::shell(&call, &desk.project, &line.title, Place::Commits),
        message: body(&commit.message),
        committer: by_another.then(|| {
            (
                commit.committer.name.clone(),
                desk.moment(commit.committer.at),
            )
        }),
        parents: commit
            .parents
            .iter()
            .map(|parent| (short(parent), desk.addresses.commit(parent)))
            .collect(),
        browse: desk.addresses.at("tree", &revision, ""),
        changed: if slow {
            "too many to be shown".into()
        } else {
            counted(files.len(), patch.cut, patch.stats)
        },
        files,
        cut: patch.cut || slow,
        commit: line,
    })
}

fn counted(files: usize, cut: bool, stats: Stats) -> String {
    let (additions, deletions) = (stats.additions, stats.deletions);
    let number = |count: usize| lists::grouped(i64::try_from(count).unwrap_or(i64::MAX));
    let lines = |count: u64| lists::grouped(i64::try_from(count).unwrap_or(i64::MAX));
    let more = if cut { "at least " } else { "" };
    let ending = if files == 1 { "" } else { "s" };
    format!(
        "{more}{} file{ending}, {} added and {} removed",
        number(files),
        match additions {
            1 => "1 line".into(),
            count => format!("{} lines", lines(count)),
        },
        lines(deletions),
    )
}

fn shown(file: FilePatch, href: Option<String>) -> FileChange {
    let badge = match file.fate {
        Fate::Added => Badge::new("Added", Tone::Success),
        Fate::Removed => Badge::new("Removed", Tone::Danger),
        Fate::Moved => Badge::new("Moved", Tone::Info),
        Fate::Changed => Badge::new("Changed", Tone::Neutral),
    };
    let note = match (file.binary, file.fate) {
        (true, _) => "This file is no text.",
        (_, Fate::Added) => "This file is empty.",
        (_, Fate::Removed) => "This file was empty.",
        (_, Fate::Moved) => "Nothing in it changed.",
        (_, Fate::Changed) => "Only what may be done with it changed.",
    };
    FileChange {
        title: match &file.from {
            Some(from) => format!("{from} → {}", file.path),
            None => file.path.clone(),
        },
        href,
        badge,
        lines: file
            .lines
            .into_iter()
            .map(|line| {
                let (kind, text) = match line {
                    Line::Place(text) => (DiffKind::Place, text),
                    Line::Added(text) => (DiffKind::Added, text),
                    Line::Removed(text) => (DiffKind::Removed, text),
                    Line::Kept(text) => (DiffKind::Kept, text),
                };
                DiffLine {
                    kind,
                    text: in_sight(&text),
                }
            })
            .collect(),
        note,
    }
}
