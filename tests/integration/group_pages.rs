//! Lists, overviews and forms of groups and projects; and what is hidden looks like what isn't there.

use latchkey::members::AccessLevel;
use reqwest::Method;

use crate::on_both;
use crate::support::{Company, Page, TestResource, TestServer};

on_both![
    lists_show_what_one_may_see,
    a_group_shows_what_is_in_it_for_the_viewer,
    what_is_hidden_looks_like_what_is_missing,
    strangers_learn_nothing_either,
    a_top_level_group_belongs_to_whoever_makes_it,
    subgroups_are_made_by_maintainers_and_no_wider_than_their_parent,
    projects_are_made_by_developers,
    a_personal_namespace_lists_what_can_be_seen,
    addresses_of_groups_lead_to_their_overview,
    mistakes_in_the_form_of_a_group_are_told_and_kept,
    mistakes_in_the_form_of_a_project_are_told_and_kept,
    a_name_that_is_asked_for_is_needed,
];

async fn lists_show_what_one_may_see(server: TestServer) {
    let c = Company::on(&server);
    let open = server.group("open-house").public().create();
    server.group("staff").internal().create();
    open.project("site").create();
    for (person, own, explored, hidden) in [
        (
            &c.alice,
            &["/acme"][..],
            &["/acme", "/open-house", "/staff"][..],
            &["/other"][..],
        ),
        (
            &c.erin,
            &["/acme"],
            &["/acme", "/open-house", "/staff"],
            &["/other"],
        ),
        (
            &c.frank,
            &[],
            &["/open-house", "/staff"],
            &["/acme", "/other"],
        ),
        (
            &c.xenia,
            &[],
            &["/open-house"],
            &["/acme", "/other", "/staff"],
        ),
        (
            &c.root,
            &[],
            &["/acme", "/open-house", "/other", "/staff"],
            &[],
        ),
    ] {
        let browser = person.signs_in().await;
        let listed = |page: &Page| {
            let mut links = page.links();
            links.retain(|link| {
                ["/acme", "/open-house", "/other", "/staff"].contains(&link.as_str())
            });
            links.sort_unstable();
            links.dedup();
            links
        };
        assert_eq!(
            listed(&browser.open("/dashboard/groups").await),
            own,
            "{}",
            person.username
        );
        let page = browser.open("/explore/groups").await;
        assert_eq!(listed(&page), explored, "{}", person.username);
        for path in hidden {
            assert!(
                !page.text().contains(path.trim_start_matches('/')),
                "{}: {path}",
                person.username
            );
        }
        let found = browser.open("/explore/groups?search=OPEN").await;
        assert_eq!(listed(&found), ["/open-house"], "{}", person.username);
        for query in [
            "search=%25",
            "search=%00",
            "search=%27",
            "sort=nonsense",
            "page=0",
            "page=abc",
            "page=99999999999",
        ] {
            browser
                .get(&format!("/explore/groups?{query}"))
                .await
                .expect(200);
            browser
                .get(&format!("/dashboard/projects?{query}"))
                .await
                .expect(200);
        }
    }
    let nobody = server.visitor().open("/explore/groups").await;
    assert!(
        nobody.links_to("/open-house") && !nobody.links_to("/staff") && !nobody.links_to("/acme")
    );
    server.visitor().get("/dashboard/groups").await.expect(302);
    let mine = c.alice.signs_in().await.open("/dashboard/projects").await;
    assert!(
        mine.links_to("/acme/p1")
            && mine.links_to("/acme/sub/deep/p3")
            && !mine.links_to("/other/p9")
    );
}

async fn a_group_shows_what_is_in_it_for_the_viewer(server: TestServer) {
    let c = Company::on(&server);
    let open = server.group("open").owner(&c.alice).public().create();
    open.subgroup("secret")
        .private()
        .create()
        .project("hidden")
        .create();
    open.subgroup("shown").public().create();
    open.project("site").public().create();
    open.project("plans").private().create();
    let alice = c.alice.signs_in().await;
    let page = alice.open("/open").await;
    for link in ["/open/secret", "/open/shown", "/open/site", "/open/plans"] {
        assert!(page.links_to(link), "{link}");
    }
    assert!(
        page.says("Public") && page.says("Owner") && page.says(&format!("Group ID: {}", open.id))
    );
    for visitor in [&c.frank.signs_in().await, &server.visitor()] {
        let page = visitor.open("/open").await;
        assert!(page.links_to("/open/shown") && page.links_to("/open/site"));
        assert!(
            !page.text().contains("secret") && !page.text().contains("plans"),
            "{}",
            page.main()
        );
        assert!(!page.says("New project") && !page.says("New subgroup"));
    }
    // Buttons for those who may.
    for (person, subgroup, project) in [
        (&c.alice, true, true),
        (&c.bob, true, true),
        (&c.carol, false, true),
        (&c.dave, false, false),
        (&c.erin, false, false),
    ] {
        let page = person.signs_in().await.open("/acme").await;
        assert_eq!(
            page.links_to(&format!("/groups/new?parent_id={}", c.acme.id)),
            subgroup,
            "{}",
            person.username
        );
        assert_eq!(
            page.links_to(&format!("/projects/new?namespace_id={}", c.acme.id)),
            project,
            "{}",
            person.username
        );
    }
    let page = c.erin.signs_in().await.open("/acme/sub/deep/p3").await;
    assert!(page.says("p3") && page.says("Guest"));
    assert!(
        page.links_to("/acme/sub/deep") && page.links_to("/acme"),
        "the way back up"
    );
}

