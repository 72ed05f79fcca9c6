//! Accounts that were signed up for and whose address nobody has confirmed: whose they become, and when they go.

use chrono::TimeDelta;
use latchkey::jobs::Job;
use latchkey::members::AccessLevel;
use latchkey::users::store::{UserRef, find_by_username};

use crate::on_both;
use crate::support::{Answer, Form, PASSWORD, TestResource, TestServer, link_in};

on_both![
    neither_the_link_nor_the_password_alone_confirms_an_address,
    a_stranger_who_signs_up_after_the_owner_gets_nothing,
    an_owner_who_signs_up_after_a_stranger_gets_the_account_as_they_want_it,
    a_stranger_who_signs_up_while_the_owner_confirms_gets_nothing,
    a_new_password_by_mail_beats_whoever_signs_up_meanwhile,
    a_stranger_who_signs_in_or_asks_for_a_new_password_gets_nothing,
    a_stranger_can_not_use_up_the_owners_links,
    wrong_passwords_are_put_off_as_those_at_sign_in_are,
    a_user_name_that_is_taken_is_refused_to_who_signs_up_again_too,
    who_was_told_no_can_not_confirm_any_more,
    a_new_password_confirms_who_waits_for_approval_and_lets_nobody_in,
    an_address_that_an_administrator_corrects_is_confirmed_by_its_owner,
    an_account_that_nobody_confirms_is_gone_after_three_days,
    a_newer_link_keeps_the_account_as_long_as_it_is_good,
    imported_people_are_neither_swept_out_nor_given_away,
    an_account_that_can_not_be_deleted_is_left_and_the_others_go,
];

const SIGN_UP: &str = "/users/sign_up";
const CONFIRM: &str = "/users/confirmation";
const EDIT: &str = "/users/password/edit";
const ANN: &str = "ann@example.com";

/// What a stranger chooses.
const STRANGERS: &str = "a password that only Mallory knows";

/// What is chosen by mail.
const NEW: &str = "a much better battery staple";

const WRONG: &str = "Password is not the one that was chosen last for this account";

fn open(server: &TestServer) {
    server.set("signup_enabled", "true");
    server.set("require_admin_approval_after_user_signup", "false");
}

async fn sign_up(server: &TestServer, username: &str, email: &str, password: &str) -> Answer {
    let visitor = server.visitor();
    let form = visitor.open(SIGN_UP).await.form(SIGN_UP);
    let form = form
        .fill("user[username]", username)
        .fill("user[name]", &format!("Name of {username}"))
        .fill("user[email]", email)
        .fill("user[password]", password);
    visitor.submit(&form).await
}

/// The links that came to Ann so far, newest last.
async fn links(server: &TestServer, path: &str) -> Vec<String> {
    let mails = server.mails_to(ANN).await;
    let with_link = mails.iter().filter(|mail| mail.contains(path));
    with_link.map(|mail| link_in(mail, path)).collect()
}

async fn newest(server: &TestServer) -> String {
    links(server, CONFIRM).await.pop().expect("a link")
}

async fn confirm(server: &TestServer, link: &str, password: &str) -> Answer {
    let visitor = server.visitor();
    let form = visitor.open(link).await.form(CONFIRM);
    visitor.submit(&form.fill("user[password]", password)).await
}

/// Asks for a link to a new password for Ann's account.
async fn ask(server: &TestServer) {
    let visitor = server.visitor();
    let form = visitor.open("/users/password/new").await;
    let form = form.form("/users/password").fill("user[email]", ANN);
    visitor.submit(&form).await.expect(200);
}

async fn reset(server: &TestServer, link: &str, password: &str) -> Answer {
    let visitor = server.visitor();
    let form: Form = visitor.open(link).await.form(EDIT);
    let form = form
        .fill("user[password]", password)
        .fill("user[password_confirmation]", password);
    visitor.submit(&form).await
}

async fn signs_in(server: &TestServer, password: &str) -> bool {
    let answer = server.visitor().sign_in(ANN, password).await;
    assert!([303, 422].contains(&answer.status), "{}", answer.status);
    answer.status == 303
}

fn is_confirmed(server: &TestServer) -> bool {
    server.count(
        "users",
        "email = 'ann@example.com' AND confirmed_at IS NOT NULL",
    ) == 1
}

