//! Bots with their memberships, many at a time.

use super::{Writer, state};
use crate::access_tokens::Resource;
use crate::error::Error;
use crate::exchange::check::refuse;
use crate::exchange::rules::Flaw;
use crate::exchange::store::{self, NewBot};
use crate::users::store::key;

impl Writer<'_> {
    pub(super) fn make_bots(&mut self) -> Result<(), Error> {
        let entries = std::mem::take(&mut self.bots);
        let names = entries.iter().map(|(_, bot)| bot.username.clone());
        let known = store::users_by_name(self.conn, names)?;
        let makers = entries.iter().filter_map(|(_, bot)| bot.created_by.clone());
        let makers = store::users_by_name(self.conn, makers)?;
        let mut new = Vec::new();
        for (at, entry) in entries {
            let flaw = |field: &str, message: String| refuse(at, &Flaw::new(field, message));
            let home = self.home(at, entry.group.as_deref(), entry.project.as_deref())?;
            let (group_id, project_id) = match &home {
                Resource::Group(group) => (Some(group.id), None),
                Resource::Project(project) => (None, Some(project.id)),
            };
            if let Some(known) = known.get(&key(&entry.username)) {
                if !known.is_bot {
                    return Err(flaw("username", "is no bot here".into()));
                }
                if (known.bot_group_id, known.bot_project_id) != (group_id, project_id) {
                    let message = "is here as the bot of another group or project".into();
                    return Err(flaw(home.noun(), message));
                }
                self.report.bots.existing += 1;
                continue;
            }
            let created_by_id = match &entry.created_by {
                None => None,
                Some(name) => Some(
                    makers
                        .get(&key(name))
                        .ok_or_else(|| flaw("created_by", format!("there is no user {name}")))?
                        .id,
                ),
            };
            new.push(NewBot {
                email: format!("{}@noreply.{}", entry.username, self.ctx.instance.host),
                username: entry.username,
                name: entry.name.trim().to_owned(),
                state: state(entry.state),
                external: entry.external,
                group_id,
                project_id,
                created_by_id,
                created_at: entry.created_at.unwrap_or(self.ctx.now),
                role: entry.access_level.map(|level| (level, entry.expires_at)),
            });
        }
        self.report.bots.created += new.len() as u64;
        let first = store::insert_bots(self.conn, &new, self.ctx.now)?;
        self.first_bot = match (self.first_bot, first) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Ok(())
    }
}
