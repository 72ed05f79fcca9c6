//! The shape of requests and answers, as programs of Git rely on it.

use reqwest::Method;

use super::{PULL, PUSH, Scene, asked, posted, request};
use crate::on_sqlite;
use crate::support::{Answer, TestServer};

on_sqlite![
    the_first_answer_names_its_service_and_is_kept_by_nobody,
    version_2_is_answered_without_the_line_that_names_the_service,
    an_odd_protocol_header_is_as_if_it_hadnt_been_sent,
    the_second_answer_has_its_type_and_is_kept_by_nobody,
    a_body_of_another_type_is_refused,
    only_the_two_services_are_offered,
    large_files_beside_git_are_not_there_yet,
    the_address_without_git_leads_to_the_one_with_it,
    rubbish_is_the_senders_fault,
];

fn login(scene: &Scene) -> Option<(&'static str, &str)> {
    Some(("x", scene.maintainer.value.as_str()))
}

#[track_caller]
fn is_kept_by_nobody(answer: &Answer) {
    assert_eq!(
        answer.header("cache-control"),
        "no-cache, max-age=0, must-revalidate"
    );
    assert_eq!(answer.header("pragma"), "no-cache");
    let (_, expires) = answer.header("expires").split_once(", ").unwrap();
    let expires = chrono::NaiveDateTime::parse_from_str(expires, "%d %b %Y %H:%M:%S GMT");
    let long_ago = chrono::DateTime::from_timestamp(1_700_000_000, 0).unwrap();
    assert!(expires.unwrap().and_utc() < long_ago);
}

async fn the_first_answer_names_its_service_and_is_kept_by_nobody(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    for (service, line) in [
        (PULL, "001e# service=git-upload-pack\n0000"),
        (PUSH, "001f# service=git-receive-pack\n0000"),
    ] {
        let answer = asked(&server, "acme/p1", service, login(&scene)).await;
        let answer = answer.expect(200);
        assert_eq!(
            answer.header("content-type"),
            format!("application/x-{service}-advertisement")
        );
        is_kept_by_nobody(&answer);
        let text = String::from_utf8_lossy(&answer.body);
        assert!(text.starts_with(line), "{text}");
        assert!(
            text.contains(&format!("{} refs/heads/main", scene.main)),
            "{text}"
        );
        assert!(text.ends_with("0000"), "{text}");
    }
}

async fn version_2_is_answered_without_the_line_that_names_the_service(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let get = |service: &str| {
        let path = format!("/acme/p1.git/info/refs?service={service}");
        request(&server, Method::GET, &path, login(&scene)).header("git-protocol", "version=2")
    };
    let pull = Answer::to(get(PULL)).await.expect(200).text();
    assert!(pull.starts_with("000eversion 2\n"), "{pull}");
    assert!(pull.contains("fetch=") && pull.contains("filter"), "{pull}");
    let push = Answer::to(get(PUSH)).await.expect(200);
    assert!(
        push.body
            .starts_with(b"001f# service=git-receive-pack\n0000")
    );
}

async fn an_odd_protocol_header_is_as_if_it_hadnt_been_sent(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let long = format!("version=2:{}=1", "x".repeat(300));
    for header in [
        "",
        "2",
        "version=2;id",
        "version=2\tx",
        "$(id)",
        "version=2 ",
        "a=b=c$",
        long.as_str(),
    ] {
        let path = format!("/acme/p1.git/info/refs?service={PULL}");
        let get = request(&server, Method::GET, &path, login(&scene));
        let answer = Answer::to(get.header("git-protocol", header)).await;
        let text = answer.expect(200).body;
        // The blank at the end belongs to no header: HTTP itself takes it away.
        let plain = text.starts_with(b"001e# service=git-upload-pack\n");
        assert!(plain || header == "version=2 ", "{header:?}");
    }
}

async fn the_second_answer_has_its_type_and_is_kept_by_nobody(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    for service in [PULL, PUSH] {
        let answer = posted(&server, "acme/p1", service, login(&scene)).await;
        let answer = answer.expect(200);
        assert_eq!(
            answer.header("content-type"),
            format!("application/x-{service}-result")
        );
        is_kept_by_nobody(&answer);
    }
}

async fn a_body_of_another_type_is_refused(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    for service in [PULL, PUSH] {
        for kind in [
            None,
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("application/json"),
            Some("application/x-git-upload-pack-result"),
            Some("application/x-git-upload-archive-request"),
        ] {
            let path = format!("/acme/p1.git/{service}");
            let post = request(&server, Method::POST, &path, login(&scene)).body("0000");
            let post = match kind {
                Some(kind) => post.header("content-type", kind),
                None => post,
            };
            let answer = Answer::to(post).await;
            assert_eq!(answer.status, 415, "{service} {kind:?}");
        }
    }
    // One service's type is wrong for the other.
    for (service, kind) in [(PULL, PUSH), (PUSH, PULL)] {
        let post = request(
            &server,
            Method::POST,
            &format!("/acme/p1.git/{service}"),
            login(&scene),
        )
        .header("content-type", format!("application/x-{kind}-request"))
        .body("0000");
        assert_eq!(Answer::to(post).await.status, 415, "{service}");
    }
}

