//! What an entry must be, whatever is in the database.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};

use super::format::{
    BotEntry, DigestKind, DigestsEntry, GroupEntry, Header, MembershipEntry, ProjectEntry, State,
    TokenEntry, UserEntry,
};
use crate::access_tokens::imported::Salt;
use crate::access_tokens::scope::{Scope, Scopes};
use crate::access_tokens::secret::Prefix;
use crate::git::browse::name::is_name;
use crate::groups::path::{FULL_PATH_MAX, FullPath, MAX_NESTING, PathSegment, Place};
use crate::groups::plan::{Plan, Tier};
use crate::text::{Description, Email, Name};
use crate::users::password;

/// The longest description of a group or project, in characters.
const DESCRIPTION_MAX: usize = 500;

/// Something wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Which part of it, as a path within the entry; empty for the entry as a whole.
    pub field: String,
    /// What, without a subject.
    pub message: String,
}

impl Flaw {
    /// About a part of an entry.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Flaw {
            field: field.into(),
            message: message.into(),
        }
    }
}

/// How digests become what the database keeps.
#[derive(Debug, Clone)]
pub enum Digesting {
    /// They are that already.
    Own {
        /// Salts that are encrypted under the instance secret.
        sealed_salts: Vec<Vec<u8>>,
    },
    /// They are hashes with this salt.
    Salted(Salt),
}

/// How the digests of a file were made, if this instance can use them.
///
/// # Errors
/// What is wrong, with its place in the file.
pub fn digesting(digests: &DigestsEntry, fingerprint: &str) -> Result<Digesting, Flaw> {
    let unwanted = |field: &str, given: bool| {
        if given {
            let kind = match digests.kind {
                DigestKind::Hmac => "hmac-sha256",
                DigestKind::Salted => "sha256",
            };
            Err(Flaw::new(
                format!("digests.{field}"),
                format!("is not for {kind} digests"),
            ))
        } else {
            Ok(())
        }
    };
    match digests.kind {
        DigestKind::Hmac => {
            unwanted("salt", digests.salt.is_some())?;
            match digests.secret_fingerprint.as_deref() {
                None => Err(Flaw::new("digests.secret_fingerprint", "is missing")),
                Some(theirs) if theirs == fingerprint => {
                    let sealed = digests.sealed_salts.iter().enumerate().map(|(at, text)| {
                        STANDARD.decode(text).map_err(|_| {
                            Flaw::new(format!("digests.sealed_salts[{at}]"), "is not Base64")
                        })
                    });
                    Ok(Digesting::Own {
                        sealed_salts: sealed.collect::<Result<_, _>>()?,
                    })
                }
                Some(_) => Err(Flaw::new(
                    "digests.secret_fingerprint",
                    "is that of another secret: these digests are of use only to an instance with the secret that made them",
                )),
            }
        }
        DigestKind::Salted => {
            unwanted("secret_fingerprint", digests.secret_fingerprint.is_some())?;
            unwanted("sealed_salts", !digests.sealed_salts.is_empty())?;
            let salt = digests
                .salt
                .as_deref()
                .ok_or_else(|| Flaw::new("digests.salt", "is missing"))?;
            Salt::parse(salt)
                .map(Digesting::Salted)
                .map_err(|message| Flaw::new("digests.salt", message))
        }
    }
}

/// What comes before the lists, its digests left out.
///
/// # Errors
/// What is wrong, with its place in the file.
pub fn header(header: &Header) -> Result<(), Flaw> {
    if let Some(source) = &header.source {
        name("source", source)?;
    }
    for (at, prefix) in header.prefixes.iter().enumerate() {
        Prefix::parse(prefix).map_err(|problems| {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Flaw::new(format!("prefixes[{at}]"), problems.join(", "))
        })?;
    }
    Ok(())
}

