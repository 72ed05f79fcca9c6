//! A program that calls the API.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::{Answer, TestServer};

/// A caller of the API: with a token, or without.
#[derive(Clone)]
pub struct Api {
    /// Whom it calls.
    pub server: TestServer,
    token: Option<String>,
}

impl Api {
    /// A caller that shows this token, or none.
    pub fn new(server: &TestServer, token: Option<&str>) -> Api {
        Api {
            server: server.clone(),
            token: token.map(str::to_owned),
        }
    }

    /// `GET /api/v4…`
    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    /// `POST /api/v4…` with a JSON body; `Value::Null` for none.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, body).await
    }

    /// `PUT /api/v4…` with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, body).await
    }

    /// `DELETE /api/v4…`
    pub async fn delete(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::DELETE, path)).await
    }

    /// Any method, with a JSON body unless it is null.
    pub async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = self.request(method, path);
        Answer::to(if body.is_null() {
            request
        } else {
            request.json(&body)
        })
        .await
    }

    /// A request to be completed.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.server.request(method, &format!("/api/v4{path}"));
        match &self.token {
            Some(token) => request.header("PRIVATE-TOKEN", token),
            None => request,
        }
    }
}

/// Fields as the query of a URL.
pub fn query(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}
