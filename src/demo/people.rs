//! Who works at the company, and acting as one of them.

use chrono::{DateTime, Utc};

use super::ago;
use crate::actor::{Actor, Channel, Credential, Declared, Origin, store as actors};
use crate::app::App;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::users::create::{NewPerson, create};
use crate::users::store as users;

/// Everybody's password. It is printed, and the demo listens on this machine alone.
pub const PASSWORD: &str = "open-sesame-42";

/// Somebody who can sign in to the demo.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    /// The user name.
    pub username: &'static str,
    /// The name.
    pub name: &'static str,
    /// The address.
    pub email: &'static str,
    /// An administrator?
    pub admin: bool,
    /// From outside the company?
    pub external: bool,
    /// What one sees when signed in as them.
    pub about: &'static str,
}

/// The people, the most interesting first.
pub const PEOPLE: [Person; 6] = [
    Person {
        username: "alice",
        name: "Alice Moreau",
        email: "alice@acme.example",
        admin: false,
        external: false,
        about: "Owner of acme, makes its tokens: begin with her",
    },
    Person {
        username: "bob",
        name: "Bob Okafor",
        email: "bob@acme.example",
        admin: false,
        external: false,
        about: "Maintainer of acme",
    },
    Person {
        username: "carol",
        name: "Carol Nguyen",
        email: "carol@acme.example",
        admin: false,
        external: false,
        about: "Developer of acme",
    },
    Person {
        username: "dave",
        name: "Dave Lindqvist",
        email: "dave@acme.example",
        admin: false,
        external: false,
        about: "Owner of tools, for whom acme does not exist",
    },
    Person {
        username: "erin",
        name: "Erin Walsh",
        email: "erin@contractor.example",
        admin: false,
        external: true,
        about: "external, Reporter of acme/mobile",
    },
    Person {
        username: "root",
        name: "Robin Root",
        email: "root@acme.example",
        admin: true,
        external: false,
        about: "administrator",
    },
];

/// How long ago the first of them came, in days.
const ARRIVED: i64 = 430;

/// Makes the people's accounts, the administrator's first.
pub(super) fn arrive(
    conn: &mut DbConnection,
    app: &App,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let (root, others): (Vec<&Person>, Vec<&Person>) =
        PEOPLE.iter().partition(|person| person.admin);
    for (person, days) in root.into_iter().chain(others).zip((0..=ARRIVED).rev()) {
        let at = ago(now, days, 8, 30);
        let ctx = app.context(Actor::system(Origin::console()), app.policy_now(conn)?, at);
        let new = NewPerson {
            username: person.username.into(),
            name: person.name.into(),
            email: person.email.into(),
            password_hash: Some(hash.to_owned()),
            admin: person.admin,
            external: person.external,
        };
        create(conn, &ctx, &new)?;
    }
    Ok(())
}

/// What verbs need to do something in somebody's name at some time.
pub(super) fn acting(
    conn: &mut DbConnection,
    app: &App,
    username: &str,
    at: DateTime<Utc>,
) -> Result<Context, Error> {
    let nobody = || Error::refused(format!("there is no user {username}"));
    let id = users::find_by_username(conn, username)?
        .ok_or_else(nobody)?
        .id;
    let (user, memberships) = actors::load_user(conn, id, at.date_naive())?.ok_or_else(nobody)?;
    let actor = Actor {
        user: Some(user),
        credential: Credential::Session,
        memberships,
        origin: Origin {
            channel: Channel::Page,
            ..Origin::console()
        },
        declared: Declared::Everything,
    };
    let policy = app.policy_now(conn)?;
    Ok(app.context(actor, policy, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::users::password::Password;

    #[test]
    fn everybody_could_have_chosen_the_password_themselves() {
        for person in PEOPLE {
            let about = [person.username, person.email, person.name];
            assert_eq!(
                Password::new(PASSWORD).check(&about),
                Ok(()),
                "{}",
                person.username
            );
        }
    }
}
