//! The small parts that many pages print. Their markup is in `templates/components`.

/// How a badge, an alert or a flash is meant.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// No judgement.
    #[default]
    Neutral,
    /// Worth knowing.
    Info,
    /// It worked.
    Success,
    /// Look at this soon.
    Warning,
    /// It failed, or look at this now.
    Danger,
}

impl Tone {
    /// The class in the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Info => "info",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }

    /// The symbol in the sprite.
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Neutral | Self::Info => "info",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }

    /// What the alert is introduced as, for those who see neither colour nor icon.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Neutral | Self::Info => "Note:",
            Self::Success => "Done:",
            Self::Warning => "Warning:",
            Self::Danger => "Error:",
        }
    }

    /// The live region it is announced in: interrupting only if something is wrong.
    pub const fn role(self) -> &'static str {
        match self {
            Self::Neutral | Self::Info | Self::Success => "status",
            Self::Warning | Self::Danger => "alert",
        }
    }
}

/// A moment of the past, relative to now.
#[derive(Clone)]
pub struct Moment {
    /// RFC 3339 in UTC with `Z`, as `2026-11-20T17:58:00Z`; the script refreshes texts by it.
    pub datetime: String,
    /// `20 Nov 2026, 17:58:00 UTC`.
    pub exact: String,
    /// `3 days ago`.
    pub text: String,
}

impl Moment {
    /// `20 Nov 2026, 17:58 UTC`, for those who want no distances.
    pub fn to_the_minute(&self) -> String {
        match self.exact.rsplit_once(':') {
            Some((minute, _)) => format!("{minute} UTC"),
            None => self.exact.clone(),
        }
    }
}

/// A calendar date.
#[derive(Clone)]
pub struct Day {
    /// `2026-11-20`.
    pub date: String,
    /// `20 Nov 2026`.
    pub text: String,
}

/// The date on which something ends, and how near it is.
#[derive(Clone)]
pub struct Expiry {
    /// The date, valid until its start in UTC.
    pub day: Day,
    /// `in 5 days`.
    pub distance: String,
    /// Decides the style and the badge.
    pub urgency: Urgency,
}

/// How near an end is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Urgency {
    /// More than a week.
    #[default]
    Later,
    /// A week or less.
    Soon,
    /// Two days or less.
    Now,
}

impl Urgency {
    /// Whether it needs attention.
    pub const fn is_near(self) -> bool {
        !matches!(self, Self::Later)
    }

    /// The tone of the badge.
    pub const fn tone(self) -> Tone {
        match self {
            Self::Later => Tone::Neutral,
            Self::Soon => Tone::Warning,
            Self::Now => Tone::Danger,
        }
    }

    /// The class of the text beside the badge.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Later => "",
            Self::Soon => "soon",
            Self::Now => "now",
        }
    }
}

/// One entry of a select.
#[derive(Clone)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What it says.
    pub label: String,
    /// Whether it is the one chosen.
    pub selected: bool,
}

impl Choice {
    /// An entry that is chosen if its value equals `current`.
    pub fn new(value: impl Into<String>, label: impl Into<String>, current: &str) -> Self {
        let value = value.into();
        Self {
            selected: value == current,
            value,
            label: label.into(),
        }
    }
}

/// A head of a table column, maybe a link that sorts by it.
#[derive(Clone)]
pub struct Column {
    /// Its text.
    pub label: &'static str,
    /// The page sorted by it; `None` if it can't be sorted by.
    pub href: Option<String>,
    /// The order the table is in now, if by this column.
    pub order: Option<SortOrder>,
}

/// Which way a column is sorted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SortOrder {
    /// Smallest, earliest, first letter on top.
    Ascending,
    /// The other way round.
    Descending,
}

impl SortOrder {
    /// The value of `aria-sort`.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Ascending => "ascending",
            Self::Descending => "descending",
        }
    }
}

impl Column {
    /// A head without a link.
    pub const fn fixed(label: &'static str) -> Self {
        Self {
            label,
            href: None,
            order: None,
        }
    }

    /// A head that sorts by `key`. `current` is the value of the page's `sort` parameter, `{key}_asc` or `{key}_desc`;
    /// `href` makes the address for another value. A second click turns the order round.
    pub fn sortable(
        label: &'static str,
        key: &str,
        current: &str,
        href: &impl Fn(&str) -> String,
    ) -> Self {
        let order = match current.strip_prefix(key) {
            Some("_asc") => Some(SortOrder::Ascending),
            Some("_desc") => Some(SortOrder::Descending),
            _ => None,
        };
        let next = if order == Some(SortOrder::Ascending) {
            "desc"
        } else {
            "asc"
        };
        Self {
            label,
            href: Some(href(&format!("{key}_{next}"))),
            order,
        }
    }
}

/// The foot of a list that is too long for one page.
#[derive(Clone)]
pub struct Pagination {
    /// What is paged, for those who can't see where it stands: `Active tokens`.
    pub label: &'static str,
    /// `1–100 of 12,345`.
    pub summary: String,
    /// The page before.
    pub previous: Option<String>,
    /// Page numbers with gaps.
    pub pages: Vec<PageLink>,
    /// The page after.
    pub next: Option<String>,
}

/// One number in the foot of a list.
#[derive(Clone)]
pub struct PageLink {
    /// The number; `…` for a gap.
    pub label: String,
    /// Its address; `None` for the page shown and for gaps.
    pub href: Option<String>,
    /// Whether it is the page shown.
    pub current: bool,
}

impl Pagination {
    /// The foot for page `page` of `last`; `href` makes the address of a page. Shows the first, the last, and two on
    /// either side of the current one. `last` is `None` where counting is given up; then `more` says if a page follows.
    pub fn new(
        label: &'static str,
        summary: impl Into<String>,
        page: u64,
        last: Option<u64>,
        more: bool,
        href: impl Fn(u64) -> String,
    ) -> Self {
        let end = last.unwrap_or(if more { page + 1 } else { page });
        let mut pages = Vec::new();
        let mut before = 0;
        for number in
            (1..=end).filter(|&number| number == 1 || number == end || number.abs_diff(page) <= 2)
        {
            if number > before + 1 {
                pages.push(PageLink {
                    label: "…".into(),
                    href: None,
                    current: false,
                });
            }
            let current = number == page;
            pages.push(PageLink {
                label: number.to_string(),
                href: (!current).then(|| href(number)),
                current,
            });
            before = number;
        }
        Self {
            label,
            summary: summary.into(),
            previous: (page > 1).then(|| href(page - 1)),
            pages,
            next: (page < end).then(|| href(page + 1)),
        }
    }
}

/// A list that could be read, or not.
#[derive(Clone)]
pub enum Loaded<T> {
    /// It is here.
    Ready(T),
    /// It could not be read; the rest of the page still serves.
    Failed {
        /// What to name when asking about it.
        request_id: String,
    },
}

/// A badge: text in a coloured pill.
#[derive(Clone)]
pub struct Badge {
    /// Its text.
    pub text: String,
    /// Its colour.
    pub tone: Tone,
}

impl Badge {
    /// A badge.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Self {
            text: text.into(),
            tone,
        }
    }
}

/// One cell of a form's or command's explanation: a label and a line to copy.
#[derive(Clone)]
pub struct Snippet {
    /// What it is for.
    pub label: String,
    /// The line to copy.
    pub text: String,
}
