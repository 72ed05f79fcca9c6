//! Clones and fetches, with the real program.

use std::fs;

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};

use super::Scene;
use crate::support::git::Outcome;
use crate::support::{Company, GitClient, TestResource, TestServer};
use crate::{on_both, on_sqlite};

on_both![a_fetch_brings_what_came_since];

on_sqlite![
    a_clone_brings_everything,
    both_versions_of_the_protocol_work,
    a_shallow_clone_deepens_until_it_is_whole,
    a_single_branch_comes_alone,
    a_partial_clone_gets_its_files_when_they_are_needed,
    a_long_request_comes_compressed,
    a_credential_helper_works_as_well,
    a_public_project_needs_no_credential,
    an_internal_project_takes_any_token,
    an_empty_project_is_cloned_empty,
    a_subgroups_project_is_cloned_with_its_whole_path,
];

async fn a_clone_brings_everything(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let tree = scene.git.clone(&scene.url(), "clone");
    assert_eq!(tree.head(), scene.main);
    assert_eq!(tree.done(["symbolic-ref", "HEAD"]), "refs/heads/main");
    assert_eq!(tree.commits(), 2);
    assert_eq!(tree.read("src/deep/file.txt").unwrap(), "text\n");
    assert_eq!(tree.done(["rev-parse", "origin/work"]), scene.work);
    assert_eq!(tree.done(["rev-parse", "v1^{commit}"]), scene.main);
    tree.done(["fsck", "--strict"]);
}

async fn a_fetch_brings_what_came_since(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let reads = scene.company.acme.token("reads");
    let reads = reads.role(AccessLevel::Reporter);
    let reads = reads.scopes([Scope::ReadRepository]).create();
    let early = scene.git.clone(&scene.project().url_for(&reads), "early");
    let late = scene.git.clone(&scene.url(), "late");
    let commit = late.commit_file("new.txt", "new\n");
    late.push("origin", "HEAD:main").succeeded();
    early.done(["fetch", "--quiet"]);
    assert_eq!(early.done(["rev-parse", "origin/main"]), commit);
    early.done(["pull", "--quiet", "--ff-only"]);
    assert_eq!(early.read("new.txt").unwrap(), "new\n");
    let again = early.run(["fetch"]).succeeded();
    assert_eq!(again.stderr, "", "nothing is left to be fetched");
}

async fn both_versions_of_the_protocol_work(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    for version in [0, 1, 2] {
        let git = GitClient::new().unwrap().speaking(version);
        let tree = git.clone(&scene.url(), "clone");
        assert_eq!(tree.head(), scene.main, "{version}");
        let branch = format!("version-{version}");
        let commit = tree.commit_file(&branch, "by this version\n");
        tree.push("origin", &format!("HEAD:{branch}")).succeeded();
        assert_eq!(scene.branch(&branch), Some(commit.clone()), "{version}");
        let other = git.clone_with(
            &scene.url(),
            "shallow",
            &["--depth=1", "--no-single-branch"],
        );
        assert_eq!(
            other.done(["rev-parse", &format!("origin/{branch}")]),
            commit
        );
        tree.done(["fetch", "--quiet", "--prune"]);
    }
}

async fn a_shallow_clone_deepens_until_it_is_whole(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let source = scene.git.init("long");
    source.commit_often("long", 12);
    source.push(&scene.url(), "long").succeeded();
    let options = ["--depth=2", "--branch=long"];
    for version in [0, 2] {
        let git = GitClient::new().unwrap().speaking(version);
        let tree = git.clone_with(&scene.url(), "shallow", &options);
        assert_eq!(tree.commits(), 2, "{version}");
        tree.done(["fetch", "--quiet", "--deepen=3"]);
        assert_eq!(tree.commits(), 5, "{version}");
        tree.done(["fetch", "--quiet", "--depth=4"]);
        assert_eq!(tree.commits(), 4, "{version}");
        tree.done(["fetch", "--quiet", "--unshallow"]);
        assert_eq!(tree.commits(), 12, "{version}");
        tree.done(["fsck", "--strict"]);
    }
    // What was cloned in part can be pushed from.
    let tree = scene.git.clone_with(&scene.url(), "part", &options);
    let commit = tree.commit_file("more.txt", "more\n");
    tree.push("origin", "HEAD:long").succeeded();
    assert_eq!(scene.branch("long"), Some(commit));
}

async fn a_single_branch_comes_alone(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let options = ["--single-branch", "--branch=work", "--no-tags"];
    let tree = scene.git.clone_with(&scene.url(), "single", &options);
    assert_eq!(tree.head(), scene.work);
    let known = tree.done(["for-each-ref", "--format=%(refname)"]);
    let mut known: Vec<&str> = known.lines().collect();
    known.sort_unstable();
    assert!(
        known.iter().all(|name| name.ends_with("/work")),
        "{known:?}"
    );
    let tag = ["--depth=1", "--branch=v1"];
    let tree = scene.git.clone_with(&scene.url(), "tag", &tag);
    assert_eq!(tree.head(), scene.main);
}

async fn a_partial_clone_gets_its_files_when_they_are_needed(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let options = ["--filter=blob:none", "--no-checkout"];
    for version in [0, 2] {
        let git = GitClient::new().unwrap().speaking(version);
        let tree = git.clone_with(&scene.url(), "partial", &options);
        let missing = || {
            let list = tree.done(["rev-list", "--objects", "--missing=print", "HEAD"]);
            list.lines().filter(|line| line.starts_with('?')).count()
        };
        assert_eq!(missing(), 2, "{version}: both files");
        tree.done(["checkout", "--quiet", "main"]);
        assert_eq!(missing(), 0, "{version}");
        assert_eq!(tree.read("README.md").unwrap(), "# P1\n");
    }
}

