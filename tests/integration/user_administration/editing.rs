//! Changing people.

use std::sync::LazyLock;

use latchkey::{
    error::Error,
    users::{
        edit::PersonChanges,
        password::{Password, hash},
    },
};

use super::{edit, find, forbidden, is_for_administrators_and_about_people, not_found, told};
use crate::{
    on_both,
    support::{Company, PASSWORD, Person, TestResource, TestServer, Visitor},
};

on_both![
    what_is_given_changes_and_nothing_else,
    each_change_is_one_line_in_the_trail,
    what_is_wrong_is_told_by_field_and_nothing_is_half_done,
    an_address_is_taken_once,
    a_new_address_opens_the_door_and_the_old_one_no_more,
    a_new_password_ends_the_sessions_and_nothing_else_does,
    rights_change_with_the_next_request,
    only_administrators_change_people_and_nobody_changes_bots,
    the_last_administrator_is_not_demoted,
    a_namespace_is_called_as_its_person,
];

const NEW_PASSWORD: &str = "two horses staple nothing";

fn nothing() -> PersonChanges {
    PersonChanges::default()
}

fn named(name: &str) -> PersonChanges {
    PersonChanges {
        name: Some(name.to_owned()),
        ..nothing()
    }
}

fn addressed(email: &str) -> PersonChanges {
    PersonChanges {
        email: Some(email.to_owned()),
        ..nothing()
    }
}

fn administrator(admin: bool) -> PersonChanges {
    PersonChanges {
        admin: Some(admin),
        ..nothing()
    }
}

fn external(external: bool) -> PersonChanges {
    PersonChanges {
        external: Some(external),
        ..nothing()
    }
}

fn with_new_password() -> PersonChanges {
    static HASH: LazyLock<String> =
        LazyLock::new(|| hash(&Password::new(NEW_PASSWORD), &mut rand::rng()).unwrap());
    PersonChanges {
        password_hash: Some(HASH.clone()),
        ..nothing()
    }
}

/// Name, address, administrator, external: all that can be changed and seen.
fn shown(person: &Person) -> (String, String, bool, bool) {
    let user = find(&person.server, person.id).unwrap();
    (user.name, user.email, user.admin, user.external)
}

async fn what_is_given_changes_and_nothing_else(server: TestServer) {
    let root = server.person("root").admin().create();
    let alice = server.person("alice").create();
    let expected = |name: &str, email: &str, admin, external| {
        (name.to_owned(), email.to_owned(), admin, external)
    };
    for (changes, becomes) in [
        (
            nothing(),
            expected("Alice", "alice@example.com", false, false),
        ),
        (
            named("  Alice B. "),
            expected("Alice B.", "alice@example.com", false, false),
        ),
        (
            addressed(" A.B@example.org"),
            expected("Alice B.", "A.B@example.org", false, false),
        ),
        (
            administrator(true),
            expected("Alice B.", "A.B@example.org", true, false),
        ),
        (
            external(true),
            expected("Alice B.", "A.B@example.org", true, true),
        ),
        (
            with_new_password(),
            expected("Alice B.", "A.B@example.org", true, true),
        ),
        (
            administrator(false),
            expected("Alice B.", "A.B@example.org", false, true),
        ),
        (
            external(false),
            expected("Alice B.", "A.B@example.org", false, false),
        ),
        (
            PersonChanges {
                name: Some("Al".into()),
                email: Some("al@example.org".into()),
                admin: Some(true),
                ..external(true)
            },
            expected("Al", "al@example.org", true, true),
        ),
    ] {
        let user = edit(&server, &root.actor(), alice.id, &changes).unwrap();
        assert_eq!(shown(&alice), becomes, "{changes:?}");
        let answered = (user.name, user.email, user.admin, user.external);
        assert_eq!(answered, becomes, "{changes:?}");
        assert_eq!(user.username, "alice");
        assert_eq!(user.created_at, alice.created_at);
    }
    assert_eq!(
        shown(&root),
        expected("Root", "root@example.com", true, false)
    );
}

