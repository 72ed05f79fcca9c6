//! The headers that tell a client where it is in a list.

use actix_web::HttpResponseBuilder;
use actix_web::http::header::LINK;

use crate::db::{Page, Total};
use crate::redaction::is_secret_pair;

/// Adds `X-Page` and its kin, and `Link`. `path` is the request's own, below the external URL.
pub fn add_headers<T>(
    res: &mut HttpResponseBuilder,
    page: &Page<T>,
    external_url: &str,
    path: &str,
    query: &str,
) {
    let (number, per_page) = (page.request.page, page.request.per_page);
    let next = page.has_next.then_some(number.saturating_add(1));
    let last = page.total_pages();
    let prev = (number > 1).then(|| (number - 1).min(last.unwrap_or(i64::MAX)));
    let text = |page: Option<i64>| page.map(|n| n.to_string()).unwrap_or_default();
    res.insert_header(("X-Page", number.to_string()));
    res.insert_header(("X-Per-Page", per_page.to_string()));
    res.insert_header(("X-Next-Page", text(next)));
    res.insert_header(("X-Prev-Page", text(prev)));
    if let Total::Counted(total) = page.total {
        res.insert_header(("X-Total", total.to_string()));
        res.insert_header(("X-Total-Pages", last.unwrap_or(1).to_string()));
    }
    let kept = kept_query(query, &["page", "per_page"]);
    let mut links = Vec::new();
    for (rel, page) in [
        ("prev", prev),
        ("next", next),
        ("first", Some(1)),
        ("last", last),
    ] {
        if let Some(page) = page {
            links.push(format!(
                "<{external_url}{path}?{kept}page={page}&per_page={per_page}>; rel=\"{rel}\""
            ));
        }
    }
    res.insert_header((LINK, links.join(", ")));
}

/// The `Link` to the page after this one, where a row says what comes before it: the same query with `name`
/// set to `value`.
pub fn next_link(external_url: &str, path: &str, query: &str, name: &str, value: &str) -> String {
    let kept = kept_query(query, &[name, "page"]);
    format!("<{external_url}{path}?{kept}{name}={value}>; rel=\"next\"")
}

/// The query without these and without credentials, ready to be continued.
fn kept_query(query: &str, left_out: &[&str]) -> String {
    let mut kept = String::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let name = pair.split('=').next().unwrap_or_default();
        let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        if left_out.contains(&name.as_ref()) || is_secret_pair(pair) {
            continue;
        }
        // What can't stand in a header was never valid in a URL either.
        if pair
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"'))
        {
            kept.push_str(pair);
            kept.push('&');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::PageRequest;
    use actix_web::HttpResponse;

    #[test]
    fn the_second_page_of_eight_rows_at_three_each() {
        let page = Page {
            rows: vec![(); 3],
            request: PageRequest {
                page: 2,
                per_page: 3,
            },
            total: Total::Counted(8),
            has_next: true,
        };
        let mut res = HttpResponse::Ok();
        let query = "private_token=secret&state=active&page=2&per_page=3";
        add_headers(
            &mut res,
            &page,
            "https://host",
            "/api/v4/groups/7/access_tokens",
            query,
        );
        let res = res.finish();
        let header = |name: &str| {
            res.headers()
                .get(name)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(header("x-next-page"), "3");
        assert_eq!(header("x-prev-page"), "1");
        assert_eq!(header("x-total"), "8");
        assert_eq!(header("x-total-pages"), "3");
        let base = "https://host/api/v4/groups/7/access_tokens?state=active&page";
        assert_eq!(
            header("link"),
            format!(
                "<{base}=1&per_page=3>; rel=\"prev\", <{base}=3&per_page=3>; rel=\"next\", \
                 <{base}=1&per_page=3>; rel=\"first\", <{base}=3&per_page=3>; rel=\"last\""
            )
        );
    }
}
