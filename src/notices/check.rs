//! The expiry check: finds the tokens that end soon, notes who is to be told, and puts mails into the outbox. Token,
//! notices and mails change in one transaction, so that nobody is missed or told twice, whatever crashes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use diesel::dsl::not;
use diesel::prelude::*;
use serde_json::json;

use super::interval::Interval;
use super::recipients::{self, Recipient, ResourceId};
use crate::access_tokens::{AccessToken, Resource};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::schema::{access_tokens, expiry_notices, users};
use crate::db::{Backend, DbConnection, Timestamp};
use crate::error::Error;
use crate::groups::notify_inherited::store::notify_inherited_of;
use crate::groups::{self, Group};
use crate::mail::outbox::{self, NewEmail};
use crate::projects;
use crate::webhooks::announce::announce_expiring;

/// Tokens that one transaction looks at, at the most;
const BATCH: i64 = 1_000;

/// and at first, until it shows how many are to be told of them.
const FIRST_BATCH: i64 = 100;

/// Notices and calls that one transaction writes, about: where many people look after one group, its tokens are taken
/// a few at a time. A token's own notices are never parted.
const WEIGHT: usize = 5_000;

/// Rows that one statement writes.
const AT_ONCE: usize = 1_000;

/// Kinds of mails; the key of one begins with its kind.
pub mod kind {
    /// One token of a group or project ends soon.
    pub const TOKEN_EXPIRING: &str = "token_expiring";
    /// Some of a person's own tokens end soon.
    pub const PERSONAL_EXPIRING: &str = "personal_tokens_expiring";
    /// Everything that ends soon and that a person wants to hear of once a day.
    pub const DIGEST: &str = "expiry_digest";
}

/// Where the next step goes on: behind this expiry date and id, in this interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    interval: Interval,
    after: Option<(NaiveDate, i64)>,
    /// How many tokens to take.
    batch: i64,
}

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Step {
    /// Tokens that somebody is told about.
    pub tokens: usize,
    /// People told of tokens, each pair counted.
    pub notices: usize,
    /// Mails put into the outbox.
    pub mails: usize,
    /// Calls of webhooks put into their queue.
    pub webhooks: usize,
    /// Tokens that nobody is there to be told about; they are looked at again the next day.
    pub without_recipient: usize,
    /// Where to go on; nothing at the end.
    pub next: Option<Cursor>,
}

impl Cursor {
    /// Where the check begins.
    pub fn start() -> Self {
        Cursor {
            interval: Interval::Seven,
            after: None,
            batch: FIRST_BATCH,
        }
    }

    fn next_interval(self, ctx: &Context) -> Option<Self> {
        Interval::ALL
            .into_iter()
            .find(|interval| *interval > self.interval && interval.is_on(&ctx.policy.flags))
            .map(|interval| Cursor {
                interval,
                after: None,
                ..self
            })
    }

    /// The same with as many tokens as the last step shows to be right.
    fn resized(self, taken: i64, step: &Step) -> Self {
        let weight = step.notices + step.webhooks;
        let batch = if weight > WEIGHT {
            let share = WEIGHT * usize::try_from(taken).unwrap_or(1) / weight;
            i64::try_from(share).unwrap_or(1)
        } else {
            self.batch * 2
        };
        Cursor {
            batch: batch.clamp(1, BATCH),
            ..self
        }
    }
}

/// One step: the next thousand tokens of an interval. `ctx.now` says which day it is; mails are due at `real_now`.
///
/// # Errors
/// When the database is away; nothing of the step has happened then.
pub fn step(
    conn: &mut DbConnection,
    ctx: &Context,
    real_now: DateTime<Utc>,
    cursor: Cursor,
) -> Result<Step, Error> {
    let tokens = ending(conn, ctx.today(), cursor)?;
    let whole = i64::try_from(tokens.len()).is_ok_and(|found| found < cursor.batch);
    let (mut step, done) = announce(conn, ctx, real_now, cursor.interval, &tokens)?;
    let next = match done.checked_sub(1).and_then(|last| tokens.get(last)) {
        Some(last) if done < tokens.len() || !whole => Some(Cursor {
            after: last.expires_at.map(|date| (date, last.id)),
            ..cursor
        }),
        _ => cursor.next_interval(ctx),
    };
    let taken = i64::try_from(done).unwrap_or(BATCH);
    step.next = next.map(|next| next.resized(taken, &step));
    Ok(step)
}

