//! Settings, Access tokens of a group, and a person's own tokens: every rule of these pages.

mod bad_input;
mod creating;
mod export;
mod inactive;
mod listing;
mod one_time_value;
mod personal;
mod revoking;
mod rotating;
mod switched_off;
mod who_may;

use crate::support::{Answer, Form, Page, TestGroup, TestResource, Visitor};

/// The boxes of the scopes.
const SCOPES: &str = "resource_access_token[scopes][]";

/// The name of a field of the form that makes a token.
fn field(name: &str) -> String {
    format!("resource_access_token[{name}]")
}

/// Where a group's tokens are.
fn tokens_of(group: &TestGroup) -> String {
    group.page("settings/access_tokens")
}

/// The form that makes a token, as it comes.
async fn blank(visitor: &Visitor, group: &TestGroup) -> Form {
    let path = tokens_of(group);
    visitor.open(&path).await.form(&path)
}

/// The form with the least that makes a token: a name and a scope.
async fn filled(visitor: &Visitor, group: &TestGroup, name: &str) -> Form {
    blank(visitor, group)
        .await
        .fill(&field("name"), name)
        .tick(SCOPES, "api")
}

/// The value in an answer.
fn value_in(answer: &Answer) -> Option<String> {
    answer
        .page()
        .tag("created-access-token-field")
        .and_then(|tag| tag.get("value"))
}

/// The value in an answer that has one.
#[track_caller]
fn value_of(answer: &Answer) -> String {
    value_in(answer)
        .unwrap_or_else(|| panic!("no value in {} {}", answer.status, answer.page().main()))
}

/// The names in a table, without what stands under them.
fn names(page: &Page, table: &str) -> Vec<String> {
    page.rows(table)
        .iter()
        .map(|row| row[0].split(" ID ").next().unwrap().to_owned())
        .collect()
}

/// The cell under a heading, in the row of a token.
#[track_caller]
fn cell(page: &Page, table: &str, token: &str, heading: &str) -> String {
    let rows = page.rows(table);
    let row = rows
        .iter()
        .find(|row| row[0].split(" ID ").next() == Some(token));
    let row = row.unwrap_or_else(|| panic!("no {token} in {rows:?}"));
    let headings = headings(page, table);
    let at = headings.iter().position(|found| found == heading);
    row[at.unwrap_or_else(|| panic!("no {heading} in {headings:?}"))].clone()
}

/// What stands above the columns.
fn headings(page: &Page, table: &str) -> Vec<String> {
    let html = page.part(table).map(|part| part.html).unwrap_or_default();
    let heading = regex::Regex::new(r#"(?s)<th scope="col"[^>]*>(.*?)</th>"#).unwrap();
    heading
        .captures_iter(&html)
        .map(|found| crate::support::page::readable(&found[1]))
        .collect()
}
