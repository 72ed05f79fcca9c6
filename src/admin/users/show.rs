//! A person's page.

use actix_web::HttpResponse;
use chrono::{DateTime, Utc};

use super::store;
use super::{address, find, is_oneself, rows, shell_of};
use crate::access_tokens::ListedToken;
use crate::access_tokens::list::{self as tokens, Sort};
use crate::admin::gate::administers;
use crate::audit::list::{self as trail, AuditEvent, Part};
use crate::context::Context;
use crate::db::{DbConnection, Page, PageRequest};
use crate::error::Error;
use crate::groups::{self, Group};
use crate::members::Membership;
use crate::projects::{self, Project};
use crate::sessions;
use crate::sessions::store::LivingSession;
use crate::users::{User, UserState, holdings};
use crate::web::lists;
use crate::web::page::PageCall;
use crate::web::views::admin::users::UserPage;
use crate::web::views::components::{Badge, Moment, Tone};

/// Roles and tokens on one page.
const PER_PAGE: i64 = 20;

/// Sessions that are shown.
const SESSIONS: i64 = 50;

/// Events that are shown at a time.
const EVENTS: i64 = 20;

/// Why nobody deletes themselves.
pub(super) const OWN_DELETION: &str = "You can't delete yourself.";

/// What the page reads.
struct Found {
    user: User,
    owned_alone: Vec<String>,
    roles: Page<(Membership, DateTime<Utc>)>,
    groups: Vec<Group>,
    projects: Vec<Project>,
    tokens: Page<ListedToken>,
    sessions: Vec<LivingSession>,
    events: Vec<AuditEvent>,
}

/// Which parts of its lists the page shows.
#[derive(Clone, Copy)]
struct Asked {
    roles: PageRequest,
    tokens: PageRequest,
}

/// `GET /admin/users/{username}` (`Administer`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators, and for bots.
pub async fn show(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    let page = |name| PageRequest {
        page: call.query.page(name),
        per_page: PER_PAGE,
    };
    let asked = Asked {
        roles: page("roles_page"),
        tokens: page("tokens_page"),
    };
    let username = call.segment("username").to_owned();
    let found = call
        .read(move |conn, ctx| read(conn, ctx, &username, asked))
        .await?;
    let (ctx, user) = (&call.ctx, &found.user);
    let (now, path) = (ctx.now, address(&user.username));
    let mut badges = rows::badges(user, ctx);
    if user.state == UserState::Active {
        badges.insert(0, Badge::new("Active", Tone::Success));
    }
    // The other lists of the page stay where they are.
    let href = |name: &str, number: u64, part: &str| {
        let number = if number > 1 {
            number.to_string()
        } else {
            String::new()
        };
        let mut query = vec![
            ("roles_page", call.query.text("roles_page")),
            ("tokens_page", call.query.text("tokens_page")),
        ];
        for (field, value) in &mut query {
            if *field == name {
                *value = &number;
            }
        }
        format!("{}#{part}", lists::address(&path, &query))
    };
    let page = UserPage {
        shell: shell_of(&call, user, None),
        id: user.id,
        name: user.name.clone(),
        username: user.username.clone(),
        email: user.email.clone(),
        badges,
        access: rows::access(user, ctx),
        kept: is_oneself(&call, user).then_some(OWN_DELETION),
        seat: match user.state {
            UserState::Active => "Takes a seat",
            UserState::Blocked => "Takes no seat while blocked",
            UserState::Deactivated => "Takes no seat while set aside",
        },
        created: Moment::at(user.created_at, now),
        confirmed: user.confirmed_at.map(|at| Moment::at(at, now)),
        last_sign_in: user.last_sign_in_at.map(|at| Moment::at(at, now)),
        owned_alone: found.owned_alone,
        roles: found
            .roles
            .rows
            .iter()
            .filter_map(|role| rows::role(role, &found.groups, &found.projects, ctx.today()))
            .collect(),
        roles_count: lists::total(found.roles.total),
        roles_pages: lists::foot("Roles", &found.roles, |number| {
            href("roles_page", number, "roles")
        }),
        tokens: found
            .tokens
            .rows
            .iter()
            .map(|token| rows::token(token, now))
            .collect(),
        tokens_count: lists::total(found.tokens.total),
        tokens_pages: lists::foot("Tokens", &found.tokens, |number| {
            href("tokens_page", number, "tokens")
        }),
        more_sessions: i64::try_from(found.sessions.len()).unwrap_or(0) == SESSIONS,
        sessions: found
            .sessions
            .iter()
            .map(|session| sessions::rows::row(session, ctx))
            .collect(),
        events_about: format!("/admin/audit_logs?target_kind=user&target={}", user.id),
        events_by: format!("/admin/audit_logs?actor={}", user.id),
        events: found
            .events
            .iter()
            .map(|event| rows::event(event, now))
            .collect(),
        path: path.clone(),
    };
    call.ok(&page)
}

fn read(
    conn: &mut DbConnection,
    ctx: &Context,
    username: &str,
    asked: Asked,
) -> Result<Found, Error> {
    let user = find(conn, username)?;
    let roles = lists::page_or_last(asked.roles, |request| store::roles(conn, user.id, request))?;
    let places = || roles.rows.iter().map(|(membership, _)| membership);
    let in_groups: Vec<i64> = places().filter_map(|role| role.group_id).collect();
    let in_projects: Vec<i64> = places().filter_map(|role| role.project_id).collect();
    let query = tokens::Query {
        sort: Sort::Id,
        descending: true,
        with_old_values: true,
        or_last_page: true,
        ..tokens::Query::default()
    };
    let tokens = lists::page_or_last(asked.tokens, |request| {
        tokens::of_user(conn, ctx, user.id, &query, request)
    })?;
    let settings = &ctx.policy.settings;
    Ok(Found {
        owned_alone: holdings::owned_alone(conn, user.id, ctx.today())?,
        groups: groups::store::find_all(conn, in_groups)?,
        projects: projects::store::find_all(conn, in_projects)?,
        sessions: sessions::store::living_of(conn, user.id, ctx.now, settings, SESSIONS)?,
        events: newest_events(conn, ctx, user.id)?,
        roles,
        tokens,
        user,
    })
}

/// What happened to a user, and what they did, the newest first.
fn newest_events(
    conn: &mut DbConnection,
    ctx: &Context,
    user_id: i64,
) -> Result<Vec<AuditEvent>, Error> {
    let id = user_id.to_string();
    let about = trail::Asked {
        target_kind: "user".into(),
        target: id.clone(),
        ..trail::Asked::default()
    };
    let by = trail::Asked {
        actor: id,
        ..trail::Asked::default()
    };
    let mut events = Vec::new();
    for asked in [about, by] {
        let filter = asked.resolve(conn)?;
        events.extend(trail::of_instance(conn, ctx, &filter, Part::Newest, EVENTS)?.events);
    }
    events.sort_unstable_by_key(|event| std::cmp::Reverse((event.created_at, event.id)));
    events.dedup_by_key(|event| event.id);
    events.truncate(usize::try_from(EVENTS).unwrap_or_default());
    Ok(events)
}