async fn neither_the_link_nor_the_password_alone_confirms_an_address(server: TestServer) {
    open(&server);
    sign_up(&server, "ann", ANN, PASSWORD).await.expect(200);
    let link = newest(&server).await;
    let page = server.visitor().open(&link).await;
    assert!(page.says("Type the password that you chose for your account"));
    assert!(page.links_to("/users/password/new"));
    for wrong in [STRANGERS, "", &"x".repeat(5_000)] {
        let page = confirm(&server, &link, wrong).await.expect(422).page();
        assert!(page.part("error-message").unwrap().says(WRONG));
        assert!(page.find_form(CONFIRM).is_some(), "they can try again");
        assert!(wrong.is_empty() || !page.html.contains(wrong));
    }
    assert!(!signs_in(&server, PASSWORD).await);
    assert!(!is_confirmed(&server));
    let page = confirm(&server, &link, PASSWORD).await.expect(200).page();
    assert!(page.says("You can sign in now."));
    assert!(signs_in(&server, PASSWORD).await);
    server.visitor().get(&link).await.expect(404);
}

async fn a_stranger_who_signs_up_after_the_owner_gets_nothing(server: TestServer) {
    open(&server);
    sign_up(&server, "ann", ANN, PASSWORD).await.expect(200);
    sign_up(&server, "mallory", ANN, STRANGERS)
        .await
        .expect(200);
    // Ann follows whichever mail, and types what she chose.
    for link in links(&server, CONFIRM).await {
        confirm(&server, &link, PASSWORD).await.expect(422);
    }
    assert!(!is_confirmed(&server) && !signs_in(&server, STRANGERS).await);
    // The page offers her a new password, which the stranger doesn't know.
    ask(&server).await;
    let link = links(&server, EDIT).await.pop().unwrap();
    let page = server.visitor().open(&link).await;
    assert!(page.says("confirms your address, too"));
    let page = reset(&server, &link, NEW).await.expect(200).page();
    assert!(page.says("Your address is confirmed, too. You can sign in now."));
    assert!(is_confirmed(&server));
    assert!(signs_in(&server, NEW).await);
    assert!(!signs_in(&server, STRANGERS).await && !signs_in(&server, PASSWORD).await);
    for event in ["user_confirmed", "user_password_changed"] {
        let condition = format!("event = '{event}' AND actor_kind = 'anonymous'");
        assert_eq!(server.count("audit_events", &condition), 1, "{event}");
    }
    for link in links(&server, CONFIRM).await {
        server.visitor().get(&link).await.expect(404);
    }
}

async fn an_owner_who_signs_up_after_a_stranger_gets_the_account_as_they_want_it(
    server: TestServer,
) {
    open(&server);
    let first = sign_up(&server, "eve", ANN, STRANGERS).await.expect(200);
    let again = sign_up(&server, "ann", ANN, PASSWORD).await.expect(200);
    assert_eq!(again.comparable(), first.comparable());
    assert_eq!(server.count("users", "email = 'ann@example.com'"), 1);
    assert_eq!(
        server.count("users", "username = 'ann' AND name = 'Name of ann'"),
        1
    );
    for (path, number) in [("ann", 1), ("eve", 0)] {
        let condition = format!("full_path = '{path}' AND owner_id IS NOT NULL");
        assert_eq!(server.count("groups", &condition), number, "{path}");
    }
    for event in ["user_username_changed", "user_name_changed"] {
        let condition = format!("event = '{event}' AND actor_kind = 'anonymous'");
        assert_eq!(server.count("audit_events", &condition), 1, "{event}");
    }
    // Both links are Ann's, and both take her password.
    let links = links(&server, CONFIRM).await;
    assert_eq!(links.len(), 2);
    confirm(&server, &links[1], STRANGERS).await.expect(422);
    confirm(&server, &links[0], PASSWORD).await.expect(200);
    server.visitor().get(&links[1]).await.expect(404);
    assert!(!signs_in(&server, STRANGERS).await && signs_in(&server, PASSWORD).await);
    server.visitor().sign_in("ann", PASSWORD).await.expect(303);
    // The other name is for somebody else now.
    sign_up(&server, "eve", "eve@example.com", PASSWORD)
        .await
        .expect(200);
}

