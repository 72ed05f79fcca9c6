//! What a file is, by its first bytes and its name, and what of it is shown.

/// The longest text that is shown, in bytes and in lines.
pub(super) const LONGEST: usize = 512 * 1024;
const MOST_LINES: usize = 10_000;

/// Where it is looked for what no text contains, in bytes.
pub(super) const LOOKED_AT: usize = 8 * 1024;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Letters in UTF-8.
    Text,
    /// Letters of an older kind, one byte each.
    OldText,
    /// A picture that browsers know, with its type.
    Picture(&'static str),
    /// Anything else.
    Other,
}

impl Sort {
    /// Of this name, with this in it.
    pub(super) fn of(name: &str, bytes: &[u8]) -> Sort {
        let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
        let avif = bytes.get(4..12) == Some(b"ftypavif");
        let picture = match bytes {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
            [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
            [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
            [0, 0, 1, 0, ..] if has_ending(name, &["ico"]) => Some("image/x-icon"),
            _ if webp => Some("image/webp"),
            _ if avif => Some("image/avif"),
            _ => None,
        };
        if let Some(kind) = picture {
            return Sort::Picture(kind);
        }
        let looked_at = bytes.get(..LOOKED_AT).unwrap_or(bytes);
        if looked_at.contains(&0) {
            return Sort::Other;
        }
        if std::str::from_utf8(bytes).is_err() {
            let printed = |byte: &u8| *byte >= b' ' || b"\t\n\r\x0c\x1b".contains(byte);
            let is_old = looked_at.iter().all(printed);
            return if is_old { Sort::OldText } else { Sort::Other };
        }
        if has_ending(name, &["svg"]) {
            return Sort::Picture("image/svg+xml");
        }
        Sort::Text
    }
}

/// Is it written in Markdown, by its name?
pub(super) fn is_markdown(name: &str) -> bool {
    has_ending(name, &["md", "markdown", "mkd", "mkdn"])
}

/// The name that tells best what a folder is about.
pub(super) fn readme<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let rank = |name: &str| {
        let lower = name.to_ascii_lowercase();
        let (stem, ending) = lower.split_once('.').unwrap_or((&lower, ""));
        let place = ["md", "markdown", "mkd", "mkdn", "", "txt", "rst", "adoc"]
            .iter()
            .position(|known| *known == ending)?;
        (stem == "readme").then_some(place)
    };
    names
        .filter_map(|name| Some((rank(name)?, name)))
        .min()
        .map(|(_, name)| name)
}

/// The lines of a text; nothing if there are too many to be shown. What isn't UTF-8 is taken for Latin 1.
pub(super) fn lines(bytes: &[u8]) -> Option<Vec<String>> {
    if bytes.len() > LONGEST {
        return None;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let lines: Vec<String> = text.lines().map(in_sight).collect();
    (lines.len() <= MOST_LINES).then_some(lines)
}

/// With signs in place of what turns the direction of writing round: code that reads one way and runs another.
pub(super) fn in_sight(line: &str) -> String {
    const TURNING: [char; 9] = [
        '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}',
        '\u{2068}', '\u{2069}',
    ];
    if !line.contains(TURNING) {
        return line.to_owned();
    }
    line.chars()
        .map(|letter| match letter {
            letter if TURNING.contains(&letter) => format!("⟨U+{:04X}⟩", u32::from(letter)),
            letter => letter.to_string(),
        })
        .collect()
}

/// `5 bytes`, `1.5 KiB`, `12 MiB`.
pub(super) fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    let unit = |one: u64, name: &str| {
        let tenths = bytes.saturating_mul(10) / one;
        match tenths % 10 {
            0 => format!("{} {name}", tenths / 10),
            _ if tenths >= 100 => format!("{} {name}", tenths / 10),
            rest => format!("{}.{rest} {name}", tenths / 10),
        }
    };
    match bytes {
        1 => "1 byte".into(),
        ..KIB => format!("{bytes} bytes"),
        KIB..1_048_576 => unit(KIB, "KiB"),
        1_048_576..1_073_741_824 => unit(KIB * KIB, "MiB"),
        _ => unit(KIB * KIB * KIB, "GiB"),
    }
}

fn has_ending(name: &str, known: &[&str]) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| known.iter().any(|one| one.eq_ignore_ascii_case(ending)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_bytes_say_and_not_its_name() {
        for (name, bytes, sort) in [
            (
                "a.png",
                &b"\x89PNG\r\n\x1a\nx"[..],
                Sort::Picture("image/png"),
            ),
            ("a.txt", b"\xff\xd8\xff\xe0", Sort::Picture("image/jpeg")),
            ("a", b"GIF89a", Sort::Picture("image/gif")),
            (
                "a.webp",
                b"RIFF\0\0\0\0WEBPVP8 ",
                Sort::Picture("image/webp"),
            ),
            ("a.SVG", b"<svg/>", Sort::Picture("image/svg+xml")),
            ("a.png", b"<script>alert(1)</script>", Sort::Text),
            ("a.html", b"<p>", Sort::Text),
            ("a.txt", "größe".as_bytes(), Sort::Text),
            ("a.txt", b"gr\xf6\xdfe", Sort::OldText),
            ("a.txt", b"gr\xf6\x01", Sort::Other),
            ("a.txt", b"a\0b", Sort::Other),
            ("a.svg", b"\0<svg/>", Sort::Other),
            ("a", b"", Sort::Text),
        ] {
            assert_eq!(Sort::of(name, bytes), sort, "{name} {bytes:?}");
        }
    }

    #[test]
    fn the_best_readme_is_taken() {
        for (names, expected) in [
            (vec!["README", "README.md", "src"], Some("README.md")),
            (vec!["readme.txt", "ReadMe"], Some("ReadMe")),
            (vec!["README.exe", "READMEFIRST.md", "x"], None),
        ] {
            assert_eq!(readme(names.into_iter()), expected);
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_not_shown() {
        assert_eq!(
            lines(b"a\r\nb\n\nc"),
            Some(vec!["a".into(), "b".into(), String::new(), "c".into()])
        );
        assert!(lines(&vec![b'x'; LONGEST]).is_some());
        assert_eq!(lines(&vec![b'x'; LONGEST + 1]), None);
        assert_eq!(lines(b"gr\xf6\xdfe"), Some(vec!["größe".into()]));
        assert_eq!(in_sight("a\u{202e}b"), "a⟨U+202E⟩b");
        assert_eq!(lines("\n".repeat(MOST_LINES + 1).as_bytes()), None);
    }

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (15_900, "15 KiB"),
            (1024 * 1024, "1 MiB"),
            (5 * 1024 * 1024 * 1024, "5 GiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
