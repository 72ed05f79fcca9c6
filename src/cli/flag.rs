//! `latchkey flag`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::acting::Acting;
use super::instance::Instance;
use super::output::{Output, Table};
use super::{Failure, target};
use crate::settings::{FLAGS, RETAIN, store, switch};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    List(List),
    /// Switch a flag on; it holds for every request from then on
    Enable(Switch),
    /// Switch a flag off; it holds for every request from then on
    Disable(Switch),
}

/// List the flags
#[derive(Debug, Args)]
pub(super) struct List {
    /// As they are in this top-level group
    #[arg(long, value_name = "PATH|ID")]
    group: Option<String>,

    #[command(flatten)]
    acting: Acting,
}

#[derive(Debug, Args)]
pub(super) struct Switch {
    /// Which; latchkey flag list lists them
    name: String,

    /// In this top-level group alone; its value wins over the instance's. Only for
    /// retain_resource_access_token_user_after_revoke
    #[arg(long, value_name = "PATH|ID")]
    group: Option<String>,

    #[command(flatten)]
    acting: Acting,
}

impl Command {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        match self {
            Command::List(list) => list.run(instance, out),
            Command::Enable(switch) => switch.run(true, instance, out),
            Command::Disable(switch) => switch.run(false, instance, out),
        }
    }
}

impl List {
    fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let name = self.group;
        let (flags, own) = instance.open(&self.acting)?.read(|conn, _| {
            let group = name
                .as_deref()
                .map(|name| target::group(conn, name))
                .transpose()?;
            Ok((
                store::load(conn)?.flags,
                group.and_then(|group| group.retain_bots),
            ))
        })?;
        let mut table = Table::new(&["FLAG", "STATE", "EFFECT"], "");
        let mut objects: Vec<Value> = Vec::new();
        for flag in FLAGS {
            let enabled = own
                .filter(|_| flag.name == RETAIN)
                .unwrap_or_else(|| flags.get(flag.name).unwrap_or(false));
            let state = match (enabled, flag.permanent) {
                (true, true) => "on, permanent",
                (true, false) => "on",
                (false, _) => "off",
            };
            table.row([
                flag.name.to_owned(),
                state.to_owned(),
                flag.effect.to_owned(),
            ]);
            objects.push(json!({
                "name": flag.name,
                "enabled": enabled,
                "permanent": flag.permanent,
                "effect": flag.effect,
                "since": flag.since,
            }));
        }
        out.list(objects, &table)
    }
}

impl Switch {
    fn run(self, enabled: bool, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let flag = self.name.clone();
        let path = instance.open(&self.acting)?.write(move |conn, ctx| {
            let group = self
                .group
                .as_deref()
                .map(|name| target::group(conn, name))
                .transpose()?;
            let path = group.map(|group| group.full_path);
            match &path {
                Some(path) => {
                    let enabled = Some(enabled);
                    switch::switch_for_group(conn, ctx, &self.name, enabled, path)?;
                }
                None => switch::switch(conn, ctx, &self.name, enabled)?,
            }
            Ok(path)
        })?;
        let state = if enabled { "on" } else { "off" };
        let place = path
            .as_ref()
            .map(|path| format!(" in {path}"))
            .unwrap_or_default();
        let object = json!({ "name": flag, "enabled": enabled, "group": path });
        out.result(&object, &format!("{flag} is now {state}{place}"))
    }
}
