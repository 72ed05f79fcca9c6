//! `latchkey group`

use clap::{Args, Subcommand};

use super::acting::Acting;
use super::instance::Instance;
use super::output::{Output, Table};
use super::{Failure, arguments, json, target};
use crate::access_tokens::Resource;
use crate::db::PageRequest;
use crate::error::Error;
use crate::groups::create::{self, NewGroupForm};
use crate::groups::list::{Filter, list_visible};
use crate::groups::plan::{Plan, Tier};
use crate::groups::subscribe;
use crate::groups::{Group, Visibility};
use crate::members::{AccessLevel, add};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Create(Create),
    /// List all groups
    List(List),
    Update(Update),
}

/// Create a group, or a subgroup of a group that is there
#[derive(Debug, Args)]
pub(super) struct Create {
    /// The full path, as in acme or acme/platform
    #[arg(long)]
    path: String,

    /// As shown [default: the last part of the path]
    #[arg(long)]
    name: Option<String>,

    /// What it is for
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,

    /// Who becomes its Owner [default: the acting administrator for a top-level group, nobody for a subgroup]
    #[arg(long, value_name = "USERNAME")]
    owner: Option<String>,

    /// private, internal or public; never wider than the parent's [default: default_group_visibility]
    #[arg(long, value_parser = arguments::visibility)]
    visibility: Option<Visibility>,

    #[command(flatten)]
    acting: Acting,
}

/// Change what a top-level group pays for; that counts on a hosted instance
#[derive(Debug, Args)]
pub(super) struct Update {
    /// The group
    #[arg(value_name = "PATH|ID")]
    group: String,

    /// free, premium or ultimate
    #[arg(long, value_parser = arguments::tier, required_unless_present = "trial")]
    plan: Option<Tier>,

    /// Whether the plan is only tried: true or false
    #[arg(long, value_name = "BOOL")]
    trial: Option<bool>,

    #[command(flatten)]
    acting: Acting,
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    acting: Acting,
}

impl Command {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        match self {
            Command::Create(create) => create.run(instance, out),
            Command::List(list) => list.run(instance, out),
            Command::Update(update) => update.run(instance, out),
        }
    }
}

impl Create {
    fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let group = instance.open(&self.acting)?.write(move |conn, ctx| {
            let (above, path) = target::split(&self.path);
            let parent = above.map(|path| target::group(conn, path)).transpose()?;
            let owner = self.owner.as_deref().map(|name| target::person(conn, name)).transpose()?;
            if parent.is_none() && owner.is_none() && ctx.actor.user.is_none() {
                return Err(Error::refused(
                    "there is no administrator who could own it; name somebody with --owner, or make one with latchkey user create --admin",
                ));
            }
            let form = NewGroupForm {
                name: self.name.clone().unwrap_or_else(|| path.to_owned()),
                path: path.to_owned(),
                description: self.description.clone(),
                visibility: self.visibility,
            };
            let group = create::create(conn, ctx, parent.as_ref(), &form, owner.as_ref())?;
            if let (Some(_), Some(owner)) = (&parent, &owner) {
                let here = Resource::Group(group.clone());
                add::add(conn, ctx, &here, owner, AccessLevel::Owner, None)?;
            }
            Ok(group)
        })?;
        let sentence = format!(
            "Created the group {} (id {}, {})",
            group.full_path, group.id, group.visibility
        );
        out.result(&json::group(&group), &sentence)
    }
}

impl Update {
    fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let group = instance.open(&self.acting)?.write(move |conn, ctx| {
            let group = target::group(conn, &self.group)?;
            let plan = Plan {
                tier: self.plan.unwrap_or(group.plan.tier),
                trial: self.trial.unwrap_or(group.plan.trial),
            };
            subscribe::subscribe(conn, ctx, &group, plan)
        })?;
        let sentence = format!(
            "{} has the plan {}{}",
            group.full_path,
            group.plan.tier.name(),
            if group.plan.trial { ", on trial" } else { "" }
        );
        out.result(&json::group(&group), &sentence)
    }
}

impl List {
    fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let groups = instance.open(&self.acting)?.read(|conn, ctx| {
            let mut all: Vec<Group> = Vec::new();
            for page in 1.. {
                let request = PageRequest {
                    page,
                    per_page: 100,
                };
                let found = list_visible(conn, ctx, &Filter::default(), request)?;
                all.extend(found.rows);
                if !found.has_next {
                    break;
                }
            }
            Ok(all)
        })?;
        let mut table = Table::new(
            &["ID", "PATH", "NAME", "VISIBILITY", "TOKEN CREATION"],
            "There is no group yet; latchkey group create makes one.",
        );
        for group in &groups {
            table.row([
                group.id.to_string(),
                group.full_path.clone(),
                group.name.clone(),
                group.visibility.to_string(),
                if group.creation_allowed { "on" } else { "off" }.to_owned(),
            ]);
        }
        out.list(groups.iter().map(json::group).collect(), &table)
    }
}
