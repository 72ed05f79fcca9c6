//! A push: refused by its commands alone, or handed to Git, which asks at the gate before it changes anything.

use std::cell::Cell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::{self, Bytes, BytesMut};
use actix_web::{HttpResponse, rt};
use futures_core::Stream;
use futures_util::StreamExt as _;

use super::caller::Caller;
use super::input::Input;
use super::serve::Run;
use super::{GitCall, answers, leaked};
use crate::app::App;
use crate::context::Context;
use crate::error::Error;
use crate::git::access::Granted;
use crate::git::gate::{self, Gate, Question};
use crate::git::leaks::{Incoming, TooMany};
use crate::git::program::Git;
use crate::git::push::{Command, Commands, Refusal, Unreadable, refusal};
use crate::git::{Service, accept, report, upkeep};
use crate::projects::Project;

/// All commands have come after so long.
const COMMANDS: Duration = Duration::from_secs(60);

/// What may come beside the pack itself, in bytes.
const BESIDE: u64 = 2 * 1024 * 1024;

const NOT_NOW: &str =
    "Latchkey can't take this push at the moment. Nothing was changed; try again soon.";

/// Of what is beyond the limit, at least so much is read in vain, in bytes.
const IN_VAIN: u64 = 1024 * 1024 * 1024;

/// The longest silence before all commands have come.
const IDLE: Duration = Duration::from_secs(30);

/// Answers a push that may be made.
pub(super) async fn push(
    mut call: GitCall,
    caller: Caller,
    granted: Granted,
) -> Result<HttpResponse, Error> {
    let limit = u64::from(caller.ctx.policy.settings.git_push_limit_bytes);
    let announced = call
        .header(header::CONTENT_LENGTH)
        .and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|size| size > limit + BESIDE) {
        return Ok(answers::too_large(limit));
    }
    let mut input = Input::of(&mut call, limit + BESIDE).patient(limit.max(IN_VAIN));
    let (commands, read) = read_commands(&mut input).await?;
    let project = granted.project.clone();
    let protected = accept::protected_branch(&project);
    let reason = |command: &Command| refusal(command, &protected, granted.maintains);
    if commands
        .list
        .iter()
        .any(|command| reason(command).is_some())
    {
        let patience = call.app.git_times.whole;
        return Ok(refused(&commands, &project, reason, input, patience).await);
    }
    let mut run = Run::new(&call, &caller, granted, Service::ReceivePack).await?;
    let mut settings = vec![
        "receive.fsckObjects=true".to_owned(),
        "receive.unpackLimit=1".to_owned(),
        "receive.autogc=false".to_owned(),
        format!("receive.maxInputSize={limit}"),
    ];
    if commands.touch(&protected) {
        settings.push("receive.denyNonFastForwards=true".to_owned());
        settings.push("receive.denyDeletes=true".to_owned());
    }
    let mut environment = Vec::new();
    if !commands.list.is_empty() {
        let gate = open_gate(&call.app)?;
        settings.push(format!("core.hooksPath={}", gate.hooks.display()));
        let folder = gate.gate.path().to_owned();
        environment.push((gate::VARIABLE, folder.clone().into_os_string()));
        let (app, ctx) = (call.app.clone(), caller.ctx.clone());
        let asked = Rc::<Cell<bool>>::default();
        let keeper = Keeper {
            app: app.clone(),
            ctx: ctx.clone(),
            caller: caller.clone(),
            asked: Rc::clone(&asked),
            project: project.clone(),
            all_or_nothing: commands.can("atomic"),
        };
        let kept = rt::spawn(keeper.keep(gate.gate));
        run = run.at_end(move |_| {
            Box::pin(async move {
                // Where Git had nothing to ask, nobody waits for a question; what was begun comes to its end.
                if !asked.get() {
                    kept.abort();
                }
                let accepted = kept.await.ok().flatten();
                let address = (&project).into();
                if let Some((accepted, _folder)) = accepted {
                    note_rest(&app, ctx, project, accepted, folder).await;
                }
                rt::spawn(async move { upkeep::after_push(&app, address).await });
            })
        });
    }
    let read = futures_util::stream::iter([Ok(read)]);
    let output = run
        .told(settings, environment)
        .answer(Box::pin(read.chain(input)))?;
    Ok(answers::result(Service::ReceivePack).streaming(output))
}

/// Reads until all commands are there: they, and the bytes that came.
async fn read_commands(input: &mut Input) -> Result<(Commands, Bytes), Error> {
    let (mut read, mut commands) = (BytesMut::new(), Commands::default());
    let all = async {
        loop {
            match commands.go_on(&read) {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(Unreadable::Malformed) => return Err("This is not a push."),
                Err(Unreadable::TooMany) => {
                    return Err("This push changes more references than one push may.");
                }
            }
            match next(input).await {
                Some(piece) => read.extend_from_slice(&piece),
                None => return Err("This push broke off."),
            }
        }
    };
    match tokio::time::timeout(COMMANDS, all).await {
        Ok(Ok(())) => Ok((commands, read.freeze())),
        Ok(Err(why)) => Err(Error::Parameter(why.into())),
        Err(_) => Err(Error::Parameter(
            "This push takes too long to begin.".into(),
        )),
    }
}

