//! Pushes that work, and what they leave behind in the product.

use chrono::TimeDelta;
use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::{Value, json};

use super::Scene;
use crate::on_both;
use crate::support::{TestResource, TestServer, TestToken};

on_both![
    a_push_is_activity_of_the_project,
    a_push_and_a_clone_are_uses_of_the_token,
    the_trail_tells_who_pushed_what,
    what_changes_nothing_leaves_no_trace,
    a_repository_stays_with_its_project_wherever_that_goes,
    a_new_project_under_an_old_name_is_empty,
    of_two_pushes_to_one_branch_one_wins_and_none_is_lost,
];

async fn last_activity(scene: &Scene) -> Value {
    let alice = scene.company.alice.api();
    let project = alice.get(&scene.project().path()).await.expect(200).json();
    project["last_activity_at"].clone()
}

async fn a_push_is_activity_of_the_project(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let before = last_activity(&scene).await;
    server.clock.advance(TimeDelta::hours(3));
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    tree.done(["fetch"]);
    assert_eq!(last_activity(&scene).await, before, "reading is none");
    tree.commit_file("one.txt", "1\n");
    tree.push("origin", "HEAD:main")
        .refused_with("(protected branch)");
    assert_eq!(last_activity(&scene).await, before, "nothing was pushed");
    tree.push("origin", "HEAD:feature").succeeded();
    let after = last_activity(&scene).await;
    let after: chrono::DateTime<chrono::Utc> = after.as_str().unwrap().parse().unwrap();
    assert_eq!(after, server.now());
}

async fn last_use(scene: &Scene, token: &TestToken) -> Value {
    scene.project().server().rest().await;
    let path = format!("{}/access_tokens/{}", scene.company.acme.path(), token.id);
    let alice = scene.company.alice.api();
    alice.get(&path).await.expect(200).json()["last_used_at"].clone()
}

async fn a_push_and_a_clone_are_uses_of_the_token(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let token = |scope| {
        let role = AccessLevel::Developer;
        let token = scene.company.acme.token("ci").role(role);
        token.scopes([scope]).create()
    };
    let (pulls, pushes, neither) = (
        token(Scope::ReadRepository),
        token(Scope::WriteRepository),
        token(Scope::ReadRegistry),
    );
    server.clock.advance(TimeDelta::hours(1));
    for token in [&pulls, &pushes, &neither] {
        assert_eq!(last_use(&scene, token).await, Value::Null);
    }
    let tree = scene.git.clone(&scene.project().url_for(&pulls), "clone");
    tree.commit_file("one.txt", "1\n");
    tree.push(&scene.project().url_for(&pushes), "HEAD:feature")
        .succeeded();
    scene
        .git
        .run(["clone", &scene.project().url_for(&neither), "neither"])
        .refused();
    for (token, name) in [(&pulls, "clone"), (&pushes, "push")] {
        let moment = last_use(&scene, token).await;
        let moment: chrono::DateTime<chrono::Utc> = moment.as_str().expect(name).parse().unwrap();
        assert_eq!(moment, server.now(), "{name}");
    }
    assert_eq!(last_use(&scene, &neither).await, Value::Null);
}

async fn the_trail_tells_who_pushed_what(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let zero = "0".repeat(40);
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    let commit = tree.commit_file("one.txt", "1\n");
    tree.done(["tag", "v2"]);
    tree.run(["push", "origin", "HEAD:work", "v2", "HEAD:feature"])
        .refused_with("non-fast-forward");
    let first = server.events("repository_pushed");
    let told: Value = serde_json::from_str(&first[0].details).unwrap();
    assert_eq!(told["refs_in_all"], 2, "{told}");
    tree.run(["push", "origin", "+HEAD:work", ":feature"])
        .succeeded();
    let events = server.events("repository_pushed");
    assert_eq!(events.len(), first.len() + 1);
    let event = &events[0];
    assert_eq!(event.target_id, Some(scene.project().id));
    assert_eq!(
        (event.actor_kind.as_str(), event.actor_id),
        ("bot", Some(scene.developer.user_id))
    );
    assert_eq!(event.created_at, server.now());
    assert!(event.user_agent.starts_with("git/"), "{}", event.user_agent);
    let mut told: Value = serde_json::from_str(&event.details).unwrap();
    let mut refs = told["refs"].take().as_array().unwrap().clone();
    refs.sort_by_key(|name| name["name"].to_string());
    assert_eq!(
        refs,
        [
            json!({ "name": "refs/heads/feature", "from": commit, "to": zero }),
            json!({ "name": "refs/heads/work", "from": scene.work, "to": commit }),
        ]
    );
    assert_eq!(told["refs_in_all"], 2);
}

