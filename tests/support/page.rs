//! A page as a person reads it: its text, its links, its forms.

use regex::{Captures, Regex};
use std::sync::LazyLock;

/// A page of HTML.
#[derive(Debug, Clone)]
pub struct Page {
    /// The source.
    pub html: String,
}

/// A form with what it holds, ready to be filled in and sent.
#[derive(Debug, Clone)]
pub struct Form {
    /// Where it goes.
    pub action: String,
    /// What would be sent now.
    pub fields: Vec<(String, String)>,
    /// Fields that are there but would send nothing: boxes that aren't ticked.
    pub unticked: Vec<(String, String)>,
}

static TAGS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s)<!--.*?-->|<[^>]*>").unwrap());
static REFERENCE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"&(#x[0-9a-fA-F]+|#[0-9]+|[a-z]+);").unwrap());
static SPACE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\s+").unwrap());
static ATTRIBUTE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"([a-zA-Z_:-]+)(?:="([^"]*)")?"#).unwrap());

impl Page {
    /// A page of this source.
    pub fn new(html: String) -> Page {
        Page { html }
    }

    /// What is read in it, white space made one.
    pub fn text(&self) -> String {
        readable(&self.html)
    }

    /// What is read in its main part, without the frame around it.
    pub fn main(&self) -> String {
        readable(self.element("main").unwrap_or(&self.html))
    }

    /// What stands in the tab.
    pub fn title(&self) -> String {
        readable(self.element("title").unwrap_or_default())
    }

    /// Can this be read in it?
    pub fn says(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    /// Is there an element that tests know under this name?
    pub fn has(&self, testid: &str) -> bool {
        self.html.contains(&format!(r#"data-testid="{testid}""#))
    }

    /// The tag that tests know under this name, with its attributes.
    pub fn tag(&self, testid: &str) -> Option<Tag> {
        let mark = format!(r#"data-testid="{testid}""#);
        let at = self.html.find(&mark)?;
        let start = self.html[..at].rfind('<')?;
        let end = at + self.html[at..].find('>')?;
        Some(Tag::new(&self.html[start..=end]))
    }

    /// What is read in the element that tests know under this name: a table, a section, a box.
    pub fn part(&self, testid: &str) -> Option<Page> {
        let mark = format!(r#"data-testid="{testid}""#);
        let at = self.html.find(&mark)?;
        let start = self.html[..at].rfind('<')?;
        let name: String = self.html[start + 1..]
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric())
            .collect();
        Some(Page::new(
            self.html[start..closing(&self.html, start, &name)?].to_owned(),
        ))
    }

    /// The rows of a table's body, each with its cells' texts.
    pub fn rows(&self, testid: &str) -> Vec<Vec<String>> {
        let Some(table) = self
            .part(testid)
            .and_then(|part| part.element("tbody").map(str::to_owned))
        else {
            return Vec::new();
        };
        split_elements(&table, "tr")
            .into_iter()
            .map(|row| {
                let cell = Regex::new(r"(?s)<(th|td)\b.*?</(?:th|td)>").unwrap();
                cell.find_iter(row)
                    .map(|cell| readable(cell.as_str()))
                    .collect()
            })
            .collect()
    }

    /// Where its links lead.
    pub fn links(&self) -> Vec<String> {
        let link = Regex::new(r#"<a\b[^>]*?href="([^"]*)""#).unwrap();
        link.captures_iter(&self.html)
            .map(|found| unescaped(&found[1]))
            .collect()
    }

    /// Is there a link to here?
    pub fn links_to(&self, href: &str) -> bool {
        self.links().iter().any(|link| link == href)
    }

    /// The token that its forms carry.
    pub fn authenticity_token(&self) -> Option<String> {
        let field = Regex::new(r#"name="authenticity_token" value="([^"]+)""#).unwrap();
        field.captures(&self.html).map(|found| unescaped(&found[1]))
    }

    /// The form that goes to this path.
    #[track_caller]
    pub fn form(&self, action: &str) -> Form {
        self.find_form(action)
            .unwrap_or_else(|| panic!("no form goes to {action} in {}", self.main()))
    }

    /// As [`Page::form`], if there is one.
    pub fn find_form(&self, action: &str) -> Option<Form> {
        self.forms().into_iter().find(|form| form.action == action)
    }

    /// Its forms that post.
    pub fn forms(&self) -> Vec<Form> {
        let form = Regex::new(r"(?s)<form\b([^>]*)>(.*?)</form>").unwrap();
        form.captures_iter(&self.html)
            .filter_map(|found| {
                let tag = Tag::new(&found[1]);
                (tag.get("method") == Some("post".into())).then(|| Form::new(&tag, &found[2]))
            })
            .collect()
    }

    fn element(&self, name: &str) -> Option<&str> {
        let start = Regex::new(&format!(r"<{name}\b"))
            .unwrap()
            .find(&self.html)?
            .start();
        Some(&self.html[start..closing(&self.html, start, name)?])
    }
}

/// Where the element that begins here ends.
fn closing(html: &str, start: usize, name: &str) -> Option<usize> {
    let tags = Regex::new(&format!(r"<(/?){name}\b[^>]*>")).unwrap();
    let mut depth = 0;
    for tag in tags.captures_iter(&html[start..]) {
        depth += if tag[1].is_empty() { 1 } else { -1 };
        if depth == 0 {
            return Some(start + tag.get(0)?.end());
        }
    }
    None
}

fn split_elements<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let open = Regex::new(&format!(r"<{name}\b")).unwrap();
    open.find_iter(html)
        .filter_map(|found| Some(&html[found.start()..closing(html, found.start(), name)?]))
        .collect()
}

/// A tag's attributes.
#[derive(Debug, Clone)]
pub struct Tag(Vec<(String, String)>);

impl Tag {
    fn new(source: &str) -> Tag {
        let attributes = source.trim_start_matches('<').trim_end_matches(['>', '/']);
        Tag(ATTRIBUTE
            .captures_iter(attributes)
            .map(|found| {
                (
                    found[1].to_owned(),
                    unescaped(found.get(2).map_or("", |value| value.as_str())),
                )
            })
            .collect())
    }

    /// The value of an attribute; empty, if it has none.
    pub fn get(&self, name: &str) -> Option<String> {
        self.0
            .iter()
            .find(|(attribute, _)| attribute == name)
            .map(|(_, value)| value.clone())
    }

    /// Is the attribute there?
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

impl Form {
    fn new(tag: &Tag, html: &str) -> Form {
        let mut form = Form {
            action: tag.get("action").unwrap_or_default(),
            fields: Vec::new(),
            unticked: Vec::new(),
        };
        let control =
            Regex::new(r"(?s)<input\b([^>]*)>|<select\b([^>]*)>(.*?)</select>|<textarea\b([^>]*)>\n?(.*?)</textarea>")
                .unwrap();
        for found in control.captures_iter(html) {
            form.take(&found);
        }
        form
    }

    fn take(&mut self, found: &Captures<'_>) {
        let tag = |index: usize| found.get(index).map(|source| Tag::new(source.as_str()));
        if let Some(input) = tag(1) {
            let Some(name) = input.get("name").filter(|_| !input.has("disabled")) else {
                return;
            };
            let kind = input.get("type").unwrap_or_default();
            let boxed = kind == "checkbox" || kind == "radio";
            let value = input
                .get("value")
                .unwrap_or_else(|| if boxed { "on".into() } else { String::new() });
            if boxed && !input.has("checked") {
                self.unticked.push((name, value));
            } else {
                self.fields.push((name, value));
            }
        } else if let Some(select) = tag(2) {
            let Some(name) = select.get("name") else {
                return;
            };
            let option = Regex::new(r"<option\b([^>]*)>").unwrap();
            let options: Vec<Tag> = option
                .captures_iter(&found[3])
                .map(|option| Tag::new(&option[1]))
                .collect();
            let chosen = options
                .iter()
                .find(|option| option.has("selected"))
                .or(options.first());
            self.fields.push((
                name,
                chosen
                    .and_then(|option| option.get("value"))
                    .unwrap_or_default(),
            ));
        } else if let Some(area) = tag(4) {
            let Some(name) = area.get("name") else { return };
            self.fields.push((name, unescaped(&found[5])));
        }
    }

    /// What a field holds.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }

    /// All values of a field.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.fields
            .iter()
            .filter(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// Is there such a field?
    pub fn has(&self, name: &str) -> bool {
        self.fields
            .iter()
            .chain(&self.unticked)
            .any(|(field, _)| field == name)
    }

    /// Writes a value into a field, which need not be there: a person may send anything.
    #[must_use]
    pub fn fill(mut self, name: &str, value: &str) -> Form {
        self.fields.retain(|(field, _)| field != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Ticks one more box.
    #[must_use]
    pub fn tick(mut self, name: &str, value: &str) -> Form {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a field out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Form {
        self.fields.retain(|(field, _)| field != name);
        self
    }
}

/// Text without tags, white space made one.
pub fn readable(html: &str) -> String {
    let text = TAGS.replace_all(html, " ");
    unescaped(&SPACE.replace_all(&text, " ")).trim().to_owned()
}

/// Text without references to characters.
pub fn unescaped(text: &str) -> String {
    REFERENCE
        .replace_all(text, |found: &Captures<'_>| {
            let name = &found[1];
            let number = match name.strip_prefix("#x") {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => name
                    .strip_prefix('#')
                    .and_then(|digits| digits.parse().ok()),
            };
            match (number.and_then(char::from_u32), name) {
                (Some(character), _) => character.to_string(),
                (None, "amp") => "&".into(),
                (None, "lt") => "<".into(),
                (None, "gt") => ">".into(),
                (None, "quot") => "\"".into(),
                (None, "nbsp") => " ".into(),
                (None, _) => found[0].to_owned(),
            }
        })
        .into_owned()
}
