//! Folders.

use std::time::{Duration, Instant};

use actix_web::HttpResponse;

use super::address::Revision;
use super::archive::offers;
use super::content::{self, Sort, is_markdown};
use super::markdown::{self, Around};
use super::{Desk, Spot, last_part, short, soon};
use crate::db::PageRequest;
use crate::error::{Error, What};
use crate::git::browse::latest::LatestChanges;
use crate::git::browse::location::Location;
use crate::git::browse::tree::{Entry, Kind, cut_out};
use crate::projects::{Project, frame};
use crate::web::lists;
use crate::web::page::PageCall;
use crate::web::views::code::{Content, EntryRow, Folder, Readme, TreePage};
use crate::web::views::sidebar::Place;

/// How much of a folder is on a page.
const ENTRIES: u64 = 200;

/// How long it may take to read a text as Markdown.
const DRAWING: Duration = Duration::from_secs(1);

/// `GET /{full_path}/-/tree/…` (`ReadCode`): a folder of a branch, tag or commit.
///
/// # Errors
/// [`Error::NotFound`] for what isn't there and for what is hidden; [`Error::Unavailable`] when Git can't be run.
pub async fn show(call: PageCall) -> Result<HttpResponse, Error> {
    let desk = Desk::of(&call).await?;
    let Some(spot) = desk.spot().await? else {
        let nothing = TreePage {
            shell: frame::shell(&call, &desk.project, "Files", Place::Files),
            folder: None,
            missing: None,
            overview: desk.overview(),
            archives: Vec::new(),
        };
        return desk.without_default(&nothing).await;
    };
    let Some(folder) = folder(&desk, &spot).await? else {
        let Location { commit, path, .. } = &spot.location;
        return match desk.repository.entry(commit, path).await? {
            Some(entry) if entry.kind == Kind::Blob => {
                Ok(call.redirect(&desk.addresses.at("blob", &spot.revision, path)))
            }
            _ => desk.nothing_there(&spot, What::Tree).await,
        };
    };
    call.ok(&TreePage {
        missing: desk.looked_for(&spot).await?,
        shell: frame::shell(&call, &desk.project, &page_title(&spot), Place::Files),
        folder: Some(folder),
        overview: desk.overview(),
        archives: offers(&desk, &spot.revision),
    })
}

fn page_title(spot: &Spot) -> String {
    match spot.location.path.as_str() {
        "" => "Files".into(),
        path => path.to_owned(),
    }
}

/// What the overview of a project shows of its code, to whoever may read it: the files of the default branch. Nothing
/// while nobody pushed anything there.
///
/// # Errors
/// [`Error::Unavailable`] when Git can't be run.
pub async fn overview(call: &PageCall, project: &Project) -> Result<Option<Folder>, Error> {
    let desk = Desk::about(call, project.clone()).await?;
    let Some(location) = desk.repository.locate("", None).await? else {
        return Ok(None);
    };
    let revision = Revision::named(&location.revision);
    folder(&desk, &Spot { location, revision }).await
}

/// Nothing if there is no folder at this place.
async fn folder(desk: &Desk<'_>, spot: &Spot) -> Result<Option<Folder>, Error> {
    let Location { commit, path, .. } = &spot.location;
    let Some((entries, whole)) = desk.repository.folder(commit, path).await? else {
        return Ok(None);
    };
    let readme = match readme_of(&entries) {
        Some(name) => readme(desk, spot, name.to_owned()).await?,
        None => None,
    };
    let last = u64::try_from(entries.len())
        .unwrap_or(1)
        .div_ceil(ENTRIES)
        .max(1);
    let request = PageRequest {
        page: desk
            .call
            .query
            .page("page")
            .min(i64::try_from(last).unwrap_or(1)),
        per_page: i64::try_from(ENTRIES).unwrap_or(100),
    };
    let page = cut_out(entries, whole, request);
    let names = page
        .rows
        .iter()
        .map(|entry| last_part(&entry.path))
        .collect();
    let looking = desk.repository.latest_changes(commit, path, &names);
    let changes = soon(looking).await.unwrap_or_default();
    let address = |page: &str, path: &str| desk.addresses.at(page, &spot.revision, path);
    let latest = match changes.newest() {
        Some(commit) => Some(desk.commit_line(commit)),
        None => desk.latest(&spot.location).await,
    };
    Ok(Some(Folder {
        at: desk.whereabouts(spot, "tree", "tree").await?,
        latest,
        history: address("commits", path),
        up: (!path.is_empty()).then(|| {
            let above = path.rsplit_once('/').map_or("", |(above, _)| above);
            address("tree", above)
        }),
        rows: page
            .rows
            .iter()
            .map(|entry| row(desk, spot, entry, &changes))
            .collect(),
        readme,
        pagination: lists::foot("Files", &page, |number| {
            let number = number.to_string();
            desk.addresses
                .with("tree", &spot.revision, path, ("page", &number))
        }),
    }))
}