async fn a_long_request_comes_compressed(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    for version in [0, 2] {
        let git = GitClient::new().unwrap().speaking(version);
        let tree = git.clone(&scene.url(), "clone");
        // So much that the server doesn't have has to be told of at length.
        tree.commit_often("own", 200);
        let other = git.clone(&scene.url(), "other");
        let commit = other.commit_file(&format!("{version}.txt"), "theirs\n");
        other.push("origin", "HEAD:main").succeeded();
        let mut fetch = git.command(&tree.path, ["fetch", "origin", "main"]);
        fetch.env("GIT_TRACE_CURL", "1");
        let traced = Outcome::of("fetch".into(), &mut fetch, &[]).succeeded();
        let compressed = traced.stderr.to_ascii_lowercase();
        assert!(
            compressed.contains("content-encoding: gzip"),
            "{version}: {traced:?}"
        );
        assert_eq!(tree.done(["rev-parse", "FETCH_HEAD"]), commit);
    }
}

async fn a_credential_helper_works_as_well(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let url = scene.project().url_for_nobody();
    let helper = |value: &str| {
        format!("credential.helper=!f() {{ echo username=ci; echo password={value}; }}; f")
    };
    let good = helper(&scene.maintainer.value);
    scene
        .git
        .run(["-c", &good, "clone", "--quiet", &url, "helped"])
        .succeeded();
    let git = &scene.git;
    let tree = git.folder().join("helped");
    fs::write(tree.join("helped.txt"), "helped\n").unwrap();
    git.run_in(&tree, ["add", "."]).succeeded();
    git.run_in(&tree, ["commit", "--quiet", "-m", "With help"])
        .succeeded();
    git.run_in(
        &tree,
        ["-c", &good, "push", "--quiet", "origin", "HEAD:helped"],
    )
    .succeeded();
    assert!(scene.branch("helped").is_some());
    // The address that was cloned from holds no secret.
    let config = fs::read_to_string(tree.join(".git/config")).unwrap();
    assert!(!config.contains(&scene.maintainer.value));
    let wrong = helper("glpat-wrong");
    git.run(["-c", &wrong, "clone", &url, "wrong"])
        .refused_with("Authentication failed");
}

async fn a_public_project_needs_no_credential(server: TestServer) {
    let Some(git) = GitClient::new() else {
        return;
    };
    let group = server.group("open").public().create();
    let code = group.project("code").create();
    let token = group.token("ci").create();
    let tree = git.init("code");
    let commit = tree.commit_file("a.txt", "a\n");
    tree.push(&code.url_for(&token), "HEAD:main").succeeded();
    let url = code.url_for_nobody();
    let clone = git.clone(&url, "clone");
    assert_eq!(clone.head(), commit);
    clone.commit_file("b.txt", "b\n");
    clone
        .push("origin", "HEAD:more")
        .refused_with("could not read Username");
    assert_eq!(git.ls_remote(&url).len(), 2, "HEAD and main");
}

async fn an_internal_project_takes_any_token(server: TestServer) {
    let Some(git) = GitClient::new() else {
        return;
    };
    let company = Company::on(&server);
    let group = server.group("inner").internal().create();
    let code = group.project("code").create();
    let token = group.token("ci").create();
    let tree = git.init("code");
    let commit = tree.commit_file("a.txt", "a\n");
    tree.push(&code.url_for(&token), "HEAD:main").succeeded();
    let stranger = company.other.token("ci");
    let stranger = stranger.role(AccessLevel::Guest);
    let stranger = stranger.scopes([Scope::ReadRepository]).create();
    let clone = git.clone(&code.url_for(&stranger), "clone");
    assert_eq!(clone.head(), commit);
    let outside = company.xenia.personal_token([Scope::Api]);
    git.run(["clone", &code.url_for(&outside), "outside"])
        .refused_with("not found");
    git.run(["clone", &code.url_for_nobody(), "nobody"])
        .refused_with("could not read Username");
}

async fn an_empty_project_is_cloned_empty(server: TestServer) {
    let Some(git) = GitClient::new() else {
        return;
    };
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let url = company.p1.url_for(&token);
    assert!(git.ls_remote(&url).is_empty());
    git.run(["-c", "init.defaultBranch=elsewhere", "clone", &url, "empty"])
        .succeeded();
    let tree = git.folder().join("empty");
    let head = git.run_in(&tree, ["symbolic-ref", "HEAD"]).succeeded();
    assert_eq!(head.stdout, "refs/heads/main\n");
    let v0 = GitClient::new().unwrap().speaking(0);
    v0.run(["clone", &url, "empty"]).succeeded();
}

async fn a_subgroups_project_is_cloned_with_its_whole_path(server: TestServer) {
    let Some(git) = GitClient::new() else {
        return;
    };
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let tree = git.init("p3");
    let commit = tree.commit_file("a.txt", "a\n");
    tree.push(&company.p3.url_for(&token), "HEAD:main")
        .succeeded();
    let clone = git.clone(&company.p3.url_for(&token), "clone");
    assert_eq!(clone.head(), commit);
    // Under its own name alone it isn't there.
    let short = format!("{}/p3.git", server.url);
    git.run(["ls-remote", &short]).refused();
}
