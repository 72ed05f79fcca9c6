//! Where code lies, for how long, and what the page of a project says about it.

use latchkey::git::removal;
use latchkey::members::AccessLevel;

use super::Scene;
use crate::on_both;
use crate::support::{TestResource, TestServer};

on_both![
    the_code_of_a_project_goes_with_it,
    however_a_project_goes_its_code_goes_too,
    what_was_begun_and_never_finished_is_swept_out_when_it_is_old,
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
