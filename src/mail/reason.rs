//! A server's words, as people see them.

/// Characters of a reason that are kept.
const LONGEST_REASON: usize = 300;

/// A server's words for a page: on one line, and without anybody's address.
pub(super) fn presentable(reason: &str) -> String {
    let words: Vec<&str> = reason
        .split_whitespace()
        .map(|word| {
            if word.contains('@') {
                "[address]"
            } else {
                word
            }
        })
        .collect();
    let line: String = words
        .join(" ")
        .chars()
        .filter(|character| !character.is_control())
        .collect();
    line.chars().take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_and_names_no_address() {
        assert_eq!(
            presentable("550 5.1.1 <eve@example.com>: unknown\r\nin table\u{1b}[31m"),
            "550 5.1.1 [address] unknown in table[31m"
        );
        assert_eq!(presentable(&"x".repeat(1_000)).len(), 300);
    }
}
