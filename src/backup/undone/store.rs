//! The same questions asked of two databases, so many rows at a time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;

use super::{Counts, LaterEnd, RevivedToken, Undone, Why};
use crate::access_tokens::expiry;
use crate::db::schema::{
    access_tokens, feature_flags, groups, memberships, projects, settings, users, webhooks,
};
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;
use crate::groups::Visibility;
use crate::settings::store::BEFORE_LOWERING;
use crate::{groups as group_domain, projects as project_domain};

/// Rows that are held in memory.
const AT_ONCE: i64 = 500;

/// A token that works in the copy: id, group, project, name, digest, user name, expiry date, whether only in its grace.
type Alive = (
    i64,
    Option<i64>,
    Option<i64>,
    String,
    Vec<u8>,
    String,
    Option<NaiveDate>,
    bool,
);

/// The same value in the present database: id, revoked, expiry date, last change, state of the user, bot gone,
/// end of its grace.
type Present = (
    Vec<u8>,
    i64,
    bool,
    Option<NaiveDate>,
    Timestamp,
    (String, Option<Timestamp>),
    Option<Timestamp>,
);

/// Tokens that work in the copy at this moment, be it in the grace after a rotation, and not in the present database or not
/// as long. They are the same where their values are.
pub(super) fn compare_tokens(
    copy: &mut DbConnection,
    present: &mut DbConnection,
    now: DateTime<Utc>,
    undone: &mut Undone,
) -> Result<(), Error> {
    let today = now.date_naive();
    let mut after = 0;
    loop {
        let alive: Vec<Alive> = access_tokens::table
            .inner_join(users::table)
            .filter(access_tokens::id.gt(after))
            .filter(
                diesel::dsl::not(access_tokens::revoked)
                    .or(access_tokens::grace_until.gt(Timestamp::from(now))),
            )
            .filter(
                access_tokens::expires_at
                    .is_null()
                    .or(access_tokens::expires_at.gt(today)),
            )
            .filter(users::state.eq("active"))
            .filter(users::bot_gone_at.is_null())
            .order(access_tokens::id.asc())
            .limit(AT_ONCE)
            .select((
                access_tokens::id,
                access_tokens::group_id,
                access_tokens::project_id,
                access_tokens::name,
                access_tokens::digest,
                users::username,
                access_tokens::expires_at,
                access_tokens::revoked,
            ))
            .load(copy)?;
        let Some(last) = alive.last() else {
            return Ok(());
        };
        after = last.0;
        let digests: Vec<&[u8]> = alive.iter().map(|token| token.4.as_slice()).collect();
        let known = known_now(present, &digests)?;
        for (id, group_id, project_id, name, digest, username, in_copy, in_grace) in alive {
            let known = known.get(&digest);
            let Some((why, since)) = why_dead(present, known, in_grace, now)? else {
                // Dates that were put off since are no matter: the copy's come first.
                let end = known.and_then(|known| known.3);
                if let Some(now) = end.filter(|now| in_copy.is_none_or(|then| *now < then)) {
                    let (kind, place) = place(copy, group_id, project_id, username)?;
                    undone.later_ends.push(LaterEnd {
                        id,
                        kind,
                        name,
                        place,
                        in_copy,
                        now,
                    });
                }
                continue;
            };
            let (kind, place) = place(copy, group_id, project_id, username)?;
            undone.tokens.push(RevivedToken {
                id,
                kind,
                name,
                place,
                why,
                since: since.map(DateTime::from),
            });
        }
    }
}

fn known_now(
    present: &mut DbConnection,
    digests: &[&[u8]],
) -> Result<HashMap<Vec<u8>, Present>, Error> {
    let rows: Vec<Present> = access_tokens::table
        .inner_join(users::table)
        .filter(access_tokens::digest.eq_any(digests))
        .select((
            access_tokens::digest,
            access_tokens::id,
            access_tokens::revoked,
            access_tokens::expires_at,
            access_tokens::updated_at,
            (users::state, users::bot_gone_at),
            access_tokens::grace_until,
        ))
        .load(present)?;
    Ok(rows.into_iter().map(|row| (row.0.clone(), row)).collect())
}

