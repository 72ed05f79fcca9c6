//! Groups and projects.

use latchkey::{
    access_tokens::Resource,
    groups::{self, Group, Visibility, create::NewGroupForm},
    members::{self, AccessLevel},
    projects::{self, Project, create::NewProjectForm},
    users::User,
};

use super::{Person, TestServer, tokens::TokenBuilder};

/// A group to be.
pub struct GroupBuilder {
    server: TestServer,
    parent: Option<Group>,
    form: NewGroupForm,
    owner: Option<User>,
}

/// A group.
#[derive(Clone)]
pub struct TestGroup {
    /// Where it is.
    pub server: TestServer,
    /// Its id.
    pub id: i64,
    /// `acme/platform`
    pub full_path: String,
    group: Group,
}

/// A project to be.
pub struct ProjectBuilder {
    server: TestServer,
    namespace: Group,
    form: NewProjectForm,
}

/// A project.
#[derive(Clone)]
pub struct TestProject {
    /// Where it is.
    pub server: TestServer,
    /// Its id.
    pub id: i64,
    /// `acme/platform/api`
    pub full_path: String,
    project: Project,
}

/// A group or a project: what has members and tokens.
pub trait TestResource {
    /// Where it is.
    fn server(&self) -> &TestServer;

    /// As verbs take it.
    fn resource(&self) -> Resource;

    /// `/groups/7` or `/projects/7`, below `/api/v4`.
    fn path(&self) -> String;

    /// The address of its pages of this name: `/groups/acme/-/edit`, `/acme/api/-/edit`.
    fn page(&self, name: &str) -> String;

    /// Makes somebody a member, without an end.
    fn member(&self, person: &Person, level: AccessLevel) {
        self.add(person, level, None);
    }

    /// Makes somebody a member until a day.
    fn member_until(&self, person: &Person, level: AccessLevel, expires_at: &str) {
        self.add(person, level, Some(expires_at));
    }

    /// Makes somebody a member.
    fn add(&self, person: &Person, level: AccessLevel, expires_at: Option<&str>) {
        let (resource, user) = (self.resource(), person.user.clone());
        let expires_at = expires_at.map(|date| date.parse().expect("a date such as 2026-11-30"));
        self.server().arrange(move |conn, ctx| {
            members::add::add(conn, ctx, &resource, &user, level, expires_at).map(|_| ())
        });
    }

    /// A token of this name.
    fn token(&self, name: &str) -> TokenBuilder {
        TokenBuilder::new(self.server(), self.resource(), name)
    }
}

impl TestServer {
    /// A top-level group of this path; without an owner, unless one is named.
    pub fn group(&self, path: &str) -> GroupBuilder {
        GroupBuilder::new(self, None, path)
    }
}

impl GroupBuilder {
    fn new(server: &TestServer, parent: Option<Group>, path: &str) -> Self {
        GroupBuilder {
            server: server.clone(),
            parent,
            form: NewGroupForm {
                name: path.to_owned(),
                path: path.to_owned(),
                description: String::new(),
                visibility: None,
            },
            owner: None,
        }
    }

    /// Owned by this person, directly.
    pub fn owner(mut self, person: &Person) -> Self {
        self.owner = Some(person.user.clone());
        self
    }

    /// Seen by its members only.
    pub fn private(self) -> Self {
        self.visibility(Visibility::Private)
    }

    /// Seen by whoever is signed in and not external.
    pub fn internal(self) -> Self {
        self.visibility(Visibility::Internal)
    }

    /// Seen by everybody.
    pub fn public(self) -> Self {
        self.visibility(Visibility::Public)
    }

    /// Seen by these.
    pub fn visibility(mut self, visibility: Visibility) -> Self {
        self.form.visibility = Some(visibility);
        self
    }

    /// Shown under this name.
    pub fn named(mut self, name: &str) -> Self {
        self.form.name = name.to_owned();
        self
    }

