//! Projects that move.

use latchkey::{error::Error, members::AccessLevel, permissions::Right};

use super::{addresses, all_in_step, bot, is_forbidden, namespace, then, transfer_project, wrong};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    it_takes_an_owner_of_the_project_who_may_make_projects_there,
    a_project_moves_home_to_its_owner_and_to_nobody_else,
    a_bot_moves_no_project,
    a_moved_project_keeps_its_tokens_and_members_and_loses_its_address,
    inherited_access_to_a_project_ends_and_begins_with_the_move,
    the_switch_of_the_new_root_governs_the_project,
    a_project_goes_nowhere_it_could_not_have_been_made,
    the_trail_of_both_places_tells_both_addresses_of_a_project,
];

async fn it_takes_an_owner_of_the_project_who_may_make_projects_there(server: TestServer) {
    let (one, other) = (server.group("one").create(), server.group("other").create());
    let levels = || {
        AccessLevel::ALL
            .into_iter()
            .map(Some)
            .chain(std::iter::once(None))
    };
    for at_project in levels() {
        for at_target in levels() {
            let number = server.next();
            let person = server.person(&format!("p{number}")).create();
            let moving = one.project(&format!("moving{number}")).create();
            let target = other.subgroup(&format!("target{number}")).create();
            if let Some(level) = at_project {
                moving.member(&person, level);
            }
            if let Some(level) = at_target {
                target.member(&person, level);
            }
            let outcome = transfer_project(&moving, person.actor(), &then(&target));
            if at_project == Some(AccessLevel::Owner) && at_target >= Some(AccessLevel::Developer) {
                assert_eq!(outcome.unwrap().group_id, target.id);
            } else {
                is_forbidden(outcome);
            }
        }
    }
    let root = server.person("root").admin().create();
    let moving = one.project("last").create();
    let declaring = |rights: &'static [Right]| latchkey::actor::Actor {
        declared: latchkey::actor::Declared::Only(rights),
        ..root.actor()
    };
    const BOTH: &[Right] = &[Right::TransferProject, Right::CreateProject];
    is_forbidden(transfer_project(
        &moving,
        declaring(&BOTH[..1]),
        &then(&other),
    ));
    is_forbidden(transfer_project(
        &moving,
        declaring(&BOTH[1..]),
        &then(&other),
    ));
    transfer_project(&moving, declaring(BOTH), &then(&other)).unwrap();
}

async fn a_project_moves_home_to_its_owner_and_to_nobody_else(server: TestServer) {
    let company = Company::on(&server);
    let alice = &company.alice;
    is_forbidden(transfer_project(
        &company.p2,
        alice.actor(),
        &namespace(&company.bob),
    ));
    let moved = transfer_project(&company.p2, alice.actor(), &namespace(alice)).unwrap();
    assert_eq!(moved.full_path(), "alice/p2");
    assert!(moved.namespace.is_personal());
    let shown = alice
        .api()
        .get("/projects/alice%2Fp2")
        .await
        .expect(200)
        .json();
    assert_eq!(shown["owner"]["username"], "alice");
    company.bob.api().get(&company.p2.path()).await.expect(404);
    transfer_project(&company.p2, alice.actor(), &then(&company.acme)).unwrap();
    company
        .bob
        .api()
        .get("/projects/acme%2Fp2")
        .await
        .expect(200);
    all_in_step(&server);
}

async fn a_bot_moves_no_project(server: TestServer) {
    let company = Company::on(&server);
    let owner = company
        .acme
        .token("owner")
        .role(AccessLevel::Owner)
        .create();
    for target in [&company.deep, &company.other] {
        is_forbidden(transfer_project(
            &company.p2,
            bot(&server, &owner),
            &then(target),
        ));
    }
    owner.get("/projects/acme%2Fsub%2Fp2").await.expect(200);
}

