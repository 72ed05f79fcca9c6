//! Looking into a repository: branches and tags, trees, files, and the history. Git itself looks; every name from a
//! request is checked before Git sees it, and no shell ever does.

pub mod archive;
pub mod latest;
pub mod location;
pub mod log;
pub mod name;
pub mod patch;
pub mod references;
pub(in crate::git) mod run;
pub mod tree;

use std::path::{Path, PathBuf};
use std::process::Command;

use super::access;
use super::limits::{Caller, Turn};
use super::process::Later;
use super::program::Git;
use super::repository;
use crate::app::App;
use crate::context::Context;
use crate::error::Error;
use crate::projects::Project;
use crate::projects::store::ProjectRef;
use run::run;

/// Answers of a few lines, in bytes.
const SMALL: usize = 1024 * 1024;

/// Tells again and again, while something is sent, whether the caller still may read the code of this project.
pub(in crate::git) fn still_may_read(
    app: &App,
    ctx: &Context,
    project_id: i64,
) -> Box<dyn Fn() -> Later<bool>> {
    let (app, ctx) = (app.clone(), ctx.clone());
    Box::new(move || {
        let (app, ctx) = (app.clone(), ctx.clone());
        Box::pin(async move {
            let looked = app
                .db
                .read(move |conn| {
                    let ctx = ctx.refreshed(conn)?;
                    access::readable(conn, &ctx, &ProjectRef::Id(project_id)).map(|_| ())
                })
                .await;
            // An outage of the database is no reason to end what goes on.
            !matches!(
                looked,
                Err(Error::Unauthenticated(_) | Error::Forbidden(_) | Error::NotFound(_))
            )
        })
    })
}

/// A repository that somebody looks into, in their turn.
pub struct Opened {
    git: Git,
    path: PathBuf,
    default_branch: String,
    turn: Turn,
}

impl Opened {
    /// Waits for a turn, and sees to it that the repository is there.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there are too many, or the disk doesn't do it; [`Error::NotFound`] when the project
    /// went meanwhile.
    pub async fn open(app: &App, ctx: &Context, project: &Project) -> Result<Opened, Error> {
        let caller = match (ctx.actor.token(), ctx.actor.user_id()) {
            (Some(token), _) => Caller::Token(token.id),
            (None, Some(user_id)) => Caller::Person(user_id),
            (None, None) => Caller::Nobody(ctx.actor.origin.ip),
        };
        let turn = app.git_turns.take(caller).await?;
        let path = repository::open(app, project).await?;
        Ok(Opened {
            git: app.repositories.git().clone(),
            path,
            default_branch: project.default_branch.clone(),
            turn,
        })
    }

    /// Where it lies.
    pub(in crate::git) fn path(&self) -> &Path {
        &self.path
    }

    /// The turn, for a run that goes on after this.
    pub(in crate::git) fn into_turn(self) -> Turn {
        self.turn
    }

    /// A run of this subcommand. Paths are taken as they are written.
    pub(in crate::git) fn command(&self, subcommand: &str) -> Command {
        let mut command = self.git.command(&self.path);
        command.env("GIT_LITERAL_PATHSPECS", "1").arg(subcommand);
        command
    }

    /// The commit that a request means by a revision; the default branch if it names none.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn resolve(&self, revision: Option<&str>) -> Result<Option<String>, Error> {
        let candidates = name::candidates(revision.unwrap_or("HEAD"), &self.default_branch);
        let found = self.commits_of(&candidates).await?;
        Ok(found.into_iter().flatten().next())
    }

    /// The commits behind these names, each of which was checked, in their order.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn commits_of(&self, names: &[String]) -> Result<Vec<Option<String>>, Error> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = self.command("cat-file");
        command.arg("--batch-check=%(objectname) %(objecttype)");
        let asked: String = names
            .iter()
            .map(|name| format!("{name}^{{commit}}\n"))
            .collect();
        let output = run(command, asked.into_bytes(), SMALL)
            .await?
            .or_unavailable()?;
        let lines = String::from_utf8_lossy(&output);
        let mut found = lines.lines().map(|line| {
            let id = line.strip_suffix(" commit")?;
            name::is_id(id).then(|| id.to_owned())
        });
        Ok(names.iter().map(|_| found.next().flatten()).collect())
    }
}