async fn only_the_two_services_are_offered(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    for query in [
        "",
        "?",
        "?service",
        "?service=",
        "?service=upload-pack",
        "?service=git-upload-archive",
        "?service=GIT-UPLOAD-PACK",
        "?service=git-upload-pack%20",
        "?services=git-upload-pack",
    ] {
        let path = format!("/acme/p1.git/info/refs{query}");
        let answer = Answer::to(request(&server, Method::GET, &path, login(&scene))).await;
        let told = (answer.status, answer.text());
        assert_eq!(
            (told.0, told.1.trim()),
            (403, "The command you're trying to execute is not allowed."),
            "{query}"
        );
        assert!(answer.header("content-type").starts_with("text/plain"));
    }
    let path = format!("/acme/p1.git/info/refs?service={PULL}");
    let head = request(&server, Method::HEAD, &path, login(&scene));
    assert_eq!(Answer::to(head).await.status, 403);
    let more = request(&server, Method::GET, &format!("{path}&x=1"), login(&scene));
    assert_eq!(Answer::to(more).await.status, 200);
    // What servers of files have beside it, and what git itself could do beyond.
    for path in [
        "/acme/p1.git/HEAD",
        "/acme/p1.git/objects/info/packs",
        "/acme/p1.git/config",
        "/acme/p1.git/hooks/pre-receive",
        "/acme/p1.git/git-upload-pack",
        "/acme/p1.git/git-upload-archive",
        "/acme/p1.git",
        "/acme/p1.git/",
    ] {
        let answer = Answer::to(request(&server, Method::GET, path, login(&scene))).await;
        // Or it leads to a page, for which a token is no credential.
        let page = answer.status == 302;
        let refused = (400..500).contains(&answer.status);
        assert!(page || refused, "{path}: {}", answer.status);
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!text.contains("ref: refs/heads"), "{path}");
    }
}

async fn large_files_beside_git_are_not_there_yet(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let path = "/acme/p1.git/info/lfs/objects/batch";
    let ask = request(&server, Method::POST, path, login(&scene))
        .header("content-type", "application/vnd.git-lfs+json")
        .body(r#"{"operation":"download","objects":[]}"#);
    let answer = Answer::to(ask).await;
    assert_eq!(answer.status, 404);
    assert!(answer.header("content-type").contains("json"));
    assert!(answer.json()["message"].is_string());
    let locks = request(
        &server,
        Method::GET,
        "/acme/p1.git/info/lfs/locks",
        login(&scene),
    );
    let answer = Answer::to(locks).await;
    assert_eq!(answer.status, 404);
    assert!(answer.json()["message"].is_string());
}

async fn the_address_without_git_leads_to_the_one_with_it(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    for service in [PULL, PUSH] {
        // Whether it is there is not told here.
        for path in ["acme/p1", "nowhere/at-all"] {
            for login in [None, login(&scene)] {
                let asked = format!("/{path}/info/refs?service={service}");
                let answer = Answer::to(request(&server, Method::GET, &asked, login)).await;
                assert_eq!(answer.status, 301, "{asked}");
                let target = format!("/{path}.git/info/refs?service={service}");
                let location = answer.location();
                let place = location.strip_prefix(&server.url).unwrap_or(location);
                assert_eq!(place, target);
            }
        }
    }
    let url = scene.url();
    let tree = scene.git.clone(url.trim_end_matches(".git"), "without");
    assert_eq!(tree.head(), scene.main);
}

async fn rubbish_is_the_senders_fault(server: TestServer) {
    let Some(scene) = Scene::on(&server) else {
        return;
    };
    let before = scene.references();
    let many = "003fwant aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa side-band-64k\n".repeat(50);
    for service in [PULL, PUSH] {
        for body in [
            &b""[..],
            b"hello",
            b"0001",
            b"0003",
            b"zzzz",
            b"fff1",
            b"0009\0\0\0\0\0",
            b"0032want 0000000000000000000000000000000000000000\n0000",
            many.as_bytes(),
            &[0x1f, 0x8b, 0, 0, 0xff],
        ] {
            for encoding in [None, Some("gzip"), Some("x-odd")] {
                let path = format!("/acme/p1.git/{service}");
                let post = request(&server, Method::POST, &path, login(&scene))
                    .header("content-type", format!("application/x-{service}-request"))
                    .body(body.to_vec());
                let post = match encoding {
                    Some(name) => post.header("content-encoding", name),
                    None => post,
                };
                // The connection may end before the answer does: Git had begun to speak.
                let Ok(answer) = post.send().await else {
                    continue;
                };
                let status = answer.status().as_u16();
                assert!(status < 500, "{service} {body:?} {encoding:?}: {status}");
            }
        }
    }
    assert_eq!(scene.references(), before);
}