/// Nothing for a token that works; nor for one in its grace, if the copy has it in its grace as well, and not for good.
fn why_dead(
    conn: &mut DbConnection,
    known: Option<&Present>,
    in_grace: bool,
    now: DateTime<Utc>,
) -> Result<Option<(Why, Option<Timestamp>)>, Error> {
    let Some((_, id, revoked, expires_at, changed, (state, bot_gone_at), until)) = known else {
        return Ok(Some((Why::Gone, None)));
    };
    let works_on = in_grace && until.is_some_and(|until| DateTime::from(until) > now);
    Ok(if *revoked && !works_on {
        let successor = diesel::select(diesel::dsl::exists(
            access_tokens::table.filter(access_tokens::previous_token_id.eq(*id)),
        ));
        let rotated: bool = successor.get_result(conn)?;
        let why = if rotated { Why::Rotated } else { Why::Revoked };
        Some((why, Some(*changed)))
    } else if expiry::is_expired(*expires_at, now.date_naive()) {
        Some((Why::Expired, None))
    } else if bot_gone_at.is_some() {
        Some((Why::Gone, *bot_gone_at))
    } else if state != "active" {
        Some((Why::UserBlocked, None))
    } else {
        None
    })
}

fn place(
    conn: &mut DbConnection,
    group_id: Option<i64>,
    project_id: Option<i64>,
    username: String,
) -> Result<(&'static str, String), Error> {
    Ok(match (group_id, project_id) {
        (Some(id), _) => (
            "group",
            group_domain::store::find(conn, id)?.map_or(username, |group| group.full_path),
        ),
        (_, Some(id)) => (
            "project",
            project_domain::store::find(conn, id)?.map_or(username, |project| project.full_path()),
        ),
        (None, None) => ("personal", username),
    })
}

#[derive(Queryable)]
struct PersonRow {
    id: i64,
    state: String,
    admin: bool,
    external: bool,
    password_hash: Option<String>,
    email_key: String,
    calendar_salt: Option<Vec<u8>>,
}

/// A person's membership: of whom, in which group or project, with which role.
type Role = (i64, Option<i64>, Option<i64>, i32);

/// People, their passwords, addresses and roles.
pub(super) fn compare_people(
    copy: &mut DbConnection,
    present: &mut DbConnection,
    today: NaiveDate,
    counts: &mut Counts,
) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let then: Vec<PersonRow> = users::table
            .filter(users::kind.eq("human"))
            .filter(users::id.gt(after))
            .order(users::id.asc())
            .limit(AT_ONCE)
            .select((
                users::id,
                users::state,
                users::admin,
                users::external,
                users::password_hash,
                users::email_key,
                users::calendar_salt,
            ))
            .load(copy)?;
        let Some(last) = then.last() else {
            return Ok(());
        };
        after = last.id;
        let ids: Vec<i64> = then.iter().map(|person| person.id).collect();
        let now: HashMap<i64, PersonRow> = users::table
            .filter(users::kind.eq("human"))
            .filter(users::id.eq_any(&ids))
            .select((
                users::id,
                users::state,
                users::admin,
                users::external,
                users::password_hash,
                users::email_key,
                users::calendar_salt,
            ))
            .load::<PersonRow>(present)?
            .into_iter()
            .map(|person| (person.id, person))
            .collect();
        for person in then.iter().filter(|person| person.state == "active") {
            let now = now.get(&person.id);
            let acts = now.is_some_and(|now| now.state == "active");
            counts.people += usize::from(!acts);
            counts.administrators += usize::from(person.admin && !now.is_some_and(|now| now.admin));
            counts.externals +=
                usize::from(!person.external && now.is_some_and(|now| now.external));
            counts.passwords += usize::from(now.is_some_and(|now| {
                person.password_hash.is_some() && now.password_hash != person.password_hash
            }));
            counts.emails += usize::from(now.is_some_and(|now| now.email_key != person.email_key));
            counts.calendars += usize::from(now.is_some_and(|now| {
                person.calendar_salt.is_some() && now.calendar_salt != person.calendar_salt
            }));
        }
        let roles_now: HashMap<(i64, Option<i64>, Option<i64>), i32> = roles(present, &ids, today)?
            .into_iter()
            .map(|(user, group, project, level)| ((user, group, project), level))
            .collect();
        counts.memberships += roles(copy, &ids, today)?
            .into_iter()
            .filter(|(user, group, project, level)| {
                roles_now
                    .get(&(*user, *group, *project))
                    .is_none_or(|now| now < level)
            })
            .count();
    }
}