/// Pages about a group or project, those below `/groups` first.
fn pages_of(group: &str, project: &str) -> Vec<String> {
    vec![
        format!("/{group}"),
        format!("/groups/{group}/-/edit"),
        format!("/groups/{group}/-/group_members"),
        format!("/groups/{group}/-/group_members/1/remove"),
        format!("/groups/{group}/-/settings/access_tokens"),
        format!("/groups/{group}/-/settings/access_tokens/1/revoke"),
        format!("/groups/{group}/-/settings/access_tokens/1/rotate"),
        format!("/{project}"),
        format!("/{project}/-/edit"),
        format!("/{project}/-/project_members"),
        format!("/{project}/-/project_members/1/remove"),
    ]
}

/// A path that leads nowhere, as long and as deep: lengths can be compared, too.
fn missing_like(path: &str) -> String {
    path.chars()
        .map(|character| if character == '/' { '/' } else { 'z' })
        .collect()
}

async fn what_is_hidden_looks_like_what_is_missing(server: TestServer) {
    let c = Company::on(&server);
    let token = c.acme.token("ci").create();
    let staff = server.group("staff").internal().create();
    staff.project("px").internal().create();
    for (person, group, project) in [
        (&c.frank, "acme", "acme/p1"),
        (&c.oscar, "acme", "acme/p1"),
        (&c.frank, "acme/sub", "acme/sub/p2"),
        (&c.alice, "other", "other/p9"),
        (&c.xenia, "staff", "staff/px"),
    ] {
        let browser = person.signs_in().await;
        let missing = pages_of(&missing_like(group), &missing_like(project));
        for (hidden, missing) in pages_of(group, project).iter().zip(&missing) {
            let who = format!("{} at {hidden}", person.username);
            let seen = browser.get(hidden).await.expect(404);
            assert_eq!(
                seen.comparable(),
                browser.get(missing).await.comparable(),
                "{who}"
            );
            let head = |path: &str| server.request(Method::HEAD, path);
            let seen = browser.send(head(hidden)).await;
            assert_eq!(
                seen.comparable(),
                browser.send(head(missing)).await.comparable(),
                "HEAD by {who}"
            );
            let fields = [
                ("update_section", "general"),
                ("group[name]", "x"),
                ("member[user]", "alice"),
                ("_method", "put"),
            ];
            let sent = browser.post(hidden, &fields).await;
            assert_eq!(
                sent.comparable(),
                browser.post(missing, &fields).await.comparable(),
                "POST by {who}"
            );
            assert!(!seen.text().contains("acme") || group != "acme");
        }
        // Forms that name a hidden group by its number.
        for (path, field) in [
            ("/groups/new?parent_id=", "group"),
            ("/projects/new?namespace_id=", "project"),
        ] {
            let seen = browser
                .get(&format!(
                    "{path}{}",
                    if group == "other" {
                        c.other.id
                    } else {
                        c.acme.id
                    }
                ))
                .await;
            let missing = browser.get(&format!("{path}{}", 9_999)).await;
            if group != "staff" {
                assert_eq!(
                    seen.comparable(),
                    missing.comparable(),
                    "{} {field}",
                    person.username
                );
            }
        }
    }
    assert!(token.works().await);
}

