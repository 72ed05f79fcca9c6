//! Who gets mails before tokens end: what groups say, what is locked above them, and who is told what.

use latchkey::groups::{
    Group,
    notify_inherited::{LOCK, VALUE, store::notify_inherited_of},
};
use latchkey::members::AccessLevel;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Company, Form, Page, TestGroup, TestResource, TestServer};

on_both![
    a_group_says_it_for_all_below_until_one_says_otherwise,
    a_no_above_settles_it_for_everything_below,
    a_lock_freezes_what_is_so_and_keeps_what_is_below,
    the_instances_lock_wins_over_every_group,
    a_thousand_groups_cost_one_query,
    only_owners_are_asked_and_told,
    what_is_locked_above_is_refused_by_field_and_sent_back_unchanged_is_not,
    each_change_is_in_the_audit_trail_with_old_and_new,
    the_page_asks_only_while_the_flag_is_on,
    the_page_saves_what_is_chosen,
    the_page_says_who_has_settled_it_to_those_who_may_know,
    nonsense_changes_nothing,
];

const FLAG: &str = "pat_expiry_inherited_members_notification";
const VALUE_FIELD: &str = "group[resource_access_token_notify_inherited]";
const LOCK_FIELD: &str = "group[lock_resource_access_token_notify_inherited]";

/// Says it by the API, as alice.
async fn say(c: &Company, group: &TestGroup, body: Value) {
    c.alice.api().put(&group.path(), body).await.expect(200);
}

/// What holds for each of these groups.
fn holds<const N: usize>(server: &TestServer, groups: [&TestGroup; N]) -> [bool; N] {
    let groups = groups.map(|group| group.resource().group().clone());
    let ids = groups.each_ref().map(|group| group.id);
    let of = server.arrange(move |conn, ctx| {
        let groups: Vec<&Group> = groups.iter().collect();
        notify_inherited_of(conn, &ctx.policy, &groups)
    });
    ids.map(|id| of[&id])
}

/// What a group says by itself, as its Owners are told.
async fn said(c: &Company, group: &TestGroup) -> (Value, Value) {
    let shown = c.root.api().get(&group.path()).await.expect(200).json();
    (shown[VALUE].clone(), shown[LOCK].clone())
}

async fn a_group_says_it_for_all_below_until_one_says_otherwise(server: TestServer) {
    let c = Company::on(&server);
    let all = [&c.acme, &c.sub, &c.deep, &c.other];
    assert_eq!(holds(&server, all), [false; 4]);
    server.set(VALUE, "true");
    assert_eq!(holds(&server, all), [true; 4]);
    server.set(VALUE, "false");
    say(&c, &c.acme, json!({ VALUE: true })).await;
    assert_eq!(holds(&server, all), [true, true, true, false]);
    say(&c, &c.sub, json!({ VALUE: false })).await;
    assert_eq!(holds(&server, all), [true, false, false, false]);
    say(&c, &c.sub, json!({ VALUE: "" })).await;
    assert_eq!(holds(&server, all), [true, true, true, false]);
    assert_eq!(said(&c, &c.sub).await, (Value::Null, json!(false)));
}

async fn a_no_above_settles_it_for_everything_below(server: TestServer) {
    let c = Company::on(&server);
    let all = [&c.acme, &c.sub, &c.deep];
    say(&c, &c.deep, json!({ VALUE: true })).await;
    assert_eq!(holds(&server, all), [false, false, true]);
    say(&c, &c.acme, json!({ VALUE: false })).await;
    assert_eq!(holds(&server, all), [false; 3]);
    // It may still be said, for when that changes.
    say(&c, &c.sub, json!({ VALUE: true })).await;
    assert_eq!(holds(&server, all), [false; 3]);
    say(&c, &c.acme, json!({ VALUE: "" })).await;
    assert_eq!(holds(&server, all), [false, true, true]);
}

