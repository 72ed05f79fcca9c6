//! Making people, and changing them.

use super::{find, is_in, told};
use crate::on_both;
use crate::support::{Company, PASSWORD, TestServer};

on_both![
    an_administrator_makes_a_person_who_signs_in,
    mistakes_in_the_form_of_a_new_person_are_told_and_kept,
    a_person_is_changed_wholly,
    a_person_is_not_changed_by_half,
    of_two_who_edit_a_person_the_second_is_told_and_nothing_is_lost,
    a_new_password_of_another_administrator_is_not_overwritten_unseen,
    a_changed_role_or_a_sign_in_stands_in_nobodys_way,
    the_last_administrator_stays_one,
];

const GOOD: &str = "seven cows in a boat";

async fn an_administrator_makes_a_person_who_signs_in(server: TestServer) {
    let root = server.person("root").admin().create();
    let browser = root.signs_in().await;
    let form = browser.open("/admin/users/new").await.form("/admin/users");
    let form = form
        .fill("user[name]", " Ann Lee ")
        .fill("user[username]", "ann")
        .fill("user[email]", "Ann@example.com");
    let with_password = form.clone().fill("user[password]", GOOD);
    let answer = browser.submit(&with_password).await.expect(303);
    assert_eq!(answer.location(), "/admin/users/ann");
    let page = browser.open("/admin/users/ann").await;
    assert!(page.says("Ann Lee was created.") && page.says("Ann@example.com"));
    assert!(!page.says("Administrator") && !page.says("External"));
    let ann = server.visitor();
    ann.sign_in("ann", GOOD).await.expect(303);
    assert!(is_in(&ann).await);
    // Without a password they wait; boxes count.
    let other = form
        .fill("user[username]", "xenia")
        .fill("user[email]", "x@example.com")
        .tick("user[external]", "1")
        .tick("user[admin]", "1");
    browser.submit(&other).await.expect(303);
    let page = browser.open("/admin/users/xenia").await;
    assert!(page.says("Administrator") && page.says("External"));
    server.visitor().sign_in("xenia", "").await.expect(422);
    assert_eq!(
        server.count(
            "audit_events",
            "event = 'user_created' AND channel = 'page'"
        ),
        2
    );
}

async fn mistakes_in_the_form_of_a_new_person_are_told_and_kept(server: TestServer) {
    let root = server.person("root").admin().create();
    let browser = root.signs_in().await;
    let form = browser.open("/admin/users/new").await.form("/admin/users");
    let before = server.inventory();
    for (username, email, password, errors) in [
        ("", "a@example.com", GOOD, &["Username"][..]),
        (
            "root",
            "a@example.com",
            GOOD,
            &["Username has already been taken"],
        ),
        (
            "Root",
            "a@example.com",
            GOOD,
            &["Username has already been taken"],
        ),
        ("admin", "a@example.com", GOOD, &["Username is reserved"]),
        ("a b", "a@example.com", GOOD, &["Username"]),
        (
            "group_1_bot_x",
            "a@example.com",
            GOOD,
            &["Username is reserved"],
        ),
        (
            "ann",
            "root@example.com",
            GOOD,
            &["Email has already been taken"],
        ),
        ("ann", "nowhere", GOOD, &["Email"]),
        ("ann", "a@example.com", "short", &["Password is too short"]),
        (
            "ann",
            "a@example.com",
            "password",
            &["Password is too common"],
        ),
        (
            "ann",
            "nowhere",
            "short",
            &["Email", "Password is too short"],
        ),
        ("ann\0", "a@example.com", GOOD, &["Username"]),
    ] {
        let typed = form
            .clone()
            .fill("user[name]", "Ann Lee")
            .fill("user[username]", username)
            .fill("user[email]", email)
            .fill("user[password]", password)
            .tick("user[external]", "1");
        let page = browser.submit(&typed).await.expect(422).page();
        let told = page.part("error-message").unwrap().text();
        for error in errors {
            assert!(told.contains(error), "{username}: {told}");
        }
        let again = page.form("/admin/users");
        assert_eq!(again.value("user[name]"), Some("Ann Lee"));
        assert_eq!(again.value("user[email]"), Some(email));
        assert_eq!(again.value("user[external]"), Some("1"));
        assert!(!page.html.contains(GOOD), "a password is not sent back");
    }
    assert_eq!(server.inventory(), before);
}