async fn strangers_learn_nothing_either(server: TestServer) {
    Company::on(&server);
    server
        .group("staff")
        .internal()
        .create()
        .project("px")
        .create();
    let nobody = server.visitor();
    for (group, project) in [
        ("acme", "acme/p1"),
        ("acme/sub", "acme/sub/p2"),
        ("staff", "staff/px"),
    ] {
        for (hidden, missing) in pages_of(group, project)
            .iter()
            .zip(pages_of(&missing_like(group), &missing_like(project)))
        {
            let seen = nobody.get(hidden).await;
            let missed = nobody.get(&missing).await;
            assert_eq!(seen.status, 302, "{hidden}");
            // The way back is all that differs.
            assert_eq!(
                seen.location(),
                format!("/users/sign_in?redirect_to={hidden}")
            );
            assert_eq!(
                missed.location(),
                format!("/users/sign_in?redirect_to={missing}")
            );
            let without = |answer: &crate::support::Answer| {
                let mut answer = answer.clone();
                answer.headers.remove("location");
                answer.comparable()
            };
            assert_eq!(without(&seen), without(&missed), "{hidden}");
        }
    }
}

async fn a_top_level_group_belongs_to_whoever_makes_it(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.frank.signs_in().await;
    let form = browser.open("/groups/new").await.form("/groups");
    let form = form
        .fill("group[name]", "New & <shiny>")
        .fill("group[path]", "shiny")
        .fill("group[description]", "a b");
    let answer = browser.submit(&form).await.expect(303);
    assert_eq!(answer.location(), "/shiny");
    let page = browser.open("/shiny").await;
    assert!(
        page.says("New & <shiny>")
            && page.says("Owner")
            && page.says("Private")
            && !page.html.contains("<shiny>")
    );
    assert!(page.links_to("/groups/shiny/-/settings/access_tokens"));
    assert_eq!(
        server.count(
            "audit_events",
            "event = 'group_created' AND actor_name = 'Frank'"
        ),
        1
    );
    // Sent again it makes no second one.
    browser.submit(&form).await.expect(422);
    assert_eq!(server.count("groups", "path = 'shiny'"), 1);

    // Not from outside.
    let xenia = c.xenia.signs_in().await;
    assert!(
        !xenia
            .open("/dashboard/groups")
            .await
            .links_to("/groups/new")
    );
    let before = server.inventory();
    let answer = xenia
        .post("/groups", &[("group[name]", "x"), ("group[path]", "x")])
        .await;
    assert!(matches!(answer.status, 403 | 404), "{}", answer.status);
    assert_eq!(server.inventory(), before);
}

async fn subgroups_are_made_by_maintainers_and_no_wider_than_their_parent(server: TestServer) {
    let c = Company::on(&server);
    let parent = c.acme.id.to_string();
    let before = server.inventory();
    for person in [&c.carol, &c.dave, &c.erin, &c.frank, &c.oscar] {
        let browser = person.signs_in().await;
        browser
            .get(&format!("/groups/new?parent_id={parent}"))
            .await
            .expect(404);
        let fields = [
            ("group[name]", "new"),
            ("group[path]", "new"),
            ("group[parent_id]", parent.as_str()),
        ];
        let answer = browser.post("/groups", &fields).await;
        assert!(
            matches!(answer.status, 403 | 404),
            "{}: {}",
            person.username,
            answer.status
        );
    }
    assert_eq!(server.inventory(), before);
    let bob = c.bob.signs_in().await;
    let form = bob
        .open(&format!("/groups/new?parent_id={parent}"))
        .await
        .form("/groups");
    let form = form
        .fill("group[name]", "Tools")
        .fill("group[path]", "tools");
    for level in ["public", "internal"] {
        let answer = bob
            .submit(&form.clone().fill("group[visibility_level]", level))
            .await
            .expect(422);
        assert!(
            answer.page().complaints()[0]
                .to_lowercase()
                .contains("visibility")
        );
    }
    assert_eq!(server.inventory(), before);
    let answer = bob
        .submit(&form.fill("group[visibility_level]", "private"))
        .await
        .expect(303);
    assert_eq!(answer.location(), "/acme/tools");
    let after = server.inventory();
    assert_eq!(
        (after.groups, after.memberships),
        (before.groups + 1, before.memberships),
        "no extra membership"
    );
}

