//! A run of Git for a request: which command, in whose turn, watched by whom.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use actix_web::web::Bytes;

use super::GitCall;
use super::caller::Caller;
use crate::error::Error;
use crate::git::access::Granted;
use crate::git::limits::{Times, Turn};
use crate::git::process::{self, End, Later, Output};
use crate::git::{Service, program::Git, repository};

/// What Git is told when it serves, beside what it always is.
const SERVING: [&str; 4] = [
    "uploadpack.allowFilter=true",
    // What version 2 of the protocol allows anyhow: a partial clone asks for objects by their ids.
    "uploadpack.allowAnySHA1InWant=true",
    // A word a second, so that a client that went is noticed.
    "uploadpack.keepAlive=1",
    "receive.keepAlive=1",
];

/// Everything that is needed before Git is started.
pub(super) struct Run {
    service: Service,
    git: Git,
    repository: PathBuf,
    protocol: Option<String>,
    times: Times,
    turn: Turn,
    caller: Caller,
    project_id: i64,
    /// More settings, and more of the environment.
    settings: Vec<String>,
    environment: Vec<(&'static str, OsString)>,
    at_end: Box<dyn FnOnce(End) -> Later<()>>,
}

impl Run {
    /// Waits for a turn, and sees to it that the repository is there.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there are too many, or the disk doesn't do it; [`Error::NotFound`] when the project
    /// went meanwhile.
    pub(super) async fn new(
        call: &GitCall,
        caller: &Caller,
        granted: Granted,
        service: Service,
    ) -> Result<Run, Error> {
        let app = &call.app;
        let turn = app.git_turns.take(caller.in_the_count()).await?;
        let repository = repository::open(app, &granted.project).await?;
        Ok(Run {
            service,
            git: app.repositories.git().clone(),
            repository,
            protocol: call.protocol().map(str::to_owned),
            times: app.git_times,
            turn,
            caller: caller.clone(),
            project_id: granted.project.id,
            settings: Vec::new(),
            environment: Vec::new(),
            at_end: Box::new(|_| Box::pin(std::future::ready(()))),
        })
    }

    /// The same with more settings and environment.
    pub(super) fn told(
        mut self,
        settings: Vec<String>,
        environment: Vec<(&'static str, OsString)>,
    ) -> Run {
        self.settings = settings;
        self.environment = environment;
        self
    }

    /// The same with something to do when it is over.
    pub(super) fn at_end(mut self, at_end: impl FnOnce(End) -> Later<()> + 'static) -> Run {
        self.at_end = Box::new(at_end);
        self
    }

    /// Tells what there is.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be started.
    pub(super) fn advertise(self, head: Option<Bytes>) -> Result<Output, Error> {
        let nothing = Box::pin(futures_util::stream::empty::<io::Result<Bytes>>());
        self.start("--http-backend-info-refs", head, nothing)
    }

    /// Answers a request.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be started.
    pub(super) fn answer(self, input: process::Input) -> Result<Output, Error> {
        self.start("--stateless-rpc", None, input)
    }

    fn start(self, how: &str, head: Option<Bytes>, input: process::Input) -> Result<Output, Error> {
        let command = self.command(how);
        let (caller, project_id) = (self.caller, self.project_id);
        let run = process::Run {
            command,
            times: self.times,
            turn: self.turn,
            watch: Box::new(move || Box::pin(caller.clone().still_may(project_id))),
            at_end: self.at_end,
        };
        process::start(run, head, input).map_err(|error| {
            Error::unavailable(anyhow::Error::new(error).context("git can't be started"))
        })
    }

    fn command(&self, how: &str) -> Command {
        let mut command = self.git.command(&self.repository);
        command.env_remove("GIT_DIR");
        for setting in SERVING {
            command.arg("-c").arg(setting);
        }
        for setting in &self.settings {
            command.arg("-c").arg(setting);
        }
        if let Some(protocol) = &self.protocol {
            command.env("GIT_PROTOCOL", protocol);
        }
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command.arg(self.service.command());
        if self.service == Service::UploadPack {
            command.args(["--strict", "--timeout=120"]);
        }
        command.arg(how).arg(&self.repository);
        command
    }
}
