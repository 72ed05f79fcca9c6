//! The default branch: only Maintainers push to it, nobody forces or deletes it; and what else no push may touch.

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};

use super::Scene;
use crate::support::{Company, GitClient, TestResource, TestServer};
use crate::{on_both, on_sqlite};

on_both![
    the_first_push_to_the_default_branch_takes_a_maintainer,
    nobody_forces_the_default_branch,
];

on_sqlite![
    a_developer_pushes_to_every_branch_but_the_default_one,
    nobody_deletes_the_default_branch,
    all_or_nothing_where_that_is_asked_for,
    the_default_branch_is_the_one_that_the_project_names,
    what_isnt_a_branch_or_a_tag_is_the_servers_own,
    an_old_client_is_told_as_well,
];

async fn the_first_push_to_the_default_branch_takes_a_maintainer(server: TestServer) {
    let Some(git) = GitClient::new() else {
        return;
    };
    let company = Company::on(&server);
    let token = |level| company.acme.token("ci").role(level).create();
    let (developer, maintainer) = (
        company.p1.url_for(&token(AccessLevel::Developer)),
        company.p1.url_for(&token(AccessLevel::Maintainer)),
    );
    let tree = git.init("first");
    let commit = tree.commit_file("README.md", "# P1\n");
    tree.push(&developer, "HEAD:main")
        .refused_with("(protected branch)");
    assert!(git.ls_remote(&maintainer).is_empty());
    tree.push(&maintainer, "HEAD:main").succeeded();
    let expected = [
        format!("{commit}\tHEAD"),
        format!("{commit}\trefs/heads/main"),
    ];
    assert_eq!(git.ls_remote(&developer), expected);
}

async fn a_developer_pushes_to_every_branch_but_the_default_one(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let url = scene.developers_url();
    let tree = scene.git.clone(&url, "clone");
    let one = tree.commit_file("one.txt", "1\n");
    scene.nothing_comes_of(
        "! [remote rejected] HEAD -> main (protected branch)",
        || tree.push("origin", "HEAD:main"),
    );
    for branch in ["feature", "mains", "Main", "deep/er/main"] {
        tree.push("origin", &format!("HEAD:refs/heads/{branch}"))
            .succeeded();
        assert_eq!(scene.branch(branch), Some(one.clone()), "{branch}");
    }
    let two = tree.commit_file("two.txt", "2\n");
    tree.push("origin", "HEAD:feature").succeeded();
    assert_eq!(scene.branch("feature"), Some(two));
    // A history of one's own may be written anew, and taken away.
    tree.done(["reset", "--quiet", "--hard", "HEAD~2"]);
    let three = tree.commit_file("three.txt", "3\n");
    tree.push("origin", "HEAD:feature")
        .refused_with("non-fast-forward");
    tree.push("origin", "+HEAD:feature").succeeded();
    assert_eq!(scene.branch("feature"), Some(three));
    tree.push("origin", ":feature").succeeded();
    assert_eq!(scene.branch("feature"), None);
    assert_eq!(scene.branch("main"), Some(scene.main.clone()));
    // A person of that role is no more than a bot.
    let carol = scene.company.carol.personal_token([Scope::WriteRepository]);
    let url = scene.project().url_for(&carol);
    scene.nothing_comes_of("(protected branch)", || tree.push(&url, "HEAD:main"));
}

async fn nobody_forces_the_default_branch(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let owner = scene.company.acme.token("owner").role(AccessLevel::Owner);
    let owner = scene.project().url_for(&owner.create());
    let tree = scene.git.clone(&owner, "clone");
    let ahead = tree.commit_file("ahead.txt", "fine\n");
    tree.push("origin", "HEAD:main").succeeded();
    assert_eq!(scene.branch("main"), Some(ahead));
    tree.done(["commit", "--quiet", "--amend", "-m", "Otherwise"]);
    for url in [&owner, &scene.url()] {
        scene.nothing_comes_of("non-fast-forward", || {
            tree.run(["push", "--force", url, "HEAD:main"])
        });
    }
    scene.nothing_comes_of("(protected branch)", || {
        tree.run(["push", "--force", &scene.developers_url(), "HEAD:main"])
    });
    let root = scene.company.root.personal_token([Scope::Api]);
    let root = scene.project().url_for(&root);
    scene.nothing_comes_of("non-fast-forward", || {
        tree.run(["push", "--force", &root, "HEAD:main"])
    });
}