fn roles(conn: &mut DbConnection, ids: &[i64], today: NaiveDate) -> Result<Vec<Role>, Error> {
    Ok(memberships::table
        .filter(memberships::user_id.eq_any(ids))
        .filter(diesel::dsl::not(memberships::bot))
        .filter(
            memberships::expires_at
                .is_null()
                .or(memberships::expires_at.gt(today)),
        )
        .select((
            memberships::user_id,
            memberships::group_id,
            memberships::project_id,
            memberships::access_level,
        ))
        .load(conn)?)
}

/// Top-level groups whose members may make tokens in the copy, and not now.
pub(super) fn switches(
    copy: &mut DbConnection,
    present: &mut DbConnection,
) -> Result<usize, Error> {
    let ids = |conn: &mut DbConnection, allowed: bool| -> Result<BTreeSet<i64>, Error> {
        let ids: Vec<i64> = groups::table
            .filter(groups::parent_id.is_null())
            .filter(groups::resource_access_token_creation_allowed.eq(allowed))
            .select(groups::id)
            .load(conn)?;
        Ok(ids.into_iter().collect())
    };
    let off = ids(present, false)?;
    if off.is_empty() {
        return Ok(0);
    }
    Ok(ids(copy, true)?.intersection(&off).count())
}

/// Groups and projects that fewer may see in the present database than in the copy.
pub(super) fn narrowed(
    copy: &mut DbConnection,
    present: &mut DbConnection,
) -> Result<usize, Error> {
    macro_rules! narrowed {
        ($table:ident) => {{
            let (mut count, mut after) = (0, 0);
            loop {
                let then: Vec<(i64, String)> = $table::table
                    .filter($table::id.gt(after))
                    .order($table::id.asc())
                    .limit(AT_ONCE)
                    .select(($table::id, $table::visibility))
                    .load(copy)?;
                let Some((last, _)) = then.last() else {
                    break count;
                };
                after = *last;
                let ids: Vec<i64> = then.iter().map(|(id, _)| *id).collect();
                let now: HashMap<i64, String> = $table::table
                    .filter($table::id.eq_any(ids))
                    .select(($table::id, $table::visibility))
                    .load::<(i64, String)>(present)?
                    .into_iter()
                    .collect();
                for (id, then) in then {
                    if let Some(now) = now.get(&id) {
                        let (then, now) = (visibility(then)?, visibility(now.clone())?);
                        count += usize::from(now != then && now.within(then));
                    }
                }
            }
        }};
    }
    let groups: usize = narrowed!(groups);
    let projects: usize = narrowed!(projects);
    Ok(groups + projects)
}

fn visibility(word: String) -> Result<Visibility, Error> {
    Visibility::try_from(word).map_err(|error| Error::internal(error.into()))
}

/// Webhooks that send in the copy, and don't in the present database.
pub(super) fn webhooks(
    copy: &mut DbConnection,
    present: &mut DbConnection,
) -> Result<usize, Error> {
    let (mut count, mut after) = (0, 0);
    loop {
        let then: Vec<i64> = webhooks::table
            .filter(webhooks::id.gt(after))
            .filter(webhooks::state.eq("enabled"))
            .order(webhooks::id.asc())
            .limit(AT_ONCE)
            .select(webhooks::id)
            .load(copy)?;
        let Some(last) = then.last() else {
            return Ok(count);
        };
        after = *last;
        let now: i64 = webhooks::table
            .filter(webhooks::id.eq_any(&then))
            .filter(webhooks::state.eq("enabled"))
            .count()
            .get_result(present)?;
        count += then
            .len()
            .saturating_sub(usize::try_from(now).unwrap_or_default());
    }
}

/// Settings and flags whose values differ.
pub(super) fn settings_changed(
    copy: &mut DbConnection,
    present: &mut DbConnection,
) -> Result<usize, Error> {
    let all = |conn: &mut DbConnection| -> Result<BTreeMap<String, String>, Error> {
        let mut all: BTreeMap<String, String> = settings::table
            .filter(settings::key.ne(BEFORE_LOWERING))
            .load::<(String, String)>(conn)?
            .into_iter()
            .collect();
        for (name, enabled) in feature_flags::table.load::<(String, bool)>(conn)? {
            all.insert(format!("flag {name}"), enabled.to_string());
        }
        Ok(all)
    };
    let (then, now) = (all(copy)?, all(present)?);
    let keys: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    Ok(keys
        .into_iter()
        .filter(|key| then.get(*key) != now.get(*key))
        .count())
}
