//! A push: refused by its commands alone, or handed to Git, which asks at the gate before it changes anything.

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{HttpResponse, rt};
use futures_core::Stream;
use futures_util::StreamExt as _;
use tokio::sync::Notify;

use super::caller::Caller;
use super::input::Input;
use super::keeper::{Keeper, note_rest};
use super::serve::Run;
use super::{GitCall, answers};
use crate::app::App;
use crate::error::Error;
use crate::git::access::Granted;
use crate::git::gate::{self, Gate};
use crate::git::process::End;
use crate::git::push::{Command, Commands, Refusal, Unreadable, refusal};
use crate::git::{Service, accept, quarantine, report, upkeep};
use crate::projects::Project;

/// All commands have come after so long.
const COMMANDS: Duration = Duration::from_secs(60);

/// What may come beside the pack itself, in bytes.
const BESIDE: u64 = 2 * 1024 * 1024;

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
        environment.extend(quarantine::environment(&folder));
        let (app, ctx) = (call.app.clone(), caller.ctx.clone());
        let asked = Rc::<Cell<bool>>::default();
        let over = Rc::new(Notify::new());
        let keeper = Keeper {
            app: app.clone(),
            ctx: ctx.clone(),
            caller: caller.clone(),
            asked: Rc::clone(&asked),
            over: Rc::clone(&over),
            project: project.clone(),
            all_or_nothing: commands.can("atomic"),
        };
        let kept = Kept(rt::spawn(keeper.keep(gate.gate)));
        run = run.at_end(move |end| {
            Box::pin(async move {
                if !matches!(end, End::Done { .. }) {
                    // Nobody needs to know any more what is in it.
                    over.notify_one();
                }
                let address = (&project).into();
                let held_back = quarantine::made(&folder, &app.repositories.path(address));
                // Where Git had nothing to ask, nobody waits for a question; what was begun comes to its end.
                if !asked.get() {
                    kept.0.abort();
                }
                let accepted = kept.ended().await;
                if let Err(error) = quarantine::remove(held_back).await {
                    tracing::warn!(%error, "What a push was about to bring could not be removed");
                }
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

/// Whoever answers at the gate. Where Git never came to ask, because it couldn't be started, nobody waits for it.
struct Kept(rt::task::JoinHandle<Option<(Vec<Command>, Gate)>>);

impl Kept {
    /// What was let through, when all is answered.
    async fn ended(mut self) -> Option<(Vec<Command>, Gate)> {
        (&mut self.0).await.ok().flatten()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Does nothing where it has ended.
        self.0.abort();
    }
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
