//! Markdown of a repository as HTML that can do no harm: whatever is in it, it becomes text, links to this repository
//! or elsewhere, and pictures out of this repository.

use std::borrow::Cow;

use ammonia::Builder;
use comrak::nodes::{Node, NodeList, NodeValue};
use comrak::{Anchorizer, Arena, Options, format_html, try_parse_document};
use url::Url;

use super::markup::{self, is_tame};

/// The longest text that is taken for Markdown, in bytes.
pub const LONGEST: usize = 256 * 1024;

/// What is made of it at most, in bytes.
const LONGEST_HTML: usize = 1024 * 1024;

/// How deep blocks may lie in each other, and how many nodes there may be.
const DEEPEST: usize = 60;
const MOST: usize = 20_000;

/// What the ids of headings begin with, so that none is one of the page's own.
const OWN_IDS: &str = "user-content-";

/// Where what a text leads to lies.
#[derive(Debug, Clone)]
pub struct Around {
    /// The page of a file in this revision, up to its path: `/acme/api/-/blob/main/`.
    pub pages: String,
    /// Its bytes, up to its path: `/acme/api/-/raw/main/`.
    pub raw: String,
    /// The folder that the text lies in, with a slash behind it; empty at the top.
    pub folder: String,
    /// What the addresses of this revision say behind the path: `ref_type=tags`, or nothing.
    pub query: &'static str,
}

/// HTML that was made safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafeHtml(String);

impl SafeHtml {
    /// To be printed as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Nothing for a text that is too long, nested too deep, or not read before `is_late` says so: it is shown as it was
/// written. HTML in it that isn't tame is shown as it was written, too.
pub fn render(text: &str, around: &Around, is_late: &dyn Fn() -> bool) -> Option<SafeHtml> {
    if text.len() > LONGEST {
        return None;
    }
    let html = drawn(text, false, is_late)
        .filter(|html| is_tame(html))
        .or_else(|| drawn(text, true, is_late).filter(|html| is_tame(html)))?;
    (!is_late()).then(|| SafeHtml(sanitise(&html, around)))
}

/// `escape` leaves HTML in the text as letters.
fn drawn(text: &str, escape: bool, is_late: &dyn Fn() -> bool) -> Option<String> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    // All of it is sanitised afterwards, with what was written as HTML.
    options.render.r#unsafe = !escape;
    options.render.escape = escape;
    let arena = Arena::new();
    let root = try_parse_document(&arena, text, &options, is_late).ok()?;
    if !is_shallow(root) {
        return None;
    }
    let mut ids = Anchorizer::new();
    for node in root.descendants() {
        if matches!(node.data().value, NodeValue::Heading(_)) {
            let id = ids.anchorize(&words(node));
            let anchor = NodeValue::Raw(format!("<a id=\"{id}\"></a>"));
            node.prepend(arena.alloc(anchor.into()));
        }
        tone_down(node);
        tick(&arena, node);
    }
    let mut html = String::new();
    format_html(root, &options, &mut html).ok()?;
    (html.len() <= LONGEST_HTML).then_some(html)
}

/// Headings stand below that of the page; what looks like an element and isn't one (`Vec<u8>`) is text, and what is
/// ended where it begins (`<a name="x"/>`) is ended as browsers understand it.
fn tone_down(node: Node<'_>) {
    let value = &mut node.data_mut().value;
    match value {
        NodeValue::Heading(heading) => heading.level = (heading.level + 1).min(6),
        NodeValue::HtmlInline(html) => {
            if !element_names(html).all(|name| markup::is_known(&name)) {
                *value = NodeValue::Text(std::mem::take(html).into());
            } else if let Some(ended) = ended(html) {
                *html = ended;
            }
        }
        NodeValue::HtmlBlock(block) => {
            let html = &mut block.literal;
            let is_comment = html.trim_start().starts_with("<!--");
            if !is_comment && !element_names(html).all(|name| markup::is_known(&name)) {
                *html = format!("<p>{}</p>\n", letters(html));
            } else if let Some(ended) = ended(html) {
                *html = ended + "\n";
            }
        }
        _ => {}
    }
}

