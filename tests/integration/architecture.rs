//! Which way the arrows of `docs/architecture.md` point, read off the sources.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use regex::Regex;

/// A file of `src/`, without comments and without its own tests.
struct Source {
    /// Below `src/`.
    path: String,
    text: String,
}

/// What some files never need, and what to do instead.
struct Arrow {
    who: &'static str,
    are: fn(&Source) -> bool,
    never: &'static [(&'static str, &'static str)],
}

const WEB: [(&str, &str); 5] = [
    (
        "actix_web",
        "return a domain value or an Error; the page or endpoint turns it into an answer",
    ),
    (
        "actix_session",
        "take what you need as an argument; `sessions` alone knows the library",
    ),
    (
        "askama",
        "return values; a view struct in `web::views` shows them",
    ),
    (
        "crate::web",
        "return values; the edge that called you knows the web",
    ),
    (
        "crate::app",
        "take `&Context` and a connection; the edge has the App",
    ),
];

const ARROWS: &[Arrow] = &[
    Arrow {
        who: "a rule",
        are: is_rule,
        never: &[
            WEB[0],
            WEB[1],
            WEB[2],
            WEB[3],
            WEB[4],
            (
                "diesel",
                "take values as arguments; a query belongs in store.rs",
            ),
            (
                "crate::db",
                "take values as arguments; a query belongs in store.rs",
            ),
            ("crate::clock", "take `today` or `now` as an argument"),
        ],
    },
    Arrow {
        who: "a store",
        are: is_store,
        never: &WEB,
    },
    Arrow {
        who: "a verb",
        are: is_verb,
        never: &WEB,
    },
    Arrow {
        who: "an edge",
        are: is_edge,
        never: &[
            (
                "diesel",
                "put the query into the domain's store.rs or list.rs and call that",
            ),
            (
                "crate::db::schema",
                "put the query into the domain's store.rs or list.rs and call that",
            ),
        ],
    },
    Arrow {
        who: "the ground (db, clock, error, mail)",
        are: |source| starts_with_one(source, &["db/", "clock.rs", "error.rs", "mail/"]),
        never: &[
            ("crate::access_tokens", DOMAIN),
            ("crate::actor", DOMAIN),
            ("crate::audit", DOMAIN),
            ("crate::bots", DOMAIN),
            ("crate::groups", DOMAIN),
            ("crate::members", DOMAIN),
            ("crate::permissions", DOMAIN),
            ("crate::projects", DOMAIN),
            ("crate::sessions", DOMAIN),
            ("crate::settings", DOMAIN),
            ("crate::users", DOMAIN),
            ("crate::webhooks", DOMAIN),
            ("crate::web", DOMAIN),
            ("crate::app", DOMAIN),
        ],
    },
    Arrow {
        who: "the kit (web)",
        are: |source| source.path.starts_with("web/"),
        never: &[
            (
                "diesel",
                "call a function of the domain that knows the query",
            ),
            (
                "crate::db::schema",
                "call a function of the domain that knows the query",
            ),
            ("crate::access_tokens::by_policy", VERB),
            ("crate::access_tokens::create", VERB),
            ("crate::access_tokens::lifetime", VERB),
            ("crate::access_tokens::revoke", VERB),
            ("crate::access_tokens::rotate", VERB),
            ("crate::bots", VERB),
            ("crate::groups::create", VERB),
            ("crate::groups::delete", VERB),
            ("crate::groups::notify_inherited::change", VERB),
            ("crate::groups::rename", VERB),
            ("crate::groups::transfer", VERB),
            ("crate::groups::update", VERB),
            ("crate::members::add", VERB),
            ("crate::members::change", VERB),
            ("crate::projects::create", VERB),
            ("crate::projects::transfer", VERB),
            ("crate::projects::update", VERB),
            ("crate::projects::delete", VERB),
            ("crate::users::create", VERB),
            ("crate::users::delete", VERB),
            ("crate::users::edit", VERB),
            ("crate::users::state", VERB),
            ("crate::webhooks", VERB),
        ],
    },
    Arrow {
        who: "everybody below the assembly",
        are: |source| {
            !starts_with_one(
                source,
                &["server/", "cli/", "cli.rs", "demo/", "demo.rs", "main.rs"],
            )
        },
        never: &[
            (
                "crate::server",
                "move what you need down to where both can reach it",
            ),
            (
                "crate::cli",
                "move what you need down to where both can reach it",
            ),
            (
                "crate::demo",
                "move what you need down to where both can reach it",
            ),
        ],
    },
];

const DOMAIN: &str =
    "the ground lies below all domains: take a plain value, or move this into the domain";
const VERB: &str =
    "the kit carries requests in and answers out: let a handler or the assembly call the verb";

