//! The instance that a command works on, opened.

use std::env;
use std::num::NonZero;
use std::thread;

use super::Failure;
use super::acting::Acting;
use crate::app::App;
use crate::clock::Clock;
use crate::config::{CommonOptions, Config, LogFormat, ServeOptions};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::logging;
use crate::server::run::{self, Migrate};

/// Threads that this machine runs at a time.
pub(super) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// What the configuration says, before anything is touched.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) config: Config,
}

impl Instance {
    /// Reads the configuration, and sends warnings to standard error.
    pub(super) fn new(common: &CommonOptions) -> Result<Self, Failure> {
        let environment = |name: &str| env::var_os(name);
        let config = Config::resolve(common, &ServeOptions::default(), &environment, cores())?;
        // What the server would log every second is of no use to a command; its own words are printed.
        let level = if config.log == "info" {
            "warn"
        } else {
            &config.log
        };
        let format = config.log_format.or(Some(LogFormat::Text));
        logging::init(level, format, logging::Target::Stderr)
            .map_err(|error| Failure::new(format!("logging can't be started: {error}")))?;
        Ok(Instance { config })
    }

    /// Opens the database; an empty one is filled, any other that doesn't fit is refused.
    pub(super) fn open(&self, acting: &Acting) -> Result<Console, Failure> {
        let secret = self.config.load_secret(&mut rand::rng())?;
        let app = run::open(&self.config, &secret, Clock::System)?;
        run::prepare_schema(&app, Migrate::EmptyOnly)?;
        Ok(Console {
            app,
            acting: acting.clone(),
        })
    }
}

/// An open instance, and who acts on it.
pub(super) struct Console {
    app: App,
    acting: Acting,
}

impl Console {
    /// The application itself, for what is more than one transaction.
    pub(super) fn app(&self) -> &App {
        &self.app
    }

    /// Reads, as the acting administrator.
    pub(super) fn read<T>(
        &self,
        mut query: impl FnMut(&mut DbConnection, &Context) -> Result<T, Error>,
    ) -> Result<T, Failure> {
        let read = self.app.db.read_now(|conn| {
            let ctx = self.acting.context(conn, &self.app)?;
            query(conn, &ctx)
        });
        Ok(read?)
    }

    /// Changes, as the acting administrator, all or nothing.
    pub(super) fn write<T: Send + 'static>(
        &self,
        mut change: impl FnMut(&mut DbConnection, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Failure> {
        let (app, acting) = (self.app.clone(), self.acting.clone());
        let written = self.app.db.write_now(move |conn| {
            let ctx = acting.context(conn, &app)?;
            change(conn, &ctx)
        });
        Ok(written?)
    }
}
