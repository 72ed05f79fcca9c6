//! All tokens below a top-level group in one list, and the end of some of them.

use crate::support::{Page, Visitor};

mod list;
mod order;
mod revoking;

const PATH: &str = "/groups/acme/-/token_inventory";

fn names(page: &Page) -> Vec<String> {
    page.rows("inventory")
        .into_iter()
        .map(|row| row[1].split(" ID ").next().unwrap().to_owned())
        .collect()
}

async fn found(browser: &Visitor, query: &str) -> Vec<String> {
    let mut names = names(&browser.open(&format!("{PATH}?{query}")).await);
    names.sort();
    names
}
