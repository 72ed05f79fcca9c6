//! Odd bodies.

use reqwest::Method;
use serde_json::json;

use super::{assert_refused, writings};
use crate::on_both;
use crate::support::{Answer, Company, TestServer};

on_both![
    a_body_that_is_no_json_object_is_refused_on_every_route,
    a_body_of_another_kind_says_nothing,
    a_body_over_a_mebibyte_is_refused_on_every_route,
    a_broken_form_breaks_nothing,
];

async fn send(c: &Company, method: &Method, path: &str, kind: &str, body: Vec<u8>) -> Answer {
    let request = c.root.api().request(method.clone(), path);
    let request = request.header("Content-Type", kind).body(body);
    Answer::to(request).await
}

async fn a_body_that_is_no_json_object_is_refused_on_every_route(server: TestServer) {
    let c = Company::on(&server);
    let deep = |number: usize| {
        let (open, close) = ("[".repeat(number), "]".repeat(number));
        format!(r#"{{"unheard":{open}1{close}}}"#).into_bytes()
    };
    let objects = format!("{}1{}", r#"{"a":"#.repeat(1_000), "}".repeat(1_000));
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("half an object", b"{".to_vec()),
        ("an array", b"[1]".to_vec()),
        ("a text", br#""x""#.to_vec()),
        ("a number", b"7".to_vec()),
        ("a comma too many", br#"{"name":"x",}"#.to_vec()),
        ("single quotes", b"{'name':'x'}".to_vec()),
        ("garbage behind it", br#"{"name":"x"} x"#.to_vec()),
        ("two objects", br#"{"name":"x"}{"name":"y"}"#.to_vec()),
        ("a key twice", br#"{"name":"x","name":"y"}"#.to_vec()),
        (
            "an unheard key twice",
            br#"{"unheard":1,"unheard":1}"#.to_vec(),
        ),
        (
            "a key twice further in",
            br#"{"unheard":{"a":1,"a":2}}"#.to_vec(),
        ),
        (
            "a key twice, written differently",
            br#"{"name":"x","n\u0061me":"y"}"#.to_vec(),
        ),
        ("1,000 arrays deep", deep(1_000)),
        ("100,000 arrays deep", deep(100_000)),
        ("1,000 objects deep", objects.into_bytes()),
        ("not UTF-8", b"{\"name\":\"\xff\"}".to_vec()),
        ("half a surrogate pair", br#"{"name":"\ud800"}"#.to_vec()),
        (
            "the other half of a surrogate pair",
            br#"{"unheard":"\udc00x"}"#.to_vec(),
        ),
        ("a bare control character", b"{\"name\":\"a\nb\"}".to_vec()),
        ("NaN", br#"{"name":NaN}"#.to_vec()),
    ];
    let before = server.inventory();
    let routes = writings(&c);
    let after = server.inventory();
    assert_eq!(before.users + 2, after.users);
    for (method, path, _) in &routes {
        for (what, body) in &bodies {
            let answer = send(&c, method, path, "application/json", body.clone()).await;
            let what = format!("{method} {path}: {what}");
            assert_refused(&answer, &what);
            assert_eq!(answer.status, 400, "{what}");
            assert_eq!(
                answer.error(),
                "message body does not match declared format",
                "{what}"
            );
        }
    }
    let names = "name IN ('x', 'y')";
    assert_eq!(server.count("groups", names), 0);
    assert_eq!(server.count("projects", names), 0);
    assert_eq!(server.count("access_tokens", names), 0);
}

async fn a_body_of_another_kind_says_nothing(server: TestServer) {
    let c = Company::on(&server);
    let body = json!({ "name": "x", "path": "x", "scopes": ["api"], "access_level": 10 });
    for (method, path, _) in writings(&c) {
        for kind in [
            "text/plain",
            "application/xml",
            "application/octet-stream",
            "image/png",
            "nonsense",
            "application/json; charset=utf-16",
        ] {
            let sent = body.to_string().into_bytes();
            let answer = send(&c, &method, &path, kind, sent).await;
            let what = format!("{method} {path} as {kind}");
            let optional = method == Method::PUT || path.ends_with("rotate");
            if path == "/groups" || path.ends_with("access_tokens") || path == "/projects" {
                assert_refused(&answer, &what);
                assert!(matches!(answer.status, 400 | 415), "{what}");
            } else if !optional {
                assert!(answer.status < 500, "{what}: {}", answer.status);
            }
        }
    }
    assert_eq!(server.count("groups", "path = 'x'"), 0);
    assert_eq!(server.count("access_tokens", "name = 'x'"), 0);
    // JSON under its other names is JSON.
    for kind in [
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/json;charset=UTF-8",
    ] {
        let path = "/groups/acme/access_tokens";
        let sent = body.to_string().into_bytes();
        let answer = send(&c, &Method::POST, path, kind, sent).await;
        assert_eq!(answer.status, 201, "{kind}: {}", answer.text());
    }
}

/// A body that is padded to a length.
type Filled<'a> = &'a dyn Fn(usize) -> Vec<u8>;

async fn a_body_over_a_mebibyte_is_refused_on_every_route(server: TestServer) {
    let c = Company::on(&server);
    let most = 1024 * 1024;
    let json = |length: usize| {
        let frame = r#"{"unheard":""}"#.len();
        format!(r#"{{"unheard":"{}"}}"#, "x".repeat(length - frame)).into_bytes()
    };
    let form = |length: usize| format!("unheard={}", "x".repeat(length - 8)).into_bytes();
    let multipart = |length: usize| {
        let head = "--edge\r\nContent-Disposition: form-data; name=\"unheard\"\r\n\r\n";
        let tail = "\r\n--edge--\r\n";
        let filling = "x".repeat(length - head.len() - tail.len());
        format!("{head}{filling}{tail}").into_bytes()
    };
    let kinds: [(&str, Filled<'_>); 3] = [
        ("application/json", &json),
        ("application/x-www-form-urlencoded", &form),
        ("multipart/form-data; boundary=edge", &multipart),
    ];
    for (method, path, _) in writings(&c) {
        for (kind, body) in kinds {
            assert_eq!(body(most + 1).len(), most + 1);
            let answer = send(&c, &method, &path, kind, body(most + 1)).await;
            let what = format!("{method} {path} as {kind}");
            assert_refused(&answer, &what);
            assert_eq!(answer.status, 413, "{what}");
        }
    }
    for (kind, body) in kinds {
        let path = "/groups/acme/access_tokens";
        let answer = send(&c, &Method::POST, path, kind, body(most)).await;
        assert_eq!(answer.status, 400, "{kind}: {}", answer.text());
        assert_eq!(answer.error(), "name is missing, scopes is missing");
    }
}

async fn a_broken_form_breaks_nothing(server: TestServer) {
    let c = Company::on(&server);
    let multipart = "multipart/form-data; boundary=edge";
    for (kind, body) in [
        (
            "application/x-www-form-urlencoded",
            &b"name=%FF&scopes[]=api"[..],
        ),
        (
            "application/x-www-form-urlencoded",
            b"name=%ED%A0%80&scopes[]=api",
        ),
        (
            "application/x-www-form-urlencoded",
            b"name=\xff&scopes[]=api",
        ),
        (
            "application/x-www-form-urlencoded",
            b"name=%00&scopes[]=api",
        ),
        ("application/x-www-form-urlencoded", b"&&==&%&name"),
        (multipart, b"--edge"),
        (multipart, b"no edge at all"),
        (multipart, b"--edge\r\n\r\nx\r\n--edge--\r\n"),
        (
            multipart,
            b"--edge\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n\xff\r\n--edge--\r\n",
        ),
        (
            multipart,
            b"--edge\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nhalf",
        ),
        ("multipart/form-data", b"--edge--"),
        ("multipart/form-data; boundary=", b"----"),
    ] {
        for path in ["/groups/acme/access_tokens", "/groups", "/users"] {
            let answer = send(&c, &Method::POST, path, kind, body.to_vec()).await;
            let what = format!("{path} {kind} {}", String::from_utf8_lossy(body));
            assert_refused(&answer, &what);
            assert!(
                matches!(answer.status, 400 | 415),
                "{what}: {}",
                answer.status
            );
        }
    }
}
