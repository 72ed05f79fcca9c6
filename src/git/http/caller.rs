//! Who is behind a request of Git: a token in the password of HTTP Basic, or nobody. Passwords of accounts are never
//! looked at.

use std::sync::Arc;
use std::time::Instant;

use actix_web::http::header;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{GitCall, RIGHTS};
use crate::access_tokens::secret::Candidate;
use crate::actor::{Actor, Channel, Declared, Origin};
use crate::app::App;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Denied, Error};
use crate::git::Service;
use crate::git::access::{Granted, authorize};
use crate::git::limits;
use crate::projects::store::ProjectRef;
use crate::web::client;
use crate::web::token::{self, Recognised};

/// Who asks, and how to look again whether they still may.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) ctx: Context,
    app: App,
    service: Service,
    /// The value that came.
    candidate: Option<Arc<Candidate>>,
}

impl Caller {
    /// Who sent this request.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for a credential that isn't one.
    pub(super) async fn of(call: &GitCall, service: Service) -> Result<Caller, Error> {
        let (app, req) = (call.app.clone(), &call.req);
        let (now, arrived) = (app.clock.now(), Instant::now());
        let origin = client::origin(&app, req, Channel::Git);
        let declared = Declared::Only(RIGHTS);
        let Some(sent) = req.headers().get(header::AUTHORIZATION) else {
            let reader = app.clone();
            let policy = app.db.read(move |conn| reader.policy_now(conn)).await?;
            let ctx = app.context(Actor::anonymous(origin, declared), policy, now);
            return Ok(Caller {
                ctx,
                app,
                service,
                candidate: None,
            });
        };
        // Something was sent: it is right, or the answer is no, even where nobody needs anything.
        let password = password_in(sent.to_str().unwrap_or_default())
            .ok_or(Error::Unauthenticated(Denied::Unknown))?;
        let Recognised { found, policy } =
            token::recognise(&app, req, &password, &origin, now, arrived).await?;
        let ctx = app.context(found.into_actor(origin, declared), policy, now);
        Ok(Caller {
            ctx,
            app,
            service,
            candidate: Candidate::parse(&password).ok().map(Arc::new),
        })
    }

    /// May they use the service on this project?
    ///
    /// # Errors
    /// As [`authorize`].
    pub(super) async fn authorize(&self, full_path: &str) -> Result<Granted, Error> {
        let (ctx, service) = (self.ctx.clone(), self.service);
        let project = ProjectRef::Path(full_path.to_owned());
        let granted = self
            .app
            .db
            .read(move |conn| authorize(conn, &ctx, &project, service))
            .await?;
        if let Some(token) = self.ctx.actor.token() {
            let ip = self.ctx.actor.origin.ip;
            self.app.uses.note(token.id, ip, self.ctx.now);
        }
        Ok(granted)
    }

    /// Whose turns they take.
    pub(super) fn in_the_count(&self) -> limits::Caller {
        match self.ctx.actor.token() {
            Some(token) => limits::Caller::Token(token.id),
            None => limits::Caller::Nobody(self.ctx.actor.origin.ip),
        }
    }

    /// Looks again, with the token, the roles and the project as they are now. An outage of the database is no reason
    /// to end what goes on.
    pub(super) async fn still_may(self, project_id: i64) -> bool {
        let app = self.app.clone();
        let looked = app
            .db
            .read(move |conn| self.look_again(conn, project_id))
            .await;
        !matches!(
            looked,
            Err(Error::Unauthenticated(_) | Error::Forbidden(_) | Error::NotFound(_))
        )
    }

    fn look_again(&self, conn: &mut DbConnection, project_id: i64) -> Result<(), Error> {
        let ctx = self.now(conn)?;
        authorize(conn, &ctx, &ProjectRef::Id(project_id), self.service).map(|_| ())
    }

    /// The same caller at this moment: the token looked up anew, its roles and the rules as they are now.
    ///
    /// # Errors
    /// As for a request that comes now.
    pub(super) fn now(&self, conn: &mut DbConnection) -> Result<Context, Error> {
        let now = self.app.clock.now();
        let declared = Declared::Only(RIGHTS);
        let origin: Origin = self.ctx.actor.origin.clone();
        Ok(match &self.candidate {
            Some(candidate) => {
                let Recognised { found, policy } =
                    token::still_there(conn, &self.app, candidate, now)?;
                self.app
                    .context(found.into_actor(origin, declared), policy, now)
            }
            None => {
                let policy = self.app.policy_now(conn)?;
                self.app
                    .context(Actor::anonymous(origin, declared), policy, now)
            }
        })
    }
}

/// The password of HTTP Basic, if there is a user name with it that isn't blank.
fn password_in(header: &str) -> Option<Zeroizing<String>> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let text = std::str::from_utf8(&decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    (!user.trim().is_empty() && !password.is_empty()).then(|| Zeroizing::new(password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found_in(text: &str) -> Option<String> {
        password_in(&format!("Basic {}", STANDARD.encode(text))).map(|found| found.to_string())
    }

    #[test]
    fn any_user_name_that_is_not_blank_will_do() {
        for user in ["x", "oauth2", "alice", "🦀", "a b"] {
            assert_eq!(found_in(&format!("{user}:secret")), Some("secret".into()));
        }
        assert_eq!(found_in("x:a:b"), Some("a:b".into()));
        for text in [":secret", " :secret", "\t:secret", "secret:", "secret", ""] {
            assert_eq!(found_in(text), None, "{text:?}");
        }
    }

    #[test]
    fn nothing_but_basic_is_looked_at() {
        let encoded = STANDARD.encode("x:secret");
        assert!(password_in(&format!("basic {encoded}")).is_some());
        for header in [
            format!("Bearer {encoded}"),
            encoded.clone(),
            "Basic !!!".to_owned(),
            "Basic".to_owned(),
            String::new(),
        ] {
            assert!(password_in(&header).is_none(), "{header}");
        }
    }
}
