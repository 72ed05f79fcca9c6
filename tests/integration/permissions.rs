//! Who may do what: the rules as they are told to people, written down once more in the simplest way, and compared
//! with what the product decides, for trees, members and callers that nobody thought of.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use latchkey::{
    access_tokens::scope::Scopes,
    actor::{Actor, Credential, Declared, Origin, TokenCredential},
    groups::{Group, Visibility},
    members::{AccessLevel, Membership, Memberships},
    permissions::{Place, Right},
    projects::{Project, ProjectRow},
    settings::Policy,
    users::{User, UserKind, UserState},
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};

use crate::support::server::{BEGINNING, moment};

mod rules;

/// Numbers that are mixed up by whoever compares them as texts. Groups and projects are numbered alike.
const IDS: [i64; 8] = [1, 11, 111, 12, 2, 21, 112, 121];

/// Whoever acts.
const ME: i64 = 1;
/// Somebody else.
const OTHER: i64 = 11;

static RIGHTS: [Right; Right::ALL.len()] = Right::ALL;

/// A group among others; the parent is one with a smaller position.
#[derive(Debug, Clone)]
struct Node {
    parent: Option<usize>,
    visibility: Visibility,
    /// Whose personal namespace it is; it has neither parent nor children then.
    owner: Option<i64>,
    /// The root's switch; nobody asks the others.
    creation_allowed: bool,
}

/// A project in one of the groups.
#[derive(Debug, Clone)]
struct Leaf {
    group: usize,
    visibility: Visibility,
}

#[derive(Debug, Clone)]
struct Tree {
    groups: Vec<Node>,
    projects: Vec<Leaf>,
}

/// A group or a project, by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    Group(usize),
    Project(usize),
}

/// Somebody's role somewhere, until the start of a day that many days from today.
#[derive(Debug, Clone)]
struct Role {
    spot: Spot,
    level: AccessLevel,
    ends_in: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Anonymous,
    System,
    Human,
    /// Made for this group or project.
    Bot(Spot),
}

#[derive(Debug, Clone)]
struct Caller {
    kind: Kind,
    state: UserState,
    admin: bool,
    external: bool,
    /// A bot whose token was revoked for good.
    gone: bool,
    by_console: bool,
    roles: Vec<Role>,
}

