//! Sessions in the database.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

use crate::access_tokens::secret::Digest;
use crate::db::schema::{
    instance, memberships, sessions, sign_in_failures, used_form_nonces, users,
};
use crate::db::{DbConnection, Timestamp, straight};
use crate::error::Error;
use crate::members::Membership;
use crate::settings::Settings;
use crate::users::User;

/// A session, as the database keeps it.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub(super) struct SessionRow {
    pub state: String,
    #[diesel(deserialize_as = Timestamp)]
    pub created_at: DateTime<Utc>,
    #[diesel(deserialize_as = Timestamp)]
    pub last_seen_at: DateTime<Utc>,
    #[diesel(deserialize_as = Timestamp)]
    pub expires_at: DateTime<Utc>,
}

impl SessionRow {
    /// Has it ended: for want of use, or for its age by what was the rule when it began or by what is the rule now?
    pub(super) fn is_over(&self, settings: &Settings, now: DateTime<Utc>) -> bool {
        let days = |days: u32| TimeDelta::days(i64::from(days));
        now >= self.expires_at
            || now - self.created_at >= days(settings.session_absolute_days)
            || now - self.last_seen_at >= days(settings.session_idle_days)
    }
}

/// Sessions that began by the first moment, or were last used by the second, are over, whatever their rows say.
fn bounds(settings: &Settings, now: DateTime<Utc>) -> (Timestamp, Timestamp) {
    let ago = |days: u32| Timestamp::from(now - TimeDelta::days(i64::from(days)));
    (
        ago(settings.session_absolute_days),
        ago(settings.session_idle_days),
    )
}

pub(super) type LoadedRow = (SessionRow, User, i64, Option<Membership>);

/// A session with its person, their memberships and the revision of the settings, in one query.
pub(super) fn find(conn: &mut DbConnection, id: &Digest) -> Result<Vec<LoadedRow>, Error> {
    // With each page, as tokens are for each call.
    Ok(straight!(conn => sessions::table
        .inner_join(users::table.on(users::id.nullable().eq(sessions::user_id)))
        .inner_join(instance::table.on(instance::id.eq(1)))
        .left_join(memberships::table.on(memberships::user_id.eq(users::id)))
        .filter(sessions::id_digest.eq(id.as_bytes().as_slice()))
        .select((
            SessionRow::as_select(),
            User::as_select(),
            instance::settings_revision,
            Option::<Membership>::as_select(),
        ))
        .load(conn)?))
}

/// A session to be.
#[derive(Debug)]
pub(super) struct NewSession<'a> {
    pub id: &'a Digest,
    pub user_id: i64,
    pub state: &'a str,
    pub ip: &'a str,
    pub user_agent: &'a str,
    pub now: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

pub(super) fn insert(conn: &mut DbConnection, new: &NewSession<'_>) -> Result<(), Error> {
    let now = Timestamp::from(new.now);
    diesel::insert_into(sessions::table)
        .values((
            sessions::id_digest.eq(new.id.as_bytes().as_slice()),
            sessions::user_id.eq(new.user_id),
            sessions::state.eq(new.state),
            sessions::ip.eq(new.ip),
            sessions::user_agent.eq(new.user_agent),
            sessions::created_at.eq(now),
            sessions::last_seen_at.eq(now),
            sessions::expires_at.eq(Timestamp::from(new.expires_at)),
        ))
        .execute(conn)?;
    Ok(())
}

pub(super) fn update_state(conn: &mut DbConnection, id: &Digest, state: &str) -> Result<(), Error> {
    diesel::update(sessions::table.find(id.as_bytes().as_slice()))
        .set(sessions::state.eq(state))
        .execute(conn)?;
    Ok(())
}

pub(super) fn touch(conn: &mut DbConnection, id: &Digest, now: DateTime<Utc>) -> Result<(), Error> {
    diesel::update(sessions::table.find(id.as_bytes().as_slice()))
        .set(sessions::last_seen_at.eq(Timestamp::from(now)))
        .execute(conn)?;
    Ok(())
}

pub(super) fn delete(conn: &mut DbConnection, id: &Digest) -> Result<(), Error> {
    diesel::delete(sessions::table.find(id.as_bytes().as_slice())).execute(conn)?;
    Ok(())
}

/// Ends every session of a user. Returns how many there were.
///
/// # Errors
/// When the database is away.
pub fn end_all_of(conn: &mut DbConnection, user_id: i64) -> Result<usize, Error> {
    Ok(diesel::delete(sessions::table.filter(sessions::user_id.eq(user_id))).execute(conn)?)
}

/// Ends the session of a user that is kept under this digest. Returns whether there was one.
///
/// # Errors
/// When the database is away.
pub fn end_one_of(conn: &mut DbConnection, user_id: i64, digest: &[u8]) -> Result<bool, Error> {
    let session = sessions::table
        .filter(sessions::id_digest.eq(digest))
        .filter(sessions::user_id.eq(user_id));
    Ok(diesel::delete(session).execute(conn)? > 0)
}

/// Ends the sessions of a user but this one. Returns how many there were.
///
/// # Errors
/// When the database is away.
pub fn end_others_of(conn: &mut DbConnection, user_id: i64, kept: &Digest) -> Result<usize, Error> {
    let others = sessions::table
        .filter(sessions::user_id.eq(user_id))
        .filter(sessions::id_digest.ne(kept.as_bytes().as_slice()));
    Ok(diesel::delete(others).execute(conn)?)
}