async fn a_lock_freezes_what_is_so_and_keeps_what_is_below(server: TestServer) {
    let c = Company::on(&server);
    let all = [&c.acme, &c.sub, &c.deep];
    server.set(VALUE, "true");
    say(&c, &c.deep, json!({ VALUE: false })).await;
    say(&c, &c.acme, json!({ LOCK: true })).await;
    assert_eq!(said(&c, &c.acme).await, (json!(true), json!(true)));
    server.set(VALUE, "false");
    assert_eq!(holds(&server, all), [true; 3]);
    assert_eq!(said(&c, &c.deep).await, (json!(false), json!(false)));
    // A value that is taken away under a lock is what comes from above.
    say(&c, &c.acme, json!({ VALUE: "" })).await;
    assert_eq!(said(&c, &c.acme).await, (json!(false), json!(true)));
    say(&c, &c.acme, json!({ VALUE: true, LOCK: false })).await;
    assert_eq!(holds(&server, all), [true, true, false]);
}

async fn the_instances_lock_wins_over_every_group(server: TestServer) {
    let c = Company::on(&server);
    let all = [&c.acme, &c.sub, &c.deep];
    say(&c, &c.acme, json!({ VALUE: true, LOCK: true })).await;
    server.set(LOCK, "true");
    assert_eq!(holds(&server, all), [false; 3]);
    server.set(VALUE, "true");
    assert_eq!(holds(&server, all), [true; 3]);
    for body in [json!({ VALUE: false }), json!({ LOCK: false })] {
        let answer = c.alice.api().put(&c.acme.path(), body).await.expect(400);
        assert!(answer.text().contains("the instance"), "{}", answer.text());
    }
}

async fn a_thousand_groups_cost_one_query(server: TestServer) {
    let c = Company::on(&server);
    say(&c, &c.sub, json!({ VALUE: true })).await;
    // Their rows aren't needed, only where they lie.
    let deep = c.deep.resource().group().clone();
    let mut groups = Vec::new();
    for number in 0..1_000 {
        let mut group = deep.clone();
        group.id = 1_000_000 + number;
        group.traversal = format!("{}{}/", deep.traversal, group.id);
        groups.push(group);
    }
    groups.push(c.other.resource().group().clone());
    let other = c.other.id;
    let counters = server.app.db.counters();
    let before = counters.queries();
    let (empty, of) = server.arrange(move |conn, ctx| {
        let empty = notify_inherited_of(conn, &ctx.policy, &[])?;
        let groups: Vec<&Group> = groups.iter().collect();
        Ok((empty, notify_inherited_of(conn, &ctx.policy, &groups)?))
    });
    let queries = counters.queries() - before;
    assert!(empty.is_empty());
    assert_eq!(of.len(), 1_001);
    assert!(of.iter().all(|(id, yes)| *yes == (*id != other)));
    // Two to read the settings and the flags, one for the revision, and one.
    assert!(queries <= 6, "{queries} queries");
}

async fn only_owners_are_asked_and_told(server: TestServer) {
    let c = Company::on(&server);
    for person in [&c.bob, &c.carol, &c.erin] {
        let shown = person.api().get(&c.acme.path()).await.expect(200).json();
        assert!(shown.get(VALUE).is_none() && shown.get(LOCK).is_none());
        let body = json!({ VALUE: true });
        person.api().put(&c.acme.path(), body).await.expect(403);
    }
    let body = json!({ VALUE: true });
    c.frank.api().put(&c.acme.path(), body).await.expect(404);
    let token = c.acme.token("owner").role(AccessLevel::Owner).create();
    let body = json!({ VALUE: true });
    token.api().put(&c.acme.path(), body).await.expect(200);
    let listed = c.alice.api().get("/groups").await.expect(200).json();
    assert!(
        listed[0].get(VALUE).is_none(),
        "lists are for everybody: {listed}"
    );
    for person in [&c.alice, &c.root] {
        let shown = person.api().get(&c.acme.path()).await.expect(200).json();
        assert_eq!((&shown[VALUE], &shown[LOCK]), (&json!(true), &json!(false)));
    }
}

