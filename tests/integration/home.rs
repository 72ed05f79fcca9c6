//! Home: what needs attention of all that somebody looks after.

use latchkey::members::AccessLevel;
use regex::Regex;

use crate::on_both;
use crate::support::{Page, Person, TestResource, TestServer};

on_both![
    what_ends_soon_is_found_wherever_one_looks_after_it_and_nowhere_else,
    of_more_than_fifty_it_says_more_than_fifty_and_no_kind_hides_another,
    groups_are_shown_with_their_subgroups,
];

/// The source of somebody's Home.
async fn home(person: &Person) -> String {
    person.signs_in().await.get("/").await.expect(200).text()
}

fn says(html: &str, text: &str) -> bool {
    Page::new(html.to_owned()).says(text)
}

/// The names in a card, in its order.
fn names(html: &str, card: &str) -> Vec<String> {
    let card = format!("aria-labelledby=\"{card}\"");
    let Some((_, rest)) = html.split_once(&card) else {
        return Vec::new();
    };
    let card = rest.split("</section>").next().unwrap_or_default();
    Regex::new(r#"class="name" href="[^"]*"><bdi>([^<]*)</bdi>"#)
        .unwrap()
        .captures_iter(card)
        .map(|found| found[1].to_owned())
        .collect()
}

async fn what_ends_soon_is_found_wherever_one_looks_after_it_and_nowhere_else(server: TestServer) {
    let (top, other) = (server.group("top").create(), server.group("other").create());
    let mine = top.subgroup("mine").create();
    let below = mine.subgroup("below").create();
    let (inside, beside) = (
        below.project("inside").create(),
        top.project("beside").create(),
    );
    let (kept, seen) = (
        other.project("kept").create(),
        other.project("seen").create(),
    );
    let person = server.person("olivia").create();
    mine.member(&person, AccessLevel::Owner);
    // A second way to the same tokens tells of none twice.
    below.member(&person, AccessLevel::Owner);
    inside.member(&person, AccessLevel::Maintainer);
    kept.member(&person, AccessLevel::Maintainer);
    seen.member(&person, AccessLevel::Developer);
    let soon = |days| server.days_ahead(days).to_string();
    mine.token("third").expires(&soon(3)).create();
    below.token("second").expires(&soon(2)).create();
    inside.token("first").expires(&soon(1)).create();
    kept.token("last").expires(&soon(14)).create();
    // Too late, ended, and others'.
    mine.token("in a while").expires(&soon(15)).create();
    let ended = mine.token("ended").expires(&soon(2)).create();
    server.sql(&format!(
        "UPDATE access_tokens SET revoked = TRUE WHERE id = {}",
        ended.id
    ));
    top.token("above").expires(&soon(2)).create();
    beside.token("beside").expires(&soon(2)).create();
    seen.token("not mine").expires(&soon(2)).create();
    other.token("elsewhere").expires(&soon(2)).create();

    let page = home(&person).await;
    assert_eq!(
        names(&page, "expiring"),
        ["first", "second", "third", "last"]
    );
    assert!(says(&page, "4 tokens expire within 14 days."));

    // A role that has ended counts for nothing.
    server.sql(&format!(
        "UPDATE memberships SET expires_at = '{}' WHERE user_id = {} AND group_id IS NOT NULL",
        server.days_ahead(0),
        person.id
    ));
    assert_eq!(names(&home(&person).await, "expiring"), ["first", "last"]);
}

async fn of_more_than_fifty_it_says_more_than_fifty_and_no_kind_hides_another(server: TestServer) {
    let top = server.group("top").create();
    let person = server.person("olivia").create();
    top.member(&person, AccessLevel::Owner);
    crate::crowd::add_tokens(&server, &top, 60);
    top.project("api").create().token("forgotten").create();
    server.sql("UPDATE access_token_uses SET last_used_at = '2026-05-01 10:00:00'");
    server.sql("UPDATE access_tokens SET created_at = '2026-04-01 10:00:00'");
    let page = home(&person).await;
    assert!(says(&page, "More than 50 were not used for 30 days."));
    let unused = names(&page, "unused");
    assert_eq!(unused.len(), 50);
    assert_eq!(unused[0], "forgotten", "what was never used comes first");
    assert!(!says(&page, "expire within"));

    server.sql(&format!(
        "UPDATE access_tokens SET expires_at = '{}'",
        server.days_ahead(5)
    ));
    let page = home(&person).await;
    assert!(says(&page, "More than 50 tokens expire within 14 days."));
    assert_eq!(names(&page, "expiring").len(), 50);
}

async fn groups_are_shown_with_their_subgroups(server: TestServer) {
    let top = server.group("top").create();
    let sub = top.subgroup("sub").create();
    sub.subgroup("deep").create();
    sub.project("api").create();
    let person = server.person("olivia").create();
    top.member(&person, AccessLevel::Reporter);
    let page = home(&person).await;
    assert_eq!(names(&page, "groups"), ["top", "sub"]);
    assert!(says(&page, "1 subgroup · 0 projects"), "of the top");
    assert!(says(&page, "1 subgroup · 1 project"), "of the one below");
}
