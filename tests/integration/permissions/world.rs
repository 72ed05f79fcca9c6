//! What the rules are tried on: trees of groups and projects, callers, and their roles; at random, and as the product
//! takes them.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use latchkey::{
    access_tokens::scope::{Scope, Scopes},
    actor::{Actor, Credential, Declared, Origin, TokenCredential},
    groups::{Group, Visibility},
    members::{AccessLevel, Membership, Memberships},
    permissions::Place,
    projects::{Project, ProjectRow},
    settings::Policy,
    users::{User, UserKind, UserState},
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
};

use crate::support::server::{BEGINNING, moment};

/// Numbers that are mixed up by whoever compares them as texts. Groups and projects are numbered alike.
const IDS: [i64; 8] = [1, 11, 111, 12, 2, 21, 112, 121];

/// Whoever acts.
pub(super) const ME: i64 = 1;
/// Somebody else.
const OTHER: i64 = 11;

/// A group among others; the parent is one with a smaller position.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) parent: Option<usize>,
    pub(super) visibility: Visibility,
    /// Whose personal namespace it is; it has neither parent nor children then.
    pub(super) owner: Option<i64>,
    /// The root's switch; nobody asks the others.
    pub(super) creation_allowed: bool,
}

/// A project in one of the groups.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) group: usize,
    pub(super) visibility: Visibility,
}

#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) groups: Vec<Node>,
    pub(super) projects: Vec<Leaf>,
}

/// A group or a project, by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    Group(usize),
    Project(usize),
}

/// Somebody's role somewhere, until the start of a day that many days from today.
#[derive(Debug, Clone)]
pub(super) struct Role {
    pub(super) spot: Spot,
    pub(super) level: AccessLevel,
    pub(super) ends_in: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Anonymous,
    System,
    Human,
    /// Made for this group or project.
    Bot(Spot),
}

#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) kind: Kind,
    pub(super) state: UserState,
    pub(super) admin: bool,
    pub(super) external: bool,
    /// A bot whose token was revoked for good.
    pub(super) gone: bool,
    pub(super) by_console: bool,
    pub(super) roles: Vec<Role>,
}

/// All that a decision depends on.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) tree: Tree,
    pub(super) caller: Caller,
    pub(super) bots_read_internal: bool,
    pub(super) tokens_off: bool,
}

fn now() -> DateTime<Utc> {
    moment(BEGINNING)
}

fn today() -> NaiveDate {
    now().date_naive()
}

// What is tried.

fn visibility() -> impl Strategy<Value = Visibility> {
    select(Visibility::ALL.to_vec())
}

pub(super) fn level() -> impl Strategy<Value = AccessLevel> {
    select(AccessLevel::ALL.to_vec())
}

pub(super) fn tree() -> impl Strategy<Value = Tree> {
    let group = (
        any::<Index>(),
        0..4,
        visibility(),
        any::<bool>(),
        option::weighted(0.2, select(vec![ME, OTHER])),
    );
    let project = (any::<Index>(), visibility());
    (vec(group, 1..=IDS.len()), vec(project, 1..=IDS.len())).prop_map(|(groups, projects)| {
        let mut nodes: Vec<Node> = Vec::new();
        for (above, is_root, visibility, creation_allowed, owner) in groups {
            let above = (!nodes.is_empty() && is_root != 0 && owner.is_none())
                .then(|| above.index(nodes.len()))
                .filter(|above| nodes[*above].owner.is_none());
            nodes.push(Node {
                parent: above,
                visibility,
                owner: owner.filter(|_| above.is_none()),
                creation_allowed,
            });
        }
        let projects = projects
            .into_iter()
            .map(|(group, visibility)| Leaf {
                group: group.index(nodes.len()),
                visibility,
            })
            .collect();
        Tree {
            groups: nodes,
            projects,
        }
    })
}

pub(super) fn spot(tree: &Tree) -> impl Strategy<Value = Spot> + use<> {
    select(tree.spots())
}

pub(super) fn role(tree: &Tree) -> impl Strategy<Value = Role> + use<> {
    (spot(tree), level(), option::of(-2..=2i64)).prop_map(|(spot, level, ends_in)| Role {
        spot,
        level,
        ends_in,
    })
}

fn caller(tree: &Tree) -> impl Strategy<Value = Caller> + use<> {
    let kind = prop_oneof![
        1 => Just(Kind::Anonymous),
        1 => Just(Kind::System),
        4 => Just(Kind::Human),
        4 => spot(tree).prop_map(Kind::Bot),
    ];
    let state = prop_oneof![
        6 => Just(UserState::Active),
        1 => Just(UserState::Blocked),
        1 => Just(UserState::Deactivated),
    ];
    let roles = vec(role(tree), 0..4);
    let rarely = || prop::bool::weighted(0.15);
    let home = level();
    (
        kind,
        state,
        rarely(),
        rarely(),
        rarely(),
        rarely(),
        roles,
        home,
    )
        .prop_map(
            |(kind, state, admin, external, gone, by_console, mut roles, home)| {
                // A bot is a member of its own place and of no other; now and then of none.
                if let Kind::Bot(spot) = kind {
                    roles.truncate(1);
                    for role in &mut roles {
                        (role.spot, role.level) = (spot, home);
                    }
                }
                Caller {
                    kind,
                    state,
                    admin: admin && kind == Kind::Human,
                    external,
                    gone: gone && matches!(kind, Kind::Bot(_)),
                    by_console: by_console && kind == Kind::Human,
                    roles,
                }
            },
        )
}

