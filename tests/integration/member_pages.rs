//! Members of groups and projects, in the browser.

use chrono::TimeDelta;
use latchkey::members::AccessLevel;

use crate::on_both;
use crate::support::{
    Answer, Company, Page, Person, TestResource, TestServer, Visitor, server::moment,
};

on_both![
    everybody_with_a_role_is_listed_with_its_source,
    the_list_is_for_those_who_see_the_group,
    members_are_added_changed_and_removed,
    the_end_of_a_membership_holds_by_the_clock,
    the_last_human_owner_stays,
    a_bot_is_neither_changed_nor_removed_nor_added,
    nobody_gives_more_than_they_have,
    only_those_who_may_manage_members_do,
    people_may_leave,
    mistakes_are_told_and_nothing_is_changed,
    the_list_is_searched_filtered_sorted_and_paged,
];

/// A row of the list, as it is read.
fn row(page: &Page, username: &str) -> Option<Page> {
    let rows = regex::Regex::new(r#"(?s)<tr data-testid="member-row">.*?</tr>"#).unwrap();
    let handle = format!("@{username}<");
    rows.find_iter(&page.html)
        .find(|row| row.as_str().contains(&handle))
        .map(|row| Page::new(row.as_str().to_owned()))
}

#[track_caller]
fn row_of(page: &Page, username: &str) -> Page {
    row(page, username).unwrap_or_else(|| panic!("no {username} in {}", page.main()))
}

fn usernames(page: &Page) -> Vec<String> {
    let rows = regex::Regex::new(r#"(?s)<tr data-testid="member-row">.*?<small>@([^<]*)</small>"#)
        .unwrap();
    rows.captures_iter(&page.html)
        .map(|found| found[1].to_owned())
        .collect()
}

async fn add(browser: &Visitor, path: &str, user: &str, level: &str, expires_at: &str) -> Answer {
    let fields = [
        ("member[user]", user),
        ("member[access_level]", level),
        ("member[expires_at]", expires_at),
    ];
    browser.post(path, &fields).await
}

fn level_of(server: &TestServer, person: &Person) -> Vec<i64> {
    (0..=50)
        .step_by(5)
        .filter(|level| {
            server.count(
                "memberships",
                &format!("user_id = {} AND access_level = {level}", person.id),
            ) > 0
        })
        .collect()
}

async fn everybody_with_a_role_is_listed_with_its_source(server: TestServer) {
    let c = Company::on(&server);
    let token = c
        .sub
        .token("deploy")
        .role(AccessLevel::Developer)
        .expires("2027-01-01")
        .create();
    c.acme.token("above").create();
    c.sub
        .member_until(&c.frank, AccessLevel::Reporter, "2026-12-24");
    let browser = c.alice.signs_in().await;

    let page = browser.open(&c.sub.page("group_members")).await;
    assert!(page.says("Group members"));
    let frank = row_of(&page, "frank");
    assert!(
        frank.says("Direct") && frank.says("Reporter") && frank.says("24 Dec 2026"),
        "{}",
        frank.text()
    );
    let bob = row_of(&page, "bob");
    assert!(
        bob.says("Inherited from acme") && bob.says("Maintainer"),
        "{}",
        bob.text()
    );
    assert!(bob.links_to(&c.acme.page("group_members")));
    assert!(
        bob.forms().is_empty() && !bob.says("Remove"),
        "it is changed where it comes from"
    );
    let alice = row_of(&page, "alice");
    assert!(alice.says("It's you") && alice.says("Owner"));
    let bot = row_of(&page, &token.username);
    assert!(
        bot.has("bot-badge") && bot.says("deploy") && bot.says("Developer") && bot.says("Direct"),
        "{}",
        bot.text()
    );
    assert!(bot.forms().is_empty(), "no role control");
    assert!(
        !bot.links().iter().any(|link| link.ends_with("/remove")),
        "no remove"
    );
    assert!(
        bot.links()
            .iter()
            .any(|link| link.starts_with(&c.sub.page("settings/access_tokens"))),
        "to its token"
    );
    for person in [&c.frank, &c.bob, &c.alice] {
        assert!(!row_of(&page, &person.username).has("bot-badge"));
    }
    // A bot of a group above takes part here too, by inheritance.
    assert!(page.says("above"));

    // The highest of several roles is shown once.
    c.sub.member(&c.erin, AccessLevel::Maintainer);
    let page = browser.open(&c.sub.page("group_members")).await;
    assert_eq!(
        usernames(&page)
            .iter()
            .filter(|name| *name == "erin")
            .count(),
        1
    );
    assert!(row_of(&page, "erin").says("Maintainer"));

    let page = browser.open(&c.p2.page("project_members")).await;
    assert!(page.says("Project members"));
    assert!(row_of(&page, "frank").says("acme/sub") && row_of(&page, "bob").says("acme"));

    // Who can't manage tokens is not led to them.
    let page = c
        .carol
        .signs_in()
        .await
        .open(&c.sub.page("group_members"))
        .await;
    let bot = row_of(&page, &token.username);
    assert!(
        bot.has("bot-badge")
            && !bot
                .links()
                .iter()
                .any(|link| link.contains("access_tokens"))
    );
}

async fn the_list_is_for_those_who_see_the_group(server: TestServer) {
    let c = Company::on(&server);
    let open = server.group("open").public().create();
    let internal = server.group("internal").internal().create();
    open.member(&c.bob, AccessLevel::Guest);
    for person in [&c.erin, &c.alice, &c.root] {
        person
            .signs_in()
            .await
            .get(&c.acme.page("group_members"))
            .await
            .expect(200);
    }
    let (frank, xenia) = (c.frank.signs_in().await, c.xenia.signs_in().await);
    frank.get(&c.acme.page("group_members")).await.expect(404);
    frank.get(&internal.page("group_members")).await.expect(200);
    xenia.get(&internal.page("group_members")).await.expect(404);
    let nobody = server.visitor();
    assert_eq!(
        usernames(&nobody.open(&open.page("group_members")).await),
        ["bob"]
    );
    nobody
        .get(&internal.page("group_members"))
        .await
        .expect(302);
    nobody.get(&c.p1.page("project_members")).await.expect(302);
    frank.get(&c.p1.page("project_members")).await.expect(404);
}

async fn members_are_added_changed_and_removed(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    let frank = c.frank.signs_in().await;
    let path = c.acme.page("group_members");
    frank.get("/acme").await.expect(404);

    let form = browser.open(&format!("{path}?new=1")).await.form(&path);
    let form = form
        .fill("member[user]", "FRANK@example.com")
        .fill("member[access_level]", "20");
    let answer = browser.submit(&form).await.expect(303);
    assert_eq!(answer.location(), path);
    let page = browser.open(&path).await;
    assert!(!page.flash().is_empty() && row_of(&page, "frank").says("Reporter"));
    frank.get("/acme").await.expect(200);
    frank.get("/acme/sub/deep/p3").await.expect(200);

    let change = format!("{path}/{}", c.frank.id);
    let form = row_of(&page, "frank").form(&change);
    assert_eq!(form.value("member[access_level]"), Some("20"));
    let form = form
        .fill("member[access_level]", "50")
        .fill("member[expires_at]", "2026-12-01");
    browser.submit(&form).await.expect(303);
    let page = browser.open(&path).await;
    let shown = row_of(&page, "frank");
    assert!(
        shown.says("Owner") && shown.says("1 Dec 2026"),
        "{}",
        shown.text()
    );
    frank
        .get(&c.acme.page("settings/access_tokens"))
        .await
        .expect(200);
    // An emptied date takes the end away.
    let form = row_of(&page, "frank")
        .form(&change)
        .fill("member[access_level]", "40")
        .fill("member[expires_at]", "");
    browser.submit(&form).await.expect(303);
    frank
        .get(&c.acme.page("settings/access_tokens"))
        .await
        .expect(404);

    let remove = format!("{change}/remove");
    assert!(row_of(&browser.open(&path).await, "frank").links_to(&remove));
    let page = browser.open(&remove).await;
    assert!(
        page.says("Frank") && page.says("acme") && page.says("Maintainer"),
        "{}",
        page.main()
    );
    assert!(page.says("Remove member") && page.says("Keep member") && page.links_to(&path));
    frank.get("/acme").await.expect(200);
    browser.submit(&page.form(&remove)).await.expect(303);
    assert!(row(&browser.open(&path).await, "frank").is_none());
    frank.get("/acme").await.expect(404);
    browser.get(&remove).await.expect(404);
    let again = browser.post(&remove, &[]).await;
    assert_eq!(again.status, 404);
    for event in ["member_created", "member_deleted", "member_level_changed"] {
        assert!(
            server.count(
                "audit_events",
                &format!("event = '{event}' AND actor_name = 'Alice'")
            ) >= 1,
            "{event}"
        );
    }

    // The same in a project, by a Maintainer.
    let bob = c.bob.signs_in().await;
    let path = c.p1.page("project_members");
    add(&bob, &path, "frank", "30", "").await.expect(303);
    frank.get("/acme/p1").await.expect(200);
    frank.get("/acme/sub/p2").await.expect(404);
    let change = format!("{path}/{}", c.frank.id);
    bob.post(&change, &[("member[access_level]", "40")])
        .await
        .expect(303);
    assert!(level_of(&server, &c.frank).contains(&40));
}

async fn the_end_of_a_membership_holds_by_the_clock(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    let path = c.acme.page("group_members");
    add(&browser, &path, "frank", "30", "2026-11-22")
        .await
        .expect(303);
    let frank = c.frank.signs_in().await;
    server.clock.set(moment("2026-11-21T23:59:59Z"));
    frank.get("/acme").await.expect(200);
    assert!(row(&browser.open(&path).await, "frank").is_some());
    server.clock.advance(TimeDelta::seconds(1));
    frank.get("/acme").await.expect(404);
    assert!(row(&browser.open(&path).await, "frank").is_none());
    // It can begin again.
    add(&browser, &path, "frank", "20", "").await.expect(303);
    frank.get("/acme").await.expect(200);
}

async fn the_last_human_owner_stays(server: TestServer) {
    let c = Company::on(&server);
    let bot = c.acme.token("boss").role(AccessLevel::Owner).create();
    let (alice, root) = (c.alice.signs_in().await, c.root.signs_in().await);
    let path = c.acme.page("group_members");
    let member = format!("{path}/{}", c.alice.id);
    let keeps = async |what: &str, visitor: &Visitor| {
        let before = server.inventory();
        for (path, fields) in [
            (format!("{member}/remove"), &[][..]),
            (member.clone(), &[("member[access_level]", "40")]),
            (
                member.clone(),
                &[
                    ("member[access_level]", "50"),
                    ("member[expires_at]", "2026-12-01"),
                ],
            ),
        ] {
            let answer = visitor.post(&path, fields).await;
            // Refused in the answer, or by what the list then says.
            assert!(
                matches!(answer.status, 303 | 403 | 404 | 422),
                "{what}: {}",
                answer.status
            );
            let told = if answer.status == 303 {
                visitor.open(answer.location()).await
            } else {
                answer.page()
            };
            if answer.status != 404 {
                assert!(
                    told.text().to_lowercase().contains("last owner"),
                    "{what}: {}",
                    told.main()
                );
            }
        }
        assert_eq!(server.inventory(), before, "{what}");
        let still = format!(
            "user_id = {} AND access_level = 50 AND expires_at IS NULL",
            c.alice.id
        );
        assert!(server.count("memberships", &still) >= 1, "{what}");
    };
    keeps("alone, by herself", &alice).await;
    keeps("alone, by an administrator", &root).await;
    let page = root.open(&path).await;
    assert!(
        !row_of(&page, "alice").links_to(&format!("{member}/remove")),
        "not offered"
    );
    assert!(
        row_of(&page, &bot.username).says("Owner"),
        "a bot doesn't count"
    );

    // Nor does somebody who is blocked.
    c.acme.member(&c.frank, AccessLevel::Owner);
    c.frank.block();
    keeps("beside a blocked one", &root).await;

    // With a second one she may go.
    let olga = server.person("olga").create();
    c.acme.member(&olga, AccessLevel::Owner);
    alice
        .post(&format!("{member}/remove"), &[])
        .await
        .expect(303);
    alice.get(&path).await.expect(404);
}

async fn a_bot_is_neither_changed_nor_removed_nor_added(server: TestServer) {
    let c = Company::on(&server);
    let token = c.acme.token("ci").role(AccessLevel::Developer).create();
    let browser = c.alice.signs_in().await;
    let path = c.acme.page("group_members");
    let before = server.inventory();
    for (path, fields) in [
        (
            format!("{path}/{}", token.user_id),
            &[("member[access_level]", "10"), ("member[expires_at]", "")][..],
        ),
        (format!("{path}/{}/remove", token.user_id), &[]),
    ] {
        for visitor in [&browser, &c.root.signs_in().await] {
            let answer = visitor.post(&path, fields).await;
            answer.expect_refused_page(&path);
        }
    }
    let asked = browser
        .get(&format!("{path}/{}/remove", token.user_id))
        .await;
    assert!(
        asked.status == 404 || !asked.page().says("Remove member"),
        "{}",
        asked.status
    );
    let address = format!("{}@noreply.127.0.0.1", token.username);
    for (group, path) in [
        ("sub", c.sub.page("group_members")),
        ("p1", c.p1.page("project_members")),
        ("acme", path),
    ] {
        for login in [token.username.as_str(), address.as_str()] {
            let answer = add(&browser, &path, login, "10", "").await;
            assert_eq!(answer.status, 422, "{group}");
            assert!(
                answer.page().complaints()[0].to_lowercase().contains("bot"),
                "{:?}",
                answer.page().complaints()
            );
        }
    }
    assert_eq!(server.inventory(), before);
    assert_eq!(
        server.count(
            "memberships",
            &format!("user_id = {} AND access_level = 30", token.user_id)
        ),
        1
    );
    assert!(token.works().await);
}

async fn nobody_gives_more_than_they_have(server: TestServer) {
    let c = Company::on(&server);
    let bob = c.bob.signs_in().await;
    let path = c.p1.page("project_members");
    let page = bob.open(&path).await;
    let form = page.part("access-token-role-field");
    assert!(form.is_none());
    let offered = regex::Regex::new(r#"(?s)<select id="member_access_level".*?</select>"#).unwrap();
    let offered = offered
        .find(&page.html)
        .expect("a Maintainer adds members")
        .as_str();
    assert!(
        offered.contains(r#"value="40""#) && !offered.contains(r#"value="50""#),
        "{offered}"
    );
    let before = server.inventory();
    let answer = add(&bob, &path, "frank", "50", "").await;
    answer.expect_refused_page("a Maintainer makes an Owner");
    assert_eq!(server.inventory(), before);

    // Nor raised, and those above are out of reach.
    add(&bob, &path, "frank", "10", "").await.expect(303);
    let change = format!("{path}/{}", c.frank.id);
    bob.post(&change, &[("member[access_level]", "50")])
        .await
        .expect_refused_page("raised to Owner");
    let olga = server.person("olga").create();
    c.p1.member(&olga, AccessLevel::Owner);
    let theirs = format!("{path}/{}", olga.id);
    bob.post(&theirs, &[("member[access_level]", "10")])
        .await
        .expect_refused_page("an Owner lowered");
    bob.post(&format!("{theirs}/remove"), &[])
        .await
        .expect_refused_page("an Owner removed");
    assert_eq!(
        server.count(
            "memberships",
            &format!("user_id = {} AND access_level = 50", olga.id)
        ),
        1
    );
    assert_eq!(
        server.count(
            "memberships",
            &format!("user_id = {} AND access_level = 50", c.frank.id)
        ),
        0
    );
}

async fn only_those_who_may_manage_members_do(server: TestServer) {
    let c = Company::on(&server);
    let group = c.acme.page("group_members");
    let project = c.p1.page("project_members");
    let before = server.inventory();
    for (person, manages_group, manages_project) in [
        (&c.bob, false, true),
        (&c.carol, false, false),
        (&c.dave, false, false),
        (&c.erin, false, false),
        (&c.frank, false, false),
        (&c.oscar, false, false),
    ] {
        let browser = person.signs_in().await;
        for (path, may) in [(&group, manages_group), (&project, manages_project)] {
            let who = format!("{} on {path}", person.username);
            let seen = browser.get(path).await;
            if seen.status == 200 {
                assert_eq!(seen.page().says("Add member"), may, "{who}");
                assert_eq!(seen.page().find_form(path).is_some(), may, "{who}");
            }
            if may {
                continue;
            }
            let added = add(&browser, path, "xenia", "10", "").await;
            assert_eq!(added.status, 404, "{who}");
            let added = add(&browser, path, "", "17", "soon").await;
            assert_eq!(added.status, 404, "{who}: nothing is told about the form");
            let changed = browser
                .post(
                    &format!("{path}/{}", c.erin.id),
                    &[("member[access_level]", "20")],
                )
                .await;
            assert_eq!(changed.status, 404, "{who}");
            if person.id != c.erin.id {
                let removed = browser
                    .post(&format!("{path}/{}/remove", c.erin.id), &[])
                    .await;
                assert_eq!(removed.status, 404, "{who}");
            }
        }
    }
    assert_eq!(server.inventory(), before);
    assert_eq!(
        server
            .visitor()
            .get(&format!("{group}/{}/remove", c.erin.id))
            .await
            .status,
        302
    );
}

async fn people_may_leave(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.erin.signs_in().await;
    let path = c.acme.page("group_members");
    let leave = format!("{path}/{}/remove", c.erin.id);
    assert!(row_of(&browser.open(&path).await, "erin").links_to(&leave));
    let page = browser.open(&leave).await;
    assert!(
        page.says("Leave acme ?") || page.says("Leave acme?"),
        "{}",
        page.main()
    );
    let answer = browser.submit(&page.form(&leave)).await.expect(303);
    // The list is hidden now, so people are sent to where they may be.
    browser.follow(answer.location()).await.expect(200);
    browser.get("/acme").await.expect(404);
}

async fn mistakes_are_told_and_nothing_is_changed(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    let path = c.acme.page("group_members");
    let before = server.inventory();
    let long = "x".repeat(300);
    for (user, level, expires_at, says) in [
        ("", "10", "", "username"),
        ("nobody", "10", "", "username"),
        (long.as_str(), "10", "", "username"),
        ("fra\0nk", "10", "", "username"),
        ("%", "10", "", "username"),
        ("bob", "10", "", "member"),
        ("frank", "17", "", "role"),
        ("frank", "fifty", "", "role"),
        ("frank", "", "", "role"),
        ("frank", "60", "", "role"),
        ("frank", "-10", "", "role"),
        ("frank", "99999999999999999999", "", "role"),
        ("frank", "10", "2026-11-19", "date"),
        ("frank", "10", "1970-01-01", "date"),
        ("frank", "10", "2027-02-29", "date"),
        ("frank", "10", "soon", "date"),
        ("frank", "10", "20\x0026", "date"),
    ] {
        let answer = add(&browser, &path, user, level, expires_at).await;
        assert_eq!(answer.status, 422, "{user:?} {level:?} {expires_at:?}");
        let page = answer.page();
        let told = page.complaints();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].to_lowercase().contains(says),
            "{user:?} {level:?} {expires_at:?}: {told:?}"
        );
        let kept = page.form(&path);
        if !user.contains('\0') {
            assert_eq!(kept.value("member[user]"), Some(user));
        }
        if !expires_at.contains('\0') {
            assert_eq!(kept.value("member[expires_at]"), Some(expires_at));
        }
        assert!(row(&page, "bob").is_some(), "the list is there too");
        assert_eq!(server.inventory(), before);
    }
    let several = add(&browser, &path, "", "17", "soon").await.expect(422);
    assert_eq!(several.page().complaints().len(), 3);

    let change = format!("{path}/{}", c.erin.id);
    for fields in [
        &[("member[access_level]", "17")][..],
        &[("member[access_level]", "fifty")],
        &[
            ("member[access_level]", "20"),
            ("member[expires_at]", "2027-02-29"),
        ],
        &[
            ("member[access_level]", "20"),
            ("member[expires_at]", "2026-11-19"),
        ],
        &[],
    ] {
        let answer = browser.post(&change, fields).await;
        assert_eq!(answer.status, 422, "{fields:?}");
        assert_eq!(level_of(&server, &c.erin).first(), Some(&10), "{fields:?}");
    }
    for id in [
        "0",
        "-1",
        "abc",
        "99999999999999999999",
        "1%00",
        "%EF%BC%91",
        &c.frank.id.to_string(),
    ] {
        for path in [format!("{path}/{id}"), format!("{path}/{id}/remove")] {
            let answer = browser.post(&path, &[("member[access_level]", "20")]).await;
            assert_eq!(answer.status, 404, "{path}");
        }
        browser
            .get(&format!("{path}/{id}/remove"))
            .await
            .expect(404);
    }
    browser.send_rubbish(&path).await;
    browser.send_rubbish(&change).await;
    assert_eq!(server.inventory(), before);
}

async fn the_list_is_searched_filtered_sorted_and_paged(server: TestServer) {
    let c = Company::on(&server);
    c.acme.token("a-bot").create();
    let browser = c.alice.signs_in().await;
    let path = c.acme.page("group_members");
    let found = async |query: &str| usernames(&browser.open(&format!("{path}?{query}")).await);
    assert_eq!(found("search=BOB").await, ["bob"]);
    assert!(found("search=%25").await.is_empty() && found("search=%27").await.is_empty());
    assert!(
        browser
            .open(&format!("{path}?search=zzz"))
            .await
            .says("No members match.")
    );
    assert_eq!(found("role=40&kind=people").await, ["bob"]);
    assert_eq!(found("kind=people").await.len(), 6);
    assert_eq!(found("kind=bots").await.len(), 1);
    assert_eq!(found("").await.len(), 7);
    let by_name = found("kind=people&sort=name_asc").await;
    assert_eq!(by_name, ["alice", "bob", "carol", "dave", "erin", "paula"]);
    let mut reversed = found("kind=people&sort=name_desc").await;
    reversed.reverse();
    assert_eq!(reversed, by_name);
    assert_eq!(
        found("kind=people&sort=access_level_desc").await[..2],
        ["alice", "bob"]
    );
    let markup = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for query in [
        format!("search={markup}"),
        format!("role={markup}"),
        format!("kind={markup}"),
        format!("sort={markup}"),
        format!("page={markup}"),
        "page=0".to_owned(),
        "page=-1".to_owned(),
        "page=99999999999999999999".to_owned(),
        "role=17".to_owned(),
        "search=%00".to_owned(),
    ] {
        let page = browser.open(&format!("{path}?{query}")).await;
        assert!(!page.html.contains("<script>alert"), "{query}");
    }
    for number in 0..60 {
        c.acme.member(
            &server.person(&format!("person{number:02}")).create(),
            AccessLevel::Guest,
        );
    }
    let mut all = Vec::new();
    let mut next = Some(format!("{path}?sort=name_asc"));
    while let Some(address) = next {
        let page = browser.open(&address).await;
        all.extend(usernames(&page));
        let link = regex::Regex::new(r#"<a href="([^"]*)" rel="next""#).unwrap();
        next = link
            .captures(&page.html)
            .map(|found| crate::support::page::unescaped(&found[1]));
        assert!(all.len() <= 67);
    }
    assert_eq!(all.len(), 67);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 67, "nobody is left out or listed twice");
}
