//! A token in what is pushed: refused, with the place, and nothing changes.

use latchkey::access_tokens::scope::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use super::{PUSH, Scene, request};
use crate::support::{
    Answer, TestResource, TestServer, TestToken,
    git::{Noise, Outcome},
};
use crate::{on_both, on_sqlite};

on_both![
    a_push_with_a_token_that_works_is_refused_with_commit_file_and_line,
    a_token_in_an_earlier_commit_or_a_message_is_found_as_well,
    a_token_in_the_name_of_a_file_or_folder_is_found_as_well,
    a_token_in_the_name_of_a_branch_or_in_a_tag_is_found_as_well,
    a_token_that_works_no_more_may_be_pushed,
    what_the_server_has_already_is_not_looked_at_again,
    an_administrator_turns_it_off,
];

on_sqlite![
    a_token_that_a_merge_brings_is_told_with_the_merge,
    what_no_reference_leads_to_is_looked_through_as_well,
];

async fn a_push_with_a_token_that_works_is_refused_with_commit_file_and_line(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let secret = scene.company.acme.token("secret").create();
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    let content = format!("# deploy\nurl: https://x:{}@host\n", secret.value);
    let commit = tree.commit_file("deploy/näme.env", &content);
    let before = scene.references();
    let refused = tree.push("origin", "HEAD:leak").refused();
    let place = format!("commit {}, file deploy/näme.env, line 2", &commit[..10]);
    assert!(refused.contains(&place), "{refused}");
    let hint = &secret.value[secret.value.len() - 4..];
    assert!(
        refused.contains(&format!("a token ending in {hint}")),
        "{refused}"
    );
    assert!(
        !refused.contains(&secret.value),
        "the value is not repeated"
    );
    assert_eq!(scene.references(), before);
    let event = server.the_event("repository_push_refused");
    let details: Value = serde_json::from_str(&event.details).unwrap();
    assert_eq!(details["token_ids"], json!([secret.id]));
    // Scene::on pushed once; this push is not written down as one.
    assert_eq!(
        server.count("audit_events", "event = 'repository_pushed'"),
        1
    );
    assert!(secret.works().await, "it is for its owner to end it");
}

async fn a_token_in_an_earlier_commit_or_a_message_is_found_as_well(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let person = server.person("pat").create();
    let secret = person.personal_token([Scope::Api]);
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    tree.commit_file("config.txt", format!("{}\n", secret.value));
    tree.commit_file("config.txt", "gone again\n");
    tree.push("origin", "HEAD:earlier")
        .refused_with("file config.txt, line 1");

    let tree = scene.git.clone(&scene.developers_url(), "another");
    tree.done([
        "commit",
        "--quiet",
        "--allow-empty",
        "-m",
        &format!("Use it\n\nwith {}", secret.value),
    ]);
    tree.push("origin", "HEAD:message")
        .refused_with(", message, line ");
    assert_eq!(scene.branch("earlier").or(scene.branch("message")), None);
}

async fn a_token_that_works_no_more_may_be_pushed(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let secret = scene.company.acme.token("secret").create();
    let path = format!("{}/access_tokens/{}", scene.company.acme.path(), secret.id);
    let alice = scene.company.alice.api();
    alice.delete(&path).await.expect(204);
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    tree.commit_file("old.txt", &secret.value);
    // Nor is anything that only looks like one.
    let noise = format!("{}x", &secret.value[..secret.value.len() - 1]);
    tree.commit_file("noise.txt", noise);
    tree.push("origin", "HEAD:old").succeeded();
}

async fn what_the_server_has_already_is_not_looked_at_again(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    server.set("refuse_pushed_tokens", "false");
    let secret = scene.company.acme.token("secret").create();
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    let noise = Noise::default().bytes(20_000);
    let with_secret = [secret.value.as_bytes(), b"\n", &noise].concat();
    tree.commit_file("there.txt", with_secret);
    tree.push("origin", "HEAD:there").succeeded();
    server.set("refuse_pushed_tokens", "true");
    tree.commit_file("more.txt", "nothing wrong with this\n");
    tree.push("origin", "HEAD:there").succeeded();
    // What comes as a difference to it is completed by it.
    tree.commit_file("there.txt", noise);
    tree.push("origin", "HEAD:there").succeeded();
}

async fn an_administrator_turns_it_off(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let secret = scene.company.acme.token("secret").create();
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    tree.commit_file("there.txt", &secret.value);
    tree.push("origin", "HEAD:there").refused();
    server.set("refuse_pushed_tokens", "false");
    tree.push("origin", "HEAD:there").succeeded();
}

/// The push is refused, the place is told, and the token is in nothing that the person reads.
#[track_caller]
fn is_told(push: &Outcome, secret: &TestToken, place: &str) {
    assert!(push.status != Some(0), "{push:?}");
    let hint = &secret.value[secret.value.len() - 4..];
    let line = format!("{place}: a token ending in {hint}");
    assert!(push.stderr.contains(&line), "{line}\n{push:?}");
    let told = push
        .stderr
        .lines()
        .filter(|line| line.starts_with("remote:"));
    assert!(
        !told.collect::<String>().contains(&secret.value),
        "the value is repeated: {push:?}"
    );
}