/// The next piece; nothing at the end, when it broke off, and when it takes too long.
async fn next(input: &mut Input) -> Option<Bytes> {
    let piece = poll_fn(|cx| Pin::new(&mut *input).poll_next(cx));
    tokio::time::timeout(IDLE, piece).await.ok()??.ok()
}

/// The answer to a push of which something is refused: nothing of it happens.
async fn refused(
    commands: &Commands,
    project: &Project,
    reason: impl Fn(&Command) -> Option<Refusal>,
    mut input: Input,
    patience: Duration,
) -> HttpResponse {
    // The client listens only after it has said everything, for which nobody waits for ever.
    let _ = tokio::time::timeout(patience, async {
        while next(&mut input).await.is_some() {}
    })
    .await;
    let mut told = Vec::new();
    let reasons: Vec<Option<Refusal>> = commands.list.iter().map(&reason).collect();
    if reasons.contains(&Some(Refusal::Protected)) {
        told.push(format!(
            "You are not allowed to push code to protected branches on this project: {} takes a Maintainer.",
            project.default_branch
        ));
    }
    if reasons.contains(&Some(Refusal::Deletion)) {
        told.push(format!(
            "The default branch of a project cannot be deleted: {}.",
            project.default_branch
        ));
    }
    let by_name = |name: &str| {
        let command = commands.list.iter().find(|command| command.name == name)?;
        reason(command).map(Refusal::reason)
    };
    let report = report::refusing(commands, by_name, "another reference was refused", &told);
    answers::result(Service::ReceivePack).body(report)
}

struct Opened {
    gate: Gate,
    hooks: PathBuf,
}

fn open_gate(app: &App) -> Result<Opened, Error> {
    let root = app.repositories.root();
    let opened = (|| {
        let hooks = gate::hooks(root)?;
        Ok(Opened {
            gate: Gate::new(root)?,
            hooks,
        })
    })();
    opened.map_err(|error: io::Error| {
        Error::unavailable(anyhow::Error::new(error).context("no gate for a push"))
    })
}

/// Who answers at the gate.
struct Keeper {
    app: App,
    ctx: Context,
    caller: Caller,
    /// Has Git asked?
    asked: Rc<Cell<bool>>,
    project: Project,
    /// Does the client want nothing changed if something can't be?
    all_or_nothing: bool,
}

impl Keeper {
    /// Answers the one question that Git has. Tells what was let through, and gives the gate back: its folder has to
    /// last as long as the hooks.
    async fn keep(self, mut gate: Gate) -> Option<(Vec<Command>, Gate)> {
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
        let mut changing = Vec::new();
        let mut verdict = self.look_for_tokens(&question).await;
        if verdict.is_ok() {
            changing = self.what_git_will_change(&question).await;
            verdict = self.judge(changing.clone()).await;
        }
        let answered = match &verdict {
            Ok(()) => gate.open().await,
            Err(why) => gate.shut(why).await,
        };
        if let Err(error) = answered {
            tracing::error!(%error, "The hook of a push could not be answered");
        }
        let accepted = match verdict {
            Ok(()) => changing,
            Err(_) => Vec::new(),
        };
        Some((accepted, gate))
    }

    /// Without what Git refuses in any case: to rewrite a protected branch. That is Git's to tell, and no event.
    async fn what_git_will_change(&self, question: &Question) -> Vec<Command> {
        let (repositories, asked) = (self.app.repositories.clone(), question.clone());
        let (address, protected) = (
            (&self.project).into(),
            accept::protected_branch(&self.project),
        );
        let rewrites = web::block(move || {
            let path = repositories.path(address);
            let incoming = Incoming::new(repositories.git(), &path, &asked);
            let mut touching = asked
                .commands
                .iter()
                .filter(|command| command.name == protected);
            touching.any(|command| !incoming.only_adds(command).unwrap_or(true))
        })
        .await
        .unwrap_or(false);
        let protected = accept::protected_branch(&self.project);
        let commands = question.commands.iter().cloned();
        match (rewrites, self.all_or_nothing) {
            (false, _) => commands.collect(),
            (true, true) => Vec::new(),
            (true, false) => commands
                .filter(|command| command.name != protected)
                .collect(),
        }
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
            Err(Error::Unavailable(cause)) if is_too_many(&cause) => {
                Err("This push contains too much that looks like access tokens.".to_owned())
            }
            Err(error) => {
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

fn is_too_many(cause: &anyhow::Error) -> bool {
    let cause = cause.downcast_ref::<io::Error>();
    cause
        .and_then(io::Error::get_ref)
        .is_some_and(|inner| inner.is::<TooMany>())
}

/// The trail says what was let through; what Git then didn't change is said as well.
async fn note_rest(
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
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    Ok(lines
        .map(|(id, name)| (name.to_owned(), id.to_owned()))
        .collect())
}