fn row(desk: &Desk<'_>, spot: &Spot, entry: &Entry, changes: &LatestChanges) -> EntryRow {
    let name = last_part(&entry.path);
    let (kind, icon, page) = match (entry.kind, entry.mode.as_str()) {
        (Kind::Tree, _) => ("Folder", "folder", Some("tree")),
        (Kind::Blob, "120000") => ("Link", "file", Some("blob")),
        (Kind::Blob, _) => ("File", "file", Some("blob")),
        (Kind::Commit, _) => ("Submodule", "project", None),
    };
    // A name that isn't UTF-8 stands in no address.
    let page = page.filter(|_| !name.contains(char::REPLACEMENT_CHARACTER));
    EntryRow {
        name: match entry.kind {
            Kind::Commit => format!("{name} @ {}", short(&entry.id)),
            _ => name.to_owned(),
        },
        href: page.map(|page| desk.addresses.at(page, &spot.revision, &entry.path)),
        icon,
        kind,
        latest: changes.of(name).map(|commit| desk.commit_line(commit)),
    }
}

/// Of all files of a folder the one that tells what it is about.
fn readme_of(entries: &[Entry]) -> Option<&str> {
    content::readme(
        entries
            .iter()
            .filter(|entry| entry.kind == Kind::Blob && entry.mode != "120000")
            .map(|entry| last_part(&entry.path)),
    )
}

async fn readme(desk: &Desk<'_>, spot: &Spot, name: String) -> Result<Option<Readme>, Error> {
    let path = match spot.location.path.as_str() {
        "" => name.clone(),
        folder => format!("{folder}/{name}"),
    };
    let found = desk.repository.entry(&spot.location.commit, &path).await?;
    let Some(file) = found.filter(|file| file.size.is_some_and(|size| size > 0)) else {
        return Ok(None);
    };
    let content = if file.size.is_some_and(|size| size > content::LONGEST as u64) {
        too_large()
    } else {
        let bytes = desk.repository.content(&file).await?;
        match Sort::of(&name, &bytes) {
            Sort::Text | Sort::OldText => text(desk, spot, &path, bytes).await?,
            Sort::Picture(_) | Sort::Other => return Ok(None),
        }
    };
    Ok(Some(Readme {
        href: desk.addresses.at("blob", &spot.revision, &path),
        name,
        content,
    }))
}

/// A text as it is meant to be read: drawn if it is Markdown, line by line otherwise.
pub(super) async fn text(
    desk: &Desk<'_>,
    spot: &Spot,
    path: &str,
    bytes: Vec<u8>,
) -> Result<Content, Error> {
    if is_markdown(path)
        && let Some(html) = drawn(desk, spot, path, &bytes).await?
    {
        return Ok(Content::Rendered(html));
    }
    Ok(plain(&bytes))
}

/// A text as it was written.
pub(super) fn plain(bytes: &[u8]) -> Content {
    match content::lines(bytes) {
        Some(lines) if lines.is_empty() => Content::Empty,
        Some(lines) => Content::Text(lines),
        None => too_large(),
    }
}

/// What is said in place of a text that nobody would read here.
pub(super) fn too_large() -> Content {
    let why = "This file is too large to be shown. Look at its raw text, or clone the repository.";
    Content::Withheld(why.into())
}

async fn drawn(
    desk: &Desk<'_>,
    spot: &Spot,
    path: &str,
    bytes: &[u8],
) -> Result<Option<String>, Error> {
    let Ok(text) = String::from_utf8(bytes.to_vec()) else {
        return Ok(None);
    };
    let top = |page: &str| format!("{}/", desk.addresses.up_to(page, &spot.revision, ""));
    let around = Around {
        pages: top("blob"),
        raw: top("raw"),
        folder: path
            .rsplit_once('/')
            .map(|(folder, _)| format!("{}/", super::address::encoded(folder)))
            .unwrap_or_default(),
        query: spot.revision.query().trim_start_matches('?'),
    };
    let deadline = Instant::now() + DRAWING;
    let html = actix_web::web::block(move || {
        markdown::render(&text, &around, &|| Instant::now() > deadline)
    })
    .await
    .map_err(|error| Error::internal(error.into()))?;
    Ok(html.map(|html| html.as_str().to_owned()))
}