#[test]
fn every_arrow_points_the_way_of_the_map() {
    let mut wrong = Vec::new();
    for source in sources() {
        let used = source.uses();
        for arrow in ARROWS.iter().filter(|arrow| (arrow.are)(&source)) {
            for (never, instead) in arrow.never {
                if let Some(found) = used.iter().find(|path| is_below(path, never)) {
                    wrong.push(format!(
                        "src/{} is {}, which never uses {never} ({found}): {instead}",
                        source.path, arrow.who
                    ));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "see docs/architecture.md\n{}",
        wrong.join("\n")
    );
}

#[test]
fn rules_do_not_reach_for_the_store_beside_them() {
    for source in sources().iter().filter(|source| is_rule(source)) {
        for used in source.uses() {
            assert!(
                !used.ends_with("::store") && !used.contains("::store::"),
                "src/{} is a rule and uses {used}: let the verb read, and hand the values to the rule",
                source.path
            );
        }
    }
}

#[test]
fn hot_queries_neither_bind_a_limit_for_one_row_nor_bypass_the_statement_cache() {
    // SQLite prepares a statement anew whenever a bound LIMIT changes hands; `sql_query` is never kept at all.
    let costly = pattern(r"\.first(::<[^(]*)?\([^)]|\.limit\(1\)|sql_query\(");
    for source in sources() {
        let queries = is_store(&source) || source.path.ends_with("authenticate.rs");
        for (number, line) in source.text.lines().enumerate() {
            assert!(
                !(line.contains("sql_query(") || queries && costly.is_match(line)),
                "src/{}, line {}: `.get_result(conn).optional()` on a unique key says the same and stays prepared:\n{line}",
                source.path,
                number + 1
            );
        }
    }
}

#[test]
fn the_wall_clock_is_read_in_one_place() {
    for source in sources().iter().filter(|source| source.path != "clock.rs") {
        for call in ["Utc::now(", "Local::now(", "SystemTime::now("] {
            assert!(
                !source.text.contains(call),
                "src/{} calls {call}): take `now` as an argument; edges get it from App::clock",
                source.path
            );
        }
    }
}

/// Files longer than a person reads in one go, each of them one idea that would not be clearer in two.
const LONG: &[&str] = &[];

#[test]
fn files_stay_short_enough_to_read() {
    let long: BTreeSet<String> = sources()
        .into_iter()
        .filter(|source| source.text.lines().count() > 500)
        .map(|source| source.path)
        .collect();
    let known: BTreeSet<String> = LONG.iter().map(|path| (*path).to_owned()).collect();
    let news: Vec<_> = long.difference(&known).collect();
    assert!(
        news.is_empty(),
        "over 500 lines; find the second idea in it and move that out: {news:?}"
    );
    let gone: Vec<_> = known.difference(&long).collect();
    assert!(
        gone.is_empty(),
        "no longer over 500 lines; take it off the list: {gone:?}"
    );
}

fn is_rule(source: &Source) -> bool {
    const RULES: &[&str] = &[
        "access_tokens/calendar/ics.rs",
        "access_tokens/expiry.rs",
        "access_tokens/imported/salt.rs",
        "access_tokens/legacy/history.rs",
        "access_tokens/scope.rs",
        "access_tokens/secret.rs",
        "access_tokens/unused/idleness.rs",
        "advanced/roles.rs",
        "audit/catalogue.rs",
        "exchange/format.rs",
        "exchange/rules.rs",
        "git/browse/name.rs",
        "groups/notify_inherited/rule.rs",
        "groups/path.rs",
        "groups/visibility.rs",
        "jobs/catalogue.rs",
        "jobs/schedule.rs",
        "members/access_level.rs",
        "notices/interval.rs",
        "permissions/",
        "redaction.rs",
        "settings/lowering.rs",
        "text.rs",
        "users/password.rs",
        "webhooks/address.rs",
        "webhooks/payload.rs",
        "webhooks/retry.rs",
        "webhooks/secret.rs",
        "webhooks/target.rs",
    ];
    starts_with_one(source, RULES)
}

fn is_store(source: &Source) -> bool {
    ["/store.rs", "/list.rs"]
        .iter()
        .any(|end| source.path.ends_with(end))
}

fn is_edge(source: &Source) -> bool {
    const FILES: &[&str] = &["/api.rs", "/pages.rs", "/frame.rs", "/form.rs", "/rows.rs"];
    const ALONE: &[&str] = &["help.rs", "home.rs", "instance.rs", "search.rs"];
    !starts_with_one(source, &["web/", "server/", "cli/", "demo/", "db/"])
        && (source.path.starts_with("admin/") && !is_store(source)
            || source.path.contains("/pages/")
            || source.path.contains("/api/")
            || FILES.iter().any(|end| source.path.ends_with(end))
            || ALONE.contains(&source.path.as_str()))
}

/// What is left in a domain's folder.
fn is_verb(source: &Source) -> bool {
    const DOMAINS: &[&str] = &[
        "access_tokens/",
        "advanced/",
        "audit",
        "backup/",
        "bots/",
        "doctor/",
        "exchange/",
        "groups/",
        "members/",
        "notices/check.rs",
        "notices/desk.rs",
        "notices/gather.rs",
        "notices/recipients.rs",
        "projects/",
        "sessions/",
        "settings/",
        "users/",
        "webhooks/",
    ];
    // The library's store of sessions, and who a request's session belongs to, stand between the two.
    const BETWEEN: &[&str] = &["sessions/cookie.rs", "sessions/person.rs"];
    // Sign-in alone hashes passwords, in a queue that the App has.
    const WITH_APP: &[&str] = &["sessions/sign_in.rs"];
    starts_with_one(source, DOMAINS)
        && !is_rule(source)
        && !is_store(source)
        && !is_edge(source)
        && !starts_with_one(source, BETWEEN)
        && !starts_with_one(source, WITH_APP)
}

fn starts_with_one(source: &Source, beginnings: &[&str]) -> bool {
    beginnings
        .iter()
        .any(|beginning| source.path.starts_with(beginning))
}

fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths
        .iter()
        .map(|path| Source {
            path: path
                .strip_prefix(&root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned(),
            text: without_tests_and_comments(&fs::read_to_string(path).unwrap()),
        })
        .filter(|source| !source.path.ends_with("tests.rs") && !source.path.contains("tests/"))
        .collect()
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
    into.sort();
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

fn without_tests_and_comments(text: &str) -> String {
    static TESTS: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?s)\n#\[cfg\(test\)\]\s*(#\[[^\n]*\]\s*)*mod \w+ \{.*"));
    static COMMENT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^\s*//.*$"));
    COMMENT
        .replace_all(&TESTS.replace(text, "\n"), "")
        .into_owned()
}

impl Source {
    /// Every path that it imports or writes out, from the crate's root.
    fn uses(&self) -> BTreeSet<String> {
        static IMPORT: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?s)\buse\s+([^;]+);"));
        static WRITTEN: LazyLock<Regex> = LazyLock::new(|| {
            pattern(r"\b((?:crate|super|diesel|actix_web|actix_session|askama)(?:::\w+)+)")
        });
        let mut paths = BTreeSet::new();
        for found in IMPORT.captures_iter(&self.text) {
            let tree: String = found[1].split_whitespace().collect::<Vec<_>>().join(" ");
            expand("", &tree, &mut paths);
        }
        let text = IMPORT.replace_all(&self.text, "");
        paths.extend(
            WRITTEN
                .captures_iter(&text)
                .map(|found| found[1].to_owned()),
        );
        paths
            .into_iter()
            .map(|path| self.path_from_root(&path))
            .collect()
    }

    fn path_from_root(&self, path: &str) -> String {
        let mut here: Vec<&str> = vec!["crate"];
        here.extend(
            self.path
                .trim_end_matches(".rs")
                .trim_end_matches("/mod")
                .split('/'),
        );
        let mut rest = path;
        let mut relative = false;
        while let Some(above) = rest.strip_prefix("super::") {
            here.pop();
            rest = above;
            relative = true;
        }
        if relative {
            format!("{}::{rest}", here.join("::"))
        } else {
            rest.to_owned()
        }
    }
}

/// `a::{b, c::{d, e as f}}` into `a::b`, `a::c::d`, `a::c::e`.
fn expand(before: &str, tree: &str, into: &mut BTreeSet<String>) {
    let Some((head, inner)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default().trim();
        into.insert(
            format!("{before}{path}")
                .trim_end_matches("::self")
                .to_owned(),
        );
        return;
    };
    let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
    let before = format!("{before}{}", head.trim());
    let (mut depth, mut start) = (0, 0);
    for (at, character) in inner.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&before, inner[start..at].trim(), into);
                start = at + 1;
            }
            _ => {}
        }
    }
    if !inner[start..].trim().is_empty() {
        expand(&before, inner[start..].trim(), into);
    }
}

#[test]
fn imports_are_read_as_the_compiler_reads_them() {
    let source = Source {
        path: "groups/pages/settings.rs".into(),
        text: "use crate::{db::{self, schema::groups as g}, web};\nuse super::super::store::find;\nfn f() { diesel::select(1) }"
            .into(),
    };
    let used: Vec<String> = source.uses().into_iter().collect();
    assert_eq!(
        used,
        [
            "crate::db",
            "crate::db::schema::groups",
            "crate::groups::store::find",
            "crate::web",
            "diesel::select"
        ]
    );
}
