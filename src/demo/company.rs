//! The groups, projects and members of the company.

use chrono::{DateTime, Utc};

use super::people::acting;
use super::{ago, day};
use crate::access_tokens::Resource;
use crate::app::App;
use crate::db::DbConnection;
use crate::error::Error;
use crate::groups::Visibility::{self, Internal, Private, Public};
use crate::groups::create::{self as group, NewGroupForm};
use crate::groups::{self, Group};
use crate::members::AccessLevel::{self, Developer, Maintainer, Reporter};
use crate::members::add::add;
use crate::projects::create::{self as project, NewProjectForm};
use crate::settings::RETAIN;
use crate::settings::switch::switch;
use crate::users::store as users;

/// Path, name, description, visibility, who made it, days ago. Parents before children.
const GROUPS: [(&str, &str, &str, Visibility, &str, i64); 6] = [
    (
        "acme",
        "Acme",
        "Everything that Acme builds and runs",
        Private,
        "alice",
        420,
    ),
    (
        "acme/platform",
        "Platform",
        "What all products stand on",
        Private,
        "alice",
        412,
    ),
    (
        "acme/platform/payments",
        "Payments",
        "Money in, money out",
        Private,
        "alice",
        398,
    ),
    (
        "acme/platform/payments/ledger",
        "Ledger",
        "Double-entry books, audited every quarter",
        Private,
        "alice",
        371,
    ),
    (
        "acme/mobile",
        "Mobile",
        "The apps in the stores",
        Private,
        "alice",
        305,
    ),
    (
        "tools",
        "Tools",
        "Small things that we share with everybody",
        Public,
        "dave",
        290,
    ),
];

/// Group, path, name, description, visibility, who made it, days ago.
const PROJECTS: [(&str, &str, &str, &str, Visibility, &str, i64); 12] = [
    (
        "acme",
        "website",
        "Website",
        "acme.example",
        Private,
        "carol",
        419,
    ),
    (
        "acme",
        "handbook",
        "Handbook",
        "How we work",
        Private,
        "alice",
        410,
    ),
    (
        "acme/platform",
        "api",
        "Public API",
        "What customers integrate with",
        Private,
        "bob",
        408,
    ),
    (
        "acme/platform",
        "infrastructure",
        "Infrastructure",
        "Terraform for all environments",
        Private,
        "bob",
        402,
    ),
    (
        "acme/platform/payments",
        "checkout",
        "Checkout",
        "From basket to receipt",
        Private,
        "carol",
        396,
    ),
    (
        "acme/platform/payments",
        "fraud-rules",
        "Fraud rules",
        "Scores and thresholds",
        Private,
        "bob",
        344,
    ),
    (
        "acme/platform/payments/ledger",
        "ledger-core",
        "Ledger core",
        "Accounts, entries, balances",
        Private,
        "bob",
        370,
    ),
    (
        "acme/platform/payments/ledger",
        "reconciliation",
        "Reconciliation",
        "Bank statements against entries",
        Private,
        "carol",
        233,
    ),
    (
        "acme/mobile",
        "ios",
        "iOS",
        "The app for iPhone and iPad",
        Private,
        "carol",
        301,
    ),
    (
        "acme/mobile",
        "android",
        "Android",
        "The app for Android",
        Private,
        "carol",
        301,
    ),
    (
        "tools",
        "style-guide",
        "Style guide",
        "Words and colours, for everybody",
        Public,
        "dave",
        288,
    ),
    (
        "tools",
        "incident-bot",
        "Incident bot",
        "Wakes the right person",
        Internal,
        "dave",
        240,
    ),
];

/// Group, who, role, days from now to the end.
const MEMBERS: [(&str, &str, AccessLevel, Option<i64>); 4] = [
    ("acme", "bob", Maintainer, None),
    ("acme", "carol", Developer, None),
    ("acme/mobile", "erin", Reporter, Some(60)),
    ("tools", "carol", Maintainer, None),
];

/// Builds it all, in the names of the people whose work it is.
pub(super) fn build(conn: &mut DbConnection, app: &App, now: DateTime<Utc>) -> Result<(), Error> {
    // From the beginning: only bots that were made under it are kept.
    let ctx = acting(conn, app, "root", ago(now, 421, 9, 0))?;
    switch(conn, &ctx, RETAIN, true)?;

    for (path, name, description, visibility, by, days) in GROUPS {
        let ctx = acting(conn, app, by, ago(now, days, 9, 10))?;
        let (above, last) = path
            .rsplit_once('/')
            .map_or((None, path), |(above, last)| (Some(above), last));
        let parent = above.map(|path| found(conn, path)).transpose()?;
        let form = NewGroupForm {
            name: name.into(),
            path: last.into(),
            description: description.into(),
            visibility: Some(visibility),
        };
        let made = group::create(conn, &ctx, parent.as_ref(), &form, None)?;
        for (_, username, role, ends) in MEMBERS.into_iter().filter(|(place, ..)| *place == path) {
            let user = users::find_by_username(conn, username)?
                .ok_or_else(|| Error::refused(format!("there is no user {username}")))?;
            let here = Resource::Group(made.clone());
            add(
                conn,
                &ctx,
                &here,
                &user,
                role,
                ends.map(|days| day(now, days)),
            )?;
        }
    }
    for (place, path, name, description, visibility, by, days) in PROJECTS {
        let ctx = acting(conn, app, by, ago(now, days, 10, 25))?;
        let namespace = found(conn, place)?;
        let form = NewProjectForm {
            name: Some(name.into()),
            path: Some(path.into()),
            description: description.into(),
            visibility: Some(visibility),
        };
        project::create(conn, &ctx, &namespace, &form)?;
    }
    Ok(())
}

/// A group that was made a moment ago.
pub(super) fn found(conn: &mut DbConnection, path: &str) -> Result<Group, Error> {
    groups::store::find_by_path(conn, path)?
        .ok_or_else(|| Error::refused(format!("there is no group {path}")))
}