async fn projects_are_made_by_developers(server: TestServer) {
    let c = Company::on(&server);
    let namespace = c.acme.id.to_string();
    let before = server.inventory();
    for person in [&c.dave, &c.erin, &c.frank, &c.oscar] {
        let browser = person.signs_in().await;
        let fields = [
            ("project[name]", "new"),
            ("project[path]", "new"),
            ("project[namespace_id]", namespace.as_str()),
        ];
        let answer = browser.post("/projects", &fields).await;
        assert!(
            matches!(answer.status, 403 | 404 | 422),
            "{}: {}",
            person.username,
            answer.status
        );
    }
    assert_eq!(server.inventory(), before);
    let carol = c.carol.signs_in().await;
    let form = carol
        .open(&format!("/projects/new?namespace_id={namespace}"))
        .await
        .form("/projects");
    assert_eq!(
        form.value("project[namespace_id]"),
        Some(namespace.as_str())
    );
    let form = form
        .fill("project[name]", "New one")
        .fill("project[path]", "new.one");
    carol
        .submit(&form.clone().fill("project[visibility_level]", "public"))
        .await
        .expect(422);
    let answer = carol.submit(&form).await.expect(303);
    assert_eq!(answer.location(), "/acme/new.one");
    carol.get("/acme/new.one").await.expect(200);
    assert_eq!(server.inventory().memberships, before.memberships);
    // In one's own namespace.
    let frank = c.frank.signs_in().await;
    let form = frank.open("/projects/new").await.form("/projects");
    let form = form
        .fill("project[name]", "mine")
        .fill("project[path]", "mine");
    let answer = frank.submit(&form).await.expect(303);
    assert_eq!(answer.location(), "/frank/mine");
    frank.get("/frank/mine/-/edit").await.expect(200);
    carol.get("/frank/mine").await.expect(404);
}

async fn a_personal_namespace_lists_what_can_be_seen(server: TestServer) {
    let c = Company::on(&server);
    let frank = c.frank.signs_in().await;
    for (path, level) in [("mine", "private"), ("ours", "public")] {
        let form = frank.open("/projects/new").await.form("/projects");
        let form = form
            .fill("project[name]", path)
            .fill("project[path]", path)
            .fill("project[visibility_level]", level);
        frank.submit(&form).await.expect(303);
    }
    let own = frank.open("/frank").await;
    assert!(own.links_to("/frank/mine") && own.links_to("/frank/ours"));
    for visitor in [&c.carol.signs_in().await, &server.visitor()] {
        let page = visitor.open("/frank").await;
        assert!(
            page.links_to("/frank/ours") && !page.text().contains("mine"),
            "{}",
            page.main()
        );
    }
    // It is no group: no members, no tokens.
    for path in [
        "/groups/frank/-/group_members",
        "/groups/frank/-/settings/access_tokens",
        "/groups/frank/-/edit",
    ] {
        assert_eq!(frank.get(path).await.status, 404, "{path}");
    }
    let root = c.root.signs_in().await;
    assert_eq!(
        root.get("/groups/frank/-/settings/access_tokens")
            .await
            .status,
        404
    );
}

async fn addresses_of_groups_lead_to_their_overview(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    assert_eq!(
        browser.get("/groups/acme/sub").await.expect(302).location(),
        "/acme/sub"
    );
    browser.get("/ACME/Sub").await.expect(200);
    for path in [
        "/acme/",
        "/acme//sub",
        "/acme/../other",
        "/acme/%2e%2e/other",
        "/acme%2Fsub",
        "/acme/sub%00",
        "/acme%5Csub",
        "/./acme",
        "/acme/-/",
        "/acme/-/nothing",
        "/groups/acme/-/nothing",
        "/.git",
        "/%ff",
        "/%0d%0aSet-Cookie:x=1",
        "/groups/%0d%0aSet-Cookie:x=1",
        "/groups/",
        "/groups//evil.example",
        "/groups/%2f%2fevil.example",
    ] {
        let answer = server.raw(&format!("GET {path} HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\nCookie: latchkey_session={}\r\n\r\n", browser.session_cookie().unwrap())).await;
        assert!(
            answer.status < 500 && answer.status >= 200,
            "{path}: {}",
            answer.status
        );
        assert!(!answer.text().contains("other/p9"), "{path}");
        assert!(
            !answer.location().starts_with("//") && !answer.location().contains("://"),
            "{path}: {}",
            answer.location()
        );
        assert!(
            answer
                .all("set-cookie")
                .iter()
                .all(|cookie| !cookie.starts_with("x=")),
            "{path}"
        );
    }
}