/// What follows each `<` or `</` and may be the name of an element.
fn element_names(html: &str) -> impl Iterator<Item = String> {
    html.split('<').skip(1).filter_map(|rest| {
        let name = rest.strip_prefix('/').unwrap_or(rest);
        let end = name
            .find(|letter: char| !letter.is_ascii_alphanumeric())
            .unwrap_or(name.len());
        let name = name.get(..end).unwrap_or_default();
        name.starts_with(|letter: char| letter.is_ascii_alphabetic())
            .then(|| name.to_ascii_lowercase())
    })
}

/// A single element that says that it is ended, with its end.
fn ended(html: &str) -> Option<String> {
    let tag = html.trim_end().strip_suffix("/>")?;
    let name = element_names(tag).next()?;
    let alone = tag.starts_with('<') && tag.matches('<').count() == 1 && !markup::is_void(&name);
    alone.then(|| format!("{}></{name}>", tag.trim_end()))
}

/// HTML as letters.
fn letters(html: &str) -> String {
    html.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn sanitise(html: &str, around: &Around) -> String {
    let around = around.clone();
    Builder::default()
        .add_generic_attributes(["id"])
        // Wide ones scroll by themselves, also for whoever has no mouse.
        .set_tag_attribute_value("table", "tabindex", "0")
        .id_prefix(Some(OWN_IDS))
        .link_rel(Some("nofollow noopener noreferrer"))
        .attribute_filter(
            move |element, attribute, value| match (element, attribute) {
                ("a", "href") => lead(value, &around),
                ("img", "src") => picture(value, &around),
                _ => Some(value.into()),
            },
        )
        .clean(html)
        .to_string()
}

/// Where a link leads: to a heading of the text, to a file of the repository, or away.
fn lead<'a>(target: &'a str, around: &Around) -> Option<Cow<'a, str>> {
    if let Some(heading) = target.strip_prefix('#') {
        return Some(format!("#{OWN_IDS}{heading}").into());
    }
    match within(target, &around.pages, around) {
        Place::Here(address) => Some(address.into()),
        Place::Elsewhere => Some(target.into()),
        Place::Nowhere => None,
    }
}

/// Only pictures of the repository are loaded: one from elsewhere would tell its server who reads this.
fn picture<'a>(source: &str, around: &Around) -> Option<Cow<'a, str>> {
    match within(source, &around.raw, around) {
        Place::Here(address) => Some(address.into()),
        Place::Elsewhere | Place::Nowhere => None,
    }
}

enum Place {
    Here(String),
    Elsewhere,
    Nowhere,
}

/// A path beside the text, or from the top of the repository if it begins with a slash; and nothing that leaves it.
fn within(target: &str, top: &str, around: &Around) -> Place {
    let absolute = match Url::parse(target) {
        Err(url::ParseError::RelativeUrlWithoutBase) => target.trim().starts_with("//"),
        _ => true,
    };
    if absolute {
        return Place::Elsewhere;
    }
    let target = target.trim();
    let (from, path) = match target.strip_prefix('/') {
        Some(path) => (top.to_owned(), path),
        None => (format!("{top}{}", around.folder), target),
    };
    let joined = Url::parse("https://here.invalid")
        .and_then(|base| base.join(&from))
        .and_then(|base| base.join(if path.is_empty() { "./" } else { path }));
    let Ok(mut joined) = joined else {
        return Place::Nowhere;
    };
    if !around.query.is_empty() {
        let query = match joined.query() {
            Some(query) => format!("{query}&{}", around.query),
            None => around.query.to_owned(),
        };
        joined.set_query(Some(&query));
    }
    let Some(address) = joined.as_str().strip_prefix("https://here.invalid") else {
        return Place::Nowhere;
    };
    if address.starts_with(top) {
        Place::Here(address.to_owned())
    } else {
        Place::Nowhere
    }
}

