//! Tokens, many at a time.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::Writer;
use crate::access_tokens::expiry::is_active;
use crate::access_tokens::imported::salt::{OF_SALTED_HASH, OF_VALUE};
use crate::audit::{self, Event, Target};
use crate::error::Error;
use crate::exchange::check::{no_digests, refuse};
use crate::exchange::format::{At, TokenEntry};
use crate::exchange::rules::{self, Digesting, Flaw};
use crate::exchange::store::{self, Bytes, KnownUser, NewToken};
use crate::users::store::key;

/// A token of the file, with what the database would keep of its value and of its predecessor's.
struct Read {
    at: At,
    entry: TokenEntry,
    checked: rules::CheckedToken,
    digest: Bytes,
    previous: Option<Bytes>,
}

/// What the database knows of tokens by their digests.
struct Known {
    holders: HashMap<String, KnownUser>,
    /// Id and holder.
    tokens: HashMap<Bytes, (i64, i64)>,
    /// Of tokens that were imported or taken away once.
    past: HashSet<Bytes>,
}

impl Writer<'_> {
    pub(super) fn make_tokens(&mut self) -> Result<(), Error> {
        let entries = std::mem::take(&mut self.tokens);
        let mut all = Vec::with_capacity(entries.len());
        for (at, entry) in entries {
            all.push(self.read_token(at, entry)?);
        }
        let digests: Vec<Bytes> = all
            .iter()
            .flat_map(|token| std::iter::once(token.digest).chain(token.previous))
            .collect();
        let holders = all.iter().map(|token| token.entry.user.clone());
        let known = Known {
            holders: store::users_by_name(self.conn, holders)?,
            tokens: store::tokens_by_digest(self.conn, &digests)?,
            past: store::known_among(self.conn, &digests)?,
        };
        let mut new: Vec<NewToken> = Vec::new();
        // Those whose predecessor is made by the same statement.
        let mut links: Vec<(Bytes, Bytes)> = Vec::new();
        let mut made_by: HashMap<Bytes, i64> = HashMap::new();
        for token in all {
            let Some(row) = self.new_token(&token, &known, &made_by)? else {
                continue;
            };
            if let (None, Some(previous)) = (row.previous_token_id, token.previous)
                && made_by.contains_key(&previous)
            {
                links.push((row.digest, previous));
            }
            made_by.insert(row.digest, row.user_id);
            new.push(row);
        }
        let made = store::insert_tokens(self.conn, &new, self.ctx.now)?;
        for (digest, previous) in links {
            if let (Some((id, _)), Some((previous_id, _))) =
                (made.get(&digest), made.get(&previous))
            {
                store::set_previous(self.conn, *id, *previous_id)?;
            }
        }
        let holders: HashMap<i64, &KnownUser> =
            known.holders.values().map(|user| (user.id, user)).collect();
        for token in &new {
            if let (Some((id, _)), Some(holder)) =
                (made.get(&token.digest), holders.get(&token.user_id))
            {
                self.tell(*id, token, holder)?;
            }
        }
        Ok(())
    }

    fn read_token(&self, at: At, entry: TokenEntry) -> Result<Read, Error> {
        let digesting = self.digesting.as_ref().ok_or_else(|| no_digests(at))?;
        let checked =
            rules::token(&entry, digesting, self.ctx.now).map_err(|flaw| refuse(at, &flaw))?;
        Ok(Read {
            digest: self.kept(digesting, checked.digest),
            previous: checked.previous.map(|digest| self.kept(digesting, digest)),
            at,
            entry,
            checked,
        })
    }

    /// What the database keeps of a digest of the file.
    pub(super) fn kept(&self, digesting: &Digesting, digest: Bytes) -> Bytes {
        match digesting {
            Digesting::Own { .. } => digest,
            Digesting::Salted(_) => *self
                .ctx
                .instance
                .token_key
                .of_salted_hash(&digest)
                .as_bytes(),
        }
    }

    /// The row to be; nothing for a token that is here, or was.
    fn new_token(
        &mut self,
        token: &Read,
        known: &Known,
        made_by: &HashMap<Bytes, i64>,
    ) -> Result<Option<NewToken>, Error> {
        let Read {
            at, entry, checked, ..
        } = token;
        let flaw = |field: &str, message: String| refuse(*at, &Flaw::new(field, message));
        let holder = known
            .holders
            .get(&key(&entry.user))
            .filter(|user| user.is_bot || user.is_human);
        if let Some((_, user_id)) = known.tokens.get(&token.digest) {
            if holder.is_none_or(|holder| holder.id != *user_id) {
                return Err(flaw("user", "is not whose token this is here".into()));
            }
            self.report.tokens.existing += 1;
            return Ok(None);
        }
        if known.past.contains(&token.digest) {
            self.report.tokens_taken_away += 1;
            return Ok(None);
        }
        let holder =
            holder.ok_or_else(|| flaw("user", format!("there is no user {}", entry.user)))?;
        rules::scopes_of(&checked.scopes, holder.is_bot).map_err(|flaw| refuse(*at, &flaw))?;
        let previous = match token.previous {
            None => None,
            Some(previous) => {
                let here = known.tokens.get(&previous).copied();
                let user_id = here
                    .map(|(_, user_id)| user_id)
                    .or_else(|| made_by.get(&previous).copied());
                match user_id {
                    Some(user_id) if user_id != holder.id => {
                        let message = "is of a token of another user".into();
                        return Err(flaw("previous_digest", message));
                    }
                    None if !known.past.contains(&previous) => {
                        let message = "is of no token that comes before".into();
                        return Err(flaw("previous_digest", message));
                    }
                    _ => here.map(|(id, _)| id),
                }
            }
        };
        let (group_id, project_id) = (holder.bot_group_id, holder.bot_project_id);
        let above = self.places.group_of_bot(self.conn, group_id, project_id)?;
        let salted = entry.salted || matches!(self.digesting, Some(Digesting::Salted(_)));
        let created_at = entry.created_at.unwrap_or(self.ctx.now);
        let changed_at = if entry.revoked {
            self.ctx.now
        } else {
            created_at
        };
        let row = NewToken {
            user_id: holder.id,
            group_id,
            project_id,
            root_id: above.map(|group| group.root_id),
            name: checked.name.clone(),
            description: checked.description.clone(),
            scopes: checked.scopes.to_string(),
            digest: token.digest,
            digest_version: if salted { OF_SALTED_HASH } else { OF_VALUE },
            hint: entry.hint.clone().unwrap_or_default(),
            expires_at: entry.expires_at,
            revoked: entry.revoked,
            previous_token_id: previous,
            created_at,
            updated_at: entry.updated_at.unwrap_or(changed_at),
            last_used_at: entry.last_used_at,
        };
        self.count(&row);
        Ok(Some(row))
    }

    fn count(&mut self, token: &NewToken) {
        self.report.tokens.created += 1;
        let today = self.ctx.today();
        if !is_active(token.revoked, token.expires_at, today) {
            return;
        }
        match (token.expires_at, self.ctx.policy.limits().longest(today)) {
            (None, _) => self.report.tokens_without_expiry += 1,
            (Some(date), Some(longest)) if date > longest => self.report.tokens_beyond_limit += 1,
            _ => {}
        }
    }

    /// A line in the trail.
    fn tell(&mut self, id: i64, token: &NewToken, holder: &KnownUser) -> Result<(), Error> {
        let kind = match (token.group_id, token.project_id) {
            (Some(_), _) => "group",
            (None, Some(_)) => "project",
            (None, None) => "personal",
        };
        let group = self
            .places
            .group_of_bot(self.conn, token.group_id, token.project_id)?;
        let mut event = Event::new(
            format!("{kind}_access_token_imported"),
            Target::Token(id, &token.name),
        )
        .with(json!({
            "scopes": token.scopes.split(' ').collect::<Vec<_>>(),
            "expires_at": token.expires_at,
            "revoked": token.revoked,
            "user_id": holder.id,
            "username": holder.username,
        }));
        if let Some(group) = &group {
            event = event.in_group(group);
        }
        audit::record(self.conn, self.ctx, event)
    }
}