    /// Makes the group.
    pub fn create(self) -> TestGroup {
        let (parent, form, owner) = (self.parent, self.form, self.owner);
        let below = parent.is_some();
        let member = owner.clone();
        let group = self.server.arrange(move |conn, ctx| {
            groups::create::create(conn, ctx, parent.as_ref(), &form, owner.as_ref())
        });
        let made = TestGroup::of(&self.server, group);
        // A subgroup has the Owners of the groups above it, and gets its own like any other member.
        if let (true, Some(user)) = (below, member) {
            made.member(
                &Person {
                    server: self.server,
                    user,
                },
                AccessLevel::Owner,
            );
        }
        made
    }
}

impl TestGroup {
    /// A group that is there already.
    pub fn of(server: &TestServer, group: Group) -> TestGroup {
        TestGroup {
            server: server.clone(),
            id: group.id,
            full_path: group.full_path.clone(),
            group,
        }
    }

    /// A group in this one, as visible as this one.
    pub fn subgroup(&self, path: &str) -> GroupBuilder {
        GroupBuilder::new(&self.server, Some(self.group.clone()), path)
            .visibility(self.group.visibility)
    }

    /// A project in this group, as visible as the group.
    pub fn project(&self, path: &str) -> ProjectBuilder {
        ProjectBuilder {
            server: self.server.clone(),
            namespace: self.group.clone(),
            form: NewProjectForm {
                name: Some(path.to_owned()),
                path: Some(path.to_owned()),
                description: String::new(),
                visibility: Some(self.group.visibility),
            },
        }
    }

    /// Allows or forbids that tokens are made in this group and below it.
    pub fn allow_creation(&self, allowed: bool) {
        let group = self.group.clone();
        self.server.arrange(move |conn, ctx| {
            groups::update::allow_token_creation(conn, ctx, &group, allowed).map(|_| ())
        });
    }

    /// The full path as one segment of a URL.
    pub fn encoded_path(&self) -> String {
        self.full_path.replace('/', "%2F")
    }
}

impl TestResource for TestGroup {
    fn server(&self) -> &TestServer {
        &self.server
    }

    fn resource(&self) -> Resource {
        Resource::Group(self.group.clone())
    }

    fn path(&self) -> String {
        format!("/groups/{}", self.id)
    }

    fn page(&self, name: &str) -> String {
        format!("/groups/{}/-/{name}", self.full_path)
    }
}

impl ProjectBuilder {
    /// Seen by its members only.
    pub fn private(self) -> Self {
        self.visibility(Visibility::Private)
    }

    /// Seen by whoever is signed in and not external.
    pub fn internal(self) -> Self {
        self.visibility(Visibility::Internal)
    }

    /// Seen by everybody.
    pub fn public(self) -> Self {
        self.visibility(Visibility::Public)
    }

    /// Seen by these.
    pub fn visibility(mut self, visibility: Visibility) -> Self {
        self.form.visibility = Some(visibility);
        self
    }

    /// Shown under this name.
    pub fn named(mut self, name: &str) -> Self {
        self.form.name = Some(name.to_owned());
        self
    }

    /// Makes the project.
    pub fn create(self) -> TestProject {
        let (namespace, form) = (self.namespace, self.form);
        let project = self
            .server
            .arrange(move |conn, ctx| projects::create::create(conn, ctx, &namespace, &form));
        TestProject::of(&self.server, project)
    }
}

impl TestProject {
    /// A project that is there already.
    pub fn of(server: &TestServer, project: Project) -> TestProject {
        TestProject {
            server: server.clone(),
            id: project.id,
            full_path: project.full_path(),
            project,
        }
    }

    /// The full path as one segment of a URL.
    pub fn encoded_path(&self) -> String {
        self.full_path.replace('/', "%2F")
    }
}

impl TestResource for TestProject {
    fn server(&self) -> &TestServer {
        &self.server
    }

    fn resource(&self) -> Resource {
        Resource::Project(self.project.clone())
    }

    fn path(&self) -> String {
        format!("/projects/{}", self.id)
    }

    fn page(&self, name: &str) -> String {
        format!("/{}/-/{name}", self.full_path)
    }
}
