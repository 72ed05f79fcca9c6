//! Settings, General of a group, and of a project.

use latchkey::groups::Visibility;
use latchkey::members::AccessLevel;

use crate::on_both;
use crate::support::{Company, Page, TestGroup, TestResource, TestServer, Visitor};

on_both![
    name_description_and_visibility_are_saved,
    what_was_saved_is_said_under_its_section,
    a_group_is_no_wider_than_its_parent_and_no_narrower_than_its_children,
    the_switch_is_on_the_top_level_group_and_governs_all_below,
    a_subgroup_shows_what_it_inherits,
    only_owners_and_administrators_change_settings,
    mistakes_are_told_and_kept,
    a_section_saves_nothing_of_another,
    a_projects_settings_are_its_maintainers,
];

const SWITCH: &str = "group[resource_access_token_creation_allowed]";

/// The form of a section: both go to the same address.
#[track_caller]
fn section(page: &Page, path: &str, name: &str) -> crate::support::Form {
    let mut forms = page.forms().into_iter();
    let form = forms.find(|form| form.action == path && form.value("update_section") == Some(name));
    form.unwrap_or_else(|| panic!("no section {name} in {}", page.main()))
}

async fn general(browser: &Visitor, group: &TestGroup) -> crate::support::Form {
    let path = group.page("edit");
    section(&browser.open(&path).await, &path, "general")
}

fn visibility_of(server: &TestServer, group: &TestGroup) -> String {
    for level in Visibility::ALL {
        if server.count(
            "groups",
            &format!("id = {} AND visibility = '{level}'", group.id),
        ) == 1
        {
            return level.to_string();
        }
    }
    panic!("{} has no visibility", group.full_path)
}

/// Opens the page that an answer leads to, which may be the answer itself.
async fn page_after(browser: &Visitor, answer: crate::support::Answer) -> Page {
    match answer.status {
        303 => {
            browser
                .open(answer.location().split('#').next().unwrap())
                .await
        }
        200 => answer.page(),
        status => panic!("{status}: {}", answer.page().main()),
    }
}

async fn name_description_and_visibility_are_saved(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).private().create();
    let browser = alice.signs_in().await;
    let page = browser.open(&acme.page("edit")).await;
    assert!(page.has("group-name-field") && page.has("group-id-field"));
    assert_eq!(
        page.tag("group-id-field").unwrap().get("value").unwrap(),
        acme.id.to_string()
    );
    let form = general(&browser, &acme).await;
    assert_eq!(form.value("group[name]"), Some("acme"));
    assert_eq!(form.value("group[description]"), Some(""));
    let form = form
        .fill("group[name]", "  Acme & <Sons> \u{202e}x ")
        .fill("group[description]", "first line\r\nsecond <b>line</b>")
        .fill("group[visibility_level]", "internal");
    page_after(&browser, browser.submit(&form).await).await;
    let again = general(&browser, &acme).await;
    assert_eq!(again.value("group[name]"), Some("Acme & <Sons> \u{202e}x"));
    assert_eq!(
        again
            .value("group[description]")
            .unwrap()
            .replace("\r\n", "\n"),
        "first line\nsecond <b>line</b>"
    );
    assert_eq!(visibility_of(&server, &acme), "internal");
    let page = browser.open("/acme").await;
    assert!(
        page.says("Acme & <Sons>")
            && page.html.contains("<bdi>Acme &")
            && !page.html.contains("<Sons>")
    );
    assert!(
        server.count(
            "audit_events",
            "event = 'group_updated' AND actor_name = 'Alice'"
        ) >= 1
    );

    // From the next request on, others see it.
    let frank = server.person("frank").create().signs_in().await;
    frank.get("/acme").await.expect(200);
    let form = general(&browser, &acme)
        .await
        .fill("group[visibility_level]", "private");
    page_after(&browser, browser.submit(&form).await).await;
    frank.get("/acme").await.expect(404);
}

