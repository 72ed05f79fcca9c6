//! Takes secrets out of texts that leave the program: log lines, echoed errors, request targets.
//!
//! This is the last line of defence. The first is that secrets are types which print `[FILTERED]`.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{LazyLock, PoisonError, RwLock},
};

use percent_encoding::percent_decode_str;
use regex::{Captures, Regex};

/// What stands where a secret stood.
pub const FILTERED: &str = "[FILTERED]";

/// The prefix of a new instance, known without anybody saying so.
const DEFAULT_PREFIX: &str = "glpat-";

/// Parameters whose value is a secret, besides those with `password` or `secret` in their name.
const SECRET_NAMES: [&str; 7] = [
    "private_token",
    "access_token",
    "token",
    "job_token",
    "feed_token",
    "authenticity_token",
    "confirmation_token",
];

static REDACTOR: LazyLock<RwLock<Redactor>> = LazyLock::new(|| RwLock::new(Redactor::new()));

/// Teaches that tokens of this instance begin, or once began, with `prefix`.
pub fn know_prefix(prefix: &str) {
    let known = REDACTOR
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .prefixes
        .contains(prefix);
    if !known {
        REDACTOR
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .know_prefix(prefix);
    }
}

/// What tokens of this instance begin, or once began, with.
pub fn known_prefixes() -> Vec<String> {
    let known = REDACTOR.read().unwrap_or_else(PoisonError::into_inner);
    known.prefixes.iter().cloned().collect()
}

/// The text with `[FILTERED]` for every secret in it.
pub fn redact(text: &str) -> Cow<'_, str> {
    REDACTOR
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .redact(text)
}

/// The path and query of a request without the parameters that are secrets, fit for a link or a redirect.
pub fn without_secrets(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_owned();
    };
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !is_secret_pair(pair))
        .collect();
    if kept.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", kept.join("&"))
    }
}

/// Is this `name=value` of a query a secret?
pub fn is_secret_pair(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default().replace('+', " ");
    let name = percent_decode_str(&name)
        .decode_utf8_lossy()
        .to_ascii_lowercase();
    SECRET_NAMES.contains(&name.as_str())
        || ["bearer_token", "password", "secret"]
            .iter()
            .any(|word| name.contains(word))
}

/// The path and query of a request, fit for a log: percent signs hide nothing from it.
pub fn redact_target(target: &str) -> String {
    REDACTOR
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .redact_target(target)
}

/// What is a secret, and the patterns made from it.
#[derive(Debug)]
struct Redactor {
    prefixes: BTreeSet<String>,
    /// A known prefix and what follows it; absent only if the pattern can't be compiled, which no prefix causes.
    prefixed: Option<Regex>,
}

impl Redactor {
    fn new() -> Redactor {
        let mut redactor = Redactor {
            prefixes: BTreeSet::new(),
            prefixed: None,
        };
        redactor.know_prefix(DEFAULT_PREFIX);
        redactor
    }

    fn know_prefix(&mut self, prefix: &str) {
        // Without a prefix only the checked shape can be told from ordinary words.
        if !prefix.is_empty() && self.prefixes.insert(prefix.to_owned()) {
            self.prefixed = prefix_pattern(&self.prefixes);
        }
    }

    fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for (pattern, replacement) in PATTERNS.iter() {
            replace(&mut text, pattern, *replacement);
        }
        if let Some(pattern) = &self.prefixed {
            // The first group is what only had to be beside the token.
            replace(&mut text, pattern, |captures: &Captures| {
                format!(
                    "{}{FILTERED}",
                    captures.get(1).map_or("", |kept| kept.as_str())
                )
            });
        }
        text
    }

    fn redact_target(&self, target: &str) -> String {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let path = path.split('/').map(|segment| self.redact_encoded(segment));
        let mut redacted = path.collect::<Vec<_>>().join("/");
        for (index, pair) in query
            .into_iter()
            .flat_map(|query| query.split('&'))
            .enumerate()
        {
            redacted.push(if index == 0 { '?' } else { '&' });
            match pair.split_once('=') {
                Some((name, _)) if is_secret_name(name) => {
                    redacted.push_str(&format!("{}={FILTERED}", self.redact_encoded(name)));
                }
                Some((name, value)) => {
                    redacted.push_str(&format!(
                        "{}={}",
                        self.redact_encoded(name),
                        self.redact_encoded(value)
                    ));
                }
                None => redacted.push_str(&self.redact_encoded(pair)),
            }
        }
        redacted
    }

    /// A piece of a URL: filtered as a whole if a secret shows once it is decoded.
    fn redact_encoded<'a>(&self, piece: &'a str) -> Cow<'a, str> {
        let decoded = percent_decode_str(piece).decode_utf8_lossy();
        if self.redact(&decoded) != decoded {
            Cow::Borrowed(FILTERED)
        } else {
            self.redact(piece)
        }
    }
}

