//! Paths: what groups, projects and users are called in URLs.
//!
//! A full path is made of segments, `acme/platform/api`. The first segment shares one name space
//! among groups and users, and with the first words of our own URLs. Paths are found in any case.

use std::fmt;

/// The longest full path of a group or project, in characters: the databases index it.
pub const FULL_PATH_MAX: usize = 1_000;

/// How many groups may be nested, the top-level one included.
pub const MAX_NESTING: usize = 20;

/// Where a segment stands; the first one has more to avoid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A top-level group, or a user name.
    TopLevel,
    /// A subgroup or a project.
    Below,
}

/// One part of a path that a group, a project or a user may have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathSegment(String);

impl PathSegment {
    /// The longest segment.
    pub const MAX_LENGTH: usize = 255;

    /// Checks a new segment.
    pub fn parse(text: &str, place: Place) -> Result<Self, PathProblem> {
        check_syntax(text)?;
        if place == Place::TopLevel {
            check_free(text)?;
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PathSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The rule for every segment, wherever it stands.
fn check_syntax(text: &str) -> Result<(), PathProblem> {
    let Some(first) = text.bytes().next() else {
        return Err(PathProblem::Blank);
    };
    if text.chars().count() > PathSegment::MAX_LENGTH {
        return Err(PathProblem::TooLong);
    }
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !text
        .bytes()
        .all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
    {
        return Err(PathProblem::Alphabet);
    }
    if !is_word(first) {
        return Err(PathProblem::Start);
    }
    if text.contains("..") {
        return Err(PathProblem::TwoDots);
    }
    if text.ends_with('.') {
        return Err(PathProblem::EndsWith("."));
    }
    check_ending(text, &[".git", ".atom"])
}

fn check_ending(text: &str, endings: &[&'static str]) -> Result<(), PathProblem> {
    let text = text.to_ascii_lowercase();
    match endings.iter().find(|ending| text.ends_with(**ending)) {
        Some(ending) => Err(PathProblem::EndsWith(ending)),
        None => Ok(()),
    }
}

/// The first words of our own URLs, as far as they are well-formed at all (`-` is not).
pub const RESERVED: [&str; 15] = [
    "admin",
    "api",
    "assets",
    "dashboard",
    "explore",
    "favicon.ico",
    "groups",
    "health",
    "help",
    "projects",
    "robots.txt",
    "search",
    "setup",
    "users",
    "v2",
];

/// The rule for first segments alone: our URLs and the names of bots stay free.
fn check_free(text: &str) -> Result<(), PathProblem> {
    let lower = text.to_ascii_lowercase();
    if RESERVED.contains(&lower.as_str()) {
        return Err(PathProblem::Reserved);
    }
    if is_bot_shaped(&lower) {
        return Err(PathProblem::BotShaped);
    }
    check_ending(text, &[".json"])
}

/// Does the name begin like that of a bot, `group_1_bot` or `project_1_bot`?
fn is_bot_shaped(lower: &str) -> bool {
    let Some(rest) = ["group_", "project_"]
        .into_iter()
        .find_map(|kind| lower.strip_prefix(kind))
    else {
        return false;
    };
    let after_id = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    after_id.len() < rest.len() && after_id.starts_with("_bot")
}

/// A path to propose for something with this name. None if the name has nothing to make one from.
pub fn suggest(name: &str, place: Place) -> Option<PathSegment> {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' | '_' => slug.push(c),
            'à' | 'á' | 'â' | 'ã' | 'å' => slug.push('a'),
            'ä' | 'æ' => slug.push_str("ae"),
            'ç' => slug.push('c'),
            'è' | 'é' | 'ê' | 'ë' => slug.push('e'),
            'ì' | 'í' | 'î' | 'ï' => slug.push('i'),
            'ñ' => slug.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ø' => slug.push('o'),
            'ö' | 'œ' => slug.push_str("oe"),
            'ß' => slug.push_str("ss"),
            'ù' | 'ú' | 'û' => slug.push('u'),
            'ü' => slug.push_str("ue"),
            // What a capital with a dot leaves behind when it is made small.
            '\u{307}' | '\'' | '’' => {}
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug.truncate(100);
    let slug = slug.trim_end_matches('-');
    match PathSegment::parse(slug, place) {
        Ok(segment) => Some(segment),
        Err(PathProblem::Reserved) => PathSegment::parse(&format!("{slug}-1"), place).ok(),
        Err(_) => None,
    }
}

/// A whole path that somebody asks for, such as `acme/platform/api`.
///
/// It is well-formed; whether anything is there is another question. Paths that differ only in
/// case are the same.
#[derive(Clone, Debug)]
pub struct FullPath(String);

impl FullPath {
    /// Reads a path. The segments may be such as can't be given any more.
    pub fn parse(text: &str) -> Result<Self, PathProblem> {
        let mut depth = 0;
        for segment in text.split('/') {
            check_syntax(segment)?;
            depth += 1;
        }
        // The deepest group may hold projects.
        if depth > MAX_NESTING + 1 {
            return Err(PathProblem::TooDeep);
        }
        Ok(Self(text.to_owned()))
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// By what the path is found: all lower case.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Its parts, first to last.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// How many parts it has.
    pub fn depth(&self) -> usize {
        self.segments().count()
    }

    /// The last part.
    pub fn last(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, last)| last)
    }

    /// The path of what holds it. None at the top level.
    pub fn parent(&self) -> Option<Self> {
        self.0
            .rsplit_once('/')
            .map(|(parent, _)| Self(parent.to_owned()))
    }

    /// The path of something inside of it.
    pub fn join(&self, segment: &PathSegment) -> Self {
        Self(format!("{}/{segment}", self.0))
    }
}

impl From<PathSegment> for FullPath {
    fn from(segment: PathSegment) -> Self {
        Self(segment.0)
    }
}

impl PartialEq for FullPath {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for FullPath {}

impl fmt::Display for FullPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is wrong with a path. The text leaves out the subject, which [`about`](Self::about) adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    /// It is empty, or one of its parts is.
    #[error("can't be blank")]
    Blank,
    /// It is too long.
    #[error("is too long (maximum is {} characters)", PathSegment::MAX_LENGTH)]
    TooLong,
    /// Some character is not allowed.
    #[error("can contain only letters, digits, '_', '-' and '.'")]
    Alphabet,
    /// The first character is a dot or a dash.
    #[error("must start with a letter, a digit or '_'")]
    Start,
    /// Two dots follow each other.
    #[error("may not contain two dots in a row")]
    TwoDots,
    /// It ends in something that URLs use otherwise.
    #[error("may not end in {0}")]
    EndsWith(&'static str),
    /// Our own URLs begin like this.
    #[error("is reserved")]
    Reserved,
    /// Only bots are called like this.
    #[error("is reserved: names like this are for the bots of access tokens")]
    BotShaped,
    /// It has too many parts.
    #[error("is nested too deeply (maximum is {MAX_NESTING} levels)")]
    TooDeep,
}

impl PathProblem {
    /// A whole sentence about "Path" or "Username".
    pub fn about(self, attribute: &str) -> String {
        format!("{attribute} {self}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn segments_that_may_be_used_anywhere() {
        let longest = "a".repeat(255);
        for text in [
            "a", "acme", "ACME", "_x", "7", "a-b", "a.b", "a_b", "site.io", "a-", "git", "a.gitx",
            "x.json5", "new", &longest,
        ] {
            for place in [Place::TopLevel, Place::Below] {
                let segment = PathSegment::parse(text, place).unwrap();
                assert_eq!(segment.as_str(), text);
                assert_eq!(segment.to_string(), text);
            }
        }
    }

    #[test]
    fn segments_that_may_be_used_nowhere() {
        use PathProblem::{Alphabet, Blank, EndsWith, Start, TooLong, TwoDots};
        let too_long = "a".repeat(256);
        for (text, problem) in [
            ("", Blank),
            (&*too_long, TooLong),
            (" a", Alphabet),
            ("a b", Alphabet),
            ("a/b", Alphabet),
            ("a\\b", Alphabet),
            ("a%2Fb", Alphabet),
            ("a\0", Alphabet),
            ("a\n", Alphabet),
            ("ä", Alphabet),
            ("１", Alphabet),
            ("a@b", Alphabet),
            ("-", Start),
            ("-a", Start),
            (".", Start),
            ("..", Start),
            (".a", Start),
            (".well-known", Start),
            ("a..b", TwoDots),
            ("a..", TwoDots),
            ("a.", EndsWith(".")),
            ("a.git", EndsWith(".git")),
            ("a.GIT", EndsWith(".git")),
            ("a.Atom", EndsWith(".atom")),
        ] {
            for place in [Place::TopLevel, Place::Below] {
                assert_eq!(PathSegment::parse(text, place), Err(problem), "{text:?}");
            }
        }
    }

    #[test]
    fn our_own_urls_are_reserved_at_the_top_in_any_case() {
        for text in [
            "-",
            "admin",
            "api",
            "assets",
            "dashboard",
            "explore",
            "favicon.ico",
            "groups",
            "health",
            "help",
            "projects",
            "robots.txt",
            "search",
            "setup",
            "users",
            "v2",
            ".well-known",
            "acme.json",
        ] {
            for text in [text.to_owned(), text.to_uppercase()] {
                assert!(
                    PathSegment::parse(&text, Place::TopLevel).is_err(),
                    "{text}"
                );
            }
        }
        for text in ["admin", "api", "groups", "v2", "acme.json", "users"] {
            assert!(PathSegment::parse(text, Place::Below).is_ok(), "{text}");
        }
        assert!(PathSegment::parse("administrators", Place::TopLevel).is_ok());
    }

    #[test]
    fn names_of_bots_are_reserved_at_the_top() {
        for text in [
            "group_1_bot",
            "group_1_bot2",
            "project_42_bot_4ffca233d8298ea1",
            "GROUP_1_BOT_x",
            "project_00000000000000000000000000001_bot",
        ] {
            assert_eq!(
                PathSegment::parse(text, Place::TopLevel),
                Err(PathProblem::BotShaped),
                "{text}"
            );
            assert!(PathSegment::parse(text, Place::Below).is_ok(), "{text}");
        }
        for text in [
            "group_bot",
            "group__bot",
            "group_x_bot",
            "group_1_robot",
            "a_group_1_bot",
            "group_1",
            "group-1-bot",
        ] {
            assert!(PathSegment::parse(text, Place::TopLevel).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_problem_is_named_in_words() {
        for (problem, text) in [
            (PathProblem::Blank, "Path can't be blank"),
            (
                PathProblem::TooLong,
                "Path is too long (maximum is 255 characters)",
            ),
            (PathProblem::EndsWith(".git"), "Path may not end in .git"),
            (PathProblem::Reserved, "Path is reserved"),
            (
                PathProblem::TooDeep,
                "Path is nested too deeply (maximum is 20 levels)",
            ),
        ] {
            assert_eq!(problem.about("Path"), text);
        }
        assert_eq!(
            PathProblem::Reserved.about("Username"),
            "Username is reserved"
        );
    }

    #[test]
    fn a_path_is_suggested_from_a_name() {
        for (name, path) in [
            ("Acme", Some("acme")),
            ("  Acme  Platform! ", Some("acme-platform")),
            ("Site.io", Some("site-io")),
            ("Zürich & Genève", Some("zuerich-geneve")),
            ("Olivia's tools", Some("olivias-tools")),
            ("İstanbul", Some("istanbul")),
            ("snake_case", Some("snake_case")),
            ("-- x --", Some("x")),
            ("repo.git", Some("repo-git")),
            ("Admin", Some("admin-1")),
            ("group_1_bot", None),
            ("東京", None),
            ("", None),
        ] {
            let suggested = suggest(name, Place::TopLevel);
            assert_eq!(
                suggested.as_ref().map(PathSegment::as_str),
                path,
                "{name:?}"
            );
        }
    }

    #[test]
    fn a_full_path_is_taken_apart_and_put_together() {
        let path = FullPath::parse("Acme/sub/deep").unwrap();
        assert_eq!(path.as_str(), "Acme/sub/deep");
        assert_eq!(path.key(), "acme/sub/deep");
        assert_eq!(path.segments().collect::<Vec<_>>(), ["Acme", "sub", "deep"]);
        assert_eq!(path.depth(), 3);
        assert_eq!(path.last(), "deep");
        let parent = path.parent().unwrap();
        assert_eq!(parent.as_str(), "Acme/sub");
        assert_eq!(
            parent.join(&PathSegment::parse("deep", Place::Below).unwrap()),
            path
        );

        let top = FullPath::from(PathSegment::parse("acme", Place::TopLevel).unwrap());
        assert_eq!((top.depth(), top.last(), top.parent()), (1, "acme", None));
        assert_eq!(top, FullPath::parse("ACME").unwrap());
        assert_ne!(top, path);
    }

    #[test]
    fn only_well_formed_full_paths_are_read() {
        for text in [
            "",
            "/",
            "/acme",
            "acme/",
            "acme/sub/",
            "acme//sub",
            "acme/../other",
            "../other",
            "./acme",
            "acme/.",
            "acme%2Fsub",
            "acme\0",
            "acme\\sub",
            "acme/-/edit",
            "acme/p1.git",
        ] {
            assert!(FullPath::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn projects_may_stand_in_the_deepest_group_and_nothing_deeper() {
        let path = |depth: usize| vec!["g"; depth].join("/");
        assert!(FullPath::parse(&path(21)).is_ok());
        assert_eq!(
            FullPath::parse(&path(22)).unwrap_err(),
            PathProblem::TooDeep
        );
    }

    proptest! {
        #[test]
        fn every_suggestion_may_be_used(name in ".{0,300}") {
            if let Some(segment) = suggest(&name, Place::TopLevel) {
                prop_assert!(PathSegment::parse(segment.as_str(), Place::TopLevel).is_ok());
                prop_assert!(PathSegment::parse(segment.as_str(), Place::Below).is_ok());
            }
        }

        #[test]
        fn every_name_in_plain_letters_has_a_suggestion(name in "[A-Za-z]{1,40}") {
            prop_assert!(suggest(&name, Place::TopLevel).is_some());
        }

        #[test]
        fn a_segment_that_may_be_used_at_the_top_may_be_used_below(text in "[a-z_.-]{1,12}") {
            if PathSegment::parse(&text, Place::TopLevel).is_ok() {
                prop_assert!(PathSegment::parse(&text, Place::Below).is_ok());
                prop_assert!(FullPath::parse(&text).is_ok());
            }
        }
    }
}