async fn a_moved_project_keeps_its_tokens_and_members_and_loses_its_address(server: TestServer) {
    let company = Company::on(&server);
    let beside = company.sub.project("p22").create();
    company.p2.member(&company.frank, AccessLevel::Reporter);
    let token = company.p2.token("ci").create();
    token.get("/projects/acme%2Fsub%2Fp2").await.expect(200);
    let before = server.inventory();
    let moved = transfer_project(&company.p2, company.root.actor(), &then(&company.other)).unwrap();
    assert_eq!(
        (moved.full_path().as_str(), moved.full_name().as_str()),
        ("other/p2", "other / p2")
    );
    assert_eq!(server.inventory(), before);
    for api in [token.api(), company.frank.api()] {
        api.get("/projects/acme%2Fsub%2Fp2").await.expect(404);
        let found = api.get("/projects/OTHER%2Fp2").await.expect(200).json();
        assert_eq!(found["id"], company.p2.id);
        assert_eq!(found["namespace"]["full_path"], "other");
    }
    company
        .alice
        .api()
        .get("/projects/acme%2Fsub%2Fp22")
        .await
        .expect(200);
    // The old address is free.
    let again = company.sub.project("p2").create();
    assert_ne!(again.id, company.p2.id);
    token.get("/projects/acme%2Fsub%2Fp2").await.expect(404);
    company.alice.api().get(&beside.path()).await.expect(200);
    all_in_step(&server);
}

async fn inherited_access_to_a_project_ends_and_begins_with_the_move(server: TestServer) {
    let company = Company::on(&server);
    let (from, to) = (
        company.acme.token("from").create(),
        company.other.token("to").create(),
    );
    from.get(&company.p2.path()).await.expect(200);
    to.get(&company.p2.path()).await.expect(404);
    transfer_project(&company.p2, company.root.actor(), &then(&company.other)).unwrap();
    from.get(&company.p2.path()).await.expect(404);
    to.get(&company.p2.path()).await.expect(200);
}

async fn the_switch_of_the_new_root_governs_the_project(server: TestServer) {
    let company = Company::on(&server);
    company.other.allow_creation(false);
    let makes = || {
        let resource = company.p2.resource();
        let new = latchkey::access_tokens::create::NewAccessToken {
            name: "ci".into(),
            description: None,
            scopes: vec![latchkey::access_tokens::scope::Scope::Api],
            access_level: AccessLevel::Guest,
            expires_at: None,
        };
        let outcome = server.attempt_as(company.root.actor(), move |conn, ctx| {
            latchkey::access_tokens::create::create(conn, ctx, &resource, &new)
        });
        matches!(outcome, Ok(Ok(_)))
    };
    assert!(makes());
    transfer_project(&company.p2, company.root.actor(), &then(&company.other)).unwrap();
    assert!(!makes());
    transfer_project(&company.p2, company.root.actor(), &namespace(&company.root)).unwrap();
    assert!(makes(), "nobody says no at home");
}

async fn a_project_goes_nowhere_it_could_not_have_been_made(server: TestServer) {
    let company = Company::on(&server);
    let root = company.root.actor();
    company.other.subgroup("P2").create();
    let open = server.group("open").public().create();
    let public = open.project("public").create();
    let before = addresses(&server);
    let refusal = |project, to| {
        let about = wrong(transfer_project(project, root.clone(), &then(to)));
        assert_eq!(about.len(), 1);
        about.into_iter().next().unwrap()
    };
    let (field, message) = refusal(&company.p2, &company.other);
    assert_eq!(
        (field.as_str(), message.as_str()),
        ("path", "has already been taken")
    );
    let (field, message) = refusal(&company.p2, &company.sub);
    assert_eq!(
        (field.as_str(), message.as_str()),
        ("namespace", "is where the project lies already")
    );
    let (field, message) = refusal(&public, &company.other);
    assert_eq!(
        (field.as_str(), message.as_str()),
        (
            "visibility",
            "public is not allowed since the parent group has private visibility"
        )
    );
    assert_eq!(addresses(&server), before);
    // One that was deleted meanwhile isn't there.
    company
        .root
        .api()
        .delete(&company.p1.path())
        .await
        .expect(202);
    let outcome = transfer_project(&company.p1, root.clone(), &then(&company.other));
    assert!(matches!(outcome, Err(Error::NotFound(_))), "{outcome:?}");
}

async fn the_trail_of_both_places_tells_both_addresses_of_a_project(server: TestServer) {
    let company = Company::on(&server);
    transfer_project(&company.p2, company.root.actor(), &then(&company.other)).unwrap();
    for (direction, group) in [("out", "acme/sub"), ("in", "other")] {
        let told = format!(
            "event = 'project_transferred' AND target_id = {} AND group_path = '{group}' AND actor_id = {}
             AND details = '{{\"full_path\":[\"acme/sub/p2\",\"other/p2\"],\"direction\":\"{direction}\"}}'",
            company.p2.id, company.root.id
        );
        assert_eq!(server.count("audit_events", &told), 1, "{direction}");
    }
    assert_eq!(
        server.count("audit_events", "event = 'project_transferred'"),
        2
    );
}
