//! Is a piece of HTML as tame as what people write? What browsers forgive (end tags that end nothing, elements that are
//! closed in another order) makes the work of whoever reads it grow with the square of its length, or makes many of one
//! element. Of such HTML nothing is drawn.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// How deep elements may lie in each other.
const DEEPEST: usize = 100;

/// How many elements there may be.
const MOST: usize = 20_000;

/// How many elements that change the look of letters may be open at once, and what may stand in them, in bytes: they
/// are opened anew in each block that begins inside of them.
const LOOKS: usize = 8;
const LOOKS_BYTES: usize = 256;

/// Elements that text is made of, and that a sanitiser leaves.
const KNOWN: &[&str] = &[
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "picture",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "source",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "wbr",
];

const VOID: &[&str] = &["br", "hr", "img", "source", "wbr"];

/// Those that change the look of letters.
const LETTERS: &[&str] = &[
    "a", "b", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u",
];

/// Those that end where the next or the one around them does.
const IMPLIED: &[&str] = &[
    "dd", "dt", "li", "p", "tbody", "td", "tfoot", "th", "thead", "tr",
];

/// Is it an element that may be drawn?
pub(super) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

/// The longest tag, in bytes: each of its attributes is compared with all before it.
const LONGEST_TAG: usize = 4096;

/// Is all of it as people write it?
pub(super) fn is_tame(html: &str) -> bool {
    if !tags_are_short(html) {
        return false;
    }
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    let tokenizer = Tokenizer::new(Watch::default(), TokenizerOpts::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    !tokenizer.sink.0.into_inner().wild
}

/// Is every tag short, and is a quote in it where a value begins or ends?
fn tags_are_short(html: &str) -> bool {
    let mut quote = None;
    let mut tag: Option<usize> = None;
    let mut before = b' ';
    for (at, byte) in html.bytes().enumerate() {
        match (tag, quote) {
            (None, _) => {
                if before == b'<' && (byte.is_ascii_alphabetic() || byte == b'/') {
                    tag = Some(at);
                }
            }
            (Some(_), Some(open)) => {
                if byte == open {
                    quote = None;
                }
            }
            (Some(_), None) => match byte {
                b'>' => tag = None,
                b'"' | b'\'' if before == b'=' => quote = Some(byte),
                b'"' | b'\'' => return false,
                _ => {}
            },
        }
        if tag.is_some_and(|begin| at - begin > LONGEST_TAG) {
            return false;
        }
        if tag.is_none() || !byte.is_ascii_whitespace() {
            before = byte;
        }
    }
    true
}

#[derive(Default)]
struct Watch(RefCell<Seen>);

#[derive(Default)]
struct Seen {
    wild: bool,
    elements: usize,
    open: Vec<Open>,
}

struct Open {
    name: String,
    /// What stands in it, if it changes the look of letters.
    looks: Option<usize>,
}

impl TokenSink for Watch {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        if let Token::TagToken(tag) = token {
            self.0.borrow_mut().see(&tag);
        }
        TokenSinkResult::Continue
    }
}

impl Seen {
    fn see(&mut self, tag: &Tag) {
        let name = &*tag.name;
        match tag.kind {
            TagKind::StartTag => self.begin(name, tag),
            TagKind::EndTag => self.end(name),
        }
    }

    fn begin(&mut self, name: &str, tag: &Tag) {
        self.elements += 1;
        self.wild |= !is_known(name) || self.elements > MOST;
        if VOID.contains(&name) {
            return;
        }
        while IMPLIED.contains(&name) && self.open.last().is_some_and(|top| top.name == name) {
            self.open.pop();
        }
        let written = |tag: &Tag| {
            tag.attrs
                .iter()
                .map(|attribute| attribute.name.local.len() + attribute.value.len())
                .sum()
        };
        self.open.push(Open {
            name: name.to_owned(),
            looks: LETTERS.contains(&name).then(|| written(tag)),
        });
        let looks = || self.open.iter().filter_map(|open| open.looks);
        // A link has an address, and nothing is made of it a second time: blocks in links are rare.
        let is_block = !LETTERS.contains(&name) && !["span", "sub", "sup"].contains(&name);
        self.wild |= self.open.len() > DEEPEST || looks().count() > LOOKS;
        self.wild |= is_block && looks().sum::<usize>() > LOOKS_BYTES;
    }

    fn end(&mut self, name: &str) {
        if VOID.contains(&name) {
            return;
        }
        while self
            .open
            .last()
            .is_some_and(|top| top.name != name && IMPLIED.contains(&top.name.as_str()))
        {
            self.open.pop();
        }
        match self.open.pop() {
            Some(top) if top.name == name => {}
            _ => self.wild = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_tame() {
        for html in [
            "",
            "<p align=center><img src=a.png><br></p>\n<h1>x</h1>",
            "<ul><li>a<li>b</ul>",
            "<p>a<p>b<div>c<p>d</div>",
            "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>b<td>c<tr><td>d</table>",
            "<details><summary>a</summary>\n<p>b <a href=\"https://x.example/a\"><code>c</code></a></p></details>",
        ] {
            assert!(is_tame(html), "{html}");
        }
        assert!(is_tame(&"<p>a <b>b</b></p>".repeat(5000)));
    }

    #[test]
    fn what_would_grow_is_not() {
        for html in [
            "<div>".repeat(DEEPEST + 1),
            "<div></x>".repeat(10),
            "<b><div></b>".to_owned(),
            "</div>".to_owned(),
            "<b>".repeat(LOOKS + 1),
            format!("<p><b id={}><div>x</div></b></p>", "x".repeat(LOOKS_BYTES)),
            "<br>".repeat(MOST + 1),
            "<script>x</script>".to_owned(),
            "<svg></svg>".to_owned(),
            "<textarea></textarea>".to_owned(),
            format!("<i{}></i>", " a".repeat(LONGEST_TAG)),
            format!("<i b=\">\"{}></i>", " a".repeat(LONGEST_TAG)),
            format!("<i \" b=\">\"{}></i>", " a".repeat(LONGEST_TAG)),
        ] {
            assert!(!is_tame(&html), "{:.60}", html);
        }
    }
}