async fn mistakes_in_the_form_of_a_group_are_told_and_kept(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    let before = server.inventory();
    let long = "x".repeat(300);
    let blank = browser.open("/groups/new").await.form("/groups");
    let good = blank
        .fill("group[name]", "Fine")
        .fill("group[path]", "fine")
        .fill("group[description]", "kept");
    for (field, value) in [
        ("name", long.as_str()),
        ("name", "a\0b"),
        ("path", long.as_str()),
        ("path", "a\0b"),
        ("path", "a b"),
        ("path", "a/b"),
        ("path", ".."),
        ("path", "-x"),
        ("path", "x.git"),
        ("path", "x.atom"),
        ("path", "x."),
        ("path", "x..y"),
        ("path", "ünïcode"),
        ("path", "admin"),
        ("path", "API"),
        ("path", "groups"),
        ("path", "acme"),
        ("path", "ACME"),
        ("path", "alice"),
        ("description", &"x".repeat(501)),
        ("description", "a\0b"),
        ("visibility_level", "hidden"),
    ] {
        let name = format!("group[{field}]");
        let answer = browser.submit(&good.clone().fill(&name, value)).await;
        assert_eq!(answer.status, 422, "{field} {value:?}");
        let page = answer.page();
        assert!(!page.complaints().is_empty(), "{field} {value:?}");
        let kept = page.form("/groups");
        if field != "description" {
            assert_eq!(
                kept.value("group[description]"),
                Some("kept"),
                "{field} {value:?}"
            );
        }
        if field != "visibility_level" && !value.contains('\0') {
            assert_eq!(kept.value(&name), Some(value), "{field} {value:?}");
        }
        assert_eq!(server.inventory(), before, "{field} {value:?}");
    }
    for parent in [
        "0",
        "-1",
        "abc",
        "99999999999999999999",
        "1e3",
        "99999999",
        &c.other.id.to_string(),
    ] {
        let answer = browser
            .submit(&good.clone().fill("group[parent_id]", parent))
            .await;
        assert!(
            matches!(answer.status, 404 | 422),
            "{parent}: {}",
            answer.status
        );
    }
    browser.send_rubbish("/groups").await;
    assert_eq!(server.inventory(), before);
    browser.submit(&good).await.expect(303);
}

async fn mistakes_in_the_form_of_a_project_are_told_and_kept(server: TestServer) {
    let c = Company::on(&server);
    c.acme.member(&c.frank, AccessLevel::Developer);
    let browser = c.frank.signs_in().await;
    let before = server.inventory();
    let long = "x".repeat(300);
    let blank = browser
        .open(&format!("/projects/new?namespace_id={}", c.acme.id))
        .await
        .form("/projects");
    let good = blank
        .fill("project[name]", "Fine")
        .fill("project[path]", "fine")
        .fill("project[description]", "kept");
    for (field, value) in [
        ("name", long.as_str()),
        ("name", "a\0b"),
        ("path", long.as_str()),
        ("path", "a\0b"),
        ("path", "a b"),
        ("path", "x.git"),
        ("path", "-"),
        ("path", "p1"),
        ("path", "P1"),
        ("path", "sub"),
        ("description", &"x".repeat(2001)),
        ("visibility_level", "hidden"),
        ("visibility_level", "public"),
        ("namespace_id", "abc"),
        ("namespace_id", "99999999"),
        ("namespace_id", "99999999999999999999"),
        ("namespace_id", &c.other.id.to_string()),
    ] {
        let name = format!("project[{field}]");
        let answer = browser.submit(&good.clone().fill(&name, value)).await;
        if field == "namespace_id" {
            assert!(
                matches!(answer.status, 404 | 422),
                "{value}: {}",
                answer.status
            );
        } else {
            assert_eq!(answer.status, 422, "{field} {value:?}");
            let page = answer.page();
            assert!(!page.complaints().is_empty(), "{field} {value:?}");
            let kept = page.form("/projects");
            if field != "description" {
                assert_eq!(
                    kept.value("project[description]"),
                    Some("kept"),
                    "{field} {value:?}"
                );
            }
            assert_eq!(
                kept.value("project[namespace_id]"),
                Some(c.acme.id.to_string().as_str())
            );
        }
        assert_eq!(server.inventory(), before, "{field} {value:?}");
    }
    browser.send_rubbish("/projects").await;
    assert_eq!(server.inventory(), before);
    browser.submit(&good).await.expect(303);
}

async fn a_name_that_is_asked_for_is_needed(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    let before = server.inventory();
    for (page, path, model) in [
        ("/groups/new", "/groups", "group"),
        ("/projects/new", "/projects", "project"),
    ] {
        let form = browser
            .open(page)
            .await
            .form(path)
            .fill(&format!("{model}[path]"), "nameless");
        for name in ["", "  ", "\u{a0}"] {
            let answer = browser
                .submit(&form.clone().fill(&format!("{model}[name]"), name))
                .await;
            assert_eq!(answer.status, 422, "{model} {name:?}");
            assert!(
                answer.page().complaints()[0].contains("can't be blank"),
                "{:?}",
                answer.page().complaints()
            );
        }
    }
    assert_eq!(server.inventory(), before);
}