async fn a_stranger_who_signs_up_while_the_owner_confirms_gets_nothing(server: TestServer) {
    open(&server);
    sign_up(&server, "ann", ANN, PASSWORD).await.expect(200);
    let link = newest(&server).await;
    let visitor = server.visitor();
    let form = visitor.open(&link).await.form(CONFIRM);
    sign_up(&server, "ann", ANN, STRANGERS).await.expect(200);
    let form = form.fill("user[password]", PASSWORD);
    visitor.submit(&form).await.expect(422);
    assert!(!is_confirmed(&server));
    // Had the password been compared before the stranger came, it would be no different.
    let value = link.split('=').next_back().unwrap().to_owned();
    let late = server.attempt_as(
        latchkey::actor::Actor::system(latchkey::actor::Origin::console()),
        move |conn, ctx| {
            latchkey::users::sign_up::confirm(conn, ctx, &value, Some("the hash of before"))
        },
    );
    assert!(late.is_err() && !is_confirmed(&server));
    // Ann signs up again, and the link that she has is good.
    sign_up(&server, "ann", ANN, PASSWORD).await.expect(200);
    confirm(&server, &link, PASSWORD).await.expect(200);
    // From now on a stranger causes a mail, and nothing else.
    sign_up(&server, "mallory", ANN, STRANGERS)
        .await
        .expect(200);
    assert!(!signs_in(&server, STRANGERS).await && signs_in(&server, PASSWORD).await);
    assert_eq!(server.count("users", "username = 'mallory'"), 0);
}

async fn a_new_password_by_mail_beats_whoever_signs_up_meanwhile(server: TestServer) {
    open(&server);
    sign_up(&server, "ann", ANN, PASSWORD).await.expect(200);
    ask(&server).await;
    let link = links(&server, EDIT).await.pop().unwrap();
    sign_up(&server, "ann", ANN, STRANGERS).await.expect(200);
    reset(&server, &link, NEW).await.expect(200);
    assert!(is_confirmed(&server) && signs_in(&server, NEW).await);
    sign_up(&server, "ann2", ANN, STRANGERS).await.expect(200);
    assert!(!signs_in(&server, STRANGERS).await && signs_in(&server, NEW).await);
    assert_eq!(server.count("users", "username = 'ann2'"), 0);
}

async fn a_stranger_who_signs_in_or_asks_for_a_new_password_gets_nothing(server: TestServer) {
    open(&server);
    sign_up(&server, "ann", ANN, PASSWORD).await.expect(200);
    sign_up(&server, "ann", ANN, STRANGERS).await.expect(200);
    // All that it does is one more mail, to Ann.
    assert!(!signs_in(&server, STRANGERS).await);
    ask(&server).await;
    assert_eq!(links(&server, CONFIRM).await.len(), 3);
    assert_eq!(links(&server, EDIT).await.len(), 1);
    for link in links(&server, CONFIRM).await {
        confirm(&server, &link, PASSWORD).await.expect(422);
    }
    assert!(!is_confirmed(&server) && !signs_in(&server, STRANGERS).await);
}

async fn a_stranger_can_not_use_up_the_owners_links(server: TestServer) {
    open(&server);
    sign_up(&server, "ann", ANN, PASSWORD).await.expect(200);
    let link = newest(&server).await;
    for n in 0..6 {
        sign_up(&server, &format!("mallory{n}"), ANN, STRANGERS)
            .await
            .expect(200);
    }
    assert_eq!(
        links(&server, CONFIRM).await.len(),
        3,
        "an account causes three in an hour"
    );
    assert_eq!(server.count("account_links", ""), 3);
    // Ann comes last, gets no more mail in this hour, and needs none.
    sign_up(&server, "ann", ANN, PASSWORD).await.expect(200);
    confirm(&server, &link, PASSWORD).await.expect(200);
    assert!(signs_in(&server, PASSWORD).await);
}