async fn a_person_is_changed_wholly(server: TestServer) {
    let c = Company::on(&server);
    let (root, bob) = (c.root.signs_in().await, c.bob.signs_in().await);
    let path = "/admin/users/bob/edit";
    let form = root.open(path).await.form(path);
    assert_eq!(form.value("user[name]"), Some("Bob"));
    assert_eq!(form.value("user[password]"), Some(""));
    let form = form
        .fill("user[name]", "Robert")
        .fill("user[username]", "robert")
        .fill("user[email]", "robert@example.com")
        .fill("user[password]", GOOD)
        .tick("user[external]", "1");
    let answer = root.submit(&form).await.expect(303);
    assert_eq!(answer.location(), "/admin/users/robert");
    let page = root.open("/admin/users/robert").await;
    for text in [
        "Robert was updated.",
        "@robert",
        "robert@example.com",
        "External",
    ] {
        assert!(page.says(text), "{text}");
    }
    root.get("/admin/users/bob").await.expect(404);
    assert!(!is_in(&bob).await, "a new password ends sessions");
    server.visitor().sign_in("robert", GOOD).await.expect(303);
    for event in [
        "user_name_changed",
        "user_username_changed",
        "user_email_changed",
        "user_password_changed",
        "user_external_changed",
    ] {
        assert_eq!(told(&server, event, c.bob.id), 1, "{event}");
    }
    assert_eq!(told(&server, "user_promoted", c.bob.id), 0);
    // Nothing typed, nothing changed, nobody signed out.
    let robert = server.visitor();
    robert.sign_in("robert", GOOD).await.expect(303);
    let path = "/admin/users/robert/edit";
    root.submit(&root.open(path).await.form(path))
        .await
        .expect(303);
    assert!(is_in(&robert).await);
    assert_eq!(told(&server, "user_password_changed", c.bob.id), 1);
}

async fn a_person_is_not_changed_by_half(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.signs_in().await;
    let path = "/admin/users/bob/edit";
    let form = root
        .open(path)
        .await
        .form(path)
        .fill("user[name]", "Robert");
    for (field, value, error) in [
        ("user[username]", "alice", "Username has already been taken"),
        ("user[username]", "acme", "Username has already been taken"),
        (
            "user[email]",
            "alice@example.com",
            "Email has already been taken",
        ),
        ("user[email]", "", "Email"),
        ("user[password]", "bob", "Password is too short"),
        ("user[password]", "bob@example.com", "Password must not be"),
    ] {
        let answer = root.submit(&form.clone().fill(field, value)).await;
        let page = answer.expect(422).page();
        let told = page.part("error-message").unwrap().text();
        assert!(told.contains(error), "{value}: {told}");
        let again = page.form(path);
        assert_eq!(again.value("user[name]"), Some("Robert"));
        assert_eq!(again.value("user[seen]"), form.value("user[seen]"));
        assert_eq!(find(&server, c.bob.id).unwrap().name, "Bob");
    }
    server.visitor().sign_in("bob", PASSWORD).await.expect(303);
    // As it came back it can be put right and sent.
    let answer = root
        .submit(&form.clone().fill("user[email]", "nowhere"))
        .await;
    let again = answer.expect(422).page().form(path);
    let right = again.fill("user[email]", "bob@example.org");
    root.submit(&right).await.expect(303);
    assert_eq!(find(&server, c.bob.id).unwrap().name, "Robert");
}

