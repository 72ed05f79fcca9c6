//! `latchkey user`

use clap::{Args, Subcommand};
use serde_json::json;

use super::acting::Acting;
use super::instance::Instance;
use super::output::{Output, Table};
use super::{Failure, input, json, target};
use crate::users::create::NewPerson;
use crate::users::edit::PersonChanges;
use crate::users::store::UserRef;
use crate::users::{User, create, edit, state, store};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Create(Create),
    /// List all users who are people; bots are listed with their tokens
    List(List),
    /// Block a user: their sessions end, and their tokens stop until they are unblocked
    Block(Named),
    /// Unblock a user
    Unblock(Named),
    Password(Password),
    Update(Update),
}

/// Create a user, who can sign in at once
///
/// The password is read from standard input, one line:
/// echo "$PASSWORD" | latchkey user create --username ann --email ann@example.com --password-stdin
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Create {
    /// Also the path of their own namespace
    #[arg(long)]
    username: String,

    /// Counts as confirmed
    #[arg(long)]
    email: String,

    /// As shown [default: the user name]
    #[arg(long)]
    name: Option<String>,

    /// May everything on this instance
    #[arg(long)]
    admin: bool,

    /// From outside the company: sees public things and what they are a member of, nothing else
    #[arg(long)]
    external: bool,

    /// Read the password from standard input, one line; there is no other way to give it
    #[arg(long, required = true)]
    password_stdin: bool,

    #[command(flatten)]
    acting: Acting,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    acting: Acting,
}

#[derive(Debug, Args)]
pub(super) struct Named {
    /// Who
    username: String,

    #[command(flatten)]
    acting: Acting,
}

/// Change the password of a user; their sessions end
#[derive(Debug, Args)]
pub(super) struct Password {
    /// Whose
    username: String,

    /// Read the password from standard input, one line; there is no other way to give it
    #[arg(long, required = true)]
    password_stdin: bool,

    #[command(flatten)]
    acting: Acting,
}

/// Change whether a user is an administrator or external
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true).args(["admin", "external"]))]
pub(super) struct Update {
    /// Who
    username: String,

    /// Whether they may everything on this instance
    #[arg(long, value_name = "true|false")]
    admin: Option<bool>,

    /// Whether they are from outside the company
    #[arg(long, value_name = "true|false")]
    external: Option<bool>,

    #[command(flatten)]
    acting: Acting,
}

impl Named {
    fn whom(&self) -> UserRef {
        UserRef::Username(self.username.clone())
    }
}

impl Command {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        match self {
            Command::Create(create) => create.run(instance, out),
            Command::List(list) => list.run(instance, out),
            Command::Block(named) => {
                let user = instance.open(&named.acting)?.write(move |conn, ctx| {
                    target::person(conn, &named.username)?;
                    state::block(conn, ctx, &named.whom())
                })?;
                done(out, "Blocked", &user)
            }
            Command::Unblock(named) => {
                let user = instance.open(&named.acting)?.write(move |conn, ctx| {
                    target::person(conn, &named.username)?;
                    state::unblock(conn, ctx, &named.whom())
                })?;
                done(out, "Unblocked", &user)
            }
            Command::Password(password) => password.run(instance, out),
            Command::Update(update) => {
                let user = instance.open(&update.acting)?.write(move |conn, ctx| {
                    let user = target::person(conn, &update.username)?;
                    let changes = PersonChanges {
                        admin: update.admin,
                        external: update.external,
                        ..PersonChanges::default()
                    };
                    edit::edit(conn, ctx, user.id, &changes)
                })?;
                done(out, "Updated", &user)
            }
        }
    }
}

impl Create {
    fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let name = self.name.clone().unwrap_or_else(|| self.username.clone());
        let hash = input::password(&[&self.username, &self.email, &name], out)?;
        let person = NewPerson {
            username: self.username,
            name,
            email: self.email,
            password_hash: Some(hash),
            admin: self.admin,
            external: self.external,
        };
        let user = instance
            .open(&self.acting)?
            .write(move |conn, ctx| create::create(conn, ctx, &person))?;
        done(out, "Created", &user)
    }
}

impl List {
    fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let people = instance
            .open(&self.acting)?
            .read(|conn, _| store::list_people(conn))?;
        let mut table = Table::new(
            &[
                "ID",
                "USERNAME",
                "NAME",
                "EMAIL",
                "STATE",
                "STANDING",
                "LAST SIGN-IN",
            ],
            "There is nobody yet; latchkey user create --admin … makes the first administrator.",
        );
        for user in &people {
            table.row([
                user.id.to_string(),
                user.username.clone(),
                user.name.clone(),
                user.email.clone(),
                user.state.as_str().to_owned(),
                standing(user),
                user.last_sign_in_at.map_or_else(
                    || "never".into(),
                    |at| at.format("%Y-%m-%d %H:%M").to_string(),
                ),
            ]);
        }
        out.list(people.iter().map(json::user).collect(), &table)
    }
}

impl Password {
    fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let console = instance.open(&self.acting)?;
        let username = self.username;
        let user = console.read(|conn, _| target::person(conn, &username))?;
        let hash = input::password(&[&user.username, &user.email, &user.name], out)?;
        let changes = PersonChanges {
            password_hash: Some(hash),
            ..PersonChanges::default()
        };
        let user = console.write(move |conn, ctx| edit::edit(conn, ctx, user.id, &changes))?;
        done(out, "Changed the password of", &user)
    }
}

fn standing(user: &User) -> String {
    match (user.admin, user.external) {
        (true, true) => "administrator, external",
        (true, false) => "administrator",
        (false, true) => "external",
        (false, false) => "",
    }
    .to_owned()
}

fn done(out: &Output, what: &str, user: &User) -> Result<(), Failure> {
    let standing = match standing(user) {
        none if none.is_empty() => none,
        some => format!(", {some}"),
    };
    let sentence = format!(
        "{what} {} (id {}, {}{standing})",
        user.username,
        user.id,
        user.state.as_str()
    );
    out.result(&json!(json::user(user)), &sentence)
}