/// A person.
///
/// # Errors
/// The first thing that is wrong.
pub fn user(entry: &UserEntry, now: DateTime<Utc>) -> Result<(), Flaw> {
    PathSegment::parse(&entry.username, Place::TopLevel)
        .map_err(|problem| Flaw::new("username", problem.to_string()))?;
    name("name", &entry.name)?;
    Email::parse(&entry.email).map_err(|problem| Flaw::new("email", problem.rule.to_string()))?;
    if entry
        .password_hash
        .as_deref()
        .is_some_and(|hash| !password::is_hash(hash))
    {
        return Err(Flaw::new(
            "password_hash",
            "is not an argon2id hash, as in $argon2id$v=19$…; leave it out, and the person needs a new password",
        ));
    }
    moment("confirmed_at", entry.confirmed_at.flatten(), now)?;
    if entry.approval_requested_at.is_some() && entry.state != State::Blocked {
        return Err(Flaw::new(
            "approval_requested_at",
            "is for somebody who is blocked",
        ));
    }
    moment("approval_requested_at", entry.approval_requested_at, now)?;
    moment("created_at", entry.created_at, now)
}

/// A group.
///
/// # Errors
/// The first thing that is wrong.
pub fn group(entry: &GroupEntry, now: DateTime<Utc>) -> Result<(), Flaw> {
    let path = full_path("path", &entry.path)?;
    if path.depth() > MAX_NESTING {
        return Err(Flaw::new(
            "path",
            format!("is nested too deep (maximum is {MAX_NESTING} levels)"),
        ));
    }
    if path.depth() > 1 && !entry.resource_access_token_creation_allowed {
        return Err(Flaw::new(
            "resource_access_token_creation_allowed",
            "can be false in a top-level group only",
        ));
    }
    for (field, given) in [
        ("plan", entry.plan.is_some()),
        ("trial", entry.trial),
        ("retain_bots", entry.retain_bots.is_some()),
    ] {
        if given && path.depth() > 1 {
            return Err(Flaw::new(field, "can be there in a top-level group only"));
        }
    }
    plan(entry)?;
    name("name", &entry.name)?;
    long_description(&entry.description)?;
    moment("created_at", entry.created_at, now)
}

/// What a top-level group pays for; nothing if the file doesn't say.
///
/// # Errors
/// When there is no such plan.
pub fn plan(entry: &GroupEntry) -> Result<Option<Plan>, Flaw> {
    let tier = match &entry.plan {
        None if !entry.trial => return Ok(None),
        None => Tier::default(),
        Some(word) => Tier::parse(word).ok_or_else(|| {
            let known = Tier::ALL.map(Tier::name).join(", ");
            Flaw::new(
                "plan",
                format!("{word:?} is no plan, which is one of {known}"),
            )
        })?,
    };
    Ok(Some(Plan {
        tier,
        trial: entry.trial,
    }))
}

/// A project.
///
/// # Errors
/// The first thing that is wrong.
pub fn project(entry: &ProjectEntry, now: DateTime<Utc>) -> Result<(), Flaw> {
    let path = full_path("path", &entry.path)?;
    if path.parent().is_none() {
        return Err(Flaw::new("path", "must name what the project is in, too"));
    }
    if let Some(branch) = &entry.default_branch
        && !is_name(branch)
    {
        return Err(Flaw::new(
            "default_branch",
            "is no name that Git takes for a branch",
        ));
    }
    name("name", &entry.name)?;
    long_description(&entry.description)?;
    moment("created_at", entry.created_at, now)
}

/// A person's role somewhere.
///
/// # Errors
/// The first thing that is wrong.
pub fn membership(entry: &MembershipEntry, now: DateTime<Utc>) -> Result<(), Flaw> {
    home(entry.group.as_deref(), entry.project.as_deref())?;
    day("expires_at", entry.expires_at)?;
    moment("created_at", entry.created_at, now)
}

/// A bot.
///
/// # Errors
/// The first thing that is wrong.
pub fn bot(entry: &BotEntry, now: DateTime<Utc>) -> Result<(), Flaw> {
    if !is_bot_name(&entry.username) {
        return Err(Flaw::new(
            "username",
            "is no name of a bot, which is group_ or project_, a number, _bot, and letters, digits or '_'",
        ));
    }
    name("name", &entry.name)?;
    home(entry.group.as_deref(), entry.project.as_deref())?;
    day("expires_at", entry.expires_at)?;
    moment("created_at", entry.created_at, now)
}

/// A token as it can be kept.
#[derive(Debug, Clone)]
pub struct CheckedToken {
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it may open.
    pub scopes: Scopes,
    /// As the file has it.
    pub digest: [u8; 32],
    /// That of the token that was rotated into it.
    pub previous: Option<[u8; 32]>,
}

