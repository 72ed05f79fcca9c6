//! Who moves a group.

use latchkey::{
    actor::{Actor, Declared},
    error::{Error, What},
    groups,
    members::AccessLevel,
    permissions::Right,
};

use super::{bot, is_forbidden, namespace, then, transfer};
use crate::on_both;
use crate::support::{TestResource, TestServer};

on_both![
    it_takes_an_owner_of_the_group_and_of_where_it_goes,
    to_the_top_it_takes_an_owner_who_may_make_top_level_groups,
    an_inherited_role_counts_like_a_direct_one,
    administrators_move_whatever_they_want,
    no_bot_moves_a_group,
    a_role_that_has_ended_moves_nothing,
    what_the_route_did_not_declare_is_refused,
    a_persons_own_namespace_neither_moves_nor_takes_in_groups,
];

async fn it_takes_an_owner_of_the_group_and_of_where_it_goes(server: TestServer) {
    let (one, other) = (server.group("one").create(), server.group("other").create());
    let levels = || {
        AccessLevel::ALL
            .into_iter()
            .map(Some)
            .chain(std::iter::once(None))
    };
    for at_group in levels() {
        for at_parent in levels() {
            let number = server.next();
            let person = server.person(&format!("p{number}")).create();
            let moving = one.subgroup(&format!("moving{number}")).create();
            let parent = other.subgroup(&format!("parent{number}")).create();
            if let Some(level) = at_group {
                moving.member(&person, level);
            }
            if let Some(level) = at_parent {
                parent.member(&person, level);
            }
            let outcome = transfer(&moving, person.actor(), Some(&parent));
            if (at_group, at_parent) == (Some(AccessLevel::Owner), Some(AccessLevel::Owner)) {
                assert_eq!(outcome.unwrap().parent_id, Some(parent.id));
            } else {
                is_forbidden(outcome);
            }
        }
    }
}

async fn to_the_top_it_takes_an_owner_who_may_make_top_level_groups(server: TestServer) {
    let acme = server.group("acme").create();
    for level in AccessLevel::ALL {
        for external in [false, true] {
            let name = format!("{}{}", level.lower_name(), u8::from(external));
            let person = server.person(&format!("of-{name}"));
            let person = if external { person.external() } else { person }.create();
            let moving = acme.subgroup(&name).create();
            moving.member(&person, level);
            let outcome = transfer(&moving, person.actor(), None);
            if level == AccessLevel::Owner && !external {
                assert_eq!(outcome.unwrap().full_path, name);
            } else {
                is_forbidden(outcome);
            }
        }
    }
}

async fn an_inherited_role_counts_like_a_direct_one(server: TestServer) {
    let (one, other) = (server.group("one").create(), server.group("other").create());
    let moving = one.subgroup("a").create().subgroup("b").create();
    let parent = other.subgroup("c").create();
    let person = server.person("olga").create();
    one.member(&person, AccessLevel::Owner);
    other.member(&person, AccessLevel::Owner);
    let moved = transfer(&moving, person.actor(), Some(&parent)).unwrap();
    assert_eq!(moved.full_path, "other/c/b");
}

async fn administrators_move_whatever_they_want(server: TestServer) {
    let (one, other) = (server.group("one").create(), server.group("other").create());
    let moving = one.subgroup("moving").create();
    let root = server.person("root").admin().create();
    transfer(&moving, root.actor(), Some(&other)).unwrap();
    transfer(&moving, root.actor(), None).unwrap();
    // Nobody was asked about their role when the server itself does it.
    transfer(
        &moving,
        Actor::system(latchkey::actor::Origin::job()),
        Some(&one),
    )
    .unwrap();
}

async fn no_bot_moves_a_group(server: TestServer) {
    let acme = server.group("acme").create();
    let (moving, parent) = (acme.subgroup("a").create(), acme.subgroup("b").create());
    let token = acme.token("ci").role(AccessLevel::Owner).create();
    let actor = bot(&server, &token);
    is_forbidden(transfer(&moving, actor.clone(), Some(&parent)));
    is_forbidden(transfer(&moving, actor, None));
}

async fn a_role_that_has_ended_moves_nothing(server: TestServer) {
    let (one, other) = (server.group("one").create(), server.group("other").create());
    let moving = one.subgroup("moving").create();
    let person = server.person("olga").create();
    one.member_until(&person, AccessLevel::Owner, &server.days_ahead(1));
    other.member(&person, AccessLevel::Owner);
    server.clock.advance(chrono::TimeDelta::days(1));
    is_forbidden(transfer(&moving, person.actor(), Some(&other)));
    let mate = server.person("mate").create();
    one.member(&mate, AccessLevel::Owner);
    other.member(&mate, AccessLevel::Owner);
    mate.block();
    let outcome = transfer(&moving, mate.actor(), Some(&other));
    assert!(
        matches!(outcome, Err(Error::Unauthenticated(_))),
        "{outcome:?}"
    );
}

async fn what_the_route_did_not_declare_is_refused(server: TestServer) {
    let (one, other) = (server.group("one").create(), server.group("other").create());
    let person = server.person("olga").create();
    one.member(&person, AccessLevel::Owner);
    other.member(&person, AccessLevel::Owner);
    let moving = one.subgroup("moving").create();
    let declaring = |rights: &'static [Right]| Actor {
        declared: Declared::Only(rights),
        ..person.actor()
    };
    const BOTH: &[Right] = &[Right::TransferGroup, Right::ReceiveGroup];
    is_forbidden(transfer(&moving, declaring(&BOTH[..1]), Some(&other)));
    is_forbidden(transfer(&moving, declaring(&BOTH[1..]), Some(&other)));
    is_forbidden(transfer(&moving, declaring(BOTH), None));
    transfer(&moving, declaring(BOTH), Some(&other)).unwrap();
}

async fn a_persons_own_namespace_neither_moves_nor_takes_in_groups(server: TestServer) {
    let root = server.person("root").admin().create();
    let acme = server.group("acme").owner(&root).create();
    let own = namespace(&root);
    for (group, parent) in [(own.clone(), Some(then(&acme))), (then(&acme), Some(own))] {
        let outcome = server.attempt_as(root.actor(), move |conn, ctx| {
            groups::transfer::transfer(conn, ctx, &group, parent.as_ref())
        });
        assert!(
            matches!(outcome, Err(Error::NotFound(What::Group))),
            "{outcome:?}"
        );
    }
}