async fn each_change_is_one_line_in_the_trail(server: TestServer) {
    let root = server.person("root").admin().create();
    let alice = server.person("alice").create();
    let lines = [
        (named("Al"), "user_name_changed"),
        (addressed("al@example.com"), "user_email_changed"),
        (administrator(true), "user_promoted"),
        (administrator(false), "user_demoted"),
        (external(true), "user_external_changed"),
        (with_new_password(), "user_password_changed"),
    ];
    for (changes, line) in &lines {
        let before = server.count("audit_events", "");
        edit(&server, &root.actor(), alice.id, changes).unwrap();
        assert_eq!(told(&server, line, alice.id), 1, "{line}");
        assert_eq!(server.count("audit_events", "") - before, 1, "{line}");
    }
    let by_root = format!("actor_id = {} AND target_name = 'alice'", root.id);
    assert_eq!(server.count("audit_events", &by_root), 6);
    let details = "details LIKE '%al@example.com%' AND details LIKE '%alice@example.com%'";
    assert_eq!(server.count("audit_events", details), 1);
    assert_eq!(server.count("audit_events", "details LIKE '%argon2%'"), 0);

    // What was so before is no change.
    let before = server.count("audit_events", "");
    for same in [
        nothing(),
        named("Al"),
        addressed("al@example.com"),
        administrator(false),
        external(true),
    ] {
        edit(&server, &root.actor(), alice.id, &same).unwrap();
    }
    assert_eq!(server.count("audit_events", ""), before);
}

async fn what_is_wrong_is_told_by_field_and_nothing_is_half_done(server: TestServer) {
    let root = server.person("root").admin().create();
    let alice = server.person("alice").create();
    server.person("bob").create();
    let browser = alice.signs_in().await;
    let before = (shown(&alice), server.count("audit_events", ""));
    let long = "x".repeat(256);
    for (name, email, sentences) in [
        ("", "al@example.com", "Name can't be blank"),
        (
            &*long,
            "al@example.com",
            "Name is too long (maximum is 255 characters)",
        ),
        ("a\0b", "al@example.com", "Name contains invalid characters"),
        ("Al", "", "Email can't be blank"),
        ("Al", "nowhere", "Email is invalid"),
        ("Al", "a\0l@example.com", "Email is invalid"),
        (" ", "a@b@c", "Name can't be blank, Email is invalid"),
        ("Al", "BOB@example.com", "Email has already been taken"),
    ] {
        let changes = PersonChanges {
            name: Some(name.to_owned()),
            email: Some(email.to_owned()),
            admin: Some(true),
            external: Some(true),
            ..with_new_password()
        };
        match edit(&server, &root.actor(), alice.id, &changes) {
            Err(Error::Invalid(errors)) => assert_eq!(errors.to_string(), sentences),
            other => panic!("{name:?} {email:?}: {other:?}"),
        }
        assert_eq!((shown(&alice), server.count("audit_events", "")), before);
    }
    assert!(is_signed_in(&browser).await);
    alice.signs_in().await;
}

async fn an_address_is_taken_once(server: TestServer) {
    let root = server.person("root").admin().create();
    let (alice, bob) = (
        server.person("alice").create(),
        server.person("bob").create(),
    );
    for taken in ["bob@example.com", "Bob@Example.COM"] {
        let refused = edit(&server, &root.actor(), alice.id, &addressed(taken));
        assert_eq!(
            refused.unwrap_err().to_string(),
            "Email has already been taken"
        );
    }
    // One's own in another case is nobody else's.
    edit(
        &server,
        &root.actor(),
        alice.id,
        &addressed("ALICE@example.com"),
    )
    .unwrap();
    edit(&server, &root.actor(), bob.id, &addressed("b@example.com")).unwrap();
    edit(
        &server,
        &root.actor(),
        alice.id,
        &addressed("bob@example.com"),
    )
    .unwrap();
}

async fn a_new_address_opens_the_door_and_the_old_one_no_more(server: TestServer) {
    let root = server.person("root").admin().create();
    let alice = server.person("alice").create();
    server.clock.advance(chrono::TimeDelta::hours(1));
    edit(
        &server,
        &root.actor(),
        alice.id,
        &addressed("Al@example.org"),
    )
    .unwrap();
    for (login, status) in [("AL@example.org", 303), ("alice@example.com", 422)] {
        let answer = server.visitor().sign_in(login, PASSWORD).await;
        assert_eq!(answer.status, status, "{login}");
    }
    let user = find(&server, alice.id).unwrap();
    assert_eq!(user.confirmed_at, Some(server.now()));
}

async fn is_signed_in(browser: &Visitor) -> bool {
    browser.get("/").await.text().contains("Sign out")
}

