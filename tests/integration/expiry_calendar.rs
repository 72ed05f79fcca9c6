//! The days on which tokens end, as calendar programs read them.

mod address;
mod contents;
mod who_may;

use crate::support::{Answer, Person, TestServer, Visitor};

const NOTIFICATIONS: &str = "/-/profile/notifications";
const RESET: &str = "/-/profile/reset_feed_token";
const PERSONAL: &str = "/-/user_settings/expiry_calendar.ics";

/// Asks for a new address, as the button does. Returns the value in it.
async fn new_feed_token(browser: &Visitor) -> String {
    let form = browser.open(NOTIFICATIONS).await.form(RESET);
    browser.submit(&form).await.expect(303);
    shown_feed_token(browser).await.expect("an address")
}

async fn shown_feed_token(browser: &Visitor) -> Option<String> {
    let page = browser.open(NOTIFICATIONS).await;
    let address = page.tag("calendar-address")?.get("value")?;
    let start = format!("{}{PERSONAL}?feed_token=", browser.server.url);
    Some(address.strip_prefix(&start)?.to_owned())
}

async fn feed_of(person: &Person) -> String {
    new_feed_token(&person.signs_in().await).await
}

/// As a calendar program asks: without a cookie.
async fn subscribed(server: &TestServer, path: &str, feed_token: &str) -> Answer {
    server.get(&format!("{path}?feed_token={feed_token}")).await
}

/// What the events of a calendar say, with their days, in its order.
fn events(answer: &Answer) -> Vec<(String, String)> {
    let text = answer.text().replace("\r\n ", "");
    text.split("BEGIN:VEVENT")
        .skip(1)
        .map(|event| {
            let value = |name: &str| {
                let line = event.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap().to_owned()
            };
            (value("SUMMARY:"), value("DTSTART;VALUE=DATE:"))
        })
        .collect()
}

fn names(answer: &Answer) -> Vec<String> {
    let shortened = |text: String| {
        let name = text
            .strip_prefix("Token ")
            .and_then(|text| text.strip_suffix(" expires"));
        name.unwrap().to_owned()
    };
    events(answer)
        .into_iter()
        .map(|(summary, _)| shortened(summary))
        .collect()
}