pub(super) fn world() -> impl Strategy<Value = World> {
    tree().prop_flat_map(|tree| {
        let caller = caller(&tree);
        let off = prop::bool::weighted(0.1);
        (Just(tree), caller, any::<bool>(), off).prop_map(
            |(tree, caller, bots_read_internal, tokens_off)| World {
                tree,
                caller,
                bots_read_internal,
                tokens_off,
            },
        )
    })
}

// As the product takes it.

impl Tree {
    fn spots(&self) -> Vec<Spot> {
        let groups = (0..self.groups.len()).map(Spot::Group);
        groups
            .chain((0..self.projects.len()).map(Spot::Project))
            .collect()
    }

    fn traversal(&self, group: usize) -> String {
        let above = self.groups[group]
            .parent
            .map_or_else(String::new, |above| self.traversal(above));
        format!("{above}{}/", IDS[group])
    }

    fn root(&self, group: usize) -> usize {
        self.groups[group]
            .parent
            .map_or(group, |above| self.root(above))
    }

    fn group(&self, position: usize) -> Group {
        let (node, root) = (&self.groups[position], self.root(position));
        let name = format!("g{}", IDS[position]);
        Group {
            id: IDS[position],
            name: name.clone(),
            path: name.clone(),
            description: String::new(),
            full_path: name.clone(),
            full_name: name,
            traversal: self.traversal(position),
            root_id: IDS[root],
            parent_id: node.parent.map(|above| IDS[above]),
            owner_id: node.owner,
            visibility: node.visibility,
            created_at: now(),
            creation_allowed: node.owner.is_some() || self.groups[root].creation_allowed,
            retain_bots: None,
            plan: latchkey::groups::plan::Plan::default(),
            notify_inherited: latchkey::groups::notify_inherited::Choice::default(),
        }
    }

    fn project(&self, position: usize) -> Project {
        let leaf = &self.projects[position];
        let name = format!("p{}", IDS[position]);
        Project {
            row: ProjectRow {
                id: IDS[position],
                group_id: IDS[leaf.group],
                name: name.clone(),
                path: name,
                description: String::new(),
                visibility: leaf.visibility,
                archived: false,
                default_branch: "main".into(),
                creator_id: None,
                last_activity_at: now(),
                created_at: now(),
            },
            namespace: self.group(leaf.group),
        }
    }

    /// Asks something about every place there is.
    pub(super) fn each(&self, mut ask: impl FnMut(Spot, &Place<'_>)) {
        for position in 0..self.groups.len() {
            ask(Spot::Group(position), &self.group(position).place());
        }
        for position in 0..self.projects.len() {
            ask(Spot::Project(position), &self.project(position).place());
        }
    }

    /// The same with every switch like this.
    pub(super) fn switched(&self, allowed: bool) -> Tree {
        let mut tree = self.clone();
        for group in &mut tree.groups {
            group.creation_allowed = allowed;
        }
        tree
    }
}

impl Caller {
    fn user(&self) -> Option<User> {
        let (kind, home) = match self.kind {
            Kind::Anonymous | Kind::System => return None,
            Kind::Human => (UserKind::Human, None),
            Kind::Bot(home) => (UserKind::ProjectBot, Some(home)),
        };
        let in_group = |spot| match spot {
            Spot::Group(position) => Some(IDS[position]),
            Spot::Project(_) => None,
        };
        let in_project = |spot| match spot {
            Spot::Group(_) => None,
            Spot::Project(position) => Some(IDS[position]),
        };
        Some(User {
            id: ME,
            username: "me".into(),
            name: "Me".into(),
            email: "me@example.com".into(),
            kind,
            state: self.state,
            admin: self.admin,
            external: self.external,
            bot_group_id: home.and_then(in_group),
            bot_project_id: home.and_then(in_project),
            bot_gone_at: self.gone.then(now),
            approval_requested_at: None,
            signed_up_at: None,
            exact_times: false,
            created_by_id: None,
            last_sign_in_at: None,
            confirmed_at: Some(now()),
            created_at: now(),
        })
    }

    pub(super) fn actor(&self, declared: Declared) -> Actor {
        let memberships = self.roles.iter().zip(1..).map(|(role, id)| {
            let (group_id, project_id) = match role.spot {
                Spot::Group(position) => (Some(IDS[position]), None),
                Spot::Project(position) => (None, Some(IDS[position])),
            };
            Membership {
                id,
                user_id: ME,
                group_id,
                project_id,
                access_level: role.level,
                expires_at: role.ends_in.map(|days| today() + TimeDelta::days(days)),
            }
        });
        let credential = match self.kind {
            Kind::Anonymous => Credential::None,
            Kind::System => Credential::System,
            Kind::Human if self.by_console => Credential::Console,
            Kind::Human => Credential::Session,
            Kind::Bot(_) => Credential::Token(TokenCredential {
                id: 1,
                scopes: Scopes::new([Scope::Api]).unwrap(),
            }),
        };
        Actor {
            user: self.user(),
            credential,
            memberships: match self.kind {
                Kind::Anonymous | Kind::System => Memberships::default(),
                _ => Memberships::living(memberships.collect(), today()),
            },
            origin: Origin::console(),
            declared,
        }
    }
}

impl World {
    pub(super) fn policy(&self) -> Policy {
        let mut policy = Policy::default();
        policy.settings.bots_read_internal = self.bots_read_internal;
        policy.settings.disable_personal_access_tokens = self.tokens_off;
        policy
    }

    pub(super) fn actor(&self) -> Actor {
        self.caller.actor(Declared::Everything)
    }
}
