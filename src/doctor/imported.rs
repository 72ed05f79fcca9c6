//! Tokens that were imported with a salt.

use super::Finding;
use super::database::cause;
use crate::access_tokens::imported::{any_salted, sealed_salts};
use crate::access_tokens::secret::DigestKey;
use crate::config::Config;
use crate::db::DbConnection;
use crate::error::Error;

const CHECK: &str = "imported tokens";

/// Are the salts there that imported tokens need, and can they be used? Without a secret nobody can tell.
pub(super) fn salts(conn: &mut DbConnection, config: &Config) -> Option<Finding> {
    let secret = config.look_at_secret().ok().flatten()?;
    let key = DigestKey::derive(secret.expose());
    let finding = look(conn, &key).unwrap_or_else(|error| {
        Finding::failed(
            CHECK,
            format!("could not be looked at: {}", cause(&error)),
            "look at the database's own log",
        )
    });
    Some(finding)
}

fn look(conn: &mut DbConnection, key: &DigestKey) -> Result<Finding, Error> {
    if !any_salted(conn)? {
        return Ok(Finding::ok(CHECK, "none needs a salt"));
    }
    let sealed = sealed_salts(conn)?;
    if sealed.is_empty() {
        return Ok(Finding::failed(
            CHECK,
            "some need a salt, and there is none: nobody gets in with them",
            "import their file once more, with its salt: the tokens stay as they are",
        ));
    }
    let closed = sealed.iter().filter(|salt| key.open(salt).is_err()).count();
    Ok(if closed == 0 {
        Finding::ok(CHECK, "the salts that they need are there")
    } else {
        Finding::failed(
            CHECK,
            format!(
                "salts that can't be decrypted with this instance secret: {closed} of {}",
                sealed.len()
            ),
            "put the secret back that they were imported under",
        )
    })
}
