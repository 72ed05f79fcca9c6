//! What an endpoint answers with, as its answer type tells it.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// Answers by status, and the schemas that they refer to.
#[derive(Default)]
pub struct Answers {
    pub(super) responses: Map<String, Value>,
    pub(super) schemas: BTreeMap<String, Value>,
}

impl Answers {
    /// An answer with a body.
    pub fn with<T: ToSchema>(&mut self, status: StatusCode, description: &str) {
        let schema = self.schema::<T>();
        self.respond(status, description, Some(schema), json!({}));
    }

    /// An answer without a body.
    pub fn empty(&mut self, status: StatusCode, description: &str) {
        self.respond(status, description, None, json!({}));
    }

    /// An answer that is a file, of one of these types.
    pub fn bytes(&mut self, description: &str, types: &[&str]) {
        let content: Map<String, Value> = types
            .iter()
            .map(|kind| ((*kind).to_owned(), json!({})))
            .collect();
        self.responses.insert(
            StatusCode::OK.as_str().to_owned(),
            json!({ "description": description, "content": content }),
        );
    }

    /// One page of a list, with the headers that say where it is.
    pub fn list<T: ToSchema>(&mut self) {
        let items = self.schema::<T>();
        let schema = json!({ "type": "array", "items": items, "maxItems": 100 });
        let number = |text: &str| json!({ "description": text, "schema": { "type": "integer" } });
        let maybe = |text: &str| json!({ "description": text, "schema": { "type": "string", "pattern": "^[0-9]*$" } });
        let headers = json!({
            "Link": { "description": "Where the other pages are: `prev`, `next`, `first`, `last`.", "schema": { "type": "string" } },
            "X-Page": number("The number of this page; absent with keyset pagination."),
            "X-Per-Page": number("Rows of a page; absent with keyset pagination."),
            "X-Next-Page": maybe("The number of the next page, empty on the last one."),
            "X-Prev-Page": maybe("The number of the page before, empty on the first one."),
            "X-Total": number("Rows in all; absent above 10,000."),
            "X-Total-Pages": number("Pages in all; absent above 10,000 rows."),
        });
        self.respond(
            StatusCode::OK,
            "One page of the list",
            Some(schema),
            headers,
        );
    }

    /// Says that the request may be refused with this status.
    pub fn refuse(&mut self, status: StatusCode) {
        self.responses.insert(
            status.as_str().to_owned(),
            json!({ "$ref": "#/components/responses/Problem" }),
        );
    }

    fn respond(
        &mut self,
        status: StatusCode,
        description: &str,
        schema: Option<Value>,
        headers: Value,
    ) {
        let mut response = json!({ "description": description });
        if let Some(schema) = schema {
            response["content"] = json!({ "application/json": { "schema": schema } });
        }
        if headers
            .as_object()
            .is_some_and(|headers| !headers.is_empty())
        {
            response["headers"] = headers;
        }
        self.responses.insert(status.as_str().to_owned(), response);
    }

    /// The schema of a type: of an object, where it stands among the others; of anything less, itself.
    fn schema<T: ToSchema>(&mut self) -> Value {
        let mut found = Vec::new();
        T::schemas(&mut found);
        for (name, schema) in found {
            self.schemas.insert(name, json!(schema));
        }
        let own = json!(T::schema());
        let is_named = own["type"] == "object" || own.get("allOf").is_some();
        if !is_named {
            return own;
        }
        let name = name_of::<T>();
        let reference = json!({ "$ref": format!("#/components/schemas/{name}") });
        self.schemas.insert(name, own);
        reference
    }
}

/// The name of a type among the schemas; `A` in `B` is `AB`.
fn name_of<T: ToSchema>() -> String {
    let own = T::name();
    let written = std::any::type_name::<T>();
    let inner = written
        .split_once('<')
        .and_then(|(_, inner)| inner.trim_end_matches('>').rsplit("::").next())
        .unwrap_or_default();
    format!("{inner}{own}")
}
