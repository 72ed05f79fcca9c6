//! What careful tests do to forms and answers: send what no page would, and compare what should be alike.

use std::{collections::BTreeMap, sync::LazyLock};

use regex::Regex;
use reqwest::Method;

use super::{Answer, Form, Page, TestServer, Visitor};

/// One byte more than any form may have, and as much again.
pub const TWO_MEBIBYTES: usize = 2 * 1024 * 1024;

static DIFFERENT_EACH_TIME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(name="(?:authenticity_token|form_nonce|redirect_to)" value=")[^"]*|(data-testid="request-id">)[^<]*|(data-copy=")[0-9a-f]{32}|(\?redirect_to=)[^"]*"#)
        .unwrap()
});

impl Answer {
    /// The body without what is different in every answer: secrets of forms, the request's id, and where the answer was.
    pub fn comparable_text(&self) -> String {
        DIFFERENT_EACH_TIME
            .replace_all(&self.text(), "$1$2$3$4")
            .into_owned()
    }

    /// The headers without what is different in every answer: the request's id, the date, whether the
    /// connection goes on (a matter of what was left unread), and values of cookies.
    pub fn comparable_headers(&self) -> BTreeMap<String, String> {
        self.headers
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "x-request-id" | "date" | "connection"))
            .map(|(name, value)| {
                let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
                let cookie = text
                    .split_once(';')
                    .map(|(_, attributes)| attributes.to_owned());
                let stable = if name == "set-cookie" {
                    cookie.unwrap_or_default()
                } else {
                    text
                };
                (name.to_string(), stable)
            })
            .collect()
    }

    /// Status, headers and body, as somebody sees them who looks for a difference.
    pub fn comparable(&self) -> (u16, BTreeMap<String, String>, String) {
        (
            self.status,
            self.comparable_headers(),
            self.comparable_text(),
        )
    }

    /// Is it an answer that blames the sender, with a page for people?
    #[track_caller]
    pub fn expect_refused_page(&self, what: &str) {
        assert!(
            (400..500).contains(&self.status),
            "{what}: {} {}",
            self.status,
            self.text()
        );
        assert!(
            self.header("content-type").starts_with("text/html"),
            "{what}: no page"
        );
        assert!(self.text().contains("</html>"), "{what}: not a whole page");
    }
}

impl Page {
    /// What is wrong with the form, as told above it, one sentence after the other.
    #[track_caller]
    pub fn complaints(&self) -> Vec<String> {
        let summary = self
            .part("error-message")
            .unwrap_or_else(|| panic!("no complaints in {}", self.main()));
        let item = Regex::new(r"(?s)<li>(.*?)</li>").unwrap();
        item.captures_iter(&summary.html)
            .map(|found| super::page::readable(&found[1]))
            .collect()
    }

    /// What the page says once, after something was done.
    pub fn flash(&self) -> String {
        self.part("flash")
            .map(|part| part.text())
            .unwrap_or_default()
    }
}

impl Visitor {
    /// A browser of nobody that holds a copied session cookie.
    pub fn with_cookie(server: &TestServer, name: &str, value: &str) -> Visitor {
        let visitor = server.visitor();
        visitor.set_cookie(name, value);
        visitor
    }

    /// Is somebody signed in with this browser?
    pub async fn is_signed_in(&self) -> bool {
        self.get("/dashboard/groups").await.status == 200
    }

    /// Sends a form along with headers that its page wouldn't send.
    pub async fn submit_with(&self, form: &Form, headers: &[(&str, &str)]) -> Answer {
        let mut request = self
            .server
            .request(Method::POST, &form.action)
            .form(&form.fields);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request).await
    }

    /// Sends bytes as if they were a form.
    pub async fn post_bytes(&self, path: &str, bytes: Vec<u8>) -> Answer {
        let request = self
            .server
            .request(Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(bytes);
        self.send(request).await
    }

    /// What every form has to survive: an empty body, broken encodings, fields without a name, and far too much.
    /// None of it makes anything, and each is answered with a page.
    pub async fn send_rubbish(&self, path: &str) {
        let before = self.server.inventory();
        let token = self.authenticity_token().await;
        let with_token = |rest: &str| format!("authenticity_token={token}&{rest}").into_bytes();
        for (what, body) in [
            ("nothing", Vec::new()),
            ("nothing but separators", b"&&&===&".to_vec()),
            ("no form at all", b"{\"name\":\"x\"}".to_vec()),
            ("bytes that are no text", vec![0xff, 0xfe, 0x00, b'=', 0x80]),
            ("the token of the form alone", with_token("")),
            (
                "broken encodings",
                with_token("%=%zz&%E0%A4=%ff&a%5B%5D%5B=1&%5Bname%5D=x"),
            ),
            ("two mebibytes", vec![b'a'; TWO_MEBIBYTES]),
            (
                "two mebibytes in a field",
                with_token(&format!("x={}", "a".repeat(TWO_MEBIBYTES))),
            ),
        ] {
            let large = body.len() > TWO_MEBIBYTES / 2;
            let answer = self.post_bytes(path, body).await;
            answer.expect_refused_page(&format!("{path}: {what}"));
            if large {
                assert_eq!(answer.status, 413, "{path}: {what}");
            }
        }
        assert_eq!(self.server.inventory(), before, "{path}");
    }
}