async fn nobody_deletes_the_default_branch(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let owner = scene.company.acme.token("owner").role(AccessLevel::Owner);
    let owner = scene.project().url_for(&owner.create());
    let tree = scene.git.clone(&owner, "clone");
    for url in [&owner, &scene.url(), &scene.developers_url()] {
        scene.nothing_comes_of("! [remote rejected] main", || tree.push(url, ":main"));
        scene.nothing_comes_of("! [remote rejected] main", || {
            tree.run(["push", url, "--delete", "work", "main"])
        });
    }
    tree.push("origin", ":work").succeeded();
    assert_eq!(scene.branch("work"), None);
}

async fn all_or_nothing_where_that_is_asked_for(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let tree = scene.git.clone(&scene.developers_url(), "clone");
    tree.commit_file("one.txt", "1\n");
    let atomic = |url: &str| {
        tree.run([
            "push",
            "--atomic",
            url,
            "HEAD:new",
            "HEAD:main",
            "v1:refs/tags/v2",
        ])
    };
    scene.nothing_comes_of("(protected branch)", || atomic("origin"));
    // Also where Git itself is the one that refuses.
    tree.done(["commit", "--quiet", "--amend", "-m", "Otherwise"]);
    tree.done(["reset", "--quiet", "--hard", "HEAD~2"]);
    tree.commit_file("two.txt", "2\n");
    scene.nothing_comes_of("non-fast-forward", || {
        tree.run(["push", "--atomic", &scene.url(), "HEAD:new", "+HEAD:main"])
    });
    tree.run(["push", "--atomic", "origin", "HEAD:new", "HEAD:newer"])
        .succeeded();
    assert_eq!(scene.branch("new"), scene.branch("newer"));
    assert_eq!(scene.branch("main"), Some(scene.main.clone()));
}

async fn the_default_branch_is_the_one_that_the_project_names(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let id = scene.project().id;
    server.sql(&format!(
        "UPDATE projects SET default_branch = 'work' WHERE id = {id}"
    ));
    let tree = scene
        .git
        .clone_with(&scene.developers_url(), "clone", &["--branch=work"]);
    tree.commit_file("one.txt", "1\n");
    scene.nothing_comes_of("(protected branch)", || tree.push("origin", "HEAD:work"));
    tree.push("origin", "HEAD:main").succeeded();
}

async fn what_isnt_a_branch_or_a_tag_is_the_servers_own(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let tree = scene.git.clone(&scene.url(), "clone");
    tree.commit_file("one.txt", "1\n");
    for name in [
        "refs/keep-around/one",
        "refs/merge-requests/1/head",
        "refs/internal/one",
        "refs/replace/0123456789012345678901234567890123456789",
        "refs/pull/1/head",
    ] {
        scene.nothing_comes_of("[remote rejected]", || {
            tree.push("origin", &format!("HEAD:{name}"))
        });
    }
    for tag in ["lightweight", "annotated"] {
        let made = match tag {
            "annotated" => tree.run(["tag", "-a", tag, "-m", "A tag"]),
            _ => tree.run(["tag", tag]),
        };
        made.succeeded();
        tree.push(&scene.developers_url(), tag).succeeded();
    }
    let references = scene.references();
    for name in ["refs/tags/lightweight", "refs/tags/annotated^{}"] {
        let found = references.iter().any(|line| line.ends_with(name));
        assert!(found, "{name}: {references:?}");
    }
    tree.push(&scene.developers_url(), ":refs/tags/lightweight")
        .succeeded();
}

/// One that can neither show what a server tells beside the report nor is told in bands.
async fn an_old_client_is_told_as_well(server: TestServer) {
    use super::{PUSH, request};
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let before = scene.references();
    let zero = "0".repeat(40);
    let line = format!(
        "{zero} {} refs/heads/x\0report-status\n{} {} refs/heads/main",
        scene.main, scene.main, scene.work
    );
    let mut body = Vec::new();
    for line in line.split('\n') {
        body.extend(format!("{:04x}{line}", line.len() + 4).bytes());
    }
    body.extend(b"0000");
    let login = Some(("x", scene.developer.value.as_str()));
    let path = format!("/acme/p1.git/{PUSH}");
    let post = request(&server, reqwest::Method::POST, &path, login)
        .header("content-type", "application/x-git-receive-pack-request")
        .body(body);
    let report = crate::support::Answer::to(post).await.expect(200).text();
    assert!(report.starts_with("000eunpack ok\n"), "{report:?}");
    assert!(
        report.contains("ng refs/heads/main protected branch\n"),
        "{report:?}"
    );
    assert!(report.contains("ng refs/heads/x "), "{report:?}");
    assert!(report.ends_with("0000"), "{report:?}");
    assert_eq!(scene.references(), before);
}