async fn of_two_who_edit_a_person_the_second_is_told_and_nothing_is_lost(server: TestServer) {
    let c = Company::on(&server);
    let ada = server.person("ada").admin().create().signs_in().await;
    let root = c.root.signs_in().await;
    let path = "/admin/users/bob/edit";
    let (first, second) = (
        ada.open(path).await.form(path),
        root.open(path).await.form(path),
    );
    let first = first
        .fill("user[email]", "bob@example.org")
        .tick("user[external]", "1");
    ada.submit(&first).await.expect(303);
    let second = second.fill("user[name]", "Robert");
    let page = root.submit(&second).await.expect(409).page();
    assert!(page.says("Somebody changed this person meanwhile."));
    assert!(page.says("Email is now “bob@example.org”"));
    assert!(page.says("The person is now external"));
    let bob = find(&server, c.bob.id).unwrap();
    assert_eq!((bob.name.as_str(), bob.external), ("Bob", true));
    // What was typed is there, and can be sent once both are put together.
    let again = page.form(path);
    assert_eq!(again.value("user[name]"), Some("Robert"));
    let both = again
        .fill("user[email]", "bob@example.org")
        .tick("user[external]", "1");
    root.submit(&both).await.expect(303);
    let bob = find(&server, c.bob.id).unwrap();
    assert_eq!((bob.name.as_str(), bob.external), ("Robert", true));
    assert_eq!(bob.email, "bob@example.org");
    // A form that doesn't say what it was made of is too old for anything.
    let blind = second.without("user[seen]").fill("user[name]", "Bobby");
    root.submit(&blind).await.expect(409);
    assert_eq!(find(&server, c.bob.id).unwrap().name, "Robert");
}

async fn a_new_password_of_another_administrator_is_not_overwritten_unseen(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.signs_in().await;
    let path = "/admin/users/bob/edit";
    let form = root.open(path).await.form(path);
    let first = form.clone().fill("user[password]", GOOD);
    root.submit(&first).await.expect(303);
    let second = form.fill("user[password]", "eight cows in a boat");
    let page = root.submit(&second).await.expect(409).page();
    assert!(!page.html.contains("cows"));
    server.visitor().sign_in("bob", GOOD).await.expect(303);
}

async fn a_changed_role_or_a_sign_in_stands_in_nobodys_way(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.signs_in().await;
    let path = "/admin/users/frank/edit";
    let form = root.open(path).await.form(path);
    c.frank.signs_in().await;
    c.frank.block();
    root.submit(&form.fill("user[name]", "Francis"))
        .await
        .expect(303);
    let frank = find(&server, c.frank.id).unwrap();
    assert_eq!((frank.name.as_str(), frank.is_active()), ("Francis", false));
}

async fn the_last_administrator_stays_one(server: TestServer) {
    let root = server.person("root").admin().create();
    let browser = root.signs_in().await;
    let path = "/admin/users/root/edit";
    let page = browser.open(path).await;
    assert!(page.says("The only active administrator stays one."));
    // The form as it is keeps the right; one that was made by hand is refused.
    browser
        .submit(&page.form(path).fill("user[name]", "Rooty"))
        .await
        .expect(303);
    assert!(find(&server, root.id).unwrap().admin);
    let form = browser.open(path).await.form(path);
    let answer = browser.submit(&form.without("user[admin]")).await;
    let page = answer.expect(422).page();
    assert!(page.says("The last administrator can't be demoted"));
    assert!(find(&server, root.id).unwrap().admin);
    // With another one they may step down, and are out.
    let ada = server.person("ada").admin().create();
    let page = browser.open(path).await;
    assert!(!page.says("The only active administrator stays one."));
    browser
        .submit(&page.form(path).without("user[admin]"))
        .await
        .expect(303);
    browser.get("/admin/users").await.expect(404);
    assert!(find(&server, ada.id).unwrap().admin);
}