async fn wrong_passwords_are_put_off_as_those_at_sign_in_are(server: TestServer) {
    open(&server);
    server.set("sign_in_failures_per_account", "3");
    sign_up(&server, "ann", ANN, PASSWORD).await.expect(200);
    let link = newest(&server).await;
    for _ in 0..3 {
        confirm(&server, &link, STRANGERS).await.expect(422);
    }
    let answer = confirm(&server, &link, PASSWORD).await.expect(429);
    assert_eq!(answer.header("retry-after"), "600");
    assert!(
        answer
            .page()
            .says("Too many attempts. Try again in 10 minutes.")
    );
    assert!(!is_confirmed(&server));
    // They are the same tries, wherever they are made.
    server.visitor().sign_in("ann", PASSWORD).await.expect(429);
    for event in ["user_sign_in_failed", "user_throttled"] {
        let condition = format!("event = '{event}' AND target_name = 'ann'");
        assert!(server.count("audit_events", &condition) > 0, "{event}");
    }
    server.clock.advance(TimeDelta::minutes(10));
    confirm(&server, &link, STRANGERS).await.expect(422);
    confirm(&server, &link, PASSWORD).await.expect(200);
}

async fn a_user_name_that_is_taken_is_refused_to_who_signs_up_again_too(server: TestServer) {
    open(&server);
    server.person("bob").create();
    sign_up(&server, "ann", ANN, PASSWORD).await.expect(200);
    for name in ["bob", "admin"] {
        let again = sign_up(&server, name, ANN, STRANGERS).await.expect(422);
        let unknown = sign_up(&server, name, "x@example.com", STRANGERS).await;
        let told = |answer: Answer| answer.page().part("error-message").unwrap().text();
        assert_eq!(told(again), told(unknown));
    }
    let link = newest(&server).await;
    confirm(&server, &link, PASSWORD).await.expect(200);
    server.visitor().sign_in("ann", PASSWORD).await.expect(303);
}

async fn who_was_told_no_can_not_confirm_any_more(server: TestServer) {
    server.person("root").admin().create();
    open(&server);
    sign_up(&server, "ann", ANN, PASSWORD).await.expect(200);
    let link = newest(&server).await;
    server.arrange(|conn, ctx| {
        latchkey::users::state::block(conn, ctx, &UserRef::Username("ann".into()))
    });
    server.visitor().get(&link).await.expect(404);
    sign_up(&server, "ann2", ANN, STRANGERS).await.expect(200);
    ask(&server).await;
    assert_eq!(server.count("users", "username = 'ann2'"), 0);
    assert_eq!(server.count("account_links", ""), 1);
    assert_eq!(server.mails_to(ANN).await.len(), 1);
}

async fn a_new_password_confirms_who_waits_for_approval_and_lets_nobody_in(server: TestServer) {
    open(&server);
    server.set("require_admin_approval_after_user_signup", "true");
    sign_up(&server, "ann", ANN, PASSWORD).await.expect(200);
    ask(&server).await;
    let link = links(&server, EDIT).await.pop().unwrap();
    let page = reset(&server, &link, NEW).await.expect(200).page();
    assert!(page.says("Your account now waits for an administrator's approval."));
    assert!(is_confirmed(&server) && !signs_in(&server, NEW).await);
    server.arrange(|conn, ctx| {
        latchkey::users::sign_up::approve(conn, ctx, &UserRef::Username("ann".into()))
    });
    assert!(signs_in(&server, NEW).await);
}

async fn an_address_that_an_administrator_corrects_is_confirmed_by_its_owner(server: TestServer) {
    use latchkey::users::edit::{PersonChanges, edit};
    open(&server);
    // It was a stranger's password when the administrator came.
    sign_up(&server, "ann", "anne@example.com", STRANGERS)
        .await
        .expect(200);
    let changes = PersonChanges {
        email: Some(ANN.into()),
        ..PersonChanges::default()
    };
    server.arrange(move |conn, ctx| {
        let ann = find_by_username(conn, "ann")?.unwrap();
        edit(conn, ctx, ann.id, &changes).map(|_| ())
    });
    assert!(!is_confirmed(&server) && !signs_in(&server, STRANGERS).await);
    assert!(!links(&server, CONFIRM).await.is_empty());
    sign_up(&server, "ann", ANN, PASSWORD).await.expect(200);
    let link = newest(&server).await;
    confirm(&server, &link, PASSWORD).await.expect(200);
    assert!(!signs_in(&server, STRANGERS).await && signs_in(&server, PASSWORD).await);
}

