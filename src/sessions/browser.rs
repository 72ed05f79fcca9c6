//! What a browser calls itself, in words.

/// How many characters of a name that says nothing to us are shown.
const SHOWN: usize = 60;

/// Browsers by what they alone say; those that pretend to be others come before them.
const BROWSERS: [(&str, &str); 7] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Systems, in the same way.
const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// `Firefox on Linux`; what isn't known is shown as it came, cut short.
pub fn describe(user_agent: &str) -> String {
    let find = |known: &[(&str, &'static str)]| {
        known
            .iter()
            .find(|(mark, _)| user_agent.contains(mark))
            .map(|(_, name)| *name)
    };
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ if user_agent.trim().is_empty() => "Unknown browser".to_owned(),
        _ => user_agent.chars().take(SHOWN).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_apart_by_what_they_do_not_pretend() {
        let on = |system: &str, rest: &str| {
            describe(&format!("Mozilla/5.0 ({system}) AppleWebKit/537.36 {rest}"))
        };
        let chrome = "(KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";
        assert_eq!(on("X11; Linux x86_64", chrome), "Chrome on Linux");
        assert_eq!(
            on(
                "Windows NT 10.0; Win64; x64",
                &format!("{chrome} Edg/130.0")
            ),
            "Edge on Windows"
        );
        assert_eq!(
            on("Linux; Android 14; K", chrome),
            "Chrome on Android",
            "which is a Linux, too"
        );
        assert_eq!(
            on(
                "iPhone; CPU iPhone OS 17_5 like Mac OS X",
                "Version/17.5 Safari/604.1"
            ),
            "Safari on iPhone"
        );
        assert_eq!(
            describe(
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 14.5; rv:131.0) Gecko/20100101 Firefox/131.0"
            ),
            "Firefox on macOS"
        );
    }

    #[test]
    fn what_is_no_browser_is_shown_as_it_came_but_not_at_any_length() {
        assert_eq!(describe(""), "Unknown browser");
        assert_eq!(describe("curl/8.5.0"), "curl/8.5.0");
        assert_eq!(describe(&"é".repeat(500)).chars().count(), SHOWN);
    }
}