async fn what_is_locked_above_is_refused_by_field_and_sent_back_unchanged_is_not(
    server: TestServer,
) {
    let c = Company::on(&server);
    let olga = server.person("olga").create();
    c.deep.member(&olga, AccessLevel::Owner);
    say(&c, &c.acme, json!({ VALUE: true, LOCK: true })).await;
    for (body, field) in [
        (json!({ VALUE: false }), VALUE),
        (json!({ LOCK: true }), LOCK),
    ] {
        let answer = c
            .alice
            .api()
            .put(&c.sub.path(), body.clone())
            .await
            .expect(400);
        let message = answer.json()["message"][field][0].to_string();
        assert!(message.contains("the group acme"), "{message}");
        let answer = olga.api().put(&c.deep.path(), body).await.expect(400);
        let message = answer.json()["message"][field][0].to_string();
        assert!(
            message.contains("a group above") && !message.contains("acme"),
            "{message}"
        );
    }
    say(&c, &c.sub, json!({ VALUE: "", LOCK: false, "name": "Sub" })).await;
    assert_eq!(said(&c, &c.sub).await, (Value::Null, json!(false)));
    // Nothing of a request that is refused is kept.
    let body = json!({ VALUE: false, "name": "Other name" });
    c.alice.api().put(&c.sub.path(), body).await.expect(400);
    assert_eq!(server.count("groups", "name = 'Other name'"), 0);
    say(&c, &c.acme, json!({ LOCK: false })).await;
    say(&c, &c.sub, json!({ VALUE: false })).await;
}

async fn each_change_is_in_the_audit_trail_with_old_and_new(server: TestServer) {
    let c = Company::on(&server);
    say(&c, &c.acme, json!({ VALUE: true })).await;
    say(&c, &c.acme, json!({ VALUE: true })).await;
    say(&c, &c.acme, json!({ VALUE: false, LOCK: true })).await;
    let event = "event = 'resource_access_token_notify_inherited_changed' AND actor_name = 'Alice'";
    assert_eq!(server.count("audit_events", event), 2);
    for (lock, value) in [("false,false", "null,true"), ("false,true", "true,false")] {
        let condition = format!(
            r#"{event} AND group_path = 'acme' AND details LIKE '%"{LOCK}":[{lock}]%'
               AND details LIKE '%"{VALUE}":[{value}]%'"#
        );
        assert_eq!(server.count("audit_events", &condition), 1, "{value}");
    }
}

fn permissions(page: &Page, path: &str) -> Form {
    let mut forms = page.forms().into_iter();
    let found = forms
        .find(|form| form.action == path && form.value("update_section") == Some("permissions"));
    found.unwrap_or_else(|| panic!("no such section in {}", page.main()))
}

async fn the_page_asks_only_while_the_flag_is_on(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    for on in [false, true] {
        server.flag(FLAG, on);
        for group in [&c.acme, &c.sub] {
            let page = browser.open(&group.page("edit")).await;
            assert_eq!(page.says("Expiry mails about tokens go to"), on);
            assert_eq!(page.html.contains(VALUE_FIELD), on);
        }
    }
}

async fn the_page_saves_what_is_chosen(server: TestServer) {
    let c = Company::on(&server);
    server.flag(FLAG, true);
    let browser = c.alice.signs_in().await;
    let path = c.acme.page("edit");
    let page = browser.open(&path).await;
    assert!(page.says("As on the whole instance") && page.says("Enforce for all subgroups"));
    let form = permissions(&page, &path);
    assert_eq!(form.value(VALUE_FIELD), Some(""));
    let form = form.fill(VALUE_FIELD, "1").tick(LOCK_FIELD, "1");
    browser.submit(&form).await.expect(303);
    assert_eq!(said(&c, &c.acme).await, (json!(true), json!(true)));
    assert_eq!(
        server.count("groups", "NOT resource_access_token_creation_allowed"),
        0,
        "what stands beside it stays"
    );
    let page = browser.open(&path).await;
    let form = permissions(&page, &path);
    assert_eq!(form.value(VALUE_FIELD), Some("1"));
    assert_eq!(form.values(LOCK_FIELD).last(), Some(&"1"));
    let form = form
        .fill(VALUE_FIELD, "")
        .without(LOCK_FIELD)
        .tick(LOCK_FIELD, "0");
    browser.submit(&form).await.expect(303);
    assert_eq!(said(&c, &c.acme).await, (Value::Null, json!(false)));

    let path = c.sub.page("edit");
    let page = browser.open(&path).await;
    assert!(page.says("As in the group above") && page.says("At present: only direct members"));
    say(&c, &c.acme, json!({ VALUE: true })).await;
    let page = browser.open(&path).await;
    assert!(page.says("At present: all direct and inherited members"));
    let form = permissions(&page, &path).fill(VALUE_FIELD, "0");
    browser.submit(&form).await.expect(303);
    assert_eq!(said(&c, &c.sub).await, (json!(false), json!(false)));
}

