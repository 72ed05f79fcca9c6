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

/// Elements that text is made of, whether a sanitiser leaves them or what is in them.
const KNOWN: &[&str] = &[
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "audio",
    "b",
    "bdi",
    "bdo",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "data",
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
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "img",
    "input",
    "ins",
    "kbd",
    "label",
    "li",
    "main",
    "mark",
    "nav",
    "ol",
    "p",
    "picture",
    "pre",
    "q",
    "rb",
    "rp",
    "rt",
    "ruby",
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
    "time",
    "tr",
    "track",
    "tt",
    "u",
    "ul",
    "var",
    "video",
    "wbr",
];

const VOID: &[&str] = &["br", "col", "hr", "img", "input", "source", "track", "wbr"];

/// Those that change the look of letters.
const LETTERS: &[&str] = &[
    "a", "b", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u",
];

/// Those that stand in a line. Where one of them ends, nothing else does.
const INLINE: &[&str] = &[
    "a", "abbr", "audio", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font",
    "i", "ins", "kbd", "label", "mark", "picture", "q", "rb", "rp", "rt", "ruby", "s", "samp",
    "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "video",
];

/// Those that end where a block around them does, in text and in tables.
const TEXT_ENDS: &[&str] = &["dd", "dt", "li", "p"];
const TABLE_ENDS: &[&str] = &["tbody", "td", "tfoot", "th", "thead", "tr"];

/// Is it an element that may be drawn?
pub(super) fn is_known(name: &str) -> bool {
    KNOWN.contains(&name)
}

/// The longest tag, in bytes: each of its attributes is compared with all before it.
const LONGEST_TAG: usize = 4096;

/// Has it no end tag?
pub(super) fn is_void(name: &str) -> bool {
    VOID.contains(&name)
}

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

/// Is every tag short, and written so that nobody can take its end for somewhere else? Quotes stand around values and
/// nowhere else, and `=` right between a name and a value.
fn tags_are_short(html: &str) -> bool {
    #[derive(Clone, Copy)]
    enum In {
        Text,
        Name,
        Attributes,
        Value,
        Bare,
        Quotes(u8),
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte);
    let (mut state, mut begun, mut before) = (In::Text, 0, b' ');
    for (at, byte) in html.bytes().enumerate() {
        state = match (state, byte) {
            (In::Text, _) if before == b'<' && (byte.is_ascii_alphabetic() || byte == b'/') => {
                begun = at;
                In::Name
            }
            (In::Text, _) => In::Text,
            (In::Quotes(quote), _) if byte == quote => In::Attributes,
            (In::Quotes(quote), _) => In::Quotes(quote),
            (In::Value, b'"' | b'\'') => In::Quotes(byte),
            (In::Value, _) if byte.is_ascii_whitespace() || byte == b'>' => return false,
            (In::Value, _) => In::Bare,
            (_, b'>') => In::Text,
            (_, b'"' | b'\'' | b'<' | b'`') | (In::Name | In::Bare, b'=') => return false,
            (In::Attributes, b'=') if is_name(before) => In::Value,
            (In::Attributes, b'=') => return false,
            (In::Name | In::Bare, _) if byte.is_ascii_whitespace() => In::Attributes,
            (other, _) => other,
        };
        if !matches!(state, In::Text) && at - begun > LONGEST_TAG {
            return false;
        }
        before = byte;
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
        self.end_before(name);
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
        let is_block = !INLINE.contains(&name);
        self.wild |= self.open.len() > DEEPEST || looks().count() > LOOKS;
        self.wild |= is_block && looks().sum::<usize>() > LOOKS_BYTES;
    }

    /// Ends what the beginning of this element ends by itself.
    fn end_before(&mut self, name: &str) {
        match name {
            "p" => self.pop_all(&["p"]),
            "li" => {
                self.pop_all(&["p"]);
                self.pop_one(&["li"]);
            }
            "dd" | "dt" => {
                self.pop_all(&["p"]);
                self.pop_one(&["dd", "dt"]);
            }
            _ => {}
        }
        // Cells and rows end before others of the same table, and nowhere else.
        let ended: &[&str] = match name {
            "td" | "th" => &["td", "th"],
            "tr" => &["td", "th", "tr"],
            "tbody" | "tfoot" | "thead" => &["td", "th", "tr", "tbody", "tfoot", "thead"],
            _ => return,
        };
        if self.is_right_in_a_table() {
            self.pop_all(TEXT_ENDS);
            self.pop_all(ended);
        }
    }

    /// Is there a table, and nothing between it and here but what ends by itself?
    fn is_right_in_a_table(&self) -> bool {
        let mut above = self.open.iter().rev().map(|open| open.name.as_str());
        above.find(|name| !TEXT_ENDS.contains(name) && !TABLE_ENDS.contains(name)) == Some("table")
    }

    fn pop_one(&mut self, names: &[&str]) {
        if self.is_on_top(names) {
            self.open.pop();
        }
    }

    fn pop_all(&mut self, names: &[&str]) {
        while self.is_on_top(names) {
            self.open.pop();
        }
    }

    fn is_on_top(&self, names: &[&str]) -> bool {
        let top = self.open.last();
        top.is_some_and(|top| names.contains(&top.name.as_str()))
    }

    fn end(&mut self, name: &str) {
        if VOID.contains(&name) {
            return;
        }
        if name == "p" && !self.open.iter().any(|open| open.name == "p") {
            // What it would end has ended: an empty paragraph.
            self.elements += 1;
            return;
        }
        let of_a_table = name == "table" || TABLE_ENDS.contains(&name);
        while !self.is_on_top(&[name])
            && (of_a_table && self.is_on_top(TABLE_ENDS)
                || !INLINE.contains(&name) && self.is_on_top(TEXT_ENDS))
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
            "<p align=\"center\">\n<p><img src=\"a.png\" alt=\"\"></p>\n</p>",
            "<dl><dt>a<dd>b<p>c<dt>d</dl>",
            "<a href='x' title=\"a > b\" rel=y>c</a>",
            "<video src=a controls></video> <ruby>a<rt>b</rt></ruby>",
            "<details><summary>a</summary>\n<p>b <a href=\"https://x.example/a\"><code>c</code></a></p></details>",
        ] {
            assert!(is_tame(html), "{html}");
        }
        assert!(is_tame(&"<p>a <b>b</b></p>".repeat(5000)));
        let rows = "<tr><td>a<td>b".repeat(1000);
        assert!(is_tame(&format!("<table>{rows}</table>")));
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
            format!("<i a=b=\"><i x='\">'{}></i></i>", " a".repeat(LONGEST_TAG)),
            format!("<i =\">\"{}></i>", " a".repeat(LONGEST_TAG)),
            format!("<i=\">\"{}></i>", " a".repeat(LONGEST_TAG)),
            "<span><li></span><span><dd></span>".repeat(DEEPEST),
            "<dd><tr><li><tr>".repeat(DEEPEST),
            format!("<i \" b=\">\"{}></i>", " a".repeat(LONGEST_TAG)),
        ] {
            assert!(!is_tame(&html), "{:.60}", html);
        }
    }
}
