//! Webhooks: what is sent to whom, how often, where to, and who looks after it.

use latchkey::access_tokens::Resource;

use crate::support::{Receiver, TestGroup, TestResource, TestServer, TestToken, TestWebhook};

mod addresses;
mod announcing;
mod documented;
mod pages;
mod retrying;
mod secrets;
mod sending;
mod who_may;

/// A group with a token that ends in a week, and a webhook that a program on this machine receives.
struct Stage {
    group: TestGroup,
    token: TestToken,
    hook: TestWebhook,
    receiver: Receiver,
}

impl Stage {
    fn on(server: &TestServer) -> Stage {
        server.allow_local_webhooks();
        let group = server.group("acme").create();
        let receiver = Receiver::start();
        let hook = group.webhook("pager", &receiver.url("/hook"));
        let token = group
            .token("deploy")
            .expires(&server.days_ahead(7))
            .create();
        Stage {
            group,
            token,
            hook,
            receiver,
        }
    }

    fn announces(&self) -> usize {
        self.group
            .server
            .announce(&[(&self.token, self.resource())])
    }

    fn resource(&self) -> Resource {
        self.group.resource()
    }

    /// Another token that ends in a week.
    fn another(&self, name: &str) -> TestToken {
        let server = &self.group.server;
        let ends = server.days_ahead(7);
        self.group.token(name).expires(&ends).create()
    }
}

/// Deliveries in this state.
fn count(server: &TestServer, state: &str) -> i64 {
    server.count("webhook_deliveries", &format!("state = '{state}'"))
}