/// A token; whether its holder may have these scopes is another question.
///
/// # Errors
/// The first thing that is wrong.
pub fn token(
    entry: &TokenEntry,
    digesting: &Digesting,
    now: DateTime<Utc>,
) -> Result<CheckedToken, Flaw> {
    let name = name("name", &entry.name)?;
    let description = Description::parse(entry.description.as_deref().unwrap_or_default())
        .map_err(|problem| Flaw::new("description", problem.rule.to_string()))?;
    let mut scopes = Vec::new();
    for (at, scope) in entry.scopes.iter().enumerate() {
        scopes.push(
            Scope::parse(scope).ok_or_else(|| {
                Flaw::new(format!("scopes[{at}]"), format!("{scope:?} is no scope"))
            })?,
        );
    }
    let scopes = Scopes::new(scopes).map_err(|_| Flaw::new("scopes", "can't be blank"))?;
    let has_sealed =
        matches!(digesting, Digesting::Own { sealed_salts } if !sealed_salts.is_empty());
    if entry.salted && !has_sealed {
        return Err(Flaw::new("salted", "needs digests.sealed_salts"));
    }
    let digest = digest("digest", &entry.digest)?;
    let previous = match &entry.previous_digest {
        None => None,
        Some(text) => Some(self::digest("previous_digest", text)?),
    };
    if previous == Some(digest) {
        return Err(Flaw::new("previous_digest", "is the token's own"));
    }
    if let Some(hint) = &entry.hint
        && (hint.len() > 4 || !hint.bytes().all(|byte| byte.is_ascii_graphic()))
    {
        return Err(Flaw::new(
            "hint",
            "must be the last four characters of the value, or left out",
        ));
    }
    day("expires_at", entry.expires_at)?;
    moment("created_at", entry.created_at, now)?;
    moment("updated_at", entry.updated_at, now)?;
    moment("last_used_at", entry.last_used_at, now)?;
    Ok(CheckedToken {
        name,
        description: description.map(Description::into_string),
        scopes,
        digest,
        previous,
    })
}

/// The digest of a token that is no more.
///
/// # Errors
/// When it is none.
pub fn taken_away(text: &str) -> Result<[u8; 32], Flaw> {
    digest("", text)
}

/// May this holder have these scopes? Any person may have those of administrators: they open nothing to others, and who
/// was one once keeps the token that has them.
///
/// # Errors
/// The first one that can't be had.
pub fn scopes_of(scopes: &Scopes, is_bot: bool) -> Result<(), Flaw> {
    // Whether the registry is on or off: off, a scope that was given once opens nothing.
    let may = |scope: Scope| {
        if is_bot {
            scope.is_for_resource_tokens(true)
        } else {
            scope.is_for_people(true, true)
        }
    };
    match scopes.iter().position(|scope| !may(scope)) {
        None => Ok(()),
        Some(at) => Err(Flaw::new(
            format!("scopes[{at}]"),
            "can't be had by a token of this user",
        )),
    }
}

fn name(field: &str, text: &str) -> Result<String, Flaw> {
    Name::parse(text)
        .map(Name::into_string)
        .map_err(|problem| Flaw::new(field, problem.rule.to_string()))
}

fn long_description(text: &str) -> Result<(), Flaw> {
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.chars().any(control) {
        return Err(Flaw::new("description", "contains invalid characters"));
    }
    if text.chars().count() > DESCRIPTION_MAX {
        return Err(Flaw::new(
            "description",
            format!("is too long (maximum is {DESCRIPTION_MAX} characters)"),
        ));
    }
    Ok(())
}

fn full_path(field: &str, text: &str) -> Result<FullPath, Flaw> {
    let flaw = |message: String| Flaw::new(field, message);
    let path = FullPath::parse(text).map_err(|problem| flaw(problem.to_string()))?;
    for (depth, segment) in path.segments().enumerate() {
        let place = if depth == 0 {
            Place::TopLevel
        } else {
            Place::Below
        };
        PathSegment::parse(segment, place).map_err(|problem| flaw(problem.to_string()))?;
    }
    if text.len() > FULL_PATH_MAX {
        return Err(flaw(format!(
            "is too long (maximum is {FULL_PATH_MAX} characters in all)"
        )));
    }
    Ok(path)
}