async fn a_token_in_the_name_of_a_file_or_folder_is_found_as_well(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let secret = scene.company.acme.token("secret").create();
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    tree.commit_file("a/b.txt", "b\n");
    let name = format!("keys/für {}.txt", secret.value);
    let commit = tree.commit_file(&name, "# P1\n");
    tree.commit_file("more.txt", "more\n");
    let place = format!("commit {}, the name keys/für [token].txt", &commit[..10]);
    is_told(&tree.push("origin", "HEAD:file"), &secret, &place);

    tree.done(["reset", "--quiet", "--hard", &scene.main]);
    let commit = tree.commit_file(&format!("{}/x.txt", secret.value), "x\n");
    let place = format!("commit {}, the name [token]", &commit[..10]);
    is_told(&tree.push("origin", "HEAD:folder"), &secret, &place);
    assert_eq!(scene.branch("file").or(scene.branch("folder")), None);
    // One that is there already stands in no one's way.
    server.set("refuse_pushed_tokens", "false");
    tree.push("origin", "HEAD:folder").succeeded();
    server.set("refuse_pushed_tokens", "true");
    tree.commit_file("beside.txt", "beside\n");
    tree.push("origin", "HEAD:folder").succeeded();
}

async fn a_token_in_the_name_of_a_branch_or_in_a_tag_is_found_as_well(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let secret = scene.company.acme.token("secret").create();
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    let name = format!("refs/heads/use-{}", secret.value);
    // Nothing new comes with it but the name.
    let push = tree.push("origin", &format!("{}:{name}", scene.main));
    is_told(&push, &secret, "the name refs/heads/use-[token]");
    let message = format!("Release\n\n{}", secret.value);
    tree.done(["tag", "-a", "v2", "-m", &message]);
    let tag = tree.done(["rev-parse", "refs/tags/v2"]);
    let place = format!("tag {}, message, line ", &tag[..10]);
    let push = tree.push("origin", "v2");
    assert!(push.stderr.contains(&place), "{push:?}");
    assert_eq!(scene.references().len(), 5);
    assert_eq!(
        server.count("audit_events", "event = 'repository_push_refused'"),
        2
    );
    // The same for a branch that a request makes, and such a branch can always be deleted.
    let api = server.with_token(&scene.developer.value);
    let path = format!("{}/repository/branches", scene.project().path());
    let asked = json!({ "branch": format!("use-{}", secret.value), "ref": "main" });
    let answer = api.post(&path, asked.clone()).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.text().contains("[token]"), "{}", answer.text());
    assert!(!answer.text().contains(&secret.value));
    server.set("refuse_pushed_tokens", "false");
    api.post(&path, asked).await.expect(201);
    server.set("refuse_pushed_tokens", "true");
    tree.push("origin", &format!(":{name}")).succeeded();
}

async fn a_token_that_a_merge_brings_is_told_with_the_merge(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let secret = scene.company.acme.token("secret").create();
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    tree.commit_file("mine.txt", "mine\n");
    tree.done(["merge", "--quiet", "--no-commit", "--no-ff", "origin/work"]);
    std::fs::write(tree.path.join("evil.txt"), &secret.value).unwrap();
    std::fs::write(tree.path.join(&secret.value), "x").unwrap();
    tree.done(["add", "."]);
    tree.done(["commit", "--quiet", "-m", "Merge"]);
    let merge = tree.head();
    tree.commit_file("later.txt", "later\n");
    let push = tree.push("origin", "HEAD:merged");
    let place = format!("commit {}, file evil.txt, line 1", &merge[..10]);
    is_told(&push, &secret, &place);
    let place = format!("commit {}, the name [token]", &merge[..10]);
    is_told(&push, &secret, &place);
    assert_eq!(scene.branch("merged"), None);
}

/// Whoever knows the id of an object could fetch it.
async fn what_no_reference_leads_to_is_looked_through_as_well(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let secret = scene.company.acme.token("secret").create();
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    let commit = tree.commit_file("fine.txt", "fine\n");
    let hidden = tree.feed(["hash-object", "-w", "--stdin"], secret.value.as_bytes());
    let hidden = hidden.succeeded().stdout.trim().to_owned();
    let objects = tree.done(["rev-list", "--objects", &commit, "--not", &scene.main]);
    let ids = objects.lines().map(|line| line.split(' ').next().unwrap());
    let wanted: String = ids
        .chain([hidden.as_str()])
        .map(|id| format!("{id}\n"))
        .collect();
    let to_file = "alias.into-file=!git pack-objects --stdout --quiet >some.pack";
    tree.feed(["-c", to_file, "into-file"], wanted.as_bytes())
        .succeeded();
    let line = format!(
        "{} {commit} refs/heads/hiding\0report-status side-band-64k",
        "0".repeat(40)
    );
    let mut body = format!("{:04x}{line}0000", line.len() + 4).into_bytes();
    body.extend(std::fs::read(tree.path.join("some.pack")).unwrap());
    let login = Some(("x", scene.developer.value.as_str()));
    let post = request(
        &server,
        Method::POST,
        &format!("/acme/p1.git/{PUSH}"),
        login,
    )
    .header("content-type", "application/x-git-receive-pack-request")
    .body(body);
    let answer = Answer::to(post).await.expect(200);
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let place = format!("object {}, which no branch or tag leads to", &hidden[..10]);
    assert!(text.contains(&place), "{text}");
    assert_eq!(scene.branch("hiding"), None);
    let repository = server.repository(scene.project());
    let look = format!("--git-dir={}", repository.display());
    let found = tree.run([look.as_str(), "cat-file", "-e", &hidden]);
    assert_ne!(found.status, Some(0), "nothing of it stays");
}
