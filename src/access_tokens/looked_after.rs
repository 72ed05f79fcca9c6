//! Places where somebody looks after tokens, of which only the uppermost count: what lies below them belongs to them.

/// Without those that lie below another one of them.
pub(super) fn uppermost(mut places: Vec<String>) -> Vec<String> {
    // What lies below a group comes right after it: a slash sorts before every digit.
    places.sort_unstable();
    places.dedup_by(|next, above| next.starts_with(above.as_str()));
    places
}

#[cfg(test)]
mod tests {
    use super::uppermost;

    #[test]
    fn what_lies_below_another_group_is_left_out() {
        let places =
            |traversals: &[&str]| uppermost(traversals.iter().map(|&t| t.to_owned()).collect());
        let found = places(&["1/17/", "1/", "10/", "1/170/3/", "2/"]);
        assert_eq!(found, ["1/", "10/", "2/"]);
        let found = places(&["1/17/", "1/170/", "1/17/4/"]);
        assert_eq!(found, ["1/17/", "1/170/"]);
        assert_eq!(places(&[]), [""; 0]);
    }
}
