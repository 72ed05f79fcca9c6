//! Code in the browser: `/{full_path}/-/tree`, `blob`, `raw`, `commits`, `commit`, `branches`, `tags` and `archive`,
//! and the part of a project's overview that shows its files.

mod address;
mod archive;
mod blob;
mod content;
mod history;
mod markdown;
mod markup;
mod raw;
mod references;
mod tree;

pub use archive::download;
pub use blob::show as blob;
pub use history::{commit, commits};
pub use raw::show as raw;
pub use references::{branches, tags};
pub use tree::{overview, show as tree};

use std::time::Duration;

use actix_web::HttpResponse;
use chrono::{DateTime, FixedOffset, Utc};

use self::address::{Addresses, Revision};
use super::access;
use super::browse::location::{Kind, Location};
use super::browse::log::Commit;
use super::browse::tree::{Entry, Kind as EntryKind};
use super::browse::{Opened, name};
use crate::error::{Error, What};
use crate::projects::Project;
use crate::projects::store::ProjectRef;
use crate::web::page::PageCall;
use crate::web::views::code::{CommitLine, RevisionLink, Step, Whereabouts};
use crate::web::views::components::Moment;

/// How many branches and tags one can switch to without looking for them.
const TO_SWITCH: usize = 10;

/// Says in an address that somebody switched to another branch or tag, which may not have what they were looking at.
const SWITCHED: &str = "switched";

/// Says in the address of a folder what is not there, in words of a path.
const MISSING: &str = "missing";

/// How long a page waits for what it can do without.
const PATIENCE: Duration = Duration::from_secs(3);

/// How much of the first line of a message is its title, in letters.
const LONGEST_TITLE: usize = 200;

/// A repository that a page looks into.
struct Desk<'a> {
    call: &'a PageCall,
    project: Project,
    repository: Opened,
    addresses: Addresses,
}

/// A place in it that is there.
struct Spot {
    location: Location,
    revision: Revision,
}