fn home(group: Option<&str>, project: Option<&str>) -> Result<(), Flaw> {
    match (group, project) {
        (Some(_), None) | (None, Some(_)) => Ok(()),
        (None, None) => Err(Flaw::new("", "needs a group or a project")),
        (Some(_), Some(_)) => Err(Flaw::new(
            "project",
            "can't be there beside a group; it is one of them",
        )),
    }
}

fn is_bot_name(text: &str) -> bool {
    let Some(rest) = ["group_", "project_"]
        .into_iter()
        .find_map(|kind| text.strip_prefix(kind))
    else {
        return false;
    };
    let after_id = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    after_id.len() < rest.len()
        && text.len() <= PathSegment::MAX_LENGTH
        && after_id.strip_prefix("_bot").is_some_and(|rest| {
            rest.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
}

fn digest(field: &str, text: &str) -> Result<[u8; 32], Flaw> {
    STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| Flaw::new(field, "must be 32 bytes in Base64"))
}

/// Years that both databases keep and sort alike.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9999;

fn day(field: &str, date: Option<NaiveDate>) -> Result<(), Flaw> {
    match date {
        Some(date) if !YEARS.contains(&date.year()) => {
            Err(Flaw::new(field, "must be in the years 1970 to 9999"))
        }
        _ => Ok(()),
    }
}

fn moment(field: &str, at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<(), Flaw> {
    match at {
        Some(at) if at > now => Err(Flaw::new(field, "is yet to come")),
        Some(at) => day(field, Some(at.date_naive())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-20T10:00:00Z".parse().unwrap()
    }

    fn with(mut entry: Value, field: &str, value: Value) -> Value {
        entry[field] = value;
        entry
    }

    fn digest_of(byte: u8) -> String {
        STANDARD.encode([byte; 32])
    }

    fn token_entry() -> Value {
        json!({ "user": "ann", "name": "ci", "scopes": ["api"], "digest": digest_of(1) })
    }

    fn token_flaw(field: &str, value: Value) -> Option<(String, String)> {
        let entry: TokenEntry = serde_json::from_value(with(token_entry(), field, value)).unwrap();
        let digesting = Digesting::Own {
            sealed_salts: Vec::new(),
        };
        let flaw = token(&entry, &digesting, now()).err()?;
        Some((flaw.field, flaw.message))
    }

    #[test]
    fn tokens_keep_to_the_rules_of_tokens() {
        assert_eq!(token_flaw("revoked", json!(true)), None);
        assert_eq!(token_flaw("expires_at", json!("2020-01-01")), None);
        assert_eq!(token_flaw("hint", json!("aB3_")), None);
        for (field, value, at) in [
            ("name", json!(" "), "name"),
            ("name", json!("x".repeat(256)), "name"),
            ("description", json!("x".repeat(256)), "description"),
            ("scopes", json!([]), "scopes"),
            ("scopes", json!(["api", "everything"]), "scopes[1]"),
            ("digest", json!("abc"), "digest"),
            ("digest", json!(STANDARD.encode([1; 31])), "digest"),
            ("previous_digest", json!("…"), "previous_digest"),
            ("previous_digest", json!(digest_of(1)), "previous_digest"),
            ("salted", json!(true), "salted"),
            ("hint", json!("12345"), "hint"),
            ("hint", json!("a\u{7}"), "hint"),
            ("expires_at", json!("1066-10-14"), "expires_at"),
            ("created_at", json!("2026-11-20T10:00:01Z"), "created_at"),
            (
                "last_used_at",
                json!("2027-01-01T00:00:00Z"),
                "last_used_at",
            ),
        ] {
            let found = token_flaw(field, value.clone()).map(|(field, _)| field);
            assert_eq!(found.as_deref(), Some(at), "{field}: {value}");
        }
    }

    #[test]
    fn scopes_of_people_are_not_for_bots() {
        let scopes = |names: &[&str]| {
            Scopes::new(names.iter().filter_map(|name| Scope::parse(name))).unwrap()
        };
        assert_eq!(scopes_of(&scopes(&["api", "read_registry"]), true), Ok(()));
        for own in ["read_user", "sudo", "admin_mode"] {
            assert_eq!(scopes_of(&scopes(&[own]), false), Ok(()));
        }
        let flaw = scopes_of(&scopes(&["api", "sudo"]), true).unwrap_err();
        assert_eq!(flaw.field, "scopes[1]");
        assert!(scopes_of(&scopes(&["read_user"]), true).is_err());
    }

    #[test]
    fn digests_of_another_secret_are_refused_and_each_kind_needs_its_own() {
        let read = |value: Value| -> Result<Digesting, Flaw> {
            digesting(&serde_json::from_value(value).unwrap(), "ours")
        };
        assert!(read(json!({ "kind": "hmac-sha256", "secret_fingerprint": "ours" })).is_ok());
        assert!(read(json!({ "kind": "sha256", "salt": "s" })).is_ok());
        for (value, field) in [
            (
                json!({ "kind": "hmac-sha256", "secret_fingerprint": "theirs" }),
                "digests.secret_fingerprint",
            ),
            (
                json!({ "kind": "hmac-sha256" }),
                "digests.secret_fingerprint",
            ),
            (
                json!({ "kind": "hmac-sha256", "secret_fingerprint": "ours", "salt": "s" }),
                "digests.salt",
            ),
            (json!({ "kind": "sha256" }), "digests.salt"),
            (json!({ "kind": "sha256", "salt": "" }), "digests.salt"),
            (
                json!({ "kind": "sha256", "salt": "s", "secret_fingerprint": "ours" }),
                "digests.secret_fingerprint",
            ),
        ] {
            assert_eq!(read(value.clone()).unwrap_err().field, field, "{value}");
        }
    }

    #[test]
    fn people_groups_projects_and_bots_keep_to_theirs() {
        let ann = json!({ "username": "ann", "name": "Ann", "email": "ann@example.com" });
        let group_entry = json!({ "path": "acme/platform", "name": "Platform" });
        let project_entry = json!({ "path": "acme/api", "name": "Api" });
        let bot_entry = json!({ "username": "group_1_bot_ab12", "name": "ci", "group": "acme", "access_level": 40 });
        let member = json!({ "user": "ann", "group": "acme", "access_level": 50 });
        type Rule = fn(Value) -> Result<(), Flaw>;
        let of_user: Rule = |entry| user(&serde_json::from_value(entry).unwrap(), now());
        let of_group: Rule = |entry| group(&serde_json::from_value(entry).unwrap(), now());
        let of_project: Rule = |entry| project(&serde_json::from_value(entry).unwrap(), now());
        let of_bot: Rule = |entry| bot(&serde_json::from_value(entry).unwrap(), now());
        let of_member: Rule = |entry| membership(&serde_json::from_value(entry).unwrap(), now());
        let deep = vec!["a"; MAX_NESTING + 1].join("/");
        for (rule, entry, wrong) in [
            (
                of_user,
                &ann,
                vec![
                    ("username", json!("a b")),
                    ("username", json!("admin")),
                    ("username", json!("group_1_bot_x")),
                    ("name", json!("")),
                    ("email", json!("nobody")),
                    ("password_hash", json!("$2a$10$abc")),
                    ("created_at", json!("2030-01-01T00:00:00Z")),
                ],
            ),
            (
                of_group,
                &group_entry,
                vec![
                    ("path", json!("api")),
                    ("path", json!("acme//x")),
                    ("path", json!("acme/x.git")),
                    ("path", json!(deep)),
                    ("name", json!("\u{0}")),
                    ("description", json!("x".repeat(501))),
                    ("resource_access_token_creation_allowed", json!(false)),
                ],
            ),
            (
                of_project,
                &project_entry,
                vec![
                    ("path", json!("alone")),
                    ("path", json!("help/x")),
                    ("name", json!(" ")),
                ],
            ),
            (
                of_bot,
                &bot_entry,
                vec![
                    ("username", json!("ann")),
                    ("username", json!("group_bot_x")),
                    ("username", json!("group_1_bot-x")),
                    ("name", json!("")),
                    ("project", json!("acme/api")),
                    ("expires_at", json!("0001-01-01")),
                ],
            ),
            (
                of_member,
                &member,
                vec![
                    ("project", json!("acme/api")),
                    ("expires_at", json!("0001-01-01")),
                ],
            ),
        ] {
            assert_eq!(rule(entry.clone()), Ok(()), "{entry}");
            for (field, value) in wrong {
                let flaw = rule(with(entry.clone(), field, value.clone())).unwrap_err();
                assert_eq!(flaw.field, field, "{value}");
            }
        }
    }
}
