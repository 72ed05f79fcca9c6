//! Programs that others wrote for this API, used as their users use them: they must not notice whose server it is.

mod gitbeaker;
mod python_gitlab;
mod schemathesis;

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};

use crate::support::{Company, TestResource, TestServer, TestToken, clients::Run};

/// The company that the scripts know, with tokens of its people in their environment:
/// `acme`, `acme/sub`, `acme/sub/deep` and `other` with the projects `acme/p1`, `acme/sub/p2`, `acme/sub/deep/p3`
/// and `other/p9`.
struct Cast {
    server: TestServer,
    tokens: Vec<(&'static str, TestToken)>,
}

impl Cast {
    fn on(server: &TestServer) -> Cast {
        let company = Company::on(server);
        let revoked = company.alice.personal_token([Scope::Api]);
        let id = revoked.id;
        let tokens = vec![
            ("ADMIN", company.root.personal_token([Scope::Api])),
            ("OWNER", company.alice.personal_token([Scope::Api])),
            ("MAINTAINER", company.bob.personal_token([Scope::Api])),
            ("DEVELOPER", company.carol.personal_token([Scope::Api])),
            ("OUTSIDER", company.frank.personal_token([Scope::Api])),
            ("READER", company.alice.personal_token([Scope::ReadApi])),
            (
                "NARROW",
                company.alice.personal_token([Scope::ReadRepository]),
            ),
            (
                "BOT",
                company
                    .acme
                    .token("robot")
                    .role(AccessLevel::Owner)
                    .create(),
            ),
            // A token ends at the start of this day.
            (
                "EXPIRED",
                company.acme.token("expired").expires("2026-11-20").create(),
            ),
            ("REVOKED", revoked),
        ];
        server.sql(&format!(
            "UPDATE access_tokens SET revoked = TRUE WHERE id = {id}"
        ));
        Cast {
            server: server.clone(),
            tokens,
        }
    }

    /// Runs a script that has these tokens as `LATCHKEY_OWNER_TOKEN` and so on.
    async fn plays(&self, script: Run) {
        let script = self.tokens.iter().fold(script, |script, (role, token)| {
            script.env(&format!("LATCHKEY_{role}_TOKEN"), &token.value)
        });
        script.against(&self.server).await;
    }
}