async fn what_changes_nothing_leaves_no_trace(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let events = || server.count("audit_events", "event LIKE 'repository%'");
    let before = events();
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    let up_to_date = tree.push("origin", "HEAD:refs/heads/main").succeeded();
    assert!(up_to_date.stderr.contains("up-to-date"), "{up_to_date:?}");
    tree.run(["push", "--dry-run", "origin", "HEAD:dry"])
        .succeeded();
    tree.commit_file("one.txt", "1\n");
    tree.push("origin", "HEAD:main").refused();
    assert_eq!(events(), before);
    assert_eq!(scene.branch("dry"), None);
}

async fn a_repository_stays_with_its_project_wherever_that_goes(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let alice = scene.company.alice.api();
    let project = scene.project().path();
    let clone = |path: &str, name: &str| {
        let url = crate::support::git::git_url(&server.url, path, "x", &scene.maintainer.value);
        scene.git.clone(&url, name).head()
    };
    let renamed = json!({ "path": "renamed" });
    alice.put(&project, renamed).await.expect(200);
    assert_eq!(clone("acme/renamed", "renamed"), scene.main);
    scene.git.run(["ls-remote", &scene.url()]).refused();
    let moved = json!({ "namespace": "acme/sub" });
    alice
        .put(&format!("{project}/transfer"), moved)
        .await
        .expect(200);
    assert_eq!(clone("acme/sub/renamed", "moved"), scene.main);
    let group = json!({ "path": "below" });
    alice
        .put(&scene.company.sub.path(), group)
        .await
        .expect(200);
    assert_eq!(clone("acme/below/renamed", "below"), scene.main);
    // Who comes to its old address next begins with nothing.
    let new = scene.company.acme.project("p1").create();
    assert!(
        scene
            .git
            .ls_remote(&new.url_for(&scene.maintainer))
            .is_empty()
    );
    let tree = scene.git.init("new");
    let commit = tree.commit_file("new.txt", "new\n");
    tree.push(&new.url_for(&scene.maintainer), "HEAD:main")
        .succeeded();
    assert_eq!(clone("acme/p1", "new-clone"), commit);
    assert_eq!(clone("acme/below/renamed", "old-clone"), scene.main);
}

async fn a_new_project_under_an_old_name_is_empty(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let folder = server.repository(scene.project());
    assert!(folder.is_dir());
    let alice = scene.company.alice.api();
    let path = scene.project().path();
    alice.delete(&path).await.expect(202);
    scene
        .git
        .run(["ls-remote", &scene.url()])
        .refused_with("not found");
    latchkey::git::removal::sweep(&server.app).await.unwrap();
    assert!(!folder.exists(), "what was deleted is gone from the disk");
    let body = json!({ "name": "p1", "namespace_id": scene.company.acme.id });
    alice.post("/projects", body).await.expect(201);
    assert!(scene.references().is_empty());
    let tree = scene.git.init("again");
    let commit = tree.commit_file("again.txt", "again\n");
    tree.push(&scene.url(), "HEAD:main").succeeded();
    assert_eq!(scene.references().len(), 2);
    assert_eq!(scene.branch("main"), Some(commit));
}

async fn of_two_pushes_to_one_branch_one_wins_and_none_is_lost(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let url = scene.developers_url();
    let trees: Vec<_> = (0..3)
        .map(|number| {
            scene
                .git
                .clone_with(&url, &format!("clone{number}"), &["--branch=work"])
        })
        .collect();
    // A push that comes too late is told of as well, and so is that nothing came of it.
    let events = || {
        let number = |name: &str| server.count("audit_events", &format!("event = '{name}'"));
        number("repository_pushed") - number("repository_push_rejected")
    };
    for round in 0..2 {
        let before = events();
        let mut commits: Vec<String> = Vec::new();
        for (number, tree) in trees.iter().enumerate() {
            tree.done(["fetch", "--quiet"]);
            tree.done(["reset", "--quiet", "--hard", "origin/work"]);
            commits.push(tree.commit_file(&format!("{round}-{number}.txt"), "mine\n"));
        }
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let pushes: Vec<_> = trees
                .iter()
                .map(|tree| scope.spawn(|| tree.push("origin", "HEAD:work")))
                .collect();
            pushes
                .into_iter()
                .map(|push| push.join().unwrap())
                .collect()
        });
        let won: Vec<usize> = (0..trees.len())
            .filter(|number| outcomes[*number].status == Some(0))
            .collect();
        assert_eq!(won.len(), 1, "{outcomes:?}");
        assert_eq!(scene.branch("work").as_ref(), Some(&commits[won[0]]));
        assert_eq!(events(), before + 1, "{outcomes:?}");
        // Those who lost are told, and come after.
        for (number, tree) in trees.iter().enumerate() {
            if number == won[0] {
                continue;
            }
            tree.done(["pull", "--quiet", "--rebase", "origin", "work"]);
            tree.push("origin", "HEAD:work").succeeded();
        }
    }
    let whole = scene.git.clone_with(&url, "whole", &["--branch=work"]);
    for round in 0..2 {
        for number in 0..trees.len() {
            assert!(whole.read(&format!("{round}-{number}.txt")).is_some());
        }
    }
    whole.done(["fsck", "--strict"]);
}
