//! Folders.

use actix_web::HttpResponse;

use super::address::Revision;
use super::archive::offers;
use super::content::{self, is_markdown};
use super::markdown::{self, Around};
use super::{Desk, Spot, elsewhere, last_part, short};
use crate::db::PageRequest;
use crate::error::{Error, What};
use crate::git::browse::location::Location;
use crate::git::browse::tree::{Entry, Kind};
use crate::projects::{Project, frame};
use crate::web::lists;
use crate::web::page::PageCall;
use crate::web::views::code::{Content, EntryRow, Folder, Readme, TreePage};
use crate::web::views::sidebar::Place;

/// How much of a folder is on a page.
const ENTRIES: i64 = 200;

/// `GET /{full_path}/-/tree/…` (`ReadCode`): a folder of a branch, tag or commit.
///
/// # Errors
/// [`Error::NotFound`] for what isn't there and for what is hidden; [`Error::Unavailable`] when Git can't be run.
pub async fn show(call: PageCall) -> Result<HttpResponse, Error> {
    let desk = Desk::of(&call).await?;
    let Some(spot) = desk.spot().await? else {
        return call.ok(&TreePage {
            shell: frame::shell(&call, &desk.project, "Files", Place::Files),
            folder: None,
            overview: desk.overview(),
            archives: Vec::new(),
        });
    };
    let Some(folder) = folder(&desk, &spot).await? else {
        let Location { commit, path, .. } = &spot.location;
        return match desk.repository.entry(commit, path).await? {
            Some(entry) if entry.kind == Kind::Blob => Ok(elsewhere(
                &call,
                &desk.addresses.at("blob", &spot.revision, path),
            )),
            _ => Err(Error::NotFound(What::Tree)),
        };
    };
    call.ok(&TreePage {
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
    let request = PageRequest {
        page: desk.call.query.page("page"),
        per_page: ENTRIES,
    };
    let at = (!path.is_empty()).then_some(path.as_str());
    let Some(page) = desk.repository.tree(commit, at, false, request).await? else {
        return Ok(None);
    };
    let changes = desk.repository.latest_changes(commit, path).await?;
    let address = |page: &str, path: &str| desk.addresses.at(page, &spot.revision, path);
    let rows = page
        .rows
        .iter()
        .map(|entry| {
            let name = last_part(&entry.path);
            let (kind, icon, page) = match (entry.kind, entry.mode.as_str()) {
                (Kind::Tree, _) => ("Folder", "folder", Some("tree")),
                (Kind::Blob, "120000") => ("Link", "file", Some("blob")),
                (Kind::Blob, _) => ("File", "file", Some("blob")),
                (Kind::Commit, _) => ("Submodule", "project", None),
            };
            EntryRow {
                name: match entry.kind {
                    Kind::Commit => format!("{name} @ {}", short(&entry.id)),
                    _ => name.to_owned(),
                },
                href: page.map(|page| address(page, &entry.path)),
                icon,
                kind,
                latest: changes.get(name).map(|commit| desk.commit_line(commit)),
            }
        })
        .collect();
    Ok(Some(Folder {
        at: desk.whereabouts(spot, "tree", "tree").await?,
        latest: desk.latest(&spot.location).await?,
        history: address("commits", path),
        up: (!path.is_empty()).then(|| {
            let above = path.rsplit_once('/').map_or("", |(above, _)| above);
            address("tree", above)
        }),
        rows,
        readme: readme(desk, spot, &page.rows).await?,
        pagination: lists::foot("Files", &page, |number| {
            let kind = spot.revision.ref_type();
            lists::address(
                &desk.addresses.up_to("tree", &spot.revision, path),
                &[("ref_type", kind), ("page", &number.to_string())],
            )
        }),
    }))
}

async fn readme(desk: &Desk<'_>, spot: &Spot, entries: &[Entry]) -> Result<Option<Readme>, Error> {
    let files = entries
        .iter()
        .filter(|entry| entry.kind == Kind::Blob && entry.mode != "120000")
        .map(|entry| last_part(&entry.path));
    let Some(name) = content::readme(files) else {
        return Ok(None);
    };
    let path = match spot.location.path.as_str() {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    };
    let found = desk.repository.entry(&spot.location.commit, &path).await?;
    let Some(file) = found.filter(|file| file.size.is_some_and(|size| size > 0)) else {
        return Ok(None);
    };
    let content = match desk.repository.content(&file).await {
        Ok(bytes) => text(desk, spot, &path, bytes).await?,
        Err(Error::Refused(why)) => Content::Withheld(why),
        Err(error) => return Err(error),
    };
    Ok(Some(Readme {
        name: name.to_owned(),
        href: desk.addresses.at("blob", &spot.revision, &path),
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
        None => Content::Withheld(
            "This file is too large to be shown. Look at its raw text, or clone the repository."
                .into(),
        ),
    }
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
    let html = actix_web::web::block(move || markdown::render(&text, &around))
        .await
        .map_err(|error| Error::internal(error.into()))?;
    Ok(html.map(|html| html.as_str().to_owned()))
}
