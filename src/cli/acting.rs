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
    #[arg(long = "as", value_name = "USERNAME", display_order = 800)]
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
                    .filter(|user| user.admin && user.may_sign_in())
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

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::cli::instance::{Console, Instance};
    use crate::config::{CommonOptions, Config, ServeOptions};
    use crate::users::create::{NewPerson, create};

    fn instance(dir: &TempDir) -> Instance {
        let common = CommonOptions {
            data_dir: Some(dir.path().to_owned()),
            ..CommonOptions::default()
        };
        let config = Config::resolve(&common, &ServeOptions::default(), &|_| None, 1).unwrap();
        Instance { config }
    }

    fn acting(name: &str) -> Acting {
        Acting {
            administrator: Some(name.to_owned()),
        }
    }

    fn make(console: &Console, username: &str, admin: bool) {
        let person = NewPerson {
            username: username.into(),
            name: username.into(),
            email: format!("{username}@example.com"),
            password_hash: None,
            admin,
            external: false,
        };
        let made = console.write(move |conn, ctx| create(conn, ctx, &person));
        made.unwrap();
    }

    fn actor(console: &Console) -> Result<String, String> {
        console
            .read(|_, ctx| Ok(ctx.actor.user.as_ref().map(|user| user.username.clone())))
            .map(|name| name.unwrap_or_else(|| "system".into()))
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn the_first_administrator_acts_unless_another_is_named() {
        let dir = TempDir::new().unwrap();
        let console = instance(&dir).open(&Acting::default()).unwrap();
        assert_eq!(actor(&console).unwrap(), "system");
        make(&console, "al", true);
        let unconfirmed = console.write(|conn, _| {
            use crate::db::schema::users;
            use diesel::prelude::*;
            diesel::update(users::table.filter(users::username.eq("al")))
                .set(users::confirmed_at.eq(None::<crate::db::Timestamp>))
                .execute(conn)?;
            Ok(())
        });
        unconfirmed.unwrap();
        make(&console, "bo", false);
        make(&console, "cy", true);
        make(&console, "di", true);
        assert_eq!(actor(&console).unwrap(), "cy");
        let of = |name: &str| actor(&instance(&dir).open(&acting(name)).unwrap());
        assert_eq!(of("DI").unwrap(), "di");
        for name in ["al", "bo", "nobody"] {
            assert_eq!(
                of(name).unwrap_err(),
                format!("--as: there is no active administrator {name}")
            );
        }
    }
}