async fn an_account_that_nobody_confirms_is_gone_after_three_days(server: TestServer) {
    open(&server);
    server.set("require_admin_approval_after_user_signup", "true");
    sign_up(&server, "eve", "eve@example.com", PASSWORD)
        .await
        .expect(200);
    sign_up(&server, "ann", ANN, PASSWORD).await.expect(200);
    let link = newest(&server).await;
    confirm(&server, &link, PASSWORD).await.expect(200);
    server.person("alice").create();
    server.clock.advance(TimeDelta::hours(71));
    server.run_job(Job::CleanUp).await;
    assert_eq!(server.count("users", "username = 'eve'"), 1);
    server.clock.advance(TimeDelta::hours(1));
    server.run_job(Job::CleanUp).await;
    assert_eq!(server.count("users", "username = 'eve'"), 0);
    assert_eq!(server.count("groups", "path = 'eve'"), 0);
    assert_eq!(server.count("users", "username IN ('ann', 'alice')"), 2);
    let condition = "event = 'user_deleted' AND target_name = 'eve' AND actor_kind = 'system'";
    assert_eq!(server.count("audit_events", condition), 1);
    sign_up(&server, "eve", "eve@example.com", PASSWORD)
        .await
        .expect(200);
}

async fn a_newer_link_keeps_the_account_as_long_as_it_is_good(server: TestServer) {
    open(&server);
    server.set("require_admin_approval_after_user_signup", "true");
    for name in ["ann", "bob", "eve"] {
        sign_up(&server, name, &format!("{name}@example.com"), PASSWORD)
            .await
            .expect(200);
    }
    server.clock.advance(TimeDelta::hours(70));
    server.arrange(|conn, ctx| {
        latchkey::users::sign_up::approve(conn, ctx, &UserRef::Username("ann".into()))
    });
    sign_up(&server, "bob", "bob@example.com", PASSWORD)
        .await
        .expect(200);
    server.clock.advance(TimeDelta::hours(71));
    server.run_job(Job::CleanUp).await;
    assert_eq!(server.count("users", "username IN ('ann', 'bob')"), 2);
    assert_eq!(server.count("users", "username = 'eve'"), 0);
    let link = newest(&server).await;
    confirm(&server, &link, PASSWORD).await.expect(200);
    server.clock.advance(TimeDelta::hours(1));
    server.run_job(Job::CleanUp).await;
    assert_eq!(server.count("users", "username = 'bob'"), 0);
    assert!(is_confirmed(&server));
}

async fn imported_people_are_neither_swept_out_nor_given_away(server: TestServer) {
    open(&server);
    server.person("ann").create();
    // As an import leaves whoever isn't known to have the address.
    server.sql("UPDATE users SET confirmed_at = NULL WHERE username = 'ann'");
    server.clock.advance(TimeDelta::days(30));
    server.run_job(Job::CleanUp).await;
    sign_up(&server, "mallory", ANN, STRANGERS)
        .await
        .expect(200);
    assert_eq!(server.count("users", "username = 'mallory'"), 0);
    let mails = server.mails_to(ANN).await;
    assert!(mails.len() == 1 && mails[0].contains("You have one already."));
    // The right password brings them the link, and confirming takes it again.
    assert!(!signs_in(&server, PASSWORD).await);
    let link = newest(&server).await;
    confirm(&server, &link, STRANGERS).await.expect(422);
    confirm(&server, &link, PASSWORD).await.expect(200);
    assert!(signs_in(&server, PASSWORD).await);
}

async fn an_account_that_can_not_be_deleted_is_left_and_the_others_go(server: TestServer) {
    open(&server);
    let acme = server.group("acme").create();
    for name in ["owner", "chief", "eve"] {
        sign_up(&server, name, &format!("{name}@example.com"), PASSWORD)
            .await
            .expect(200);
    }
    let resource = acme.resource();
    server.arrange(move |conn, ctx| {
        let owner = find_by_username(conn, "owner")?.unwrap();
        latchkey::members::add::add(conn, ctx, &resource, &owner, AccessLevel::Owner, None)
    });
    server.sql("UPDATE users SET admin = TRUE WHERE username = 'chief'");
    server.clock.advance(TimeDelta::hours(72));
    for deleted in [1, 0] {
        let counts = server.run_job(Job::CleanUp).await;
        assert_eq!(counts["unconfirmed_accounts"], deleted);
    }
    assert_eq!(server.count("users", "username IN ('owner', 'chief')"), 2);
    assert_eq!(server.count("users", "username = 'eve'"), 0);
    let log = crate::support::server::logged();
    assert!(log.contains("An account that nobody confirmed can't be deleted"));
}