/// Active tokens with a date in the interval whose owners were not told in it, nor in a more urgent one: the next ones
/// behind the cursor. First the rest of its day and then the days after, because no index serves both at once: a day
/// on which many tokens end would be walked through from its beginning again and again.
fn ending(
    conn: &mut DbConnection,
    today: NaiveDate,
    cursor: Cursor,
) -> Result<Vec<AccessToken>, Error> {
    let (first, last) = cursor.interval.dates(today);
    let candidates = |limit: i64| {
        let mut query = access_tokens::table
            .inner_join(users::table)
            .filter(users::bot_gone_at.is_null())
            // In the words of the index, or it would not be used.
            .filter(not(access_tokens::revoked))
            .filter(diesel::dsl::not(access_tokens::impersonation))
            .filter(access_tokens::seven_days_notification_sent_at.is_null())
            .order((access_tokens::expires_at.asc(), access_tokens::id.asc()))
            .limit(limit)
            .select(AccessToken::as_select())
            .into_boxed::<Backend>();
        if cursor.interval >= Interval::Thirty {
            query = query.filter(access_tokens::thirty_days_notification_sent_at.is_null());
        }
        if cursor.interval == Interval::Sixty {
            query = query.filter(access_tokens::sixty_days_notification_sent_at.is_null());
        }
        query
    };
    let Some((date, id)) = cursor.after else {
        return Ok(candidates(cursor.batch)
            .filter(access_tokens::expires_at.between(first, last))
            .load(conn)?);
    };
    let mut tokens: Vec<AccessToken> = candidates(cursor.batch)
        .filter(access_tokens::expires_at.eq(date))
        .filter(access_tokens::id.gt(id))
        .load(conn)?;
    let left = cursor
        .batch
        .saturating_sub(i64::try_from(tokens.len()).unwrap_or(BATCH));
    if left > 0 {
        let later: Vec<AccessToken> = candidates(left)
            .filter(access_tokens::expires_at.gt(date))
            .filter(access_tokens::expires_at.le(last))
            .load(conn)?;
        tokens.extend(later);
    }
    Ok(tokens)
}

/// Puts down who is to be told of these tokens, up to about [`WEIGHT`]. Says how many tokens it has done.
fn announce(
    conn: &mut DbConnection,
    ctx: &Context,
    real_now: DateTime<Utc>,
    interval: Interval,
    tokens: &[AccessToken],
) -> Result<(Step, usize), Error> {
    let resources = resources_of(conn, tokens)?;
    let told = Told::find(conn, ctx, tokens, &resources)?;
    let user_ids: Vec<i64> = tokens.iter().map(|token| token.user_id).collect();
    let usernames = crate::users::store::usernames(conn, &user_ids)?;
    let mut done = 0;
    let mut step = Step::default();
    let mut notices = Vec::new();
    let mut mails = Vec::new();
    let mut announced = Vec::new();
    let mut events = Vec::new();
    for token in tokens {
        let recipients = told.of(token);
        if !notices.is_empty() && notices.len() + recipients.len() > WEIGHT {
            break;
        }
        done += 1;
        if recipients.is_empty() {
            step.without_recipient += 1;
            continue;
        }
        announced.push(token.id);
        let mut event = Event::new("expiry_notice_sent", Target::Token(token.id, &token.name))
            .with(json!({
                "user_id": token.user_id,
                "username": usernames.get(&token.user_id),
                "interval_days": interval.days(),
                "recipients": recipients.len(),
            }));
        if let Some(resource) = resource_id(token).and_then(|id| resources.get(&id)) {
            event = event.in_group(resource.group());
        }
        events.push(event);
        for recipient in recipients {
            // Whoever is told of several at once gets their mail at the end of the check.
            let single = resource_id(token).is_some() && !recipient.wants_digest;
            let key = single.then(|| {
                format!(
                    "{}/{}/{}/{}",
                    kind::TOKEN_EXPIRING,
                    token.id,
                    interval.days(),
                    recipient.user_id
                )
            });
            if let Some(key) = &key {
                mails.push(NewEmail {
                    key: key.clone(),
                    kind: kind::TOKEN_EXPIRING,
                    user_id: recipient.user_id,
                    data: json!({}),
                    give_up_at: Some(use_until(token.expires_at, real_now)),
                });
            }
            notices.push((
                expiry_notices::token_id.eq(token.id),
                expiry_notices::interval_days.eq(interval.days()),
                expiry_notices::user_id.eq(recipient.user_id),
                expiry_notices::email_key.eq(key),
                expiry_notices::created_at.eq(Timestamp::from(real_now)),
            ));
        }
    }
    step.tokens = announced.len();
    step.notices = notices.len();
    step.mails = mails.len();
    outbox::enqueue(conn, &mails, real_now)?;
    while !notices.is_empty() {
        let some: Vec<_> = notices.drain(..notices.len().min(AT_ONCE)).collect();
        match conn {
            DbConnection::Sqlite(conn) => diesel::insert_into(expiry_notices::table)
                .values(some)
                .execute(conn)?,
            DbConnection::Postgres(conn) => diesel::insert_into(expiry_notices::table)
                .values(some)
                .execute(conn)?,
        };
    }
    mark(conn, interval, &announced, ctx.now)?;
    audit::record_all(conn, ctx, &events)?;
    if interval == Interval::Seven {
        let seen = tokens.get(..done).unwrap_or(tokens);
        step.webhooks = call_webhooks(conn, ctx, real_now, seen, &resources)?;
    }
    Ok((step, done))
}