/// All that a decision depends on.
#[derive(Debug, Clone)]
struct World {
    tree: Tree,
    caller: Caller,
    bots_read_internal: bool,
    tokens_off: bool,
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

fn level() -> impl Strategy<Value = AccessLevel> {
    select(AccessLevel::ALL.to_vec())
}

fn tree() -> impl Strategy<Value = Tree> {
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

fn spot(tree: &Tree) -> impl Strategy<Value = Spot> + use<> {
    select(tree.spots())
}

fn role(tree: &Tree) -> impl Strategy<Value = Role> + use<> {
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

fn world() -> impl Strategy<Value = World> {
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
    fn each(&self, mut ask: impl FnMut(Spot, &Place<'_>)) {
        for position in 0..self.groups.len() {
            ask(Spot::Group(position), &self.group(position).place());
        }
        for position in 0..self.projects.len() {
            ask(Spot::Project(position), &self.project(position).place());
        }
    }

    /// The same with every switch like this.
    fn switched(&self, allowed: bool) -> Tree {
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
            created_by_id: None,
            last_sign_in_at: None,
            confirmed_at: Some(now()),
            created_at: now(),
        })
    }

    fn actor(&self, declared: Declared) -> Actor {
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
                scopes: Scopes::default(),
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
    fn policy(&self) -> Policy {
        let mut policy = Policy::default();
        policy.settings.bots_read_internal = self.bots_read_internal;
        policy.settings.disable_personal_access_tokens = self.tokens_off;
        policy
    }

    fn actor(&self) -> Actor {
        self.caller.actor(Declared::Everything)
    }
}

// What has to hold.

/// Tries a property on many worlds, always the same ones.
fn for_many<S: Strategy>(cases: u32, tried: &S, mut holds: impl FnMut(S::Value)) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let runner = TestRunner::new_with_rng(
        config.clone(),
        proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm),
    );
    run(runner, tried, &mut holds);
}

fn run<S: Strategy>(mut runner: TestRunner, tried: &S, holds: &mut impl FnMut(S::Value)) {
    let holds = std::cell::RefCell::new(holds);
    if let Err(error) = runner.run(tried, |value| {
        holds.borrow_mut()(value);
        Ok(())
    }) {
        panic!("{error}");
    }
}

#[test]
fn the_effective_role_is_the_highest_that_lives_here_or_above() {
    let mut seen: BTreeMap<Option<AccessLevel>, u32> = BTreeMap::new();
    for_many(2_000, &world(), |world| {
        let actor = world.actor();
        world.tree.each(|spot, place| {
            let expected = rules::level(&world, spot);
            assert_eq!(actor.level(place), expected, "{spot:?}");
            *seen.entry(expected).or_default() += 1;
        });
    });
    assert_eq!(seen.len(), 7, "every role and none came up: {seen:?}");
}

#[test]
fn who_sees_what_follows_from_visibility_and_role() {
    let mut seen = [0, 0];
    for_many(2_000, &world(), |world| {
        let (actor, policy) = (world.actor(), world.policy());
        world.tree.each(|spot, place| {
            let expected = rules::sees(&world, spot);
            assert_eq!(actor.sees(place, &policy), expected, "{spot:?}");
            seen[usize::from(expected)] += 1;
        });
    });
    assert!(seen.iter().all(|count| *count > 500), "{seen:?}");
}

#[test]
fn every_right_is_decided_as_the_rules_say() {
    let mut granted: BTreeMap<String, [u32; 2]> = BTreeMap::new();
    for_many(2_000, &world(), |world| {
        let (actor, policy) = (world.actor(), world.policy());
        world.tree.each(|spot, place| {
            for right in RIGHTS {
                let expected = rules::may(&world, right, spot);
                assert_eq!(
                    actor.could(right, place, &policy),
                    expected,
                    "{right:?} at {spot:?}"
                );
                assert_eq!(
                    actor.may(right, place, &policy),
                    expected,
                    "{right:?} at {spot:?}"
                );
                granted.entry(format!("{right:?}")).or_default()[usize::from(expected)] += 1;
            }
        });
        for right in RIGHTS {
            let expected = rules::may_on_instance(&world, right);
            assert_eq!(actor.could_on_instance(right), expected, "{right:?}");
            assert_eq!(actor.may_on_instance(right), expected, "{right:?}");
        }
    });
    // Those that a place decides were given to somebody and refused to somebody.
    for right in rules::OF_PLACES {
        let [refused, given] = granted[&format!("{right:?}")];
        assert!(refused > 50 && given > 50, "{right:?}: {refused} {given}");
    }
}

#[test]
fn a_right_that_the_route_did_not_declare_is_refused_to_everybody() {
    let tried = (world(), 0..=RIGHTS.len(), 0..=RIGHTS.len());
    for_many(1_000, &tried, |(world, one, other)| {
        let declared = &RIGHTS[one.min(other)..one.max(other)];
        let actor = world.caller.actor(Declared::Only(declared));
        let (free, policy) = (world.actor(), world.policy());
        for right in RIGHTS {
            let is_declared = declared.contains(&right);
            world.tree.each(|spot, place| {
                let could = free.could(right, place, &policy);
                assert_eq!(
                    actor.could(right, place, &policy),
                    could,
                    "what a page offers doesn't depend on its own rights"
                );
                assert_eq!(
                    actor.may(right, place, &policy),
                    could && is_declared,
                    "{right:?} at {spot:?}"
                );
            });
            assert_eq!(
                actor.may_on_instance(right),
                free.could_on_instance(right) && is_declared,
                "{right:?}"
            );
        }
    });
}

#[test]
fn more_role_is_never_less_right() {
    let tried = world().prop_flat_map(|world| {
        let more = role(&world.tree);
        (Just(world), more, any::<Index>(), level(), any::<bool>())
    });
    for_many(2_000, &tried, |(world, more, which, higher, add)| {
        let mut raised = world.clone();
        let roles = &mut raised.caller.roles;
        if add || roles.is_empty() {
            roles.push(more);
        } else {
            let role = which.get(roles).clone();
            let position = which.index(roles.len());
            roles[position].level = role.level.max(higher);
        }
        let (before, after, policy) = (world.actor(), raised.actor(), world.policy());
        world.tree.each(|spot, place| {
            assert!(before.level(place) <= after.level(place), "{spot:?}");
            assert!(
                before.sees(place, &policy) <= after.sees(place, &policy),
                "{spot:?}"
            );
            for right in RIGHTS {
                assert!(
                    before.could(right, place, &policy) <= after.could(right, place, &policy),
                    "{right:?} at {spot:?}"
                );
            }
        });
    });
}

#[test]
fn a_membership_that_has_ended_counts_for_nothing() {
    for_many(1_000, &world(), |world| {
        let mut without = world.clone();
        without
            .caller
            .roles
            .retain(|role| role.ends_in.is_none_or(|days| days > 0));
        let (one, other, policy) = (world.actor(), without.actor(), world.policy());
        world.tree.each(|spot, place| {
            for right in RIGHTS {
                assert_eq!(
                    one.could(right, place, &policy),
                    other.could(right, place, &policy),
                    "{right:?} at {spot:?}"
                );
            }
        });
    });
}

#[test]
fn a_bot_reaches_its_place_and_what_is_below_and_nothing_private_beside_or_above() {
    let tried = tree().prop_flat_map(|tree| {
        let home = spot(&tree);
        (Just(tree), home, level())
    });
    let mut beyond = 0;
    for_many(2_000, &tried, |(tree, home, level)| {
        let world = World {
            caller: Caller {
                kind: Kind::Bot(home),
                state: UserState::Active,
                admin: false,
                external: false,
                gone: false,
                by_console: false,
                roles: vec![Role {
                    spot: home,
                    level,
                    ends_in: None,
                }],
            },
            tree,
            bots_read_internal: true,
            tokens_off: false,
        };
        let (actor, policy) = (world.actor(), world.policy());
        world.tree.each(|spot, place| {
            // A namespace whose owner happens to have the bot's number belongs to that person alone.
            if rules::owner(&world.tree, spot) == Some(ME) {
                return;
            }
            let below = rules::is_below(&world.tree, spot, home);
            assert_eq!(actor.level(place), below.then_some(level), "{spot:?}");
            if place.visibility == Visibility::Private {
                assert_eq!(actor.sees(place, &policy), below, "{spot:?}");
            }
            if spot != home {
                for right in [
                    Right::SeeTokens,
                    Right::CreateToken,
                    Right::RotateToken,
                    Right::RevokeToken,
                ] {
                    assert!(!actor.could(right, place, &policy), "{right:?} at {spot:?}");
                }
                beyond += 1;
            }
        });
    });
    assert!(beyond > 1_000);
}

#[test]
fn the_switch_takes_making_and_rotating_from_everybody_and_nothing_else() {
    let mut taken = 0;
    for_many(2_000, &world(), |world| {
        let (actor, policy) = (world.actor(), world.policy());
        let (on, off) = (world.tree.switched(true), world.tree.switched(false));
        let mut with_it = BTreeMap::new();
        on.each(|spot, place| {
            for right in RIGHTS {
                let could = actor.could(right, place, &policy);
                with_it.insert(format!("{right:?} at {spot:?}"), could);
            }
        });
        off.each(|spot, place| {
            let personal = rules::owner(&off, spot).is_some();
            for right in RIGHTS {
                let case = format!("{right:?} at {spot:?}");
                let (before, after) = (with_it[&case], actor.could(right, place, &policy));
                let stays = match right {
                    // The console is below the product; rotating is refused there too.
                    Right::CreateToken => personal || rules::is_console(&world.caller),
                    Right::RotateToken => personal,
                    _ => true,
                };
                assert_eq!(after, before && stays, "{case}");
                taken += u32::from(before && !after);
            }
        });
    });
    assert!(taken > 500, "{taken}");
}

#[test]
fn whoever_is_blocked_may_no_more_than_a_stranger() {
    let tried = (
        world(),
        select(vec![UserState::Blocked, UserState::Deactivated]),
    );
    for_many(1_000, &tried, |(mut world, state)| {
        if world.caller.kind == Kind::System {
            world.caller.kind = Kind::Human;
        }
        world.caller.state = state;
        let stranger = Caller {
            kind: Kind::Anonymous,
            ..world.caller.clone()
        };
        let (actor, policy) = (world.actor(), world.policy());
        let stranger = stranger.actor(Declared::Everything);
        world.tree.each(|spot, place| {
            assert_eq!(actor.level(place), None, "{spot:?}");
            for right in RIGHTS {
                assert_eq!(
                    actor.could(right, place, &policy),
                    stranger.could(right, place, &policy),
                    "{right:?} at {spot:?}"
                );
            }
        });
        assert!(!actor.is_admin() && !actor.is_signed_in());
        assert!(!actor.could_on_instance(Right::Administer));
        assert!(!actor.could_on_instance(Right::OwnPersonalTokens));
        assert!(!actor.could_on_instance(Right::CreateTopLevelGroup));
    });
}
