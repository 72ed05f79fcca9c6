//! Finding users.

use latchkey::{
    actor::Actor,
    db::{Page, PageRequest, Total},
    users::{
        User,
        list::{Filter, list},
    },
};

use super::ghost;
use crate::{
    crowd::add_tokens,
    on_both,
    support::{Company, TestResource, TestServer},
};

on_both![
    the_newest_comes_first,
    pages_follow_each_other_without_a_gap,
    a_user_name_is_found_whole_and_in_any_case,
    a_part_of_a_name_is_enough_for_a_search,
    what_is_typed_is_looked_for_literally,
    nonsense_finds_nobody,
    an_address_is_found_whole_and_by_administrators_alone,
    states_and_kinds_narrow_the_list,
    the_ghost_is_a_user_but_no_person,
    a_bot_whose_token_is_gone_is_not_listed,
    a_list_costs_the_same_with_ten_users_and_with_three_hundred,
];

fn page(server: &TestServer, actor: Actor, filter: &Filter, request: PageRequest) -> Page<User> {
    let filter = filter.clone();
    server.arrange_as(actor, move |conn, ctx| list(conn, ctx, &filter, request))
}

fn found(server: &TestServer, actor: Actor, filter: &Filter) -> Vec<String> {
    let request = PageRequest {
        page: 1,
        per_page: 100,
    };
    page(server, actor, filter, request)
        .rows
        .into_iter()
        .map(|user| user.username)
        .collect()
}

fn called(username: &str) -> Filter {
    Filter {
        username: Some(username.to_owned()),
        ..Filter::default()
    }
}

fn containing(search: &str) -> Filter {
    Filter {
        search: Some(search.to_owned()),
        ..Filter::default()
    }
}

async fn the_newest_comes_first(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let token = acme.token("ci").create();
    let zoe = server.person("zoe").create();
    server.person("bob").create();
    assert_eq!(
        found(&server, zoe.actor(), &Filter::default()),
        ["bob", "zoe", &token.username, "alice"]
    );
}

async fn pages_follow_each_other_without_a_gap(server: TestServer) {
    for number in 0..7 {
        server.person(&format!("person{number}")).create();
    }
    let actor = server.person("alice").create().actor();
    let mut seen = Vec::new();
    for number in 1..=3 {
        let request = PageRequest {
            page: number,
            per_page: 3,
        };
        let page = page(&server, actor.clone(), &Filter::default(), request);
        assert_eq!(page.total, Total::Counted(8));
        assert_eq!(page.has_next, number < 3);
        seen.extend(page.rows.into_iter().map(|user| user.username));
    }
    assert_eq!(seen, found(&server, actor, &Filter::default()));
}

async fn a_user_name_is_found_whole_and_in_any_case(server: TestServer) {
    let alice = server.person("alice").create();
    server.person("alice2").create();
    for (text, expected) in [
        ("alice", &["alice"][..]),
        ("ALiCE", &["alice"]),
        ("alic", &[]),
        ("lice", &[]),
        ("alice_", &[]),
        ("%", &[]),
        ("alice@example.com", &[]),
        ("", &[]),
    ] {
        assert_eq!(
            found(&server, alice.actor(), &called(text)),
            expected,
            "{text}"
        );
    }
}

async fn a_part_of_a_name_is_enough_for_a_search(server: TestServer) {
    let alice = server.person("alice").named("Alice Ångström").create();
    server.person("bob").named("ÄNNCHEN Müller").create();
    let acme = server.group("acme").owner(&alice).create();
    let token = acme.token("Deploy to müllersville").create();
    let bot = token.username.as_str();
    for (text, expected) in [
        ("lic", &["alice"][..]),
        ("ÅNGSTRÖM", &["alice"]),
        ("ännchen", &["bob"]),
        ("MÜLLER", &[bot, "bob"]),
        ("BO", &[bot, "bob"]),
        ("alice ångström", &["alice"]),
        ("nobody", &[]),
    ] {
        assert_eq!(
            found(&server, alice.actor(), &containing(text)),
            expected,
            "{text}"
        );
    }
    let both = Filter {
        username: Some("bob".into()),
        ..containing("ice")
    };
    assert!(found(&server, alice.actor(), &both).is_empty());
}

async fn what_is_typed_is_looked_for_literally(server: TestServer) {
    let alice = server.person("alice").create();
    server.person("a_b").named("100 % certain").create();
    server.person("a-b").named("C:\\home").create();
    for (text, expected) in [
        ("%", &["a_b"][..]),
        ("_", &["a_b"]),
        ("a_b", &["a_b"]),
        ("\\", &["a-b"]),
        ("100%certain", &[]),
        ("' OR 1=1 --", &[]),
    ] {
        assert_eq!(
            found(&server, alice.actor(), &containing(text)),
            expected,
            "{text}"
        );
    }
}

