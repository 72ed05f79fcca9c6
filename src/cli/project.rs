//! `latchkey project`

use clap::{Args, Subcommand};

use super::acting::Acting;
use super::instance::Instance;
use super::output::{Output, Table};
use super::{Failure, arguments, json, target};
use crate::db::PageRequest;
use crate::groups::Visibility;
use crate::projects::Project;
use crate::projects::create::{self, NewProjectForm};
use crate::projects::list::{Filter, Order, list_visible};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Create(Create),
    /// List all projects
    List(List),
}

/// Create a project in a group or in a user's own namespace
#[derive(Debug, Args)]
pub(super) struct Create {
    /// The full path, as in acme/platform/api
    #[arg(long)]
    path: String,

    /// As shown [default: the last part of the path]
    #[arg(long)]
    name: Option<String>,

    /// What it is for
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,

    /// private, internal or public; never wider than the group's [default: default_project_visibility]
    #[arg(long, value_parser = arguments::visibility)]
    visibility: Option<Visibility>,

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
        }
    }
}

impl Create {
    fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let (Some(above), path) = target::split(&self.path) else {
            return Err(Failure::usage(format!(
                "a project lies in a group: --path GROUP/{}",
                self.path.trim_matches('/')
            )));
        };
        let above = above.to_owned();
        let form = NewProjectForm {
            name: self.name,
            path: Some(path.to_owned()),
            description: self.description,
            visibility: self.visibility,
        };
        let project = instance.open(&self.acting)?.write(move |conn, ctx| {
            let namespace = target::namespace(conn, &above)?;
            create::create(conn, ctx, &namespace, &form)
        })?;
        let sentence = format!(
            "Created the project {} (id {}, {})",
            project.full_path(),
            project.id,
            project.visibility
        );
        out.result(&json::project(&project), &sentence)
    }
}

impl List {
    fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let projects = instance.open(&self.acting)?.read(|conn, ctx| {
            let filter = Filter {
                order: Order::Id,
                ascending: true,
                ..Filter::default()
            };
            let mut all: Vec<Project> = Vec::new();
            for page in 1.. {
                let request = PageRequest {
                    page,
                    per_page: 100,
                };
                let found = list_visible(conn, ctx, &filter, request)?;
                all.extend(found.rows);
                if !found.has_next {
                    break;
                }
            }
            Ok(all)
        })?;
        let mut table = Table::new(
            &["ID", "PATH", "NAME", "VISIBILITY"],
            "There is no project yet; latchkey project create makes one.",
        );
        for project in &projects {
            table.row([
                project.id.to_string(),
                project.full_path(),
                project.name.clone(),
                project.visibility.to_string(),
            ]);
        }
        out.list(projects.iter().map(json::project).collect(), &table)
    }
}
