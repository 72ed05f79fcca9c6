//! Who answers at the gate of a push, and what is written into the trail about it.

use std::cell::Cell;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use actix_web::web;
use tokio::sync::Notify;

use super::caller::Caller;
use super::leaked;
use crate::app::App;
use crate::context::Context;
use crate::error::Error;
use crate::git::gate::{self, Gate, Question};
use crate::git::leaks::Incoming;
use crate::git::program::Git;
use crate::git::push::Command;
use crate::git::stop::Stop;
use crate::git::{Service, accept};
use crate::projects::Project;

const NOT_NOW: &str =
    "Latchkey can't take this push at the moment. Nothing was changed; try again soon.";

/// Who answers at the gate.
pub(super) struct Keeper {
    pub(super) app: App,
    pub(super) ctx: Context,
    pub(super) caller: Caller,
    /// Has Git asked?
    pub(super) asked: Rc<Cell<bool>>,
    /// Rung when the push has ended before its end.
    pub(super) over: Rc<Notify>,
    pub(super) project: Project,
    /// Does the client want nothing changed if something can't be?
    pub(super) all_or_nothing: bool,
}

impl Keeper {
    /// Answers the one question that Git has. Tells what was let through, and gives the gate back: its folder has to
    /// last as long as the hooks.
    pub(super) async fn keep(self, mut gate: Gate) -> Option<(Vec<Command>, Gate)> {
        let question = match gate.question().await {
            Ok(question) => {
                self.asked.set(true);
                question
            }
            Err(error) => {
                tracing::error!(%error, "The hook of a push asked something odd");
                return None;
            }
        };
        let looking = async {
            self.look_for_tokens(&question).await?;
            self.what_git_will_change(&question).await
        };
        let looked = tokio::select! {
            looked = looking => looked,
            // Nothing was let through yet. From here on it is, or it isn't, but it is written down.
            () = self.over.notified() => return None,
        };
        let verdict = match looked {
            Ok(changing) => self.judge(changing.clone()).await.map(|()| changing),
            Err(why) => Err(why),
        };
        let answered = match &verdict {
            Ok(_) => gate.open().await,
            Err(why) => gate.shut(why).await,
        };
        if let Err(error) = answered {
            tracing::error!(%error, "The hook of a push could not be answered");
        }
        Some((verdict.unwrap_or_default(), gate))
    }

    /// Without what Git refuses in any case: to rewrite a protected branch. That is Git's to tell, and no event.
    async fn what_git_will_change(&self, question: &Question) -> Result<Vec<Command>, String> {
        let (repositories, asked) = (self.app.repositories.clone(), question.clone());
        let (address, protected) = (
            (&self.project).into(),
            accept::protected_branch(&self.project),
        );
        let stop = Stop::default();
        let _ends_with_this = stop.when_dropped();
        let rewrites = web::block(move || {
            let path = repositories.path(address);
            let incoming = Incoming::new(repositories.git(), &path, &asked, &stop);
            for command in asked.commands.iter().filter(|one| one.name == protected) {
                if !incoming.only_adds(command)? {
                    return Ok(true);
                }
            }
            Ok::<bool, io::Error>(false)
        })
        .await
        .map_err(io::Error::other)
        .flatten()
        .map_err(|error| {
            // A guess would leave something out of the trail that Git may then change.
            tracing::error!(%error, "Nobody knows what a push would change");
            NOT_NOW.to_owned()
        })?;
        let protected = accept::protected_branch(&self.project);
        let commands = question.commands.iter().cloned();
        Ok(match (rewrites, self.all_or_nothing) {
            (false, _) => commands.collect(),
            (true, true) => Vec::new(),
            (true, false) => commands
                .filter(|command| command.name != protected)
                .collect(),
        })
    }

    /// Refuses what brings along a token that works.
    async fn look_for_tokens(&self, question: &Question) -> Result<(), String> {
        if !self.ctx.policy.settings.refuse_pushed_tokens {
            return Ok(());
        }
        let found = leaked::find(&self.app, &self.ctx, &self.project, question).await;
        match found {
            Ok(leaks) if leaks.is_empty() => Ok(()),
            Ok(leaks) => Err(leaked::tell(&leaks)),
            Err(error) => {
                if let Some(why) = leaked::unsearchable(&error) {
                    return Err(why.to_string());
                }
                tracing::error!(cause = ?error, "A push could not be looked through for tokens");
                Err(NOT_NOW.to_owned())
            }
        }
    }

    async fn judge(&self, commands: Vec<Command>) -> Result<(), String> {
        let (caller, project_id) = (self.caller.clone(), self.project.id);
        let accepted = self
            .app
            .db
            .write(move |conn| {
                // The token as it is at this moment: it may have been revoked while the push came in.
                let ctx = caller.now(conn)?;
                accept::accept(conn, &ctx, project_id, &commands)
            })
            .await;
        accepted.map_err(|error| match error {
            Error::Forbidden(Some(why)) => why,
            Error::Unauthenticated(_) | Error::NotFound(_) | Error::Forbidden(None) => {
                Service::ReceivePack.not_allowed().to_owned()
            }
            error => {
                tracing::error!(cause = ?error, "A push could not be written down");
                NOT_NOW.to_owned()
            }
        })
    }
}

/// The trail says what was let through; what Git then didn't change is said as well.
pub(super) async fn note_rest(
    app: &App,
    ctx: Context,
    project: Project,
    accepted: Vec<Command>,
    folder: PathBuf,
) {
    if accepted.is_empty() {
        return;
    }
    let (repositories, address) = (app.repositories.clone(), (&project).into());
    let rest = web::block(move || {
        // A push that was cut off comes to no second hook; then it is seen by what is there.
        let changed = match gate::changed(&folder) {
            Some(changed) => changed,
            None => {
                let there = references(repositories.git(), &repositories.path(address))?;
                let is_there = |command: &&Command| match there.get(&command.name) {
                    Some(id) => *id == command.new,
                    None => command.deletes(),
                };
                accepted.iter().filter(is_there).cloned().collect()
            }
        };
        let rest = accepted
            .into_iter()
            .filter(|command| !changed.contains(command));
        Ok::<Vec<Command>, io::Error>(rest.collect())
    })
    .await;
    let rest = match rest {
        Ok(Ok(rest)) if rest.is_empty() => return,
        Ok(Ok(rest)) => rest,
        Ok(Err(error)) => {
            return tracing::error!(%error, "Nobody knows what a push changed");
        }
        Err(error) => return tracing::error!(%error, "Nobody knows what a push changed"),
    };
    let noted = app
        .db
        .write(move |conn| accept::note_unchanged(conn, &ctx, &project, &rest))
        .await;
    if let Err(error) = noted {
        tracing::error!(cause = ?error, "What a push did not change could not be written down");
    }
}

/// All references of a repository, with what they point to.
fn references(git: &Git, repository: &Path) -> io::Result<HashMap<String, String>> {
    let mut command = git.command(repository);
    let output = command
        .args(["for-each-ref", "--format=%(objectname) %(refname)"])
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other("git could not list the references"));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    Ok(lines
        .map(|(id, name)| (name.to_owned(), id.to_owned()))
        .collect())
}