fn is_secret_name(name: &str) -> bool {
    let name = percent_decode_str(name).decode_utf8_lossy().to_lowercase();
    name.contains("password")
        || name.contains("secret")
        || name
            .split(['[', ']'])
            .any(|part| SECRET_NAMES.contains(&part.trim()))
}

fn replace(text: &mut Cow<str>, pattern: &Regex, replacement: impl regex::Replacer) {
    if let Cow::Owned(replaced) = pattern.replace_all(text, replacement) {
        *text = Cow::Owned(replaced);
    }
}

/// A known prefix and at least ten characters of a token. A prefix of one or two letters begins many words, so that
/// it needs a boundary before it and all of a token after it.
fn prefix_pattern(prefixes: &BTreeSet<String>) -> Option<Regex> {
    // The longest first, or a prefix that begins with another one would leave its own end behind.
    let mut literals: Vec<(usize, String)> = prefixes
        .iter()
        .map(|prefix| {
            (
                prefix.len(),
                prefix.chars().map(literal_or_encoded).collect(),
            )
        })
        .collect();
    literals.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
    let joined = |wanted: fn(usize) -> bool| {
        let literals: Vec<&str> = literals
            .iter()
            .filter(|(length, _)| wanted(*length))
            .map(|(_, literal)| literal.as_str())
            .collect();
        literals.join("|")
    };
    let (long, short) = (joined(|length| length >= 3), joined(|length| length < 3));
    let mut parts = Vec::new();
    if !long.is_empty() {
        parts.push(format!(r"(?:{long})[0-9A-Za-z_.\-]{{10,}}"));
    }
    if !short.is_empty() {
        parts.push(format!(
            r"(^|[^0-9A-Za-z_.\-])(?:{short})[0-9A-Za-z_.\-]{{20,}}"
        ));
    }
    Regex::new(&parts.join("|")).ok()
}

/// A character of a prefix, also as a URL would write it.
fn literal_or_encoded(character: char) -> String {
    let literal = regex::escape(&character.to_string());
    if character.is_ascii_alphanumeric() || "-._~".contains(character) {
        return literal;
    }
    let mut bytes = [0; 4];
    let encoded: String = character
        .encode_utf8(&mut bytes)
        .bytes()
        .map(|byte| format!("%{byte:02x}"))
        .collect();
    format!("(?:{literal}|(?i:{encoded}))")
}

