//! Who acts when a command changes something: an administrator, so that the audit trail names a person.

use clap::Args;

use crate::actor::{Actor, Credential, Declared, Origin, store as actors};
use crate::app::App;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::members::Memberships;
use crate::users::{User, store as users};

/// The option of all commands that work on data.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Acting {
    /// The administrator who acts, as the audit trail will name them [default: the first administrator]
    #[arg(long = "as", value_name = "USERNAME")]
    administrator: Option<String>,
}

impl Acting {
    /// What verbs need. Before there is an administrator, the system acts.
    pub(super) fn context(&self, conn: &mut DbConnection, app: &App) -> Result<Context, Error> {
        let now = app.clock.now();
        let user = match &self.administrator {
            None => users::first_admin(conn)?,
            Some(name) => Some(
                users::find_by_username(conn, name)?
                    .filter(|user| user.admin && user.is_active())
                    .ok_or_else(|| {
                        Error::refused(format!("--as: there is no active administrator {name}"))
                    })?,
            ),
        };
        let actor = match user {
            None => Actor::system(Origin::console()),
            Some(user) => {
                let (user, memberships) = actors::load_user(conn, user.id, now.date_naive())?
                    .unwrap_or((user, Memberships::default()));
                console_actor(user, memberships)
            }
        };
        let policy = app.policy_now(conn)?;
        Ok(app.context(actor, policy, now))
    }
}

fn console_actor(user: User, memberships: Memberships) -> Actor {
    Actor {
        user: Some(user),
        credential: Credential::Console,
        memberships,
        origin: Origin::console(),
        declared: Declared::Everything,
    }
}
