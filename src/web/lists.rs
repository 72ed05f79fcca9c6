//! Lists on pages: the addresses of their other pages and orders, and what stands at their foot.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::views::components::Pagination;
use crate::db::{Page, PageRequest, Total};
use crate::error::Error;

/// What may stand in a path or a query as it is.
pub(crate) const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

/// An address with a query; empty values are left out.
pub fn address(path: &str, query: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    let mut separator = '?';
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(separator);
        address.extend(utf8_percent_encode(name, KEPT));
        address.push('=');
        address.extend(utf8_percent_encode(value, KEPT));
        separator = '&';
    }
    address
}

/// The page that is asked for; the last one, if that lies beyond it (rows may have gone meanwhile).
///
/// # Errors
/// The query's own.
pub fn page_or_last<T>(
    request: PageRequest,
    mut query: impl FnMut(PageRequest) -> Result<Page<T>, Error>,
) -> Result<Page<T>, Error> {
    let page = query(request)?;
    if page.rows.is_empty() && page.request.page > 1 {
        return query(PageRequest {
            page: page.total_pages().unwrap_or(1),
            ..request
        });
    }
    Ok(page)
}

/// The foot of a list; nothing if all of it is on one page. `href` makes the address of a page.
pub fn foot<T>(
    label: &'static str,
    page: &Page<T>,
    href: impl Fn(u64) -> String,
) -> Option<Pagination> {
    let number = u64::try_from(page.request.page).unwrap_or(1);
    if number == 1 && !page.has_next {
        return None;
    }
    let first = page.request.offset().saturating_add(1);
    let last = page
        .request
        .offset()
        .saturating_add(i64::try_from(page.rows.len()).unwrap_or(0));
    let summary = format!(
        "{}–{} of {}",
        grouped(first),
        grouped(last),
        total(page.total)
    );
    let pages = page
        .total_pages()
        .and_then(|pages| u64::try_from(pages).ok());
    Some(Pagination::new(
        label,
        summary,
        number,
        pages,
        page.has_next,
        href,
    ))
}

/// `12,345`, or `10,000+`.
pub fn total(total: Total) -> String {
    match total {
        Total::Counted(n) => grouped(n),
        Total::Many => format!("{}+", grouped(crate::db::COUNTED_AT_MOST)),
    }
}

/// `12,345`
pub fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if n < 0 { format!("−{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: i64, rows: usize, total: Total, has_next: bool) -> Page<()> {
        Page {
            rows: vec![(); rows],
            request: PageRequest {
                page: number,
                per_page: 20,
            },
            total,
            has_next,
        }
    }

    #[test]
    fn an_address_keeps_what_was_typed_and_leaves_out_what_was_not() {
        assert_eq!(address("/search", &[]), "/search");
        assert_eq!(
            address(
                "/search",
                &[("search", "a&b=c#d é"), ("sort", ""), ("page", "2")]
            ),
            "/search?search=a%26b%3Dc%23d%20%C3%A9&page=2"
        );
    }

    #[test]
    fn a_page_beyond_the_last_one_becomes_the_last_one() {
        let mut asked = Vec::new();
        let found = page_or_last(
            PageRequest {
                page: 9,
                per_page: 20,
            },
            |request| {
                asked.push(request.page);
                Ok(page(
                    request.page,
                    usize::from(request.page <= 2),
                    Total::Counted(21),
                    false,
                ))
            },
        );
        assert_eq!(found.unwrap().request.page, 2);
        assert_eq!(asked, [9, 2]);
        let empty = page_or_last(PageRequest::default(), |request| {
            Ok(page(request.page, 0, Total::Counted(0), false))
        });
        assert_eq!(empty.unwrap().request.page, 1);
    }

    #[test]
    fn the_foot_tells_where_in_the_list_one_is() {
        let href = |number: u64| format!("?page={number}");
        assert!(foot("Groups", &page(1, 20, Total::Counted(20), false), href).is_none());
        let middle = foot("Groups", &page(2, 20, Total::Counted(12_345), true), href).unwrap();
        assert_eq!(middle.summary, "21–40 of 12,345");
        assert_eq!(middle.next.as_deref(), Some("?page=3"));
        let last = foot("Groups", &page(2, 1, Total::Counted(21), false), href).unwrap();
        assert_eq!(last.summary, "21–21 of 21");
        assert_eq!(last.next, None);
        let many = foot("Groups", &page(1, 20, Total::Many, true), href).unwrap();
        assert_eq!(many.summary, "1–20 of 10,000+");
        assert_eq!(many.next.as_deref(), Some("?page=2"));
    }

    #[test]
    fn numbers_are_grouped_by_three() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
            (-1000, "−1,000"),
        ] {
            assert_eq!(grouped(n), text);
        }
    }
}
