//! A person at a browser, without the browser: cookies, pages and forms.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use reqwest::{Method, RequestBuilder};

use super::{Answer, Form, Page, TestServer};

/// A browser's cookies, and what it sends with them.
pub struct Visitor {
    /// Where it goes.
    pub server: TestServer,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Visitor {
    pub(super) fn new(server: &TestServer) -> Visitor {
        Visitor {
            server: server.clone(),
            cookies: Arc::default(),
        }
    }

    /// A second browser with the same cookies: somebody copied them.
    pub fn copied(&self) -> Visitor {
        Visitor {
            server: self.server.clone(),
            cookies: Arc::new(Mutex::new(self.cookies())),
        }
    }

    /// The same browser, whose next requests go to another node.
    pub fn at(&self, node: &TestServer) -> Visitor {
        Visitor {
            server: node.clone(),
            cookies: Arc::clone(&self.cookies),
        }
    }

    /// Opens a page; redirects are not followed.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.server.request(Method::GET, path)).await
    }

    /// Opens a page that is there.
    #[track_caller]
    pub fn open(&self, path: &str) -> impl Future<Output = Page> {
        let opened = self.get(path);
        async move { opened.await.expect(200).page() }
    }

    /// Opens a page and goes where it leads.
    pub async fn follow(&self, path: &str) -> Answer {
        let mut answer = self.get(path).await;
        for _ in 0..5 {
            if !matches!(answer.status, 302 | 303) {
                break;
            }
            let next = answer.location().to_owned();
            answer = self.get(&next).await;
        }
        answer
    }

    /// Sends a form as it is.
    pub async fn submit(&self, form: &Form) -> Answer {
        self.send(
            self.server
                .request(Method::POST, &form.action)
                .form(&form.fields),
        )
        .await
    }

    /// Sends fields to a path, with the token that the session's forms carry.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.authenticity_token().await;
        let mut all = vec![("authenticity_token", token.as_str())];
        all.extend_from_slice(fields);
        self.post_without_token(path, &all).await
    }

    /// Sends fields to a path, and nothing else.
    pub async fn post_without_token(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(self.server.request(Method::POST, path).form(fields))
            .await
    }

    /// Sends a request with this browser's cookies, and keeps those that come back.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let cookies: Vec<String> = self
            .cookies()
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = if cookies.is_empty() {
            request
        } else {
            request.header("cookie", cookies.join("; "))
        };
        let answer = Answer::to(request).await;
        self.keep(&answer);
        answer
    }

    /// The token that this session's forms carry; from a page that has a form, whoever looks at it.
    pub async fn authenticity_token(&self) -> String {
        for path in ["/help", "/users/sign_in"] {
            let answer = self.get(path).await;
            if let Some(token) = answer.page().authenticity_token() {
                return token;
            }
        }
        panic!("no page has a form");
    }

    /// Signs in with the form of the sign-in page.
    pub async fn sign_in(&self, login: &str, password: &str) -> Answer {
        let form = self.open("/users/sign_in").await.form("/users/sign_in");
        self.submit(
            &form
                .fill("user[login]", login)
                .fill("user[password]", password),
        )
        .await
    }

    /// Signs out with the button of the shell.
    pub async fn sign_out(&self) -> Answer {
        self.post("/users/sign_out", &[]).await
    }

    /// The cookies that it holds.
    pub fn cookies(&self) -> BTreeMap<String, String> {
        self.cookies.lock().unwrap().clone()
    }

    /// The cookie of the session.
    pub fn session_cookie(&self) -> Option<String> {
        self.cookies().get("latchkey_session").cloned()
    }

    /// Puts a cookie into the browser.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies
            .lock()
            .unwrap()
            .insert(name.into(), value.into());
    }

    fn keep(&self, answer: &Answer) {
        let mut cookies = self.cookies.lock().unwrap();
        for line in answer.all("set-cookie") {
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let gone = value.is_empty() || attributes.to_ascii_lowercase().contains("max-age=0");
            if gone {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