/// What is a secret whatever the prefixes are, with the replacement for each.
static PATTERNS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let any = r"[\w.\-\[\]%]*";
    let name = format!(
        "(?:{}|{any}password{any}|{any}secret{any})",
        SECRET_NAMES.join("|")
    );
    let header = "(?:proxy-)?authorization|(?:private|job|deploy)-token|(?:set-)?cookie";
    let patterns = [
        // The secret of a calendar's address.
        (r"lkft-[0-9]+-[0-9a-f]{20,}".to_owned(), FILTERED),
        // name=value, the value quoted or not, also inside of a JSON string, also as user[name]=value.
        (
            format!(
                r#"(?i)(^|[^\w.\-]|%5b)({name})(%5d|\])?(\s*=\s*)(?:"(?:[^"\\]|\\.)*"|\\"[^"\\]*\\"|[^\s&;,"'<>\\]+)"#
            ),
            "$1$2$3$4[FILTERED]",
        ),
        // "name":"value"
        (
            format!(r#"(?i)("(?:{name}|{header})"\s*:\s*)"(?:[^"\\]|\\.)*""#),
            r#"$1"[FILTERED]""#,
        ),
        // Authorization: …, to the end of the line or of the string.
        (
            format!(r#"(?i)\b({header})(:\s*)[^"\\\r\n]+"#),
            "$1$2[FILTERED]",
        ),
        // scheme://user:password@host
        (
            r#"(://[^/\s:@"]*:)[^\s"\\/?#]*@"#.to_owned(),
            "$1[FILTERED]@",
        ),
        // The checked shape: payload, two characters, two of length and seven of checksum.
        (
            r"[0-9A-Za-z_\-]{20,}\.[0-9a-z]{2}\.[0-9a-z]{9}".to_owned(),
            FILTERED,
        ),
    ];
    patterns
        .into_iter()
        .filter_map(|(pattern, replacement)| Some((Regex::new(&pattern).ok()?, replacement)))
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_parameters_are_left_out_of_links() {
        for (target, kept) in [
            ("/groups/acme?page=2", "/groups/acme?page=2"),
            ("/x?private_token=abc", "/x"),
            ("/x?a=1&access_token=abc&b=2", "/x?a=1&b=2"),
            ("/x?%70rivate_token=abc&PASSWORD=p&user[password]=p", "/x"),
            ("/x", "/x"),
        ] {
            assert_eq!(without_secrets(target), kept, "{target}");
        }
    }

    const CLASSIC: &str = "glpat-AbCdEfGhIjKlMnOpQrSt";
    const CHECKED: &str = "AAECAwQFBgcICQoLDA0ODxAREhNvOjED.01.0w0221qi9";

    fn redacted(text: &str) -> String {
        Redactor::new().redact(text).into_owned()
    }

    fn with_prefix(prefix: &str, text: &str) -> String {
        let mut redactor = Redactor::new();
        redactor.know_prefix(prefix);
        redactor.redact(text).into_owned()
    }

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(PATTERNS.len(), 6);
        assert!(Redactor::new().prefixed.is_some());
    }

    #[test]
    fn values_of_secret_parameters_are_filtered() {
        for name in [
            "private_token",
            "access_token",
            "token",
            "job_token",
            "feed_token",
            "password",
            "password_confirmation",
            "user[password]",
            "user%5Bpassword%5D",
            "new_password",
            "client_secret",
            "secret_key",
            "authenticity_token",
            "reset_password_token",
            "PRIVATE_TOKEN",
        ] {
            let line = format!("GET /api/v4/user?page=2&{name}=hunter2&per_page=3 200");
            let expected = format!("GET /api/v4/user?page=2&{name}=[FILTERED]&per_page=3 200");
            assert_eq!(redacted(&line), expected);
        }
    }

    #[test]
    fn a_secret_value_is_filtered_however_it_is_quoted() {
        assert_eq!(
            redacted(r#"password="hunter 2" next"#),
            "password=[FILTERED] next"
        );
        assert_eq!(redacted(r#"password="a\"hunter2""#), "password=[FILTERED]");
        assert_eq!(
            redacted(r#"{"message":"password=\"hunter 2\" next"}"#),
            r#"{"message":"password=[FILTERED] next"}"#
        );
        assert_eq!(
            redacted(r#"{"user":{"password":"hunter\"2","name":"a"}}"#),
            r#"{"user":{"password":"[FILTERED]","name":"a"}}"#
        );
    }

    #[test]
    fn credentials_in_headers_and_urls_are_filtered() {
        assert_eq!(
            redacted("Authorization: Basic YTpi next"),
            "Authorization: [FILTERED]"
        );
        assert_eq!(redacted("PRIVATE-TOKEN: abc"), "PRIVATE-TOKEN: [FILTERED]");
        assert_eq!(
            redacted(r#"{"cookie":"a=b"}"#),
            r#"{"cookie":"[FILTERED]"}"#
        );
        assert_eq!(
            redacted("postgres://latchkey:hunt@er2@db.example/latchkey"),
            "postgres://latchkey:[FILTERED]@db.example/latchkey"
        );
    }

    #[test]
    fn anything_shaped_like_a_token_is_filtered() {
        assert_eq!(
            redacted(&format!("saw {CLASSIC}, twice {CLASSIC}")),
            "saw [FILTERED], twice [FILTERED]"
        );
        assert_eq!(redacted("saw glpat-0123456789"), "saw [FILTERED]");
        assert_eq!(redacted(&format!("saw {CHECKED}!")), "saw [FILTERED]!");
        assert_eq!(
            redacted(&format!("saw glpat-{CHECKED}!")),
            "saw [FILTERED]!"
        );
        assert_eq!(redacted(&format!("x{CLASSIC}")), "x[FILTERED]");
    }

    #[test]
    fn prefixes_are_learned() {
        let token = "acme_AbCdEfGhIjKlMnOpQrSt";
        assert_eq!(redacted(token), token);
        assert_eq!(with_prefix("acme_", token), FILTERED);
        assert_eq!(
            with_prefix("acme_", CLASSIC),
            FILTERED,
            "the old prefix is still known"
        );
        assert_eq!(
            with_prefix("a+b/", "in a+b/AbCdEfGhIjKlMnOpQrSt"),
            "in [FILTERED]"
        );
        assert_eq!(
            with_prefix("a+b/", "in a%2Bb%2fAbCdEfGhIjKlMnOpQrSt"),
            "in [FILTERED]"
        );
        assert_eq!(
            with_prefix("a.b", "axbAbCdEfGhIjKlMnOpQrSt"),
            "axbAbCdEfGhIjKlMnOpQrSt"
        );
    }

    #[test]
    fn a_prefix_of_a_letter_or_none_leaves_ordinary_words_alone() {
        assert_eq!(with_prefix("a", "an administrator"), "an administrator");
        assert_eq!(with_prefix("a", "(aAbCdEfGhIjKlMnOpQrSt)"), "([FILTERED])");
        assert_eq!(with_prefix("", "an administrator"), "an administrator");
        assert_eq!(with_prefix("a", CLASSIC), FILTERED);
    }

    #[test]
    fn what_is_no_secret_stays() {
        for line in [
            "Created access token ci token.id=5 group.path=acme/platform",
            "GET /groups/acme/-/settings/access_tokens?page=2&sort=expires_asc 200",
            r#"{"level":"INFO","message":"Revoked access token ci","token.id":7}"#,
            "POST /-/user_settings/personal_access_tokens 422",
            "Listening on http://127.0.0.1:8080",
            "GET http://127.0.0.1:8080/users?search=alice@example.com",
            "request_id=0123456789abcdef0123456789abcdef",
            "version 1.2.3 of glpat-short",
            r#"WWW-Authenticate Bearer realm="The API", error="invalid_token""#,
        ] {
            assert_eq!(redacted(line), line);
        }
    }

    #[test]
    fn a_json_line_stays_json() {
        let line = serde_json::json!({
            "message": format!("a \"quoted\" {CLASSIC} \\ password=\"hunter2\" Authorization: Basic x"),
            "password": "hunter2 \" \\",
            "uri": format!("/api/v4/user?private_token={CLASSIC}&x=1"),
            "database": "postgres://a:hunter2@db/x",
        });
        let redacted = redacted(&line.to_string());
        let parsed: serde_json::Value = serde_json::from_str(&redacted).unwrap();
        assert_eq!(parsed["uri"], "/api/v4/user?private_token=[FILTERED]&x=1");
        assert!(!redacted.contains("hunter2"), "{redacted}");
        assert!(!redacted.contains(CLASSIC), "{redacted}");
    }

    #[test]
    fn a_request_target_hides_nothing_behind_percent_signs() {
        let redactor = Redactor::new();
        for (target, expected) in [
            ("/api/v4/user", "/api/v4/user"),
            ("/api/v4/user?", "/api/v4/user?"),
            ("/a?page=2&sort=name%20asc", "/a?page=2&sort=name%20asc"),
            (
                "/a?private%5Ftoken=hunter2&page=2",
                "/a?private%5Ftoken=[FILTERED]&page=2",
            ),
            (
                "/a?user%5Bpassword%5D=hunter2",
                "/a?user%5Bpassword%5D=[FILTERED]",
            ),
            (
                "/a?personal[token]=hunter2",
                "/a?personal[token]=[FILTERED]",
            ),
            ("/a?x=%67lpat-AbCdEfGhIjKlMnOpQrSt", "/a?x=[FILTERED]"),
            ("/a?glpat-AbCdEfGhIjKlMnOpQrSt", "/a?[FILTERED]"),
            ("/a/%67lpat-AbCdEfGhIjKlMnOpQrSt/b", "/a/[FILTERED]/b"),
            ("/setup?token=hunter2", "/setup?token=[FILTERED]"),
        ] {
            assert_eq!(redactor.redact_target(target), expected);
        }
    }

    #[test]
    fn a_prefix_taught_to_the_program_counts_at_once() {
        know_prefix("redaction_test_");
        know_prefix("redaction_test_");
        assert_eq!(redact("redaction_test_AbCdEfGhIjKl"), FILTERED);
        assert_eq!(redact_target("/redaction_test_AbCdEfGhIjKl"), "/[FILTERED]");
    }
}
