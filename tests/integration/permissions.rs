//! Who may do what: the rules as they are told to people, written down once more in the simplest way, and compared
//! with what the product decides, for trees, members and callers that nobody thought of.

use std::{cell::RefCell, collections::BTreeMap};

use latchkey::{
    actor::Declared, groups::Visibility, members::AccessLevel, permissions::Right, users::UserState,
};
use proptest::{
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRng, TestRunner},
};

mod rules;
mod world;

use world::{Caller, Kind, ME, Role, World, level, role, spot, tree, world};

static RIGHTS: [Right; Right::ALL.len()] = Right::ALL;

/// Tries a property on many values, always the same ones.
fn for_many<S: Strategy>(cases: u32, tried: &S, holds: impl FnMut(S::Value)) {
    let config = Config {
        cases,
        failure_persistence: None,
        // Each step towards a smaller example tells its failure, too.
        max_shrink_iters: 200,
        ..Config::default()
    };
    let random = TestRng::deterministic_rng(config.rng_algorithm);
    let holds = RefCell::new(holds);
    let outcome = TestRunner::new_with_rng(config, random).run(tried, |value| {
        (holds.borrow_mut())(value);
        Ok(())
    });
    if let Err(error) = outcome {
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
                    Right::EditToken,
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
