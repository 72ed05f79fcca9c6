//! What can't be made is told with the form, everything typed kept, and nothing is half made.

use super::{SCOPES, field, filled, names, tokens_of, value_in, value_of};
use crate::on_both;
use crate::support::{Form, TestGroup, TestResource, TestServer, Visitor};

on_both![
    everything_that_is_wrong_is_told_at_once_and_kept,
    each_mistake_names_its_field,
    names_are_kept_as_they_are_up_to_255_characters,
    markup_is_text,
    rubbish_is_refused_politely,
];

async fn owner_of_acme(server: &TestServer) -> (TestGroup, Visitor) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    (acme, alice.signs_in().await)
}

async fn everything_that_is_wrong_is_told_at_once_and_kept(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let path = tokens_of(&acme);
    acme.token("exists").create();
    let before = server.inventory();
    let (name, description) = ("n".repeat(300), "d".repeat(256));
    let form = super::blank(&browser, &acme)
        .await
        .fill(&field("name"), &name)
        .fill(&field("description"), &description)
        .fill(&field("expires_at"), "2027-02-29")
        .fill(&field("access_level"), "17");
    let answer = browser.submit(&form).await.expect(422);
    let page = answer.page();
    let told = page.complaints();
    assert_eq!(told.len(), 5, "{told:?}");
    assert_eq!(told[0], "Name is too long (maximum is 255 characters)");
    assert_eq!(
        told[1],
        "Description is too long (maximum is 255 characters)"
    );
    assert!(told[2].contains("Expiration date"), "{told:?}");
    assert!(told[3].to_lowercase().contains("role"), "{told:?}");
    assert_eq!(told[4], "Scopes can't be blank");
    assert!(page.says("The form contains the following errors:"));
    // Each leads to its field, and stands there too.
    for (attribute, text) in [
        "name",
        "description",
        "expires_at",
        "access_level",
        "scopes",
    ]
    .into_iter()
    .zip(&told)
    {
        let id = format!("resource_access_token_{attribute}");
        assert!(page.links_to(&format!("#{id}")), "{attribute}");
        assert!(page.html.contains(&format!(r#"id="{id}""#)), "{attribute}");
        assert!(
            page.html.contains(&format!(r#"id="{id}_error""#)),
            "{attribute}"
        );
        assert!(
            page.text().matches(text.as_str()).count() >= 2,
            "{attribute}"
        );
    }
    let kept = page.form(&path);
    assert_eq!(kept.value(&field("name")), Some(name.as_str()));
    assert_eq!(
        kept.value(&field("description")),
        Some(description.as_str())
    );
    assert_eq!(kept.value(&field("expires_at")), Some("2027-02-29"));
    assert!(kept.values(SCOPES).is_empty());
    assert_eq!(
        names(&page, "active-tokens"),
        ["exists"],
        "the list is there too"
    );
    assert_eq!(server.inventory(), before);

    // One mistake, and everything else is kept: role and boxes too.
    let form = super::blank(&browser, &acme)
        .await
        .fill(&field("name"), " ")
        .fill(&field("description"), "two\nlines & \"quotes\"")
        .fill(&field("access_level"), "40")
        .tick(SCOPES, "read_api")
        .tick(SCOPES, "self_rotate");
    let page = browser.submit(&form).await.expect(422).page();
    assert_eq!(page.complaints(), ["Name can't be blank"]);
    assert!(page.says("The form contains the following error:"));
    let kept = page.form(&path);
    assert_eq!(
        kept.value(&field("description"))
            .unwrap()
            .replace("\r\n", "\n"),
        "two\nlines & \"quotes\""
    );
    assert_eq!(kept.value(&field("access_level")), Some("40"));
    assert_eq!(kept.value(&field("expires_at")), Some("2026-12-20"));
    assert_eq!(kept.values(SCOPES), ["read_api", "self_rotate"]);
    assert!(
        !page.html.contains(r#"id="new-token" hidden"#),
        "the form is open"
    );
    value_of(
        &browser
            .submit(&kept.fill(&field("name"), "ci"))
            .await
            .expect(200),
    );
}

async fn each_mistake_names_its_field(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let before = server.inventory();
    let long = "x".repeat(256);
    let emoji = "\u{1f469}\u{200d}\u{1f4bb}".repeat(86);
    let only = |form: Form, scopes: &[&str]| {
        scopes
            .iter()
            .fold(form.without(SCOPES), |form, scope| form.tick(SCOPES, scope))
    };
    let good = filled(&browser, &acme, "ci").await;
    let text = |name: &str, value: &str| good.clone().fill(&field(name), value);
    for (what, form, says) in [
        (
            "no name",
            good.clone().without(&field("name")),
            "Name can't be blank",
        ),
        ("an empty name", text("name", ""), "Name can't be blank"),
        (
            "a name of white space",
            text("name", " \t\u{a0}\u{2003} "),
            "Name can't be blank",
        ),
        (
            "256 characters",
            text("name", &long),
            "Name is too long (maximum is 255 characters)",
        ),
        (
            "258 characters of emoji",
            text("name", &emoji),
            "Name is too long (maximum is 255 characters)",
        ),
        (
            "NUL",
            text("name", "c\0i"),
            "Name contains invalid characters",
        ),
        (
            "a line break",
            text("name", "c\ni"),
            "Name contains invalid characters",
        ),
        (
            "an escape",
            text("name", "c\u{1b}[2Ji"),
            "Name contains invalid characters",
        ),
        (
            "a long description",
            text("description", &long),
            "Description is too long (maximum is 255 characters)",
        ),
        (
            "NUL in the description",
            text("description", "c\0i"),
            "Description contains invalid characters",
        ),
        ("role 17", text("access_level", "17"), "role"),
        ("role fifty", text("access_level", "fifty"), "role"),
        ("role 60", text("access_level", "60"), "role"),
        ("role 0", text("access_level", "0"), "role"),
        ("role -10", text("access_level", "-10"), "role"),
        ("role 50.0", text("access_level", "50.0"), "role"),
        ("role 5e1", text("access_level", "5e1"), "role"),
        (
            "role 2147483648",
            text("access_level", "2147483648"),
            "role",
        ),
        (
            "role 9 times 40",
            text("access_level", &"9".repeat(40)),
            "role",
        ),
        (
            "no scopes",
            good.clone().without(SCOPES),
            "Scopes can't be blank",
        ),
        ("an empty scope", only(good.clone(), &[""]), "Scopes can"),
        (
            "an unknown scope",
            only(good.clone(), &["api", "bogus"]),
            "Scopes can only contain available scopes",
        ),
        (
            "a scope in capitals",
            only(good.clone(), &["API"]),
            "Scopes can only contain available scopes",
        ),
        (
            "a scope with a blank",
            only(good.clone(), &[" api"]),
            "Scopes can only contain available scopes",
        ),
        (
            "two scopes in one",
            only(good.clone(), &["api,read_api"]),
            "Scopes can only contain available scopes",
        ),
        (
            "a scope of people",
            only(good.clone(), &["read_user"]),
            "Scopes can only contain available scopes",
        ),
        (
            "a scope of administrators",
            only(good.clone(), &["sudo"]),
            "Scopes can only contain available scopes",
        ),
    ] {
        let answer = browser.submit(&form).await;
        assert_eq!(answer.status, 422, "{what}: {}", answer.page().main());
        let told = answer.page().complaints();
        assert_eq!(told.len(), 1, "{what}: {told:?}");
        assert!(told[0].contains(says), "{what}: {told:?}");
        assert!(value_in(&answer).is_none(), "{what}");
        assert_eq!(server.inventory(), before, "{what}");
    }
    // A role that isn't in the form is the smallest.
    let answer = browser
        .submit(&good.without(&field("access_level")))
        .await
        .expect(200);
    assert_eq!(
        super::cell(&answer.page(), "active-tokens", "ci", "Role"),
        "Guest"
    );
}

async fn names_are_kept_as_they_are_up_to_255_characters(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let (long, emoji) = ("x".repeat(255), "\u{1f600}".repeat(255));
    for name in [
        long.as_str(),
        emoji.as_str(),
        "\u{202e}evil\u{202c}",
        "\u{1f468}\u{200d}\u{1f469}",
        "ci",
        "ci",
        "'; --",
    ] {
        let answer = browser.submit(&filled(&browser, &acme, name).await).await;
        assert_eq!(answer.status, 200, "{name}");
        let api = server.with_token(&value_of(&answer));
        let token = api
            .get("/personal_access_tokens/self")
            .await
            .expect(200)
            .json();
        assert_eq!(token["name"], name);
        assert_eq!(api.get("/user").await.expect(200).json()["name"], name);
        assert!(answer.page().html.contains("<bdi>"), "{name}");
    }
    assert_eq!(
        server.count("access_tokens", "name = 'ci'"),
        2,
        "names need not be unique"
    );
}

async fn markup_is_text(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    server.retain_bots(true);
    for name in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'-alert(1)-'",
        "{{7*7}}",
        "${7*7}",
        "</title><svg onload=alert(1)>",
        "</textarea><script>alert(1)</script>",
        "javascript:alert(1)",
        "&lt;b&gt;",
    ] {
        let form = filled(&browser, &acme, name)
            .await
            .fill(&field("description"), name);
        let made = browser.submit(&form).await.expect(200);
        let value = value_of(&made);
        let api = server.with_token(&value);
        let id = api
            .get("/personal_access_tokens/self")
            .await
            .expect(200)
            .json()["id"]
            .as_i64()
            .unwrap();
        let path = tokens_of(&acme);
        let refused = browser
            .submit(&form.clone().fill("form_nonce", "another").without(SCOPES))
            .await
            .expect(422);
        assert_eq!(refused.page().form(&path).value(&field("name")), Some(name));
        assert_eq!(
            refused.page().form(&path).value(&field("description")),
            Some(name)
        );
        let mut pages = vec![made, refused];
        for path in [
            path.clone(),
            format!("{path}/{id}/revoke"),
            format!("{path}/{id}/rotate"),
            acme.page("group_members"),
        ] {
            pages.push(browser.get(&path).await.expect(200));
        }
        browser
            .post(&format!("{path}/{id}/revoke"), &[("_method", "put")])
            .await
            .expect(303);
        pages.push(browser.get(&path).await.expect(200));
        for answer in &pages {
            let page = answer.page();
            assert!(
                page.text().contains(name),
                "shown as it is: {name} in {}",
                page.main()
            );
            for dangerous in [
                "<script>alert",
                "<img src=x",
                "<svg onload",
                "onerror=alert(1)>",
                "href=\"javascript:",
            ] {
                assert!(!page.html.contains(dangerous), "{name}");
            }
        }
    }
}

async fn rubbish_is_refused_politely(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let token = acme.token("ci").create();
    let path = tokens_of(&acme);
    for path in [
        path.clone(),
        format!("{path}/{}/revoke", token.id),
        format!("{path}/{}/rotate", token.id),
    ] {
        browser.send_rubbish(&path).await;
    }
    assert!(token.works().await);
    // Fields that come twice, as lists, or nested.
    let before = server.inventory();
    for fields in [
        &[("resource_access_token", "x")][..],
        &[("resource_access_token[]", "x")],
        &[
            ("resource_access_token[name][]", "x"),
            ("resource_access_token[scopes]", "api"),
        ],
        &[
            ("resource_access_token[name][a]", "x"),
            ("resource_access_token[scopes][a][b]", "api"),
        ],
        &[("name", "x"), ("scopes[]", "api")],
    ] {
        let fields = [&[("form_nonce", "fresh")][..], fields].concat();
        let answer = browser.post(&path, &fields).await;
        assert_eq!(answer.status, 422, "{fields:?}");
    }
    assert_eq!(server.inventory(), before);
}
