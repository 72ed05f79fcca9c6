//! How a project is named in an address.

use serde_json::json;

use super::project_missing;
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    a_full_path_in_one_segment_names_a_project,
    dots_and_digits_belong_to_the_path,
    what_names_no_project_is_missing,
];

async fn a_full_path_in_one_segment_names_a_project(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).private().create();
    let project = acme.subgroup("platform").create().project("api").create();
    let api = alice.api();
    for path in [
        "acme%2Fplatform%2Fapi",
        "acme%2fplatform%2fapi",
        "ACME%2FPlatform%2FApi",
        "%61cme%2Fplatform%2Fapi",
    ] {
        for below in ["", "/members", "/members/all", "/access_tokens"] {
            let answer = api.get(&format!("/projects/{path}{below}")).await;
            let by_id = api.get(&format!("{}{below}", project.path())).await;
            assert_eq!(answer.expect(200).json(), by_id.json(), "{path}{below}");
        }
    }
    let changed = api
        .put(
            "/projects/acme%2Fplatform%2Fapi",
            json!({ "description": "x" }),
        )
        .await
        .expect(200);
    assert_eq!(changed.json()["id"], project.id);
}

async fn dots_and_digits_belong_to_the_path(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    for name in ["site.io", "v1.2.3", "data.json", "123", "0", "a.b-c_d"] {
        let project = c.acme.project(name).create();
        let shown = alice.get(&format!("/projects/acme%2F{name}")).await;
        assert_eq!(shown.expect(200).json()["id"], project.id, "{name}");
        let members = format!("/projects/acme%2F{name}/members");
        alice.get(&members).await.expect(200);
    }
    // Digits alone are an id, whatever projects are called.
    let named_like_an_id = c.acme.project(&c.p1.id.to_string()).create();
    let shown = alice.get(&format!("/projects/{}", c.p1.id)).await;
    assert_eq!(shown.expect(200).json()["path_with_namespace"], "acme/p1");
    let path = format!("/projects/acme%2F{}", c.p1.id);
    let shown = alice.get(&path).await.expect(200);
    assert_eq!(shown.json()["id"], named_like_an_id.id);
    // The same for groups.
    let group = server.group("2026").owner(&c.alice).create();
    alice.get("/groups/2026").await.expect(404);
    let inside = group.subgroup("11").create();
    let shown = alice.get("/groups/2026%2F11").await.expect(200).json();
    assert_eq!(shown["id"], inside.id);
}

async fn what_names_no_project_is_missing(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    for name in [
        "p1",
        "acme",
        "acme%2Fp2",
        "acme%2Fsub",
        "acme%252Fp1",
        "acme%2Fp1.git",
        "acme%2Fp1%2F",
        "%2Facme%2Fp1",
        "acme%2F%2Fp1",
        "acme%5Cp1",
        "acme%2F..%2Fother%2Fp9",
        "acme%2Fp1%20",
        "other%2Fp9",
        "0",
        "99999999",
        "99999999999999999999999",
        "-1",
        "1e0",
        "%EF%BC%91",
    ] {
        let path = format!("/projects/{name}");
        let answer = alice.get(&path).await;
        assert_eq!(answer.outcome(), project_missing(), "{name}");
        let answer = alice.delete(&path).await;
        assert_eq!(answer.outcome(), project_missing(), "{name}");
    }
    assert_eq!(server.count("projects", ""), 4);
}
