//! People, groups, projects and roles, one by one.

use serde_json::json;

use super::{Writer, state};
use crate::access_tokens::Resource;
use crate::audit::{self, Event, Target};
use crate::error::Error;
use crate::exchange::check::refuse;
use crate::exchange::format::{At, GroupEntry, MembershipEntry, ProjectEntry, UserEntry};
use crate::exchange::rules::{self, Flaw};
use crate::exchange::store::{self, Settled};
use crate::groups::create::{create_personal, wider_than_parent};
use crate::groups::path::FullPath;
use crate::groups::store::{NewGroup, insert as insert_group};
use crate::groups::{Group, Visibility};
use crate::members::store::{NewMembership, find as find_membership, insert as insert_membership};
use crate::projects::store::{NewProject, insert as insert_project};
use crate::text::{Email, Name};
use crate::users::UserKind;
use crate::users::store::{NewUser, insert as insert_user, key};

impl Writer<'_> {
    pub(super) fn user(&mut self, at: At, entry: &UserEntry) -> Result<(), Error> {
        let flaw = |field: &str, message: &str| refuse(at, &Flaw::new(field, message));
        let email = Email::parse(&entry.email)
            .map_err(|problem| flaw("email", &problem.rule.to_string()))?;
        let known = store::users_by_name(self.conn, [entry.username.clone()])?;
        if let Some(known) = known.get(&key(&entry.username)) {
            if !known.is_human {
                return Err(flaw("username", "is no person here"));
            }
            // Roles and tokens of this person would go to another one of the same name.
            if known.email_key != email.key() {
                return Err(flaw(
                    "email",
                    "is not that of the user of this name who is here already",
                ));
            }
            self.report.users.existing += 1;
            return Ok(());
        }
        let name =
            Name::parse(&entry.name).map_err(|problem| flaw("name", &problem.rule.to_string()))?;
        let new = NewUser {
            username: &entry.username,
            name: name.as_str(),
            email: email.as_str(),
            kind: UserKind::Human,
            admin: entry.admin,
            external: entry.external,
            password_hash: entry.password_hash.as_deref(),
            bot_group_id: None,
            bot_project_id: None,
            created_by_id: self.ctx.actor.user_id(),
            now: self.ctx.now,
        };
        let user = insert_user(self.conn, &new).map_err(|error| placed(at, error))?;
        create_personal(self.conn, self.ctx, &user).map_err(|error| placed(at, error))?;
        let settled = Settled {
            state: state(entry.state),
            confirmed_at: entry.confirmed_at.unwrap_or(Some(self.ctx.now)),
            approval_requested_at: entry.approval_requested_at,
            created_at: entry.created_at.unwrap_or(self.ctx.now),
        };
        store::settle_user(self.conn, user.id, &settled)?;
        if entry.admin {
            self.report.administrators.push(entry.username.clone());
        }
        if entry.password_hash.is_none() {
            self.report.without_password += 1;
        }
        self.report.users.created += 1;
        let event = Event::new("user_imported", Target::User(&user)).with(json!({
            "admin": user.admin,
            "external": user.external,
            "state": state(entry.state).as_str(),
        }));
        audit::record(self.conn, self.ctx, event)
    }

    pub(super) fn group(&mut self, at: At, entry: &GroupEntry) -> Result<(), Error> {
        if let Some(known) = self.places.namespace(self.conn, &entry.path)? {
            if known.is_personal() {
                return Err(refuse(at, &Flaw::new("path", "is a person's here")));
            }
            self.report.groups.existing += 1;
            return Ok(());
        }
        let (parent, last) = self.parent(at, &entry.path)?;
        if parent.as_ref().is_some_and(|parent| parent.is_personal()) {
            let message = "lies in a person's namespace, which holds projects only";
            return Err(refuse(at, &Flaw::new("path", message)));
        }
        within(at, entry.visibility, parent.as_deref())?;
        let new = NewGroup {
            name: entry.name.trim(),
            path: &last,
            description: entry.description.trim(),
            visibility: entry.visibility,
            parent: parent.as_deref(),
            owner_id: None,
            now: entry.created_at.unwrap_or(self.ctx.now),
        };
        let group = insert_group(self.conn, &new).map_err(|error| placed(at, error))?;
        if !entry.resource_access_token_creation_allowed {
            store::forbid_creation(self.conn, group.id)?;
        }
        let plan = rules::plan(entry).map_err(|flaw| refuse(at, &flaw))?;
        if plan.is_some() || entry.retain_bots.is_some() {
            let plan = plan.unwrap_or_default();
            store::settle_group(self.conn, group.id, plan, entry.retain_bots)?;
        }
        self.places.made(&group);
        if group.parent_id.is_none() {
            self.new_roots.push((group.id, group.full_path.clone()));
        }
        self.report.groups.created += 1;
        let event = Event::new("group_imported", Target::Group(&group))
            .with(json!({ "full_path": group.full_path, "visibility": group.visibility.name() }));
        audit::record(self.conn, self.ctx, event)
    }

    pub(super) fn project(&mut self, at: At, entry: &ProjectEntry) -> Result<(), Error> {
        if self.places.project(self.conn, &entry.path)?.is_some() {
            self.report.projects.existing += 1;
            return Ok(());
        }
        let (namespace, last) = self.parent(at, &entry.path)?;
        let Some(namespace) = namespace else {
            let message = "must name what the project is in, too";
            return Err(refuse(at, &Flaw::new("path", message)));
        };
        within(at, entry.visibility, Some(&namespace))?;
        let new = NewProject {
            namespace: &namespace,
            name: entry.name.trim(),
            path: &last,
            description: entry.description.trim(),
            visibility: entry.visibility,
            creator_id: None,
            now: entry.created_at.unwrap_or(self.ctx.now),
        };
        let project = insert_project(self.conn, &new).map_err(|error| placed(at, error))?;
        if entry.archived {
            store::archive(self.conn, project.id)?;
        }
        if let Some(branch) = &entry.default_branch {
            store::set_default_branch(self.conn, project.id, branch)?;
        }
        self.report.projects.created += 1;
        let event = Event::new("project_imported", Target::Project(&project)).with(
            json!({ "full_path": project.full_path(), "visibility": project.visibility.name() }),
        );
        audit::record(self.conn, self.ctx, event)
    }

    pub(super) fn membership(&mut self, at: At, entry: &MembershipEntry) -> Result<(), Error> {
        let resource = self.home(at, entry.group.as_deref(), entry.project.as_deref())?;
        let user = crate::users::store::find_by_username(self.conn, &entry.user)?;
        let user = user.filter(|user| user.is_human()).ok_or_else(|| {
            refuse(
                at,
                &Flaw::new("user", format!("there is no person {}", entry.user)),
            )
        })?;
        if find_membership(self.conn, &resource, user.id)?.is_some() {
            self.report.memberships.existing += 1;
            return Ok(());
        }
        let (group_id, project_id) = match &resource {
            Resource::Group(group) => (Some(group.id), None),
            Resource::Project(project) => (None, Some(project.id)),
        };
        insert_membership(
            self.conn,
            &NewMembership {
                user_id: user.id,
                group_id,
                project_id,
                access_level: entry.access_level,
                expires_at: entry.expires_at,
                bot: false,
                created_by_id: self.ctx.actor.user_id(),
                now: entry.created_at.unwrap_or(self.ctx.now),
            },
        )?;
        self.report.memberships.created += 1;
        let event = Event::new("member_imported", Target::User(&user))
            .in_group(resource.group())
            .with(json!({
                "source": resource.full_path(),
                "access_level": entry.access_level.number(),
                "expires_at": entry.expires_at,
            }));
        audit::record(self.conn, self.ctx, event)
    }

    /// The group or project of a member.
    pub(super) fn home(
        &mut self,
        at: At,
        group: Option<&str>,
        project: Option<&str>,
    ) -> Result<Resource, Error> {
        let missing = |field: &str, path: &str| {
            refuse(at, &Flaw::new(field, format!("there is no {field} {path}")))
        };
        match (group, project) {
            (Some(path), None) => {
                let found = self.places.group(self.conn, path)?;
                let found = found.ok_or_else(|| missing("group", path))?;
                Ok(Resource::Group((*found).clone()))
            }
            (None, Some(path)) => {
                let found = self.places.project(self.conn, path)?;
                let found = found.ok_or_else(|| missing("project", path))?;
                Ok(Resource::Project((*found).clone()))
            }
            _ => Err(refuse(at, &Flaw::new("", "needs a group or a project"))),
        }
    }

    /// What a group or project is to lie in, and the last part of its path.
    fn parent(
        &mut self,
        at: At,
        path: &str,
    ) -> Result<(Option<std::sync::Arc<Group>>, String), Error> {
        let path = FullPath::parse(path)
            .map_err(|problem| refuse(at, &Flaw::new("path", problem.to_string())))?;
        let Some(parent) = path.parent() else {
            return Ok((None, path.last().to_owned()));
        };
        match self.places.namespace(self.conn, parent.as_str())? {
            Some(group) => Ok((Some(group), path.last().to_owned())),
            None => Err(refuse(
                at,
                &Flaw::new("path", format!("there is no group {parent}")),
            )),
        }
    }
}

fn within(at: At, visibility: Visibility, parent: Option<&Group>) -> Result<(), Error> {
    match parent {
        Some(parent) if !visibility.within(parent.visibility) => Err(refuse(
            at,
            &Flaw::new(
                "visibility",
                wider_than_parent(visibility, parent.visibility),
            ),
        )),
        _ => Ok(()),
    }
}

/// What a store says about a field, with the entry's place.
fn placed(at: At, error: Error) -> Error {
    let Error::Invalid(errors) = &error else {
        return error;
    };
    let first = errors.iter().next();
    let first = first.map(|(field, message)| refuse(at, &Flaw::new(field, message)));
    first.unwrap_or(error)
}
