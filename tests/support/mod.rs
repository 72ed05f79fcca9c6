//! The vocabulary that tests are written in: a real server with a database and a clock of its own, people,
//! groups, projects and tokens to arrange, and two ways to ask: as a program, and as a browser would.

// A test may fail loudly, and each test program uses its own part of this.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, unused_imports)]

pub mod answer;
pub mod api;
pub mod browser;
pub mod clients;
pub mod company;
pub mod front;
pub mod git;
mod keeper;
pub mod letters;
pub mod mail_server;
pub mod node_plan;
pub mod page;
pub mod people;
pub mod places;
pub mod postgres;
pub mod promtool;
pub mod server;
pub mod storage;
pub mod strictness;
pub mod tokens;
pub mod visitor;
pub mod webhooks;

pub use answer::Answer;
pub use api::{Api, query};
pub use company::Company;
pub use front::{Nginx, PgBouncer};
pub use git::{GitClient, WorkTree};
pub use letters::link_in;
pub use mail_server::MailServer;
pub use node_plan::NodePlan;
pub use page::{Form, Page};
pub use people::{PASSWORD, Person};
pub use places::{TestGroup, TestProject, TestResource};
pub use server::TestServer;
pub use storage::Storage;
pub use strictness::TWO_MEBIBYTES;
pub use tokens::TestToken;
pub use visitor::Visitor;
pub use webhooks::{Receiver, TestWebhook};

/// Makes two tests of each function that takes a [`TestServer`]: one on SQLite and one on PostgreSQL. The latter is
/// skipped, and says so, where PostgreSQL isn't installed.
#[macro_export]
macro_rules! on_both {
    ($($(#[$attribute:meta])* $name:ident),+ $(,)?) => {
        $(
            $(#[$attribute])*
            mod $name {
                #[test]
                fn sqlite() {
                    $crate::support::server::run_on_sqlite(super::$name);
                }

                #[test]
                fn postgres() {
                    $crate::support::server::run_on_postgres(super::$name);
                }
            }
        )+
    };
}

/// Makes a test on SQLite alone of each function that takes a [`TestServer`]: for what the database has no part in.
#[macro_export]
macro_rules! on_sqlite {
    ($($(#[$attribute:meta])* $name:ident),+ $(,)?) => {
        $(
            $(#[$attribute])*
            mod $name {
                #[test]
                fn sqlite() {
                    $crate::support::server::run_on_sqlite(super::$name);
                }
            }
        )+
    };
}

/// Makes a test on PostgreSQL alone of each function that takes a [`TestServer`]: for what SQLite has no part in.
#[macro_export]
macro_rules! on_postgres {
    ($($(#[$attribute:meta])* $name:ident),+ $(,)?) => {
        $(
            $(#[$attribute])*
            mod $name {
                #[test]
                fn postgres() {
                    $crate::support::server::run_on_postgres(super::$name);
                }
            }
        )+
    };
}
