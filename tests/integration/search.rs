//! Search or go to: groups and projects by name or path, as far as one may see them.

use crate::on_both;
use crate::support::{Company, Page, TestServer, Visitor, query};

on_both![
    groups_and_projects_are_found_by_name_and_path,
    nobody_finds_what_they_may_not_see,
    what_is_typed_is_looked_for_literally,
    nonsense_is_answered_with_a_page,
    every_page_with_a_sidebar_leads_there,
];

async fn search(visitor: &Visitor, text: &str) -> Page {
    visitor
        .open(&format!("/search?{}", query(&[("search", text)])))
        .await
}

/// Where the results lead, in order.
fn found(page: &Page) -> Vec<String> {
    let name = regex::Regex::new(r#"<a class="name" href="([^"]*)""#).unwrap();
    name.captures_iter(&page.html)
        .map(|found| crate::support::page::unescaped(&found[1]))
        .collect()
}

async fn groups_and_projects_are_found_by_name_and_path(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.signs_in().await;
    c.sub.subgroup("tools").named("Power Drill").create();
    c.acme.project("website").named("Shop Front").create();
    for (text, path) in [
        ("drill", "/acme/sub/tools"),
        ("POWER", "/acme/sub/tools"),
        ("tools", "/acme/sub/tools"),
        ("shop front", "/acme/website"),
        ("websi", "/acme/website"),
        ("acme/sub/deep/p3", "/acme/sub/deep/p3"),
        ("  p2 ", "/acme/sub/p2"),
    ] {
        let page = search(&alice, text).await;
        assert!(
            found(&page).contains(&path.to_owned()),
            "{text}: {:?}",
            found(&page)
        );
        alice.get(path).await.expect(200);
    }
    let none = search(&alice, "no such thing").await;
    assert!(
        found(&none).is_empty() && none.says("Nothing found for"),
        "{}",
        none.main()
    );
}

async fn nobody_finds_what_they_may_not_see(server: TestServer) {
    let c = Company::on(&server);
    let open = server.group("openhouse").public().create();
    open.project("openproject").create();
    open.subgroup("opensecret").private().create();
    let staff = server.group("openstaff").internal().create();
    staff.project("openwork").create();
    for (visitor, who, seen) in [
        (
            c.frank.signs_in().await,
            "frank",
            &[
                "/openhouse",
                "/openhouse/openproject",
                "/openstaff",
                "/openstaff/openwork",
            ][..],
        ),
        (
            c.xenia.signs_in().await,
            "xenia",
            &["/openhouse", "/openhouse/openproject"],
        ),
        (
            server.visitor(),
            "nobody",
            &["/openhouse", "/openhouse/openproject"],
        ),
        (
            c.root.signs_in().await,
            "root",
            &[
                "/openhouse",
                "/openhouse/openproject",
                "/openhouse/opensecret",
                "/openstaff",
                "/openstaff/openwork",
            ],
        ),
    ] {
        let page = search(&visitor, "open").await;
        let mut paths = found(&page);
        paths.sort_unstable();
        assert_eq!(paths, seen, "{who}");
        if who != "root" {
            for text in ["acme", "p1", "other", "p9", "secret"] {
                let page = search(&visitor, text).await;
                assert!(found(&page).is_empty(), "{who} finds {text}");
                // Not even in a count: it reads as if there were nothing at all.
                let nothing = search(&visitor, "zzzz").await;
                assert_eq!(
                    page.main().replace(text, "…"),
                    nothing.main().replace("zzzz", "…"),
                    "{who}: {text}"
                );
            }
        }
    }
    let alice = c.alice.signs_in().await;
    assert!(found(&search(&alice, "p1").await).contains(&"/acme/p1".to_owned()));
    assert!(found(&search(&alice, "p9").await).is_empty());
}

async fn what_is_typed_is_looked_for_literally(server: TestServer) {
    let alice = server.person("alice").create();
    for (path, name) in [
        ("g1", "a%b"),
        ("g2", "a_b"),
        ("g3", "axb"),
        ("g4", r"a\b"),
        ("g5", "a'b"),
        ("g6", "Ünïcode 🐎"),
    ] {
        server.group(path).owner(&alice).named(name).create();
    }
    let browser = alice.signs_in().await;
    for (text, paths) in [
        ("a%b", &["/g1"][..]),
        ("a_b", &["/g2"]),
        ("%", &["/g1"]),
        ("_", &["/g2"]),
        (r"\", &["/g4"]),
        ("'", &["/g5"]),
        ("🐎", &["/g6"]),
        ("' OR '1'='1", &[]),
        ("\";--", &[]),
        ("%%", &[]),
    ] {
        assert_eq!(found(&search(&browser, text).await), paths, "{text}");
    }
}

async fn nonsense_is_answered_with_a_page(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    for text in [
        "",
        " ",
        "\0",
        "a\0b",
        "\u{202e}",
        "%00",
        "\r\nSet-Cookie: x=1",
    ] {
        let page = search(&browser, text).await;
        assert!(page.title().contains("Search"), "{text:?}");
    }
    for text in [
        "\"><script>alert(1)</script>",
        "</title><svg onload=alert(1)>",
        "' onmouseover=alert(1) x='",
    ] {
        let page = search(&browser, text).await;
        assert!(page.says(text), "shown as it is: {}", page.main());
        assert!(
            !page.html.contains("<script>alert")
                && !page.html.contains("<svg onload")
                && !page.html.contains("' onmouseover=alert(1) x='")
        );
    }
    for address in [
        "/search?page=0&search=a",
        "/search?page=-1&search=a",
        "/search?page=abc&search=a",
        "/search?page=99999999999999999999&search=a",
        "/search?search[]=a",
        "/search?search=%ff%fe",
        "/search?search",
        "/search?&&==&",
    ] {
        browser.get(address).await.expect(200);
    }
    let long = format!("/search?search={}", "%25".repeat(2_500));
    assert!(matches!(browser.get(&long).await.status, 200 | 414));
    let too_long = format!("/search?search={}", "a".repeat(9_000));
    assert_eq!(browser.get(&too_long).await.status, 414);
    let posted = browser.post("/search", &[("search", "a")]).await;
    assert!(matches!(posted.status, 404 | 405), "{}", posted.status);
}

async fn every_page_with_a_sidebar_leads_there(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    for path in [
        "/",
        "/acme",
        "/acme/p1",
        "/dashboard/groups",
        "/groups/acme/-/edit",
        "/groups/acme/-/settings/access_tokens",
    ] {
        let html = browser.open(path).await.html;
        let form = regex::Regex::new(r#"(?s)<form[^>]*action="/search"[^>]*>.*?</form>"#).unwrap();
        let form = form
            .find(&html)
            .unwrap_or_else(|| panic!("{path} has no search"))
            .as_str();
        assert!(
            form.contains(r#"method="get""#) && form.contains(r#"name="search""#),
            "{path}: works without script"
        );
        assert!(form.contains("Search or go to"), "{path}");
    }
    assert_eq!(
        found(&search(&browser, "deep").await)
            .first()
            .map(String::as_str),
        Some("/acme/sub/deep")
    );
}
