//! Repositories lie in a folder that all nodes share: what is pushed through one is there for all.

use super::three;
use crate::on_postgres;
use crate::support::{Company, GitClient, TestResource, TestServer};

on_postgres![
    what_is_pushed_through_one_node_is_fetched_through_the_others,
    of_two_pushes_through_two_nodes_to_one_branch_one_is_told_that_it_came_late,
];

async fn what_is_pushed_through_one_node_is_fetched_through_the_others(server: TestServer) {
    let Some(git) = GitClient::new() else {
        return;
    };
    let nodes = three(&server);
    let company = Company::on(&server);
    let token = company.acme.token("deploy").create();
    let url = |node: &TestServer| node.git_url(&company.p1, "x", &token.value);
    let tree = git.init("work");
    for round in 0..6 {
        let commit = tree.commit_file(&format!("{round}.txt"), "text\n");
        tree.push(&url(&nodes[round % 3]), "HEAD:main").succeeded();
        for node in &nodes {
            let refs = git.ls_remote(&url(node));
            assert!(
                refs.iter().any(|line| line.starts_with(&commit)),
                "{refs:?}"
            );
        }
    }
    let copy = git.clone(&url(&nodes[1]), "copy");
    assert_eq!(copy.commits(), 6);
    let browser = company.alice.signs_in().await;
    let browser = browser.at(&nodes[2]);
    let overview = format!("/{}", company.p1.full_path);
    assert!(browser.open(&overview).await.says("5.txt"));
}

async fn of_two_pushes_through_two_nodes_to_one_branch_one_is_told_that_it_came_late(
    server: TestServer,
) {
    let Some(git) = GitClient::new() else {
        return;
    };
    let [a, b, _] = three(&server);
    let company = Company::on(&server);
    let token = company.acme.token("deploy").create();
    let url = |node: &TestServer| node.git_url(&company.p1, "x", &token.value);
    let first = git.init("first");
    first.commit_file("start.txt", "text\n");
    first.push(&url(&a), "HEAD:main").succeeded();
    let one = git.clone(&url(&a), "one");
    let other = git.clone(&url(&b), "other");
    for round in 0..5 {
        one.commit_file(&format!("one{round}.txt"), "one\n");
        other.commit_file(&format!("other{round}.txt"), "other\n");
        let (pushed, beside) = std::thread::scope(|scope| {
            let beside = scope.spawn(|| other.push(&url(&b), "HEAD:main"));
            (one.push(&url(&a), "HEAD:main"), beside.join().unwrap())
        });
        let won = [pushed.status, beside.status].map(|status| status == Some(0));
        assert_ne!(won[0], won[1], "{pushed:?} {beside:?}");
        // Nobody's commit is lost: whoever came late goes on from what is there.
        for (tree, node) in [(&one, &a), (&other, &b)] {
            tree.done(["pull", "--quiet", "--rebase", &url(node), "main"]);
            tree.push(&url(node), "HEAD:main").succeeded();
        }
        one.done(["pull", "--quiet", "--rebase", &url(&b), "main"]);
        assert_eq!(one.commits(), 3 + round * 2);
    }
}