impl<'a> Desk<'a> {
    /// The project that a page is about, for who may read its code.
    ///
    /// # Errors
    /// [`Error::NotFound`] for everybody else: the address tells nothing.
    async fn of(call: &'a PageCall) -> Result<Desk<'a>, Error> {
        let name = ProjectRef::Path(call.segment("full_path").to_owned());
        let project = call
            .read(move |conn, ctx| match access::readable(conn, ctx, &name) {
                Err(Error::Forbidden(_)) => Err(Error::NotFound(What::Project)),
                found => found,
            })
            .await?;
        Desk::about(call, project).await
    }

    /// The same where the project is known already, and that its code may be read.
    async fn about(call: &'a PageCall, project: Project) -> Result<Desk<'a>, Error> {
        Ok(Desk {
            repository: Opened::open(&call.app, &call.ctx, &project).await?,
            addresses: Addresses::of(&project.full_path()),
            project,
            call,
        })
    }

    /// The place that the rest of the address means; nothing where the default branch isn't there and it names nothing
    /// else.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a revision that isn't there.
    async fn spot(&self) -> Result<Option<Spot>, Error> {
        let rest = self.call.decoded("rest");
        let rest = rest.trim_start_matches('/');
        let kind = Kind::parse(self.call.query.text("ref_type"));
        match self.repository.locate(rest, kind).await? {
            Some(location) => Ok(Some(Spot {
                revision: Revision {
                    name: location.revision.clone(),
                    kind,
                },
                location,
            })),
            None if kind.is_none() && is_default(rest, &self.project) => Ok(None),
            None => Err(Error::NotFound(What::Commit)),
        }
    }

    /// Where a page is. `page` shows folders on the way, `here` what other branches and tags are looked at with.
    async fn whereabouts(&self, spot: &Spot, page: &str, here: &str) -> Result<Whereabouts, Error> {
        let branches = self.repository.some_branches(TO_SWITCH).await?;
        let tags = self.repository.some_tags(TO_SWITCH).await?;
        let current = &spot.revision;
        let link = |revision: Revision| RevisionLink {
            current: revision.name == current.name
                && (revision.kind == Some(Kind::Tag)) == (current.kind == Some(Kind::Tag)),
            href: match spot.location.path.as_str() {
                "" => self.addresses.at(here, &revision, ""),
                path => self.addresses.with(here, &revision, path, (SWITCHED, "1")),
            },
            name: revision.name,
        };
        Ok(Whereabouts {
            revision: short_revision(&spot.location.revision),
            branches: branches
                .into_iter()
                .map(|name| link(Revision::branch(name)))
                .collect(),
            tags: tags
                .into_iter()
                .map(|name| link(Revision::tag(name)))
                .collect(),
            all_branches: self.addresses.list("branches"),
            all_tags: self.addresses.list("tags"),
            steps: self.steps(spot, page),
        })
    }

    /// What is said where there is nothing at a place: who switched to another branch or tag comes to the nearest folder
    /// that is there, and is told.
    ///
    /// # Errors
    /// `missing` for everybody else; [`Error::Unavailable`] when Git can't be run.
    async fn nothing_there(&self, spot: &Spot, missing: What) -> Result<HttpResponse, Error> {
        if !self.call.query.is_ticked(SWITCHED) {
            return Err(Error::NotFound(missing));
        }
        let Location { commit, path, .. } = &spot.location;
        let way = self.repository.way_to(commit, path).await?;
        let folder = nearest(path, &way);
        let address = self
            .addresses
            .with("tree", &spot.revision, folder, (MISSING, path));
        Ok(self.call.redirect(&address))
    }

    /// What somebody looked for in vain before they came to this folder, if that is so.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    async fn looked_for(&self, spot: &Spot) -> Result<Option<String>, Error> {
        let asked = self.call.query.text(MISSING);
        let Location { commit, path, .. } = &spot.location;
        let below = match path.as_str() {
            "" => Some(asked),
            folder => asked
                .strip_prefix(folder)
                .and_then(|rest| rest.strip_prefix('/')),
        };
        if below.is_none_or(str::is_empty) || !name::is_path(asked) {
            return Ok(None);
        }
        let found = self.repository.entry(commit, asked).await?;
        Ok(found.is_none().then(|| asked.to_owned()))
    }

    fn steps(&self, spot: &Spot, page: &str) -> Vec<Step> {
        let path = &spot.location.path;
        let mut steps = vec![Step {
            label: self.project.path.clone(),
            href: Some(self.addresses.at(page, &spot.revision, "")),
        }];
        for (at, _) in path.match_indices('/').chain([(path.len(), "")]) {
            let above = path.get(..at).unwrap_or_default();
            if !above.is_empty() {
                steps.push(Step {
                    label: last_part(above).to_owned(),
                    href: Some(self.addresses.at(page, &spot.revision, above)),
                });
            }
        }
        if let Some(last) = steps.last_mut() {
            last.href = None;
        }
        steps
    }

    fn commit_line(&self, commit: &Commit) -> CommitLine {
        CommitLine {
            title: title(&commit.message),
            href: self.addresses.commit(&commit.id),
            short_id: short(&commit.id),
            id: commit.id.clone(),
            author: commit.author.name.clone(),
            at: self.moment(commit.committer.at),
        }
    }

    fn moment(&self, at: DateTime<FixedOffset>) -> Moment {
        Moment::at(at.with_timezone(&Utc), self.call.ctx.now)
    }

    /// The last commit that changed what lies at a place, if that can be told soon.
    async fn latest(&self, location: &Location) -> Option<CommitLine> {
        let look = async {
            let Location { commit, path, .. } = location;
            match self.repository.last_change(commit, path).await? {
                Some(id) => self.repository.commit(&id).await,
                None => Ok(None),
            }
        };
        let commit = soon(look).await.flatten()?;
        Some(self.commit_line(&commit))
    }

    /// What is shown where the default branch isn't there: that there is nothing, or which branches there are.
    async fn without_default(&self, page: &impl askama::Template) -> Result<HttpResponse, Error> {
        if self.repository.is_empty().await? {
            self.call.ok(page)
        } else {
            Ok(self.call.redirect(&self.addresses.list("branches")))
        }
    }

    fn overview(&self) -> String {
        format!("/{}", self.project.full_path())
    }
}

/// The deepest of the folders on the way to a path; the top where none of them is there.
fn nearest<'a>(path: &'a str, way: &[Entry]) -> &'a str {
    path.rmatch_indices('/')
        .filter_map(|(at, _)| path.get(..at))
        .find(|above| {
            way.iter()
                .any(|entry| entry.kind == EntryKind::Tree && entry.path == *above)
        })
        .unwrap_or_default()
}

/// Does the rest of an address mean no more than the default branch?
fn is_default(rest: &str, project: &Project) -> bool {
    matches!(rest, "" | "HEAD") || rest == project.default_branch
}

/// What a page can do without: nothing if it takes long or fails.
async fn soon<T>(work: impl Future<Output = Result<T, Error>>) -> Option<T> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(done)) => Some(done),
        Ok(Err(error)) => {
            tracing::warn!(%error, "A part of a page could not be shown");
            None
        }
        Err(_) => None,
    }
}

/// The first line of a message, as far as a line of a page holds it.
fn title(message: &str) -> String {
    let first = message.trim_start().lines().next().unwrap_or_default();
    if first.trim().is_empty() {
        return "(no message)".into();
    }
    match first.char_indices().nth(LONGEST_TITLE) {
        Some((end, _)) => format!("{}…", first.get(..end).unwrap_or(first)),
        None => first.to_owned(),
    }
}

/// What stands below the first line; all of the message if the title couldn't hold that line.
fn body(message: &str) -> String {
    let message = message.trim_start();
    let (first, body) = message.split_once('\n').unwrap_or((message, ""));
    let body = if first.chars().nth(LONGEST_TITLE).is_some() {
        message
    } else {
        body
    };
    body.trim_matches('\n').trim_end().to_owned()
}

fn short(id: &str) -> String {
    id.chars().take(8).collect()
}

/// Ids of commits are told by their beginning.
fn short_revision(revision: &str) -> String {
    if name::is_id(revision) {
        short(revision)
    } else {
        revision.to_owned()
    }
}

/// The name of what lies at a path.
fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}