/// What the database knows the sessions of a user by.
///
/// # Errors
/// When the database is away.
pub fn digests_of(conn: &mut DbConnection, user_id: i64) -> Result<Vec<Vec<u8>>, Error> {
    Ok(sessions::table
        .filter(sessions::user_id.eq(user_id))
        .select(sessions::id_digest)
        .load(conn)?)
}

/// A session that somebody could go on with.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct LivingSession {
    /// What the database knows it by; it opens nothing.
    pub id_digest: Vec<u8>,
    /// The address at sign-in.
    pub ip: String,
    /// What the browser called itself.
    pub user_agent: String,
    /// When it began.
    #[diesel(deserialize_as = Timestamp)]
    pub created_at: DateTime<Utc>,
    /// The last use, within five minutes.
    #[diesel(deserialize_as = Timestamp)]
    pub last_seen_at: DateTime<Utc>,
}

/// The sessions of a user that have not ended, the last used first; `limit` at most.
///
/// # Errors
/// When the database is away.
pub fn living_of(
    conn: &mut DbConnection,
    user_id: i64,
    now: DateTime<Utc>,
    settings: &Settings,
    limit: i64,
) -> Result<Vec<LivingSession>, Error> {
    let (began, idle) = bounds(settings, now);
    Ok(sessions::table
        .filter(sessions::user_id.eq(user_id))
        .filter(sessions::expires_at.gt(Timestamp::from(now)))
        .filter(sessions::created_at.gt(began))
        .filter(sessions::last_seen_at.gt(idle))
        .order((sessions::last_seen_at.desc(), sessions::id_digest.asc()))
        .limit(limit)
        .select(LivingSession::as_select())
        .load(conn)?)
}

/// Ends every session of everybody. Returns how many there were.
///
/// # Errors
/// When the database is away.
pub fn end_all(conn: &mut DbConnection) -> Result<usize, Error> {
    Ok(diesel::delete(sessions::table).execute(conn)?)
}

/// Rows that are swept out in one go.
const SWEPT_AT_ONCE: i64 = 1_000;

/// Sweeps out sessions that have ended. Returns how many; there may be more.
///
/// # Errors
/// When the database is away.
pub fn sweep_sessions(
    conn: &mut DbConnection,
    now: DateTime<Utc>,
    settings: &Settings,
) -> Result<usize, Error> {
    let (began, idle) = bounds(settings, now);
    let ended: Vec<Vec<u8>> = sessions::table
        .filter(
            sessions::expires_at
                .le(Timestamp::from(now))
                .or(sessions::created_at.le(began))
                .or(sessions::last_seen_at.le(idle)),
        )
        .limit(SWEPT_AT_ONCE)
        .select(sessions::id_digest)
        .load(conn)?;
    Ok(diesel::delete(sessions::table.filter(sessions::id_digest.eq_any(ended))).execute(conn)?)
}

/// Forgets which forms were sent, after two days. Returns how many; there may be more.
///
/// # Errors
/// When the database is away.
pub fn sweep_nonces(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<usize, Error> {
    let old: Vec<Vec<u8>> = used_form_nonces::table
        .filter(used_form_nonces::created_at.le(Timestamp::from(now - TimeDelta::days(2))))
        .limit(SWEPT_AT_ONCE)
        .select(used_form_nonces::digest)
        .load(conn)?;
    Ok(
        diesel::delete(used_form_nonces::table.filter(used_form_nonces::digest.eq_any(old)))
            .execute(conn)?,
    )
}

/// How often something that strangers may do only so often was done since then.
///
/// # Errors
/// When the database is away.
pub fn count_attempts(
    conn: &mut DbConnection,
    digest: &Digest,
    since: DateTime<Utc>,
) -> Result<i64, Error> {
    Ok(sign_in_failures::table
        .filter(sign_in_failures::account_digest.eq(digest.as_bytes().as_slice()))
        .filter(sign_in_failures::created_at.gt(Timestamp::from(since)))
        .count()
        .get_result(conn)?)
}

/// Counts one more.
///
/// # Errors
/// When the database is away.
pub fn note_attempt(
    conn: &mut DbConnection,
    digest: &Digest,
    network: &str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    diesel::insert_into(sign_in_failures::table)
        .values((
            sign_in_failures::account_digest.eq(digest.as_bytes().as_slice()),
            sign_in_failures::address_prefix.eq(network),
            sign_in_failures::created_at.eq(Timestamp::from(now)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Forgets failed sign-ins after two hours. Returns how many; there may be more.
///
/// # Errors
/// When the database is away.
pub fn sweep_failures(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<usize, Error> {
    let old: Vec<i64> = sign_in_failures::table
        .filter(sign_in_failures::created_at.le(Timestamp::from(now - TimeDelta::hours(2))))
        .limit(SWEPT_AT_ONCE)
        .select(sign_in_failures::id)
        .load(conn)?;
    Ok(
        diesel::delete(sign_in_failures::table.filter(sign_in_failures::id.eq_any(old)))
            .execute(conn)?,
    )
}
