//! Names in requests: which of them reach Git, and as what.

/// The longest name of a branch or tag, in bytes; each of its parts is a name on the disk.
const LONGEST: usize = 1000;
const LONGEST_PART: usize = 250;

/// The longest path in a repository, in bytes.
const LONGEST_PATH: usize = 4096;

/// The shortest beginning of a commit's id that stands for it.
const SHORTEST_ID: usize = 7;

/// May a branch or tag be called this? The rules of `git check-ref-format`, and a few more: nothing that looks like an
/// option, like `HEAD`, or like the id of a commit.
pub fn is_name(name: &str) -> bool {
    is_wellformed(name) && name != "HEAD" && !is_id(name)
}

/// May Git be asked for a reference with this full name, whatever it is? What was pushed may be called what
/// [`is_name`] wouldn't let anybody call it.
pub fn is_reference(full: &str) -> bool {
    is_wellformed(full)
}

/// The rules of `git check-ref-format` for what stands behind `refs/heads/`.
fn is_wellformed(name: &str) -> bool {
    let odd = |letter: char| {
        letter.is_ascii_control()
            || matches!(letter, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\')
    };
    let part = |part: &str| {
        !part.is_empty()
            && part.len() <= LONGEST_PART
            && !part.starts_with('.')
            && !part.ends_with(".lock")
    };
    name.len() <= LONGEST
        && name.split('/').all(part)
        && !name.starts_with('-')
        && !name.ends_with('.')
        && !name.contains("..")
        && !name.contains("@{")
        && name != "@"
        && !name.contains(odd)
}

/// Is this the whole id of an object?
pub fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The full name of a branch.
pub fn branch(name: &str) -> String {
    format!("refs/heads/{name}")
}

/// The full name of a tag.
pub fn tag(name: &str) -> String {
    format!("refs/tags/{name}")
}

/// What a request may mean by a revision, the likeliest first: a whole id, a branch, a tag, the beginning of an id.
/// `HEAD` is the default branch. Nothing for what Git must not be asked.
pub fn candidates(text: &str, default_branch: &str) -> Vec<String> {
    if text == "HEAD" {
        return vec![branch(default_branch)];
    }
    if is_id(text) {
        return vec![text.to_owned()];
    }
    if !is_wellformed(text) {
        return Vec::new();
    }
    if let Some(name) = text.strip_prefix("refs/") {
        let known = name.starts_with("heads/") || name.starts_with("tags/");
        return if known {
            vec![text.to_owned()]
        } else {
            Vec::new()
        };
    }
    let mut candidates = vec![branch(text), tag(text)];
    if (SHORTEST_ID..64).contains(&text.len()) && is_hex(text) {
        candidates.push(text.to_owned());
    }
    candidates
}

/// May something in a repository be asked for by this path?
pub fn is_path(path: &str) -> bool {
    path.len() <= LONGEST_PATH
        && !path.contains('\0')
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// May a file be put at this path? Nothing that a checkout could take for a part of Git's own folder.
pub fn is_path_for_a_file(path: &str) -> bool {
    is_path(path)
        && !path.contains(|letter: char| letter.is_control() || letter == '\\')
        && path
            .split('/')
            .all(|part| part.len() <= LONGEST_PART && !part.eq_ignore_ascii_case(".git"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_branches_follow_the_rules_of_git() {
        let long = "x".repeat(251);
        for (name, good) in [
            ("main", true),
            ("feature/a.b", true),
            ("größe", true),
            ("a-", true),
            ("refs/heads/a", true),
            ("", false),
            ("-main", false),
            ("--upload-pack=x", false),
            ("HEAD", false),
            ("@", false),
            ("a@{1}", false),
            ("a..b", false),
            (".a", false),
            ("a/.b", false),
            ("a.", false),
            ("a.lock", false),
            ("a.lock/b", false),
            ("/a", false),
            ("a/", false),
            ("a//b", false),
            ("a b", false),
            ("a~1", false),
            ("a^", false),
            ("a:b", false),
            ("a?", false),
            ("a*", false),
            ("a[", false),
            ("a\\b", false),
            ("a\nb", false),
            ("a\0b", false),
            ("a\x7f", false),
            ("0123456789012345678901234567890123456789", false),
            (long.as_str(), false),
        ] {
            assert_eq!(is_name(name), good, "{name:?}");
        }
    }

    #[test]
    fn a_revision_is_a_branch_before_it_is_a_tag() {
        let id = "0123456789abcdef0123456789abcdef01234567";
        for (text, expected) in [
            ("HEAD", vec!["refs/heads/trunk"]),
            (id, vec![id]),
            ("v1", vec!["refs/heads/v1", "refs/tags/v1"]),
            (
                "abcdef1",
                vec!["refs/heads/abcdef1", "refs/tags/abcdef1", "abcdef1"],
            ),
            ("abcdef", vec!["refs/heads/abcdef", "refs/tags/abcdef"]),
            ("refs/tags/v1", vec!["refs/tags/v1"]),
            ("refs/keep-around/x", vec![]),
            ("main~1", vec![]),
            ("main:README", vec![]),
            ("--all", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(candidates(text, "trunk"), expected, "{text:?}");
        }
    }

    #[test]
    fn paths_stay_in_the_repository() {
        for (path, read, written) in [
            ("README.md", true, true),
            ("a/b/c d.txt", true, true),
            ("-a", true, true),
            (":(top)x", true, true),
            ("a\nb", true, false),
            ("a/.git/config", true, false),
            (".GIT/x", true, false),
            ("a\\b", true, false),
            (".gitignore", true, true),
            ("", false, false),
            ("/etc/passwd", false, false),
            ("../x", false, false),
            ("a/../b", false, false),
            ("./a", false, false),
            ("a//b", false, false),
            ("a/", false, false),
            ("a\0", false, false),
        ] {
            assert_eq!(is_path(path), read, "{path:?}");
            assert_eq!(is_path_for_a_file(path), written, "{path:?}");
        }
    }
}