async fn nonsense_finds_nobody(server: TestServer) {
    let root = server.person("root").admin().create();
    for text in [
        "x".repeat(300),
        "🔑".repeat(300),
        "ro%t".into(),
        "root\u{202e}".into(),
    ] {
        assert!(found(&server, root.actor(), &containing(&text)).is_empty());
        assert!(found(&server, root.actor(), &called(&text)).is_empty());
    }
    // No text in the database has a NUL, and a database may not take one: it is as if it weren't there.
    assert_eq!(
        found(&server, root.actor(), &containing("r\0oot")),
        ["root"]
    );
    assert!(found(&server, root.actor(), &called("r\0oot")).is_empty());
    assert!(found(&server, root.actor(), &called("\0")).is_empty());
}

async fn an_address_is_found_whole_and_by_administrators_alone(server: TestServer) {
    let company = Company::on(&server);
    let root = company.root.actor();
    for text in [
        "frank@example.com",
        "Frank@EXAMPLE.com",
        " frank@example.com ",
    ] {
        assert_eq!(
            found(&server, root.clone(), &containing(text)),
            ["frank"],
            "{text}"
        );
    }
    for part in [
        "frank@",
        "@example.com",
        "rank@example.com",
        "%@example.com",
    ] {
        assert!(
            found(&server, root.clone(), &containing(part)).is_empty(),
            "{part}"
        );
    }
    for person in [&company.alice, &company.frank, &company.xenia] {
        let filter = containing("frank@example.com");
        assert!(found(&server, person.actor(), &filter).is_empty());
    }
}

async fn states_and_kinds_narrow_the_list(server: TestServer) {
    let root = server.person("root").admin().create();
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let token = acme.token("ci").create();
    let bot = token.username.as_str();
    server.person("bob").create().block();
    server.sql("UPDATE users SET state = 'deactivated' WHERE username = 'root'");
    let filter = Filter::default;
    for (filter, expected) in [
        (filter(), &["bob", bot, "alice", "root"][..]),
        (
            Filter {
                active: true,
                ..filter()
            },
            &[bot, "alice"],
        ),
        (
            Filter {
                blocked: true,
                ..filter()
            },
            &["bob"],
        ),
        (
            Filter {
                humans: true,
                ..filter()
            },
            &["bob", "alice", "root"],
        ),
        (
            Filter {
                without_project_bots: true,
                ..filter()
            },
            &["bob", "alice", "root"],
        ),
        (
            Filter {
                active: true,
                humans: true,
                ..filter()
            },
            &["alice"],
        ),
        (
            Filter {
                active: true,
                blocked: true,
                ..filter()
            },
            &[],
        ),
    ] {
        assert_eq!(
            found(&server, root.actor(), &filter),
            expected,
            "{filter:?}"
        );
    }
}

async fn the_ghost_is_a_user_but_no_person(server: TestServer) {
    let alice = server.person("alice").create();
    let ghost = ghost(&server).username;
    let people = Filter {
        humans: true,
        ..Filter::default()
    };
    let no_bots = Filter {
        without_project_bots: true,
        ..Filter::default()
    };
    let found = |filter: &Filter| found(&server, alice.actor(), filter);
    assert_eq!(found(&Filter::default()), [ghost.as_str(), "alice"]);
    assert_eq!(found(&no_bots), [ghost.as_str(), "alice"]);
    assert_eq!(found(&people), ["alice"]);
}

async fn a_bot_whose_token_is_gone_is_not_listed(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let token = acme.token("ci").create();
    let filters = [
        Filter::default(),
        called(&token.username),
        containing(&token.username),
        containing("ci"),
    ];
    for filter in &filters {
        let found = found(&server, alice.actor(), filter);
        assert!(found.contains(&token.username), "{filter:?}");
    }
    let path = format!("{}/access_tokens/{}", acme.path(), token.id);
    alice.api().delete(&path).await.expect(204);
    for filter in &filters {
        let found = found(&server, alice.actor(), filter);
        assert!(!found.contains(&token.username), "{filter:?}");
    }
}

async fn a_list_costs_the_same_with_ten_users_and_with_three_hundred(server: TestServer) {
    let root = server.person("root").admin().create();
    let acme = server.group("acme").create();
    let filters = [
        Filter::default(),
        containing("deploy"),
        Filter {
            active: true,
            ..Filter::default()
        },
    ];
    let mut costs = Vec::new();
    for more in [9, 290] {
        add_tokens(&server, &acme, more);
        for filter in &filters {
            let (filter, app) = (filter.clone(), server.app.clone());
            costs.push(server.arrange_as(root.actor(), move |conn, ctx| {
                let before = app.db.counters().queries();
                let request = PageRequest {
                    page: 1,
                    per_page: 5,
                };
                let page = list(conn, ctx, &filter, request)?;
                assert_eq!(page.rows.len(), 5);
                Ok(app.db.counters().queries() - before)
            }));
        }
    }
    let (few, many) = costs.split_at(filters.len());
    assert_eq!(few, many);
    assert!(many.iter().all(|cost| *cost <= 2), "{many:?}");
}