async fn a_new_password_ends_the_sessions_and_nothing_else_does(server: TestServer) {
    let root = server.person("root").admin().create();
    let (alice, bob) = (
        server.person("alice").create(),
        server.person("bob").create(),
    );
    let token = alice.api();
    let (first, second) = (alice.signs_in().await, alice.signs_in().await);
    let others = bob.signs_in().await;
    for changes in [
        named("Al"),
        addressed("al@example.com"),
        administrator(true),
        external(true),
    ] {
        edit(&server, &root.actor(), alice.id, &changes).unwrap();
    }
    assert!(is_signed_in(&first).await && is_signed_in(&second).await);
    edit(&server, &root.actor(), alice.id, &with_new_password()).unwrap();
    assert!(!is_signed_in(&first).await && !is_signed_in(&second).await);
    assert!(is_signed_in(&others).await);
    token.get("/user").await.expect(200);
    let visitor = server.visitor();
    visitor.sign_in("alice", PASSWORD).await.expect(422);
    visitor.sign_in("alice", NEW_PASSWORD).await.expect(303);
}

async fn rights_change_with_the_next_request(server: TestServer) {
    let company = Company::on(&server);
    let staff = server.group("staff").internal().create();
    let root = company.root.actor();
    let frank = company.frank.api();
    let change = |changes: &PersonChanges| {
        edit(&server, &root, company.frank.id, changes).unwrap();
    };
    frank.get(&staff.path()).await.expect(200);
    frank.get(&company.acme.path()).await.expect(404);
    change(&external(true));
    frank.get(&staff.path()).await.expect(404);
    change(&administrator(true));
    frank.get(&company.acme.path()).await.expect(200);
    change(&administrator(false));
    frank.get(&company.acme.path()).await.expect(404);
    change(&external(false));
    frank.get(&staff.path()).await.expect(200);
}

async fn only_administrators_change_people_and_nobody_changes_bots(server: TestServer) {
    let company = Company::on(&server);
    for changes in [nothing(), named("Mallory"), administrator(true)] {
        is_for_administrators_and_about_people(&server, &company, |actor, id| {
            edit(&server, actor, id, &changes)
        });
    }
    // An administrator who is none any more, whatever they were when they were let in.
    let root = company.root.actor();
    let ada = server.person("ada").admin().create();
    edit(
        &server,
        &ada.actor(),
        company.root.id,
        &administrator(false),
    )
    .unwrap();
    forbidden(edit(&server, &root, company.frank.id, &nothing()), "");
    not_found(edit(&server, &ada.actor(), 999_999, &nothing()));
}

async fn the_last_administrator_is_not_demoted(server: TestServer) {
    let root = server.person("root").admin().create();
    let ada = server.person("ada").admin().create();
    let last = "The last administrator can't be demoted";
    ada.block();
    // A blocked administrator helps nobody.
    forbidden(
        edit(&server, &root.actor(), root.id, &administrator(false)),
        last,
    );
    edit(&server, &root.actor(), root.id, &administrator(true)).unwrap();
    edit(&server, &root.actor(), root.id, &named("The Boss")).unwrap();
    // With another one, anybody may go, also by their own hand.
    let eve = server.person("eve").admin().create();
    edit(&server, &root.actor(), root.id, &administrator(false)).unwrap();
    forbidden(
        edit(&server, &eve.actor(), eve.id, &administrator(false)),
        last,
    );
    let user = find(&server, eve.id).unwrap();
    assert!(user.admin);
}

async fn a_namespace_is_called_as_its_person(server: TestServer) {
    let root = server.person("root").admin().create();
    let alice = server.person("alice").create();
    let notes = alice
        .api()
        .post("/projects", serde_json::json!({ "path": "notes" }))
        .await
        .expect(201)
        .json();
    let path = format!("/projects/{}", notes["id"]);
    edit(&server, &root.actor(), alice.id, &named("Alice B.")).unwrap();
    let shown = alice.api().get(&path).await.expect(200).json();
    assert_eq!(shown["name_with_namespace"], "Alice B. / notes");
    assert_eq!(shown["namespace"]["name"], "Alice B.");
    assert_eq!(shown["path_with_namespace"], "alice/notes");
    assert_eq!(
        server.count("groups", "name = 'Root' AND full_name = 'Root'"),
        1
    );
}