/// Programs are told once, in the last week, whether or not there are people to be told.
fn call_webhooks(
    conn: &mut DbConnection,
    ctx: &Context,
    real_now: DateTime<Utc>,
    tokens: &[AccessToken],
    resources: &HashMap<ResourceId, Resource>,
) -> Result<usize, Error> {
    let of_resources: Vec<(AccessToken, Resource)> = tokens
        .iter()
        .filter_map(|token| {
            let resource = resources.get(&resource_id(token)?)?.clone();
            Some((token.clone(), resource))
        })
        .collect();
    announce_expiring(conn, ctx, &of_resources, real_now)
}

/// The groups and projects of these tokens, by id.
pub(super) fn resources_of(
    conn: &mut DbConnection,
    tokens: &[AccessToken],
) -> Result<HashMap<ResourceId, Resource>, Error> {
    let group_ids: BTreeSet<i64> = tokens.iter().filter_map(|token| token.group_id).collect();
    let project_ids: BTreeSet<i64> = tokens.iter().filter_map(|token| token.project_id).collect();
    let mut found = HashMap::new();
    for group in groups::store::find_all(conn, group_ids)? {
        found.insert(ResourceId::Group(group.id), Resource::Group(group));
    }
    for project in projects::store::find_all(conn, project_ids)? {
        found.insert(ResourceId::Project(project.id), Resource::Project(project));
    }
    Ok(found)
}

pub(super) fn resource_id(token: &AccessToken) -> Option<ResourceId> {
    match (token.group_id, token.project_id) {
        (Some(id), _) => Some(ResourceId::Group(id)),
        (_, Some(id)) => Some(ResourceId::Project(id)),
        (None, None) => None,
    }
}

/// Who is told what, for one batch of tokens.
struct Told {
    by_resource: HashMap<ResourceId, Vec<Recipient>>,
    people: BTreeMap<i64, Recipient>,
}

impl Told {
    fn find(
        conn: &mut DbConnection,
        ctx: &Context,
        tokens: &[AccessToken],
        resources: &HashMap<ResourceId, Resource>,
    ) -> Result<Self, Error> {
        let all: Vec<&Resource> = resources.values().collect();
        let inherited = inheriting(conn, ctx, &all)?;
        let own = tokens
            .iter()
            .filter(|token| resource_id(token).is_none())
            .map(|token| token.user_id);
        let own: BTreeSet<i64> = own.collect();
        Ok(Told {
            by_resource: recipients::of_resources(conn, ctx.today(), &all, &inherited, None)?,
            people: recipients::people(conn, own)?,
        })
    }

    fn of(&self, token: &AccessToken) -> Vec<Recipient> {
        match resource_id(token) {
            Some(id) => self.by_resource.get(&id).cloned().unwrap_or_default(),
            None => self
                .people
                .get(&token.user_id)
                .copied()
                .into_iter()
                .collect(),
        }
    }
}

/// The groups of these resources whose inherited members are told as well.
pub(super) fn inheriting(
    conn: &mut DbConnection,
    ctx: &Context,
    resources: &[&Resource],
) -> Result<HashSet<i64>, Error> {
    if !ctx.policy.flags.pat_expiry_inherited_members_notification {
        return Ok(HashSet::new());
    }
    let all: Vec<&Group> = resources.iter().map(|resource| resource.group()).collect();
    Ok(notify_inherited_of(conn, &ctx.policy, &all)?
        .into_iter()
        .filter_map(|(id, inherited)| inherited.then_some(id))
        .collect())
}

/// Until when a notice about a token with this date is worth sending: its end, and on the last day a day more.
fn use_until(expires_at: Option<NaiveDate>, real_now: DateTime<Utc>) -> DateTime<Utc> {
    let tomorrow = real_now + Days::new(1);
    expires_at
        .map(|date| date.and_time(NaiveTime::MIN).and_utc())
        .map_or(tomorrow, |end| end.max(tomorrow))
}

fn mark(
    conn: &mut DbConnection,
    interval: Interval,
    ids: &[i64],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let now = Some(Timestamp::from(now));
    let these = access_tokens::table.filter(access_tokens::id.eq_any(ids));
    match interval {
        Interval::Seven => diesel::update(these)
            .set(access_tokens::seven_days_notification_sent_at.eq(now))
            .execute(conn)?,
        Interval::Thirty => diesel::update(these)
            .set(access_tokens::thirty_days_notification_sent_at.eq(now))
            .execute(conn)?,
        Interval::Sixty => diesel::update(these)
            .set(access_tokens::sixty_days_notification_sent_at.eq(now))
            .execute(conn)?,
    };
    Ok(())
}
