//! `latchkey serve`

use std::env;
use std::io;
use std::net::{SocketAddr, TcpListener};

use clap::Args;
use serde_json::json;

use super::Failure;
use super::instance::cores;
use super::output::Output;
use crate::app::App;
use crate::clock::Clock;
use crate::config::{CommonOptions, Config, ExternalUrl, ServeOptions};
use crate::logging;
use crate::server::run::{self, MetricsAccess, Migrate, Serving};
use crate::users::create::new_setup_link;

/// Run the server
///
/// On an empty database a set-up link for the first administrator is printed on standard error.
/// SIGTERM and Ctrl-C let running requests finish.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    options: ServeOptions,

    /// Migrate an older PostgreSQL database; SQLite is copied beside itself and migrated without being asked
    #[arg(long)]
    migrate: bool,
}

impl Serve {
    pub(super) fn run(self, common: &CommonOptions, out: &Output) -> Result<(), Failure> {
        let environment = |name: &str| env::var_os(name);
        let mut config = Config::resolve(common, &self.options, &environment, cores())?;
        // The web server below tells of each of its threads; whoever names a filter may have that.
        let filter = match config.log.as_str() {
            "info" => "info,actix_server=warn,actix_http=off",
            other => other,
        };
        logging::init(filter, config.log_format, logging::Target::Stdout)
            .map_err(|error| Failure::new(format!("logging can't be started: {error}")))?;
        let listener = listen(config.listen)?;
        let address = address_of(&listener)?;
        config.bound_to(address);
        for warning in config.warnings() {
            tracing::warn!("{warning}");
        }
        let how = if self.migrate && !config.database_url.is_sqlite() {
            Migrate::Always
        } else {
            Migrate::WithCopy
        };
        let app = open(&config, how)?;
        offer_setup(&app, out)?;
        let url = ExternalUrl::of_listener(address).to_string();
        serve(&config, app, listener, || {
            out.result(&json!({ "listening": url }), &format!("Listening on {url}"))
        })
    }
}

/// Takes the socket; connections queue up from here on.
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).map_err(|error| {
        Failure::new(match error.kind() {
            io::ErrorKind::AddrInUse => format!(
                "{address} is in use by another program; stop that, or choose another address with --listen"
            ),
            io::ErrorKind::PermissionDenied => {
                format!("{address} may not be listened on; choose a port above 1023 with --listen")
            }
            _ => format!("{address} can't be listened on: {error}"),
        })
    })
}

/// The address with the port that it really got.
pub(super) fn address_of(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener
        .local_addr()
        .map_err(|error| Failure::new(format!("the socket has no address: {error}")))
}

/// Opens the instance and brings its schema up to date as far as that is allowed.
pub(super) fn open(config: &Config, how: Migrate) -> Result<App, Failure> {
    let secret = config.load_secret(&mut rand::rng())?;
    let app = run::open(config, &secret, Clock::System)?;
    run::prepare_schema(&app, how)?;
    Ok(app)
}

/// Serves until a signal comes; says so with `announce` when it does.
pub(super) fn serve(
    config: &Config,
    app: App,
    listener: TcpListener,
    announce: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let serving = Serving {
        workers: config.workers,
        metrics: MetricsAccess {
            allowed: config.metrics_allowed.clone(),
            token: config.metrics_token.clone(),
        },
        stop_delay: config.stop_delay,
    };
    actix_web::rt::System::new()
        .block_on(run::serve(app, listener, serving, || {
            announce().map_err(|failure| anyhow::anyhow!("{failure}"))
        }))
        .map_err(|error| Failure::new(format!("the server stopped: {error:#}")))
}

/// While there is no administrator, each start prints a new link. It is a secret, and so it is kept out of the log.
fn offer_setup(app: &App, out: &Output) -> Result<(), Failure> {
    let (instance, now) = (app.instance.clone(), app.clock.now());
    let link = app.db.write_now(move |conn| {
        new_setup_link(conn, |value| instance.lookup_key.digest(value), now)
    })?;
    if let Some(link) = link {
        let url = app.instance.url(&format!("/setup?token={}", link.expose()));
        out.announce("There is no administrator yet. Make the first one here, within 24 hours:");
        out.announce(&format!("  {url}"));
    }
    Ok(())
}
