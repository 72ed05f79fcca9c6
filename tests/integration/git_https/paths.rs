//! Addresses that try to lead elsewhere.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{PULL, PUSH, Scene};
use crate::on_sqlite;
use crate::support::{Answer, TestResource, TestServer};

on_sqlite![
    no_address_leads_out_of_the_repository,
    no_service_is_anything_but_the_two,
];

/// What the server answers to a path as it stands, which no client of HTTP would send.
async fn raw(server: &TestServer, method: &str, path: &str, token: &str) -> Answer {
    let login = STANDARD.encode(format!("x:{token}"));
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {{host}}\r\nAuthorization: Basic {login}\r\n\
         Content-Type: application/x-git-upload-pack-request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    server.raw(&request).await
}

/// Refused, and nothing of what lies elsewhere is in the answer.
#[track_caller]
fn leads_nowhere(what: &str, answer: &Answer, secret: &str) {
    // What no program of Git asks for is a page, for which nobody is signed in.
    let page = answer.status == 302 && answer.location().starts_with("/users/sign_in");
    let refused = (400..500).contains(&answer.status);
    assert!(refused || page, "{what}: {}", answer.status);
    let text = String::from_utf8_lossy(&answer.body);
    for trace in [secret, "root:", "[core]", "uid="] {
        assert!(!text.contains(trace), "{what}: {text}");
    }
}

async fn no_address_leads_out_of_the_repository(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let oscar = scene.company.other.token("ci").create();
    let tree = scene.git.init("secret");
    let secret = tree.commit_file("secret.txt", "a secret of other\n");
    tree.push(&scene.company.p9.url_for(&oscar), "HEAD:main")
        .succeeded();
    let token = &scene.maintainer.value;
    let query = format!("info/refs?service={PULL}");
    let folder = server.repository(&scene.company.p9);
    let folder = folder.display();
    for path in [
        format!("/acme/p1.git/../../other/p9.git/{query}"),
        format!("/acme/p1.git/%2e%2e/%2e%2e/other/p9.git/{query}"),
        format!("/acme/p1.git/..%2f..%2fother%2fp9.git/{query}"),
        format!("/acme/p1.git%2f..%2f..%2fother%2fp9.git/{query}"),
        format!("/acme/..%2fother/p9.git/{query}"),
        format!("/acme/../other/p9.git/{query}"),
        format!("/acme/./../other/p9.git/{query}"),
        format!("/acme/p1%00/other/p9.git/{query}"),
        format!("/acme/p1%0a.git/{query}"),
        format!("/acme\\..\\other\\p9.git/{query}"),
        format!("/{folder}/{query}"),
        format!("/%2e%2e/%2e%2e/%2e%2e{folder}/{query}"),
        format!("//etc/passwd.git/{query}"),
        format!("/acme/p1.git.git/{query}"),
        format!("/--upload-pack=id/x.git/{query}"),
        format!("/acme/%ff%fe.git/{query}"),
        format!("/{}/p1.git/{query}", "a".repeat(2_000)),
        "/acme/p1.git/objects/../../../../etc/passwd".to_owned(),
        "/acme/p1.git/objects/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd".to_owned(),
        "/acme/p1.git/../../../../../../etc/passwd".to_owned(),
        "/acme/p1.git/config".to_owned(),
    ] {
        let answer = raw(&server, "GET", &path, token).await;
        leads_nowhere(&path, &answer, &secret);
    }
    for path in [
        format!("/acme/p1.git/../../other/p9.git/{PULL}"),
        format!("/acme/p1.git/%2e%2e/%2e%2e/other/p9.git/{PULL}"),
        format!("/acme/p1.git/..%2f..%2fother%2fp9.git/{PULL}"),
    ] {
        let answer = raw(&server, "POST", &path, token).await;
        leads_nowhere(&path, &answer, &secret);
    }
}

async fn no_service_is_anything_but_the_two(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    for service in [
        "git-upload-pack;id",
        "git-upload-pack%3Bid",
        "git-upload-pack%00",
        "git-upload-pack%0a",
        "../../bin/sh",
        "..%2f..%2fbin%2fsh",
        "upload-pack%00",
        "--help",
        "$(id)",
        "git-upload-pack%26service%3Dgit-receive-pack",
    ] {
        let path = format!("/acme/p1.git/info/refs?service={service}");
        let answer = raw(&server, "GET", &path, &scene.maintainer.value).await;
        leads_nowhere(&path, &answer, &scene.work);
        let path = format!("/acme/p1.git/{service}");
        let answer = raw(&server, "POST", &path, &scene.maintainer.value).await;
        leads_nowhere(&path, &answer, &scene.work);
    }
    let push = format!("/acme/p1.git/info/refs?service={PUSH}");
    let answer = raw(&server, "GET", &push, &scene.maintainer.value).await;
    assert_eq!(answer.status, 200);
}
