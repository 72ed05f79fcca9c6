//! Databases for tests, put together by what has happened.

use super::facts::{Bot, CREATED, DELETED, Event, Facts, Membership, ROTATED, Token};

/// The bot of a token has its id and 1000 more.
const BOT: i64 = 1000;

/// Everything of it is there, as long as nothing is taken away.
#[derive(Default)]
pub(crate) struct Sampled {
    pub(crate) tokens: Vec<Token>,
    pub(crate) bots: Vec<Bot>,
    pub(crate) memberships: Vec<Membership>,
    pub(crate) events: Vec<Event>,
}

impl Sampled {
    pub(crate) fn facts(self) -> Facts {
        Facts::new(self.tokens, self.bots, self.memberships, self.events)
    }

    pub(crate) fn created(mut self, id: i64, name: &str) -> Sampled {
        self.tokens.push(Token {
            id,
            user_id: BOT + id,
            group_id: Some(7),
            previous_token_id: None,
            revoked: false,
            name: name.to_owned(),
        });
        self.bots.push(Bot {
            id: BOT + id,
            bot_group_id: Some(7),
            gone: false,
        });
        self.memberships.push(Membership {
            user_id: BOT + id,
            group_id: Some(7),
            level: 30,
            bot: true,
        });
        self.event(CREATED, id, &format!(r#"{{"user_id":{}}}"#, BOT + id))
    }

    pub(crate) fn rotated(self, from: i64, to: i64) -> Sampled {
        let mut next = self.token(from).clone();
        next.id = to;
        next.previous_token_id = Some(from);
        let details = format!(r#"{{"user_id":{}}}"#, next.user_id);
        let mut this = self.ended(from).event(ROTATED, to, &details);
        this.tokens.push(next);
        this
    }

    pub(crate) fn revoked(self, id: i64) -> Sampled {
        let bot = self.token(id).user_id;
        let details = format!(r#"{{"user_id":{bot}}}"#);
        let mut this = self.ended(id).event(DELETED, id, &details);
        let bots = this.bots.iter_mut().filter(|one| one.id == bot);
        bots.for_each(|bot| bot.gone = true);
        this.event("bot_deleted", bot, "{}")
    }

    /// Its bot's rows are taken away, as they are a while after it is marked as gone.
    pub(crate) fn deleted(mut self, id: i64) -> Sampled {
        let bot = self.token(id).user_id;
        self.tokens.retain(|one| one.user_id != bot);
        self.bots.retain(|one| one.id != bot);
        self.memberships.retain(|one| one.user_id != bot);
        self
    }

    /// Marked as revoked, and nothing else.
    pub(crate) fn ended(self, id: i64) -> Sampled {
        self.marked(id, true)
    }

    pub(crate) fn living(self, id: i64) -> Sampled {
        self.marked(id, false)
    }

    /// A person who has had these roles in a group.
    pub(crate) fn level(mut self, person: i64, group: i64, levels: &[i64]) -> Sampled {
        for pair in levels.windows(2) {
            self.events.push(Event {
                event: "member_level_changed".to_owned(),
                target_id: Some(person),
                group_id: Some(group),
                details: format!(r#"{{"access_level":[{},{}]}}"#, pair[0], pair[1]),
            });
        }
        self.level_is(person, group, *levels.last().unwrap())
    }

    pub(crate) fn level_is(mut self, person: i64, group: i64, level: i64) -> Sampled {
        self.memberships.retain(|one| one.user_id != person);
        self.memberships.push(Membership {
            user_id: person,
            group_id: Some(group),
            level,
            bot: false,
        });
        self
    }

    fn marked(mut self, id: i64, revoked: bool) -> Sampled {
        let token = self.tokens.iter_mut().find(|one| one.id == id);
        token.unwrap().revoked = revoked;
        self
    }

    fn token(&self, id: i64) -> &Token {
        self.tokens.iter().find(|one| one.id == id).unwrap()
    }

    fn event(mut self, event: &str, id: i64, details: &str) -> Sampled {
        self.events.push(Event {
            event: event.to_owned(),
            target_id: Some(id),
            group_id: Some(7),
            details: details.to_owned(),
        });
        self
    }
}