async fn the_page_says_who_has_settled_it_to_those_who_may_know(server: TestServer) {
    let c = Company::on(&server);
    server.flag(FLAG, true);
    let olga = server.person("olga").create();
    c.deep.member(&olga, AccessLevel::Owner);
    let (alice, olga) = (c.alice.signs_in().await, olga.signs_in().await);
    let path = c.deep.page("edit");
    let note = async |browser: &crate::support::Visitor| {
        let page = browser.open(&path).await;
        let note = page.part("notify-inherited-settled");
        note.map(|note| note.text().trim().replace(" .", "."))
    };
    assert_eq!(note(&alice).await, None);
    say(&c, &c.acme, json!({ VALUE: false })).await;
    let (told, hidden) = (note(&alice).await.unwrap(), note(&olga).await.unwrap());
    assert!(
        told.starts_with("Only direct members: so says acme"),
        "{told}"
    );
    assert!(hidden.starts_with("Only direct members: so says a group above"));
    assert!(permissions(&olga.open(&path).await, &path).has(VALUE_FIELD));

    say(&c, &c.acme, json!({ LOCK: true })).await;
    assert_eq!(note(&alice).await.as_deref(), Some("Set by acme."));
    assert_eq!(note(&olga).await.as_deref(), Some("Set by a group above."));
    let page = olga.open(&path).await;
    assert!(!page.has("save-permissions-changes-button"));
    let radios = regex::Regex::new(r#"<input type="radio" name="group\[resource[^>]*>"#).unwrap();
    let radios: Vec<&str> = radios
        .find_iter(&page.html)
        .map(|found| found.as_str())
        .collect();
    assert_eq!(radios.len(), 2);
    assert!(radios.iter().all(|radio| radio.contains(" disabled")));
    assert!(radios[1].contains(r#"value="0" checked"#), "{radios:?}");
    let fields = [("update_section", "permissions"), (VALUE_FIELD, "1")];
    let refused = alice.post(&path, &fields).await.expect(422).page();
    assert_eq!(
        refused.complaints()[0],
        "Recipients of expiry mails is locked by the group acme"
    );
    server.set(LOCK, "true");
    assert_eq!(note(&olga).await.as_deref(), Some("Set by the instance."));
}

async fn nonsense_changes_nothing(server: TestServer) {
    let c = Company::on(&server);
    server.flag(FLAG, true);
    let browser = c.alice.signs_in().await;
    for value in ["2", "true", "null", "1 ", "\0"] {
        let fields = [("update_section", "permissions"), (VALUE_FIELD, value)];
        let answer = browser.post(&c.acme.page("edit"), &fields).await;
        assert_eq!(answer.status, 422, "{value:?}");
    }
    for body in [
        json!({ VALUE: "maybe" }),
        json!({ LOCK: 2 }),
        json!({ VALUE: [] }),
    ] {
        c.alice.api().put(&c.acme.path(), body).await.expect(400);
    }
    say(&c, &c.acme, json!({ VALUE: null, LOCK: null })).await;
    assert_eq!(said(&c, &c.acme).await, (Value::Null, json!(false)));
    assert_eq!(
        server.count(
            "groups",
            "resource_access_token_notify_inherited IS NOT NULL"
        ),
        0
    );
}