/// Are there neither too many nodes, nor any too deep?
fn is_shallow(root: Node<'_>) -> bool {
    let mut waiting = vec![(root, 0)];
    let mut counted = 0;
    while let Some((node, depth)) = waiting.pop() {
        counted += 1;
        if depth > DEEPEST || counted > MOST {
            return false;
        }
        waiting.extend(node.children().map(|child| (child, depth + 1)));
    }
    true
}

/// The text of a heading.
fn words(heading: Node<'_>) -> String {
    let mut text = String::new();
    for node in heading.descendants() {
        match &node.data().value {
            NodeValue::Text(words) => text.push_str(words),
            NodeValue::Code(code) => text.push_str(&code.literal),
            _ => {}
        }
    }
    text
}

/// Boxes of a list of tasks are signs: nobody can tick them here.
fn tick<'a>(arena: &'a Arena<'a>, node: Node<'a>) {
    let done = match &node.data().value {
        NodeValue::TaskItem(task) => task.symbol.is_some(),
        _ => return,
    };
    node.data_mut().value = NodeValue::Item(NodeList::default());
    let sign = if done { "☑ " } else { "☐ " };
    let first = node.first_child().filter(|child| {
        let value = &child.data().value;
        matches!(value, NodeValue::Paragraph)
    });
    let at = first.unwrap_or(node);
    at.prepend(arena.alloc(NodeValue::Text(sign.into()).into()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around() -> Around {
        Around {
            pages: "/acme/api/-/blob/main/".into(),
            raw: "/acme/api/-/raw/main/".into(),
            folder: "docs/".into(),
            query: "",
        }
    }

    fn html(text: &str) -> String {
        render(text, &around(), &|| false).unwrap().0
    }

    #[test]
    fn tables_code_notes_and_tasks_are_drawn() {
        let shown = html(
            "# A `b`\n\n|a|b|\n|-|:-:|\n|1|2|\n\n~~no~~ x[^1]\n\n[^1]: note\n\n```rust\nf<T>()\n```\n\n* [x] done\n* [ ] open\n",
        );
        for part in [
            "<h2><a id=\"user-content-a-b\"",
            "<td align=\"center\">2</td>",
            "<del>no</del>",
            "href=\"#user-content-fn-1\"",
            "id=\"user-content-fn-1\"",
            "<pre><code>f&lt;T&gt;()",
            "<li>☑ done</li>",
            "<li>☐ open</li>",
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }

    #[test]
    fn nothing_that_runs_or_calls_elsewhere_is_left() {
        for text in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<a href=\"javascript:alert(1)\">x</a>",
            "[x](javascript:alert(1))",
            "<a href=\"java\tscript:alert(1)\">x</a>",
            "[x](&#106;avascript:alert(1))",
            "[x](data:text/html,x)",
            "<iframe src=\"https://evil.example\"></iframe>",
            "<form action=\"https://evil.example\"><input name=x></form>",
            "<style>*{}</style>",
            "<p style=\"x\" class=\"x\" onclick=\"x\">t</p>",
            "![x](https://evil.example/pixel.png)",
            "<img src=\"//evil.example/pixel.png\">",
            "<svg><a xlink:href=\"javascript:x\">x</a></svg>",
            "<base href=\"https://evil.example\">",
            "<meta http-equiv=refresh content=0>",
        ] {
            let shown = html(text).to_ascii_lowercase();
            // What stands between the tags are letters.
            let tags: String = shown
                .split('<')
                .skip(1)
                .filter_map(|rest| rest.split('>').next())
                .collect();
            for never in [
                "script", "onerror", "onclick", "evil", "data:", "form", "input", "style",
                "class=", "svg", "base", "meta", "iframe",
            ] {
                assert!(!tags.contains(never), "{never} of {text} in {shown}");
            }
        }
    }

    #[test]
    fn links_and_pictures_are_found_beside_the_text_or_from_the_top() {
        for (text, expected) in [
            ("[x](a.md)", "href=\"/acme/api/-/blob/main/docs/a.md\""),
            (
                "[x](../a%20b.md#c)",
                "href=\"/acme/api/-/blob/main/a%20b.md#c\"",
            ),
            ("[x](/src/)", "href=\"/acme/api/-/blob/main/src/\""),
            ("[x](#c)", "href=\"#user-content-c\""),
            ("[x](https://x.example/)", "href=\"https://x.example/\""),
            ("[x](mailto:a@x.example)", "href=\"mailto:a@x.example\""),
            ("![x](a.png)", "src=\"/acme/api/-/raw/main/docs/a.png\""),
            ("<img src=\"/a.png\">", "src=\"/acme/api/-/raw/main/a.png\""),
        ] {
            let shown = html(text);
            assert!(shown.contains(expected), "{expected} of {text} in {shown}");
        }
        for text in [
            "[x](../../../../admin)",
            "[x](/../../../admin)",
            "[x](..%2f..%2f../../../../admin)",
            "![x](../../../../../-/profile)",
            "[x](/\\evil.example)",
        ] {
            let shown = html(text);
            assert!(
                !shown.contains("href=") && !shown.contains("src=")
                    || shown.contains("=\"/acme/api/-/"),
                "{text} in {shown}"
            );
        }
    }

    #[test]
    fn what_lies_beside_a_text_of_a_tag_is_of_that_tag() {
        let around = Around {
            query: "ref_type=tags",
            ..around()
        };
        let text = "[x](a.md#c) [y](b.md?plain=1) [z](https://x.example/) ![p](p.png)";
        let shown = render(text, &around, &|| false).unwrap().0;
        for expected in [
            "/blob/main/docs/a.md?ref_type=tags#c\"",
            "/blob/main/docs/b.md?plain=1&amp;ref_type=tags\"",
            "\"https://x.example/\"",
            "/raw/main/docs/p.png?ref_type=tags\"",
        ] {
            assert!(shown.contains(expected), "{expected} in {shown}");
        }
    }

    #[test]
    fn what_is_too_much_is_left_as_it_is() {
        for text in [
            "x".repeat(LONGEST + 1),
            ">".repeat(DEEPEST + 1),
            "#\n".repeat(MOST),
            format!("{}\n\n[^1]: x", "[^1]".repeat(MOST)),
        ] {
            assert_eq!(render(&text, &around(), &|| false), None, "{text:.20}");
        }
        // Whoever sets a limit isn't kept longer.
        let asked = std::cell::Cell::new(0);
        let late = || {
            asked.set(asked.get() + 1);
            asked.get() > 3
        };
        assert_eq!(render(&"&".repeat(LONGEST), &around(), &late), None);
        assert!(asked.get() < 10);
    }

    #[test]
    fn html_that_is_not_tame_is_shown_as_it_was_written() {
        for text in [
            "<div></x>".repeat(1000),
            format!("<div>{}x</div>\n\n", "<b id=1>".repeat(98)),
            "<svg><b>x</b></svg>\n".to_owned(),
        ] {
            let shown = html(&text);
            assert!(shown.contains("&lt;"), "{shown:.200}");
            assert!(shown.len() < 20 * text.len(), "{} bytes", shown.len());
        }
        assert_eq!(
            html("Vec<u8> and <kbd>x</kbd>"),
            "<p>Vec&lt;u8&gt; and <kbd>x</kbd></p>\n"
        );
        let usual = "<p><img src=a.png><br></p>\n\n".repeat(1000);
        assert!(html(&usual).contains("<img"));
        // One block doesn't spoil the others.
        let mixed = html(
            "<p align=\"center\">\n\n![x](a.png)\n\n</p>\n\n<svg></svg>\n\n## <a name=\"x\"/> T\n",
        );
        for part in ["<img src=", "&lt;svg&gt;", "</a> T</h3>"] {
            assert!(mixed.contains(part), "{part} in {mixed}");
        }
        let anchors = "<a name=\"x\"/>\n\n".repeat(20);
        assert!(!html(&anchors).contains("&lt;"));
    }

    #[test]
    fn headings_stand_below_that_of_the_page() {
        assert!(html("# A\n\n###### B").starts_with("<h2><a id=\"user-content-a\""));
        assert!(html("###### B").starts_with("<h6><a id"));
    }
}