async fn what_was_saved_is_said_under_its_section(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server
        .group("acme")
        .owner(&alice)
        .named("Platform")
        .create();
    let browser = alice.signs_in().await;
    let path = acme.page("edit");
    for (name, id) in [
        ("general", "js-general-settings"),
        ("permissions", "js-permissions-settings"),
    ] {
        let form = section(&browser.open(&path).await, &path, name);
        let answer = browser.submit(&form).await;
        if answer.status == 303 {
            assert!(
                answer.location().ends_with(&format!("#{id}")),
                "{}",
                answer.location()
            );
        }
        let page = page_after(&browser, answer).await;
        assert!(
            page.says("Group 'Platform' was successfully updated."),
            "{name}: {}",
            page.main()
        );
        let open = regex::Regex::new(&format!(r#"<details[^>]*id="{id}" open"#)).unwrap();
        assert!(open.is_match(&page.html), "{name} is open");
        assert!(
            !browser.open(&path).await.says("was successfully updated"),
            "it is said once"
        );
    }
}

async fn a_group_is_no_wider_than_its_parent_and_no_narrower_than_its_children(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).internal().create();
    let sub = acme.subgroup("sub").create();
    let project = sub.project("p1").create();
    let browser = alice.signs_in().await;
    let save = async |group: &TestGroup, level: &str| {
        let form = general(&browser, group)
            .await
            .fill("group[visibility_level]", level);
        browser.submit(&form).await
    };
    for (group, level) in [(&sub, "public"), (&acme, "private"), (&sub, "private")] {
        let answer = save(group, level).await;
        assert_eq!(answer.status, 422, "{} {level}", group.full_path);
        let page = answer.page();
        assert!(!page.complaints().is_empty());
        assert!(
            page.complaints()[0].to_lowercase().contains("visibility"),
            "{:?}",
            page.complaints()
        );
        assert_eq!(visibility_of(&server, group), "internal");
    }
    // The page says beforehand which ones can't be chosen, and why.
    let page = browser.open(&sub.page("edit")).await;
    let levels = regex::Regex::new(r#"value="(\w+)"[^>]*?( disabled)?>"#).unwrap();
    let radios =
        regex::Regex::new(r#"<input type="radio" name="group\[visibility_level\]"[^>]*>"#).unwrap();
    let disabled: Vec<String> = radios
        .find_iter(&page.html)
        .filter(|radio| radio.as_str().contains(" disabled"))
        .map(|radio| levels.captures(radio.as_str()).unwrap()[1].to_owned())
        .collect();
    assert_eq!(
        disabled.len(),
        2,
        "private below and public above: {disabled:?}"
    );
    assert!(
        page.says("acme is internal") || page.says("sub is internal"),
        "the reason is told: {}",
        page.main()
    );

    // From the inside out it can be done.
    let path = project.page("edit");
    let form = browser
        .open(&path)
        .await
        .form(&path)
        .fill("project[visibility_level]", "private");
    page_after(&browser, browser.submit(&form).await).await;
    for group in [&sub, &acme] {
        page_after(&browser, save(group, "private").await).await;
        assert_eq!(visibility_of(&server, group), "private");
    }
    let form = browser
        .open(&path)
        .await
        .form(&path)
        .fill("project[visibility_level]", "internal");
    browser.submit(&form).await.expect(422);
    for level in [
        "",
        "hidden",
        "5",
        "PUBLIC\0",
        "1e1",
        "-1",
        "99999999999999999999",
    ] {
        let form = general(&browser, &acme)
            .await
            .fill("group[visibility_level]", level);
        let answer = browser.submit(&form).await;
        assert!(
            matches!(answer.status, 200 | 303 | 422),
            "{level:?}: {}",
            answer.status
        );
        assert!(level.is_empty() || answer.status == 422, "{level:?}");
        assert_eq!(visibility_of(&server, &acme), "private", "{level:?}");
    }
}

async fn the_switch_is_on_the_top_level_group_and_governs_all_below(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    let path = c.acme.page("edit");
    let page = browser.open(&path).await;
    assert!(
        page.says("Users can create project access tokens and group access tokens in this group")
    );
    assert!(page.has("token-creation-switch") && page.has("save-permissions-changes-button"));
    assert!(
        page.tag("token-creation-switch").unwrap().has("checked"),
        "on from the start"
    );

    let form = section(&page, &path, "permissions")
        .without(SWITCH)
        .tick(SWITCH, "0");
    page_after(&browser, browser.submit(&form).await).await;
    let page = browser.open(&path).await;
    assert!(!page.tag("token-creation-switch").unwrap().has("checked"));
    for group in [&c.acme, &c.sub, &c.deep] {
        assert!(
            !browser
                .open(&group.page("settings/access_tokens"))
                .await
                .has("add-new-token-button")
        );
    }
    let path_of_project = format!("{}/access_tokens", c.p3.path());
    let body = serde_json::json!({ "name": "x", "scopes": ["api"] });
    assert!((400..500).contains(&c.alice.api().post(&path_of_project, body).await.status));
    assert_eq!(
        server.count(
            "audit_events",
            "event = 'resource_access_token_creation_allowed_changed'"
        ),
        1
    );

    // As a browser sends a ticked box: the hidden 0 and the 1.
    let form = section(&page, &path, "permissions").tick(SWITCH, "1");
    page_after(&browser, browser.submit(&form).await).await;
    assert!(
        browser
            .open(&path)
            .await
            .tag("token-creation-switch")
            .unwrap()
            .has("checked")
    );
    assert!(
        browser
            .open(&c.deep.page("settings/access_tokens"))
            .await
            .has("add-new-token-button")
    );
    assert_eq!(
        server.count(
            "audit_events",
            "event = 'resource_access_token_creation_allowed_changed'"
        ),
        2
    );
}

async fn a_subgroup_shows_what_it_inherits(server: TestServer) {
    let c = Company::on(&server);
    let olga = server.person("olga").create();
    c.sub.member(&olga, AccessLevel::Owner);
    let (alice, olga) = (c.alice.signs_in().await, olga.signs_in().await);
    for allowed in [true, false] {
        c.acme.allow_creation(allowed);
        for group in [&c.sub, &c.deep] {
            let page = alice.open(&group.page("edit")).await;
            assert!(!page.has("token-creation-switch"), "{}", group.full_path);
            assert!(
                page.find_form(&group.page("edit"))
                    .is_none_or(|form| !form.has(SWITCH))
            );
            let text = page.text();
            let said = if allowed {
                "Users can create"
            } else {
                "Users can't create"
            };
            let said =
                format!("{said} project access tokens and group access tokens in this group");
            assert!(
                text.contains(&said),
                "{} {allowed}: {text}",
                group.full_path
            );
            let leads = |page: &Page| {
                page.links()
                    .iter()
                    .any(|link| link.starts_with(&c.acme.page("edit")))
            };
            assert!(leads(&page), "to the top-level group's settings");
            assert!(
                !leads(&olga.open(&group.page("edit")).await),
                "not for whoever can't change them"
            );
        }
    }
    // Turning it on or off below is refused, and nothing is changed.
    for value in ["1", "0"] {
        let fields = [("update_section", "permissions"), (SWITCH, value)];
        let answer = alice.post(&c.sub.page("edit"), &fields).await;
        assert_eq!(answer.status, 422, "{value}");
        assert_eq!(
            server.count("groups", "NOT resource_access_token_creation_allowed"),
            1,
            "acme alone, {value}"
        );
    }
}

async fn only_owners_and_administrators_change_settings(server: TestServer) {
    let c = Company::on(&server);
    let path = c.acme.page("edit");
    for person in [
        &c.bob, &c.carol, &c.dave, &c.paula, &c.erin, &c.frank, &c.xenia, &c.oscar,
    ] {
        let browser = person.signs_in().await;
        let who = &person.username;
        assert_eq!(browser.get(&path).await.status, 404, "{who}");
        for fields in [
            &[("update_section", "general"), ("group[name]", "changed")][..],
            &[("update_section", "permissions"), (SWITCH, "0")],
            &[
                ("update_section", "general"),
                ("group[visibility_level]", "hidden"),
            ],
            &[("update_section", "general"), ("group[name]", "")],
            &[],
        ] {
            assert_eq!(
                browser.post(&path, fields).await.status,
                404,
                "{who} sends {fields:?}"
            );
        }
    }
    assert_eq!(
        server.count(
            "groups",
            "name = 'changed' OR NOT resource_access_token_creation_allowed"
        ),
        0
    );
    for person in [&c.alice, &c.root] {
        person.signs_in().await.get(&path).await.expect(200);
    }
    assert_eq!(server.visitor().get(&path).await.status, 302);
    // A personal namespace has no such settings.
    let own = c.alice.signs_in().await.get("/groups/alice/-/edit").await;
    assert_eq!(own.status, 404);
}

async fn mistakes_are_told_and_kept(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let browser = alice.signs_in().await;
    let long = "x".repeat(300);
    let before = (
        server.inventory(),
        server.count("audit_events", "event = 'group_updated'"),
    );
    for (field, value, says) in [
        ("name", "", "can't be blank"),
        ("name", " \u{a0} ", "can't be blank"),
        (
            "name",
            long.as_str(),
            "too long (maximum is 255 characters)",
        ),
        ("name", "a\0b", "invalid characters"),
        ("name", "a\nb", "invalid characters"),
        (
            "description",
            &"x".repeat(501),
            "too long (maximum is 500 characters)",
        ),
        ("description", "a\0b", "invalid characters"),
    ] {
        let name = format!("group[{field}]");
        let form = general(&browser, &acme)
            .await
            .fill("group[description]", "kept")
            .fill(&name, value);
        let answer = browser.submit(&form).await;
        assert_eq!(answer.status, 422, "{field} {value:?}");
        let page = answer.page();
        let told = page.complaints();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains(says) && told[0].to_lowercase().contains(field),
            "{field} {value:?}: {told:?}"
        );
        let kept = section(&page, &acme.page("edit"), "general");
        if !value.contains(['\0', '\n']) {
            assert_eq!(kept.value(&name), Some(value), "{field}");
        }
        if field == "name" {
            assert_eq!(kept.value("group[description]"), Some("kept"));
        }
    }
    assert_eq!(
        (
            server.inventory(),
            server.count("audit_events", "event = 'group_updated'")
        ),
        before
    );
    assert_eq!(server.count("groups", "path = 'acme' AND name = 'acme'"), 1);
    for body in [
        vec![b'a'; crate::support::TWO_MEBIBYTES],
        Vec::new(),
        vec![0xff, b'=', 0x00],
    ] {
        browser
            .post_bytes(&acme.page("edit"), body)
            .await
            .expect_refused_page("rubbish");
    }
    assert_eq!(server.count("groups", "path = 'acme' AND name = 'acme'"), 1);
}

async fn a_section_saves_nothing_of_another(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let browser = alice.signs_in().await;
    let path = acme.page("edit");
    let both = |section: &'static str| {
        [
            ("update_section", section),
            ("group[name]", "changed"),
            (SWITCH, "0"),
        ]
    };
    browser.post(&path, &both("permissions")).await.expect(303);
    assert_eq!(server.count("groups", "name = 'changed'"), 0);
    assert_eq!(
        server.count("groups", "NOT resource_access_token_creation_allowed"),
        1
    );
    acme.allow_creation(true);
    browser.post(&path, &both("general")).await.expect(303);
    assert_eq!(server.count("groups", "name = 'changed'"), 1);
    assert_eq!(
        server.count("groups", "NOT resource_access_token_creation_allowed"),
        0
    );
    // Nobody sets what isn't a setting.
    let fields = [
        ("update_section", "general"),
        ("group[name]", "again"),
        ("group[path]", "moved"),
        ("group[parent_id]", "1"),
        ("group[owner_id]", "1"),
        ("group[id]", "99"),
    ];
    browser.post(&path, &fields).await.expect(303);
    assert_eq!(
        server.count(
            "groups",
            &format!("id = {} AND path = 'acme' AND parent_id IS NULL", acme.id)
        ),
        1
    );
}

async fn a_projects_settings_are_its_maintainers(server: TestServer) {
    let c = Company::on(&server);
    let path = c.p1.page("edit");
    for (person, status) in [
        (&c.alice, 200),
        (&c.bob, 200),
        (&c.root, 200),
        (&c.carol, 404),
        (&c.dave, 404),
        (&c.erin, 404),
        (&c.frank, 404),
        (&c.oscar, 404),
    ] {
        let browser = person.signs_in().await;
        assert_eq!(
            browser.get(&path).await.status,
            status,
            "{}",
            person.username
        );
        if status == 404 {
            let sent = browser.post(&path, &[("project[name]", "changed")]).await;
            assert_eq!(sent.status, 404, "{}", person.username);
        }
    }
    assert_eq!(server.count("projects", "name = 'changed'"), 0);
    let bob = c.bob.signs_in().await;
    let form = bob.open(&path).await.form(&path);
    assert_eq!(form.value("project[name]"), Some("p1"));
    let saved = form
        .clone()
        .fill("project[name]", "Renamed <p1>")
        .fill("project[description]", "what it is");
    let page = page_after(&bob, bob.submit(&saved).await).await;
    assert!(page.says("Renamed <p1>"), "{}", page.main());
    assert_eq!(
        server.count(
            "projects",
            "name = 'Renamed <p1>' AND path = 'p1' AND description = 'what it is'"
        ),
        1
    );
    for (field, value) in [
        ("project[name]", ""),
        ("project[name]", &*"x".repeat(300)),
        ("project[name]", "a\0b"),
        ("project[description]", &*"x".repeat(2001)),
        ("project[visibility_level]", "public"),
        ("project[visibility_level]", "hidden"),
    ] {
        let answer = bob.submit(&form.clone().fill(field, value)).await;
        assert_eq!(answer.status, 422, "{field}");
        assert_eq!(answer.page().complaints().len(), 1, "{field}");
    }
    assert_eq!(server.count("projects", "name = 'Renamed <p1>'"), 1);
}
