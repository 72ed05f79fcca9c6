//! Account, Notifications: which mails a person wants.

use latchkey::users::notifications::{Choices, ExpiryMails, store};

use crate::on_both;
use crate::support::{Company, Person, TestResource, TestServer};

on_both![
    at_first_there_is_a_mail_for_each_token_and_no_hint,
    what_is_chosen_is_kept_and_said,
    everybody_chooses_for_themselves,
    a_word_that_is_not_on_offer_changes_nothing,
    only_people_who_are_signed_in_choose,
    the_account_menu_and_the_sidebar_lead_there,
    a_batch_of_people_costs_one_query,
];

const PATH: &str = "/-/profile/notifications";
const MAILS: &str = "user[expiry_mails]";
const HINTS: &str = "user[unused_token_mails]";

fn chosen(server: &TestServer, person: &Person) -> Choices {
    let id = person.id;
    server.arrange(move |conn, _| Ok(store::choices_of(conn, &[id])?[&id]))
}

async fn at_first_there_is_a_mail_for_each_token_and_no_hint(server: TestServer) {
    let alice = server.person("alice").create();
    assert_eq!(chosen(&server, &alice), Choices::default());
    let page = alice.signs_in().await.open(PATH).await;
    assert!(page.says(&alice.email), "where they go: {}", page.main());
    let ticked = |id: &str| page.tag(id).unwrap().has("checked");
    assert!(ticked("expiry-mails-single"));
    assert!(!ticked("expiry-mails-digest") && !ticked("unused-token-mails"));
}

async fn what_is_chosen_is_kept_and_said(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let form = browser.open(PATH).await.form(PATH);
    let form = form.fill(MAILS, "digest").tick(HINTS, "1");
    let answer = browser.submit(&form).await.expect(303);
    assert_eq!(answer.location(), PATH);
    let page = browser.open(PATH).await;
    assert!(page.says("Notification settings saved."));
    let ticked = |id: &str| page.tag(id).unwrap().has("checked");
    assert!(ticked("expiry-mails-digest") && ticked("unused-token-mails"));
    let all = Choices {
        expiry_mails: ExpiryMails::Digest,
        unused_token_mails: true,
    };
    assert_eq!(chosen(&server, &alice), all);
    let form = page.form(PATH).fill(MAILS, "single").without(HINTS);
    browser.submit(&form).await.expect(303);
    assert_eq!(chosen(&server, &alice), Choices::default());
}

async fn everybody_chooses_for_themselves(server: TestServer) {
    let c = Company::on(&server);
    let fields = [
        (MAILS, "digest"),
        (HINTS, "1"),
        ("user[id]", "1"),
        ("id", "1"),
    ];
    c.alice
        .signs_in()
        .await
        .post(PATH, &fields)
        .await
        .expect(303);
    assert_eq!(
        server.count("users", "expiry_mails = 'digest' OR unused_token_mails"),
        1
    );
    assert_eq!(chosen(&server, &c.bob), Choices::default());
}

async fn a_word_that_is_not_on_offer_changes_nothing(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    for mails in ["", "weekly", "Digest", "digest ", "\0"] {
        let page = browser.post(PATH, &[(MAILS, mails), (HINTS, "1")]).await;
        let page = page.expect(422).page();
        assert_eq!(
            page.complaints()[0],
            "Expiry mails does not have a valid value"
        );
        assert!(page.tag("unused-token-mails").unwrap().has("checked"));
    }
    browser.post(PATH, &[]).await.expect(422);
    assert_eq!(chosen(&server, &alice), Choices::default());
}

async fn only_people_who_are_signed_in_choose(server: TestServer) {
    let c = Company::on(&server);
    let stranger = server.visitor();
    for answer in [
        stranger.get(PATH).await,
        stranger.post(PATH, &[(MAILS, "digest")]).await,
    ] {
        assert!(
            answer.location().contains("/users/sign_in"),
            "{}",
            answer.status
        );
    }
    let browser = c.alice.signs_in().await;
    let fields = [(MAILS, "digest")];
    browser.post_without_token(PATH, &fields).await.expect(403);
    let bot = c.acme.token("ci").create();
    let answer = server
        .request(reqwest::Method::GET, PATH)
        .header("PRIVATE-TOKEN", &bot.value);
    assert_eq!(answer.send().await.unwrap().status(), 302);
    assert_eq!(server.count("users", "expiry_mails = 'digest'"), 0);
}

async fn the_account_menu_and_the_sidebar_lead_there(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    assert!(browser.open("/").await.links_to(PATH), "the menu");
    let page = browser.open(PATH).await;
    let here = format!(r#"<a href="{PATH}" aria-current="page">"#);
    assert!(page.html.contains(&here), "the sidebar");
    let tokens = "/-/user_settings/personal_access_tokens";
    assert_eq!(
        browser.open(tokens).await.html.matches(PATH).count(),
        2,
        "the menu and the sidebar"
    );
}

async fn a_batch_of_people_costs_one_query(server: TestServer) {
    let c = Company::on(&server);
    let mut ids: Vec<i64> = vec![c.alice.id, c.bob.id];
    ids.extend(1_000_000..1_002_000);
    let db = server.app.db.clone();
    let (one, all) = server.arrange(move |conn, _| {
        let before = db.counters().queries();
        let found = store::choices_of(conn, &ids)?;
        Ok((db.counters().queries() - before, found.len()))
    });
    assert_eq!((one, all), (1, 2), "those who aren't there are left out");
}
