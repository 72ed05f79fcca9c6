//! Where code lies, for how long, and what the page of a project says about it.

use latchkey::error::Error;
use latchkey::git::{removal, repository};
use latchkey::members::AccessLevel;
use latchkey::projects::store;

use super::Scene;
use crate::on_both;
use crate::support::{TestResource, TestServer};

on_both![
    the_code_of_a_project_goes_with_it,
    however_a_project_goes_its_code_goes_too,
    what_was_begun_and_never_finished_is_swept_out_when_it_is_old,
    what_a_killed_server_left_in_a_repository_is_swept_out_when_no_run_can_need_it,
    who_waited_while_a_project_went_makes_nothing_anew,
    the_page_of_a_project_tells_how_to_clone_and_push,
];

async fn the_code_of_a_project_goes_with_it(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let folder = server.repository(scene.project());
    assert!(folder.join("HEAD").exists());
    let alice = scene.company.alice.api();
    alice.delete(&scene.project().path()).await.expect(202);
    assert!(folder.exists(), "not before the change is committed");
    assert_eq!(removal::sweep(&server.app).await.unwrap(), 1);
    assert!(!folder.exists());
    assert_eq!(server.count("removed_repositories", "TRUE"), 0);
    // Nothing is left to do, however often it is tried.
    assert_eq!(removal::sweep(&server.app).await.unwrap(), 0);
}

async fn however_a_project_goes_its_code_goes_too(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let folder = server.repository(scene.project());
    // With the top-level group that it is in; and a project of which nobody ever used the code goes as well.
    scene.company.acme.project("unused").create();
    let alice = scene.company.alice.api();
    alice.delete(&scene.company.acme.path()).await.expect(202);
    assert!(removal::sweep(&server.app).await.unwrap() >= 2);
    assert!(!folder.exists());
}

async fn what_was_begun_and_never_finished_is_swept_out_when_it_is_old(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let kept = server.repository(scene.project());
    let root = server.app.repositories.root().to_owned();
    let spread = kept.parent().unwrap().to_owned();
    let (gate, draft, young) = (
        root.join(".push-abc"),
        spread.join(".new-abc"),
        spread.join(".new-def"),
    );
    for folder in [&gate, &draft, &young] {
        std::fs::create_dir(folder).unwrap();
    }
    for folder in [&kept, &gate, &draft] {
        let two_days_ago = server.now() - chrono::TimeDelta::days(2);
        let folder = std::fs::File::open(folder).unwrap();
        folder.set_modified(two_days_ago.into()).unwrap();
    }
    removal::sweep_drafts(&server.app).await.unwrap();
    assert!(!gate.exists() && !draft.exists());
    assert!(kept.join("HEAD").exists() && young.exists());
}

async fn what_a_killed_server_left_in_a_repository_is_swept_out_when_no_run_can_need_it(
    server: TestServer,
) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let repository = server.repository(scene.project());
    let left = [
        "objects/tmp_objdir-incoming-a1",
        "objects/pack/tmp_pack_a1",
        "packed-refs.lock",
        "HEAD.lock",
        "refs/heads/main.lock",
        "refs/heads/deep/er.lock",
    ];
    let leave = |ago: chrono::TimeDelta| {
        for path in left.map(|path| repository.join(path)) {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            if path.to_str().unwrap().contains("incoming") {
                std::fs::create_dir_all(path.join("pack")).unwrap();
                std::fs::write(path.join("pack/tmp_pack_a2"), "PACK").unwrap();
            } else {
                std::fs::write(&path, "").unwrap();
            }
            let file = std::fs::File::open(&path).unwrap();
            file.set_modified((server.now() - ago).into()).unwrap();
        }
    };
    let stays = || left.map(|path| repository.join(path).exists());
    // The longest run takes an hour.
    leave(chrono::TimeDelta::minutes(110));
    removal::sweep_leftovers(&server.app).await.unwrap();
    assert_eq!(stays(), [true; 6]);
    let tree = scene.git.clone(&scene.url(), "clone");
    tree.commit_file("more.txt", "more\n");
    tree.push("origin", "HEAD:main").refused();
    leave(chrono::TimeDelta::minutes(121));
    removal::sweep_leftovers(&server.app).await.unwrap();
    assert_eq!(stays(), [false; 6]);
    tree.push("origin", "HEAD:main").succeeded();
    assert!(repository.join("HEAD").exists());
}

async fn who_waited_while_a_project_went_makes_nothing_anew(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let folder = server.repository(scene.project());
    let id = scene.project().id;
    let found = server
        .arrange(move |conn, _| store::find(conn, id))
        .unwrap();
    let alice = scene.company.alice.api();
    alice.delete(&scene.project().path()).await.expect(202);
    removal::sweep(&server.app).await.unwrap();
    let opened = repository::open(&server.app, &found).await;
    assert!(matches!(opened, Err(Error::NotFound(_))), "{opened:?}");
    assert!(!folder.exists());
}

async fn the_page_of_a_project_tells_how_to_clone_and_push(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let empty = scene.company.acme.project("empty").create();
    let url = format!("{}/{}.git", server.url, empty.full_path);
    let address = format!("/{}", empty.full_path);
    let alice = scene.company.alice.signs_in().await;
    let page = alice.open(&address).await;
    assert!(page.says(&url), "{}", page.main());
    assert!(page.says(&format!("git remote add origin {url}")));
    assert!(page.says("git push --set-upstream origin main"));

    // Who may not push is not told how, and who may not read the code not even where it is.
    let (reporter, guest) = (
        server.person("rita").create(),
        server.person("gus").create(),
    );
    scene.company.acme.member(&reporter, AccessLevel::Reporter);
    scene.company.acme.member(&guest, AccessLevel::Guest);
    let page = reporter.signs_in().await.open(&address).await;
    assert!(page.says(&url) && !page.says("git remote add"));
    let page = guest.signs_in().await.open(&address).await;
    assert!(!page.says(&url) && !page.says("git remote add"));

    // With code in it nobody needs to be told how to begin.
    let page = alice.open(&format!("/{}", scene.project().full_path)).await;
    assert!(page.says(".git") && !page.says("git remote add"));
}
