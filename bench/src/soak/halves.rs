//! What must not be there by itself: the parts of a change are all there, or none of them is.

use super::facts::{Bot, CREATED, DELETED, Facts, ROTATED, Token};

impl Facts {
    /// Everything of which one part is there and another one isn't.
    pub(crate) fn halves(&self) -> Vec<String> {
        let bots = self.bots.values().flat_map(|bot| self.halves_of_bot(bot));
        let tokens = self.tokens.values();
        let tokens = tokens.flat_map(|token| self.halves_of_token(token));
        bots.chain(tokens).chain(self.halves_of_trail()).collect()
    }

    fn halves_of_bot(&self, bot: &Bot) -> Vec<String> {
        let mut found = Vec::new();
        let mut complain = |what: String| found.push(format!("bot {}: {what}", bot.id));
        let memberships = self.memberships.get(&bot.id).map_or(&[][..], Vec::as_slice);
        let home = memberships
            .iter()
            .filter(|one| one.bot && one.group_id == bot.bot_group_id);
        if memberships.len() != 1 || home.count() != 1 {
            complain(format!(
                "{} memberships, not one in its group",
                memberships.len()
            ));
        }
        let tokens = self.by_bot.get(&bot.id).map_or(&[][..], Vec::as_slice);
        let token = |id: &&i64| self.tokens.get(*id);
        let first = tokens
            .iter()
            .filter(|id| token(id).is_some_and(|token| token.previous_token_id.is_none()));
        if first.count() != 1 {
            complain(format!(
                "its {} tokens don't descend from one",
                tokens.len()
            ));
        }
        let living = tokens
            .iter()
            .filter(|id| token(id).is_some_and(|token| !token.revoked))
            .count();
        let marked = self.events(bot.id, "bot_deleted");
        let expected = usize::from(!bot.gone);
        if living != expected || marked != 1 - expected {
            complain(format!(
                "gone: {}, with {living} living tokens and {marked} lines about its end",
                bot.gone
            ));
        }
        found
    }

    fn halves_of_token(&self, token: &Token) -> Vec<String> {
        let mut found = Vec::new();
        let mut complain = |what: &str| found.push(format!("token {}: {what}", token.id));
        match self.bots.get(&token.user_id) {
            None => complain("it has no bot"),
            Some(bot) if bot.bot_group_id != token.group_id => {
                complain("its bot is another group's")
            }
            Some(_) => {}
        }
        let successors = self.successors(token.id);
        let [created, rotated, deleted] =
            [CREATED, ROTATED, DELETED].map(|event| self.events(token.id, event));
        match token.previous_token_id {
            None if (created, rotated) != (1, 0) => {
                complain("its creation isn't in the audit trail once")
            }
            Some(_) if (created, rotated) != (0, 1) => {
                complain("its rotation isn't in the audit trail once")
            }
            _ => {}
        }
        if let Some(id) = token.previous_token_id {
            match self.tokens.get(&id) {
                None => complain("what it was rotated from isn't there"),
                Some(previous) if previous.user_id != token.user_id => {
                    complain("it descends from another bot's")
                }
                Some(previous) if !previous.revoked => {
                    complain("what it was rotated from isn't revoked")
                }
                Some(_) => {}
            }
        }
        // Revoked because it was rotated away, or because somebody revoked it.
        if usize::from(token.revoked) != successors.len() + deleted {
            complain(&format!(
                "revoked: {}, with {} successors and {deleted} lines about its end",
                token.revoked,
                successors.len()
            ));
        }
        found
    }

    /// What the trail tells of must be there, or must have gone with its bot.
    fn halves_of_trail(&self) -> Vec<String> {
        let mut found = Vec::new();
        for ((name, id), events) in &self.events {
            if ![CREATED, ROTATED, DELETED].contains(&name.as_str()) || self.tokens.contains_key(id)
            {
                continue;
            }
            let bot = events
                .first()
                .and_then(|event| event.detail("user_id").as_i64());
            let gone = bot.is_some_and(|bot| self.events(bot, "bot_deleted") == 1);
            if !gone {
                found.push(format!(
                    "{name} of token {id}, which isn't there, nor is the end of its bot"
                ));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use crate::soak::samples::Sampled;

    /// One token that lives, one that was rotated twice, one that was revoked, one whose rows are gone.
    fn whole() -> Sampled {
        Sampled::default()
            .created(1, "a")
            .created(2, "b")
            .rotated(2, 3)
            .rotated(3, 4)
            .created(5, "c")
            .rotated(5, 6)
            .revoked(6)
            .created(7, "d")
            .rotated(7, 8)
            .revoked(8)
            .deleted(8)
    }

    #[test]
    fn what_is_whole_has_no_halves() {
        assert_eq!(whole().facts().halves(), Vec::<String>::new());
    }

    /// Nothing may be missing that another thing needs.
    #[test]
    fn whatever_is_taken_away_is_missed() {
        let parts = whole();
        let found = |sampled: Sampled| !sampled.facts().halves().is_empty();
        for at in 0..parts.tokens.len() {
            let mut some = whole();
            some.tokens.remove(at);
            assert!(found(some), "token {at}");
        }
        for at in 0..parts.bots.len() {
            let mut some = whole();
            some.bots.remove(at);
            assert!(found(some), "bot {at}");
        }
        for at in 0..parts.memberships.len() {
            let mut some = whole();
            some.memberships.remove(at);
            assert!(found(some), "membership {at}");
        }
        for at in 0..parts.events.len() {
            let mut some = whole();
            let event = some.events.remove(at);
            // Of a bot whose rows are gone its end is what says so; how its tokens came about is history.
            let history = event.target_id >= Some(7) && event.target_id <= Some(8);
            assert!(found(some) || history, "event {at}: {event:?}");
        }
    }

    #[test]
    fn whatever_is_there_twice_or_in_another_state_is_seen() {
        let found = |sampled: Sampled| !sampled.facts().halves().is_empty();
        for at in 0..whole().tokens.len() {
            let mut turned = whole();
            turned.tokens[at].revoked = !turned.tokens[at].revoked;
            assert!(found(turned), "token {at}");
            let mut elsewhere = whole();
            elsewhere.tokens[at].group_id = Some(8);
            assert!(found(elsewhere), "token {at} elsewhere");
        }
        for at in 0..whole().bots.len() {
            let mut turned = whole();
            turned.bots[at].gone = !turned.bots[at].gone;
            assert!(found(turned), "bot {at}");
        }
        for at in 0..whole().events.len() {
            let mut twice = whole();
            twice.events.push(twice.events[at].clone());
            let history =
                twice.events[at].target_id >= Some(7) && twice.events[at].target_id <= Some(8);
            assert!(found(twice) || history, "event {at}");
        }
        let mut member = whole();
        member.memberships.push(member.memberships[0].clone());
        assert!(found(member));
    }

    #[test]
    fn two_rotations_of_one_token_are_one_too_many() {
        let mut twice = Sampled::default()
            .created(1, "a")
            .rotated(1, 2)
            .rotated(1, 3);
        assert!(!twice.facts().halves().is_empty());
        twice = Sampled::default().created(1, "a").rotated(1, 2);
        assert!(twice.facts().halves().is_empty());
    }
}
