//! The e-mail domains from which people may sign up.

/// Domains that one list has at the most.
const MOST: usize = 100;

/// The entries of a list as people type it: on lines of their own, or with commas or spaces between them.
pub(super) fn listed(text: &str) -> Vec<String> {
    text.split(|c: char| c == ',' || c == ';' || c.is_whitespace())
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The entries in small letters, each once.
///
/// # Errors
/// Which entry can't be a domain, as it follows the name of the setting.
pub(super) fn checked(entries: &[&str]) -> Result<Vec<String>, String> {
    let mut domains: Vec<String> = Vec::new();
    for entry in entries {
        let domain = entry.trim().to_lowercase();
        if !is_domain(domain.strip_prefix("*.").unwrap_or(&domain)) {
            return Err(format!("has an entry that is no domain: {entry}"));
        }
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    if domains.len() > MOST {
        return Err(format!("has too many entries (maximum is {MOST})"));
    }
    Ok(domains)
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|c| c == '-' || c.is_alphanumeric() && !c.is_uppercase())
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label)
}

/// May somebody with this address sign up? `*.example.com` stands for whatever lies below `example.com`, and an empty
/// list for all domains.
pub fn allows(domains: &[String], email: &str) -> bool {
    let host = email
        .rsplit_once('@')
        .map_or("", |(_, host)| host)
        .to_lowercase();
    domains.is_empty()
        || domains
            .iter()
            .any(|domain| match domain.strip_prefix("*.") {
                Some(above) => host
                    .strip_suffix(above)
                    .is_some_and(|below| below.len() > 1 && below.ends_with('.')),
                None => host == *domain,
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_however_it_is_separated() {
        for text in ["a.org b.org", " a.org,\nb.org ", "a.org;b.org\r\n"] {
            assert_eq!(listed(text), ["a.org", "b.org"]);
        }
        assert!(listed(" \n,").is_empty());
    }

    #[test]
    fn an_entry_that_is_no_domain_is_named() {
        assert_eq!(
            checked(&["Example.COM", "example.com", "*.bücher.example"]),
            Ok(vec!["example.com".into(), "*.bücher.example".into()])
        );
        for odd in [
            "example",
            "@example.com",
            "a@example.com",
            ".com",
            "a..com",
            "*",
            "*.",
            "-a.com",
            "exa mple.com",
            "*.*.com",
            "a.com/",
            "\u{0}.com",
        ] {
            let refused = checked(&["example.com", odd]);
            assert!(refused.is_err_and(|why| why.ends_with(odd)), "{odd}");
        }
        let many: Vec<String> = (0..=MOST).map(|n| format!("a{n}.com")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(checked(&many).is_err() && checked(&many[1..]).is_ok());
    }

    #[test]
    fn only_the_domain_itself_counts_unless_a_star_says_what_lies_below() {
        let list = |text: &str| vec![text.to_owned()];
        for (domains, email, allowed) in [
            (vec![], "ann@anywhere.example", true),
            (list("example.com"), "ann@example.com", true),
            (list("example.com"), "ann@EXAMPLE.com", true),
            (list("example.com"), "ann@sub.example.com", false),
            (list("example.com"), "ann@notexample.com", false),
            (list("example.com"), "example.com@evil.org", false),
            (list("*.example.com"), "ann@sub.example.com", true),
            (list("*.example.com"), "ann@example.com", false),
            (list("*.example.com"), "ann@.example.com", false),
            (list("*.example.com"), "ann@notexample.com", false),
            (list("example.com"), "no address", false),
        ] {
            assert_eq!(allows(&domains, email), allowed, "{domains:?} {email}");
        }
    }
}
