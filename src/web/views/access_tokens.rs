//! Access tokens of a group, a project or a person: the list, the form, the one-time value, and the pages that ask
//! before a token is revoked or rotated. The three kinds share every page; only the words differ.

use askama::Template;

use super::components::{Choice, Column, Day, Expiry, Loaded, Moment, Pagination, Snippet};
use super::forms::FormErrors;
use super::scopes::ScopeOption;
use super::shell::Shell;

/// Whose tokens a page is about: the words of the page follow from it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Tokens of a group.
    Group,
    /// Tokens of a project.
    Project,
    /// A person's own tokens.
    Personal,
}

impl TokenKind {
    /// `group access token`.
    pub const fn singular(self) -> &'static str {
        match self {
            Self::Group => "group access token",
            Self::Project => "project access token",
            Self::Personal => "personal access token",
        }
    }

    /// `Group access tokens`, the heading of the page.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Group => "Group access tokens",
            Self::Project => "Project access tokens",
            Self::Personal => "Personal access tokens",
        }
    }

    /// `group` or `project`.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Project => "project",
            Self::Personal => "account",
        }
    }

    /// The start of the sentence about an empty list.
    pub const fn has(self) -> &'static str {
        match self {
            Self::Group => "This group has",
            Self::Project => "This project has",
            Self::Personal => "You have",
        }
    }

    /// What such tokens are for, under the heading.
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Group => {
                "Tokens for programs that work with this group, its subgroups and projects, through the API or Git over \
                 HTTPS. Each token acts as its own bot member."
            }
            Self::Project => {
                "Tokens for programs that work with this project, through the API or Git over HTTPS. Each token acts as \
                 its own bot member."
            }
            Self::Personal => {
                "Tokens for your own programs and scripts, through the API or Git over HTTPS. Each token acts as you."
            }
        }
    }

    /// Who sees the name of a token, as help under its field.
    pub const fn audience(self) -> &'static str {
        match self {
            Self::Group => {
                "Say what will use it, and nothing secret: every member of the group can see this name."
            }
            Self::Project => {
                "Say what will use it, and nothing secret: every member of the project can see this name."
            }
            Self::Personal => "Say what will use it.",
        }
    }

    /// The form that the fields belong to: `resource_access_token[name]`.
    pub const fn form(self) -> &'static str {
        match self {
            Self::Group | Self::Project => "resource_access_token",
            Self::Personal => "personal_access_token",
        }
    }

    /// Whether tokens have a role of their own, through their bot.
    pub const fn has_role(self) -> bool {
        !matches!(self, Self::Personal)
    }
}

/// Settings, Access tokens.
#[derive(Template)]
#[template(path = "access_tokens/index.html", whitespace = "minimize")]
pub struct TokenPage {
    /// The frame.
    pub shell: Shell,
    /// Whose tokens.
    pub kind: TokenKind,
    /// Where the list is and where the form posts to; the other addresses follow from it.
    pub path: String,
    /// The value just made; only ever in the answer to the request that made it.
    pub created: Option<OneTimeToken>,
    /// The form was sent a second time; the token had been made at this time (`17:58 UTC`).
    pub replayed: Option<String>,
    /// How many there are in each state; empty if nobody could count them.
    pub statistics: Vec<Statistic>,
    /// The calendar of a group's tokens.
    pub calendar_href: Option<String>,
    /// The list of all tokens below, of a top-level group.
    pub inventory_href: Option<String>,
    /// All tokens of the lists as a file, of a group or project.
    pub csv_href: Option<String>,
    /// Whether a token can be made here, by this person, now.
    pub creation: Creation,
    /// The filter above the active table.
    pub filter: TokenFilter,
    /// The active tokens.
    pub active: Loaded<ActiveTokens>,
    /// The inactive tokens, if the instance keeps them.
    pub inactive: Option<Loaded<InactiveTokens>>,
}

impl TokenPage {
    /// The form, if a token can be made.
    pub fn form(&self) -> Option<&TokenForm> {
        match &self.creation {
            Creation::Allowed(form) => Some(form),
            _ => None,
        }
    }
}

/// A number above the lists.
pub struct Statistic {
    /// What tests know it by: `active`, `expiring`, `expired` or `revoked`.
    pub name: &'static str,
    /// What is counted.
    pub caption: &'static str,
    /// How many, as `12` or `10,000+`.
    pub number: String,
    /// The list of these.
    pub href: String,
    /// Whether somebody should look at them.
    pub warns: bool,
}

/// Whether a token can be made on this page.
pub enum Creation {
    /// Yes, with this form.
    Allowed(Box<TokenForm>),
    /// The switch of the top-level group is off.
    Disabled {
        /// General settings of the top-level group, for those who may turn it on.
        settings_href: Option<String>,
    },
    /// Something else is in the way: `Limit of 10,000 active tokens reached.`
    Refused(String),
    /// This person may look but not make; nothing is said.
    NotOffered,
}

/// The form that makes a token.
pub struct TokenForm {
    /// Whether it is shown at once: asked for by `?new=1`, prefilled, or sent with errors.
    pub open: bool,
    /// Single-use, so that a second send of the same form makes no second token.
    pub nonce: String,
    /// What is in **Token name**.
    pub name: String,
    /// What is in **Token description**.
    pub description: String,
    /// What is in **Expiration date**, `YYYY-MM-DD` or as it was typed.
    pub expires_at: String,
    /// What dates are possible.
    pub dates: DateRules,
    /// Roles that this person may give; empty for personal tokens.
    pub roles: Vec<Choice>,
    /// Scopes on offer.
    pub scopes: Vec<ScopeOption>,
    /// What the token reaches, as `acme/platform and the 4 projects below`.
    pub reach: String,
    /// Whether internal groups and projects of the whole instance are readable with the token.
    pub reads_internal: bool,
    /// What is wrong with it.
    pub errors: FormErrors,
}

/// Which expiration dates a form takes, and what an empty one means.
#[derive(Clone)]
pub struct DateRules {
    /// Today, `YYYY-MM-DD`: presets count from it.
    pub today: String,
    /// Tomorrow, `YYYY-MM-DD`.
    pub earliest: String,
    /// The longest lifetime in days, and the date it gives.
    pub latest: Option<(u32, Day)>,
    /// What an empty date means.
    pub empty: EmptyDate,
}

/// What an empty expiration date means.
#[derive(Clone, Copy)]
pub enum EmptyDate {
    /// Today and so many days.
    Days(u32),
    /// The longest lifetime that the instance allows, in days.
    InstanceMaximum(u32),
    /// No end.
    Never,
}

impl EmptyDate {
    /// The sentence under the field.
    pub fn sentence(self) -> String {
        match self {
            Self::Days(days) => format!("Leave it empty for today + {days} days."),
            Self::InstanceMaximum(days) => {
                format!(
                    "Leave it empty for today + {days} days, the longest that this instance allows."
                )
            }
            Self::Never => "Leave it empty for a token without an end.".into(),
        }
    }
}

/// The value just made. Its text is nowhere else.
pub struct OneTimeToken {
    /// The value in the clear.
    pub value: String,
    /// Whether it replaces an older value.
    pub rotated: bool,
    /// The token's name.
    pub name: String,
    /// Role, scopes and end in one line: `Maintainer · read_api · expires 20 Dec 2026`.
    pub summary: String,
    /// Lines that use it, with `<token>` in place of the value.
    pub examples: Vec<Snippet>,
}

/// The filter above the active table.
#[derive(Default)]
pub struct TokenFilter {
    /// What is searched for in name and description.
    pub search: String,
    /// Roles, with "Any" first; empty for personal tokens.
    pub roles: Vec<Choice>,
    /// Scopes, with "Any" first.
    pub scopes: Vec<Choice>,
    /// For how long nobody has used them, with "Any" first.
    pub unused: Vec<Choice>,
    /// Before which day they end, `YYYY-MM-DD`; empty for any.
    pub expires_before: String,
    /// The order to keep, as in the address; empty for the default.
    pub sort: String,
    /// Whether it narrows the list.
    pub narrows: bool,
}

/// One page of active tokens.
pub struct ActiveTokens {
    /// How many there are in all, as `12` or `10,000+`.
    pub count: String,
    /// Heads; see [`active_columns`].
    pub columns: Vec<Column>,
    /// The rows of this page.
    pub rows: Vec<TokenRow>,
    /// The foot; `None` if all is on one page.
    pub pagination: Option<Pagination>,
}

impl ActiveTokens {
    /// Whether there is anything to do with any of the rows; without it there is no Action column.
    pub fn has_actions(&self) -> bool {
        self.rows.iter().any(|row| row.can_rotate || row.can_revoke)
    }
}

/// An active token.
pub struct TokenRow {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The last characters of its value, to match one in hand; empty if unknown.
    pub hint: String,
    /// Its description; empty if none.
    pub description: String,
    /// Its scopes, joined by comma and space; empty if none.
    pub scopes: String,
    /// When it was made.
    pub created: Day,
    /// When it was used last.
    pub last_used: Option<Moment>,
    /// That nobody uses it, as `Unused for 90 days`; `None` for a token in use.
    pub idle: Option<String>,
    /// From where, newest first.
    pub last_used_ips: Vec<String>,
    /// When it ends; `None` for never.
    pub expires: Option<Expiry>,
    /// The values before the last rotation, while any of them works.
    pub old_values: Option<OldValues>,
    /// Its role; `None` if its bot is no longer a member.
    pub role: Option<String>,
    /// Whether this person may rotate it now.
    pub can_rotate: bool,
    /// Whether this person may revoke it.
    pub can_revoke: bool,
}

/// Values before the last rotation, which go on working for a while.
pub struct OldValues {
    /// The numbers of the tokens that were rotated away, the newest first.
    pub ids: Vec<i64>,
    /// Until when the last of them works, as `14:05 UTC`.
    pub until: String,
}

impl OldValues {
    /// `Old value valid until 14:05 UTC`; of several how many they are, and the end of the last.
    pub fn caption(&self) -> String {
        match self.ids.len() {
            0 | 1 => format!("Old value valid until {}", self.until),
            many => format!("{many} old values, the last valid until {}", self.until),
        }
    }

    /// Where they are ended, below the address of the list: one at once, of many each on the page of the token.
    pub fn page(&self, token_id: i64) -> String {
        match self.ids.as_slice() {
            [one] => format!("{one}/revoke"),
            _ => format!("{token_id}#old-values"),
        }
    }
}

/// One page of inactive tokens.
pub struct InactiveTokens {
    /// How they ended, if only those are listed: `expired` or `revoked`.
    pub narrowed: Option<&'static str>,
    /// Whether new ones can be made in their place.
    pub replaceable: bool,
    /// How many there are in all.
    pub count: String,
    /// Heads; see [`inactive_columns`].
    pub columns: Vec<Column>,
    /// The rows of this page.
    pub rows: Vec<InactiveTokenRow>,
    /// The foot; `None` if all is on one page.
    pub pagination: Option<Pagination>,
}

/// A token that was revoked or has expired.
pub struct InactiveTokenRow {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its description; empty if none.
    pub description: String,
    /// Its scopes, joined by comma and space; empty if none.
    pub scopes: String,
    /// When it was made.
    pub created: Day,
    /// When it was used last.
    pub last_used: Option<Moment>,
    /// A form filled in like it.
    pub replacement_href: String,
    /// How it ended.
    pub ended: Ended,
    /// Its role; `None` if its bot is no longer a member.
    pub role: Option<String>,
}

/// How a token ended.
pub enum Ended {
    /// Somebody ended it.
    Revoked {
        /// When, if known.
        at: Option<Moment>,
        /// Who, if known.
        by: Option<String>,
    },
    /// Its date came.
    Expired(Day),
}

/// The heads of the active table. `sort` is the page's `sort` parameter (`expires_at_asc` if it has none), `href` makes
/// the address for another value. Keys: `name`, `description`, `scopes`, `created_at`, `last_used_at`, `expires_at`, `access_level`.
pub fn active_columns(
    kind: TokenKind,
    actions: bool,
    sort: &str,
    href: impl Fn(&str) -> String,
) -> Vec<Column> {
    let mut columns = first_columns(sort, &href);
    columns.push(Column::fixed("Last Used IPs"));
    columns.push(Column::sortable("Expires", "expires_at", sort, &href));
    if kind.has_role() {
        columns.push(Column::sortable("Role", "access_level", sort, &href));
    }
    if actions {
        columns.push(Column::fixed("Action"));
    }
    columns
}

/// The heads of the inactive table; parameters and keys as for [`active_columns`].
pub fn inactive_columns(
    kind: TokenKind,
    actions: bool,
    sort: &str,
    href: impl Fn(&str) -> String,
) -> Vec<Column> {
    let mut columns = first_columns(sort, &href);
    columns.push(Column::sortable("Expired", "expires_at", sort, &href));
    if kind.has_role() {
        columns.push(Column::sortable("Role", "access_level", sort, &href));
    }
    if actions {
        columns.push(Column::fixed("Action"));
    }
    columns
}

fn first_columns(sort: &str, href: &impl Fn(&str) -> String) -> Vec<Column> {
    vec![
        Column::sortable("Token name", "name", sort, href),
        Column::sortable("Description", "description", sort, href),
        Column::sortable("Scopes", "scopes", sort, href),
        Column::sortable("Created", "created_at", sort, href),
        Column::sortable("Last Used", "last_used_at", sort, href),
    ]
}

/// Asks before a token is revoked.
#[derive(Template)]
#[template(path = "access_tokens/revoke.html", whitespace = "minimize")]
pub struct RevokeTokenPage {
    /// The frame.
    pub shell: Shell,
    /// Whose token.
    pub kind: TokenKind,
    /// The list of tokens, where "Keep token" leads.
    pub path: String,
    /// The token's number.
    pub id: i64,
    /// The token's name.
    pub name: String,
    /// Last use, role and scopes in one line: `Last used 2 hours ago from 10.1.4.7 · Maintainer · read_api`.
    pub summary: String,
    /// Whether it was used within the last 24 hours.
    pub used_lately: bool,
    /// Whether it was rotated away, and only its value goes on working.
    pub is_old_value: bool,
    /// Until when older values would work, which end too.
    pub old_values_until: Option<String>,
}

/// Asks before a token is rotated.
#[derive(Template)]
#[template(path = "access_tokens/rotate.html", whitespace = "minimize")]
pub struct RotateTokenPage {
    /// The frame.
    pub shell: Shell,
    /// Whose token.
    pub kind: TokenKind,
    /// The list of tokens, where "Cancel" leads.
    pub path: String,
    /// The token's number.
    pub id: i64,
    /// The token's name.
    pub name: String,
    /// Last use, role and scopes in one line.
    pub summary: String,
    /// Whether it was used within the last 24 hours.
    pub used_lately: bool,
    /// Single-use, so that a second send of the same form does not rotate twice.
    pub nonce: String,
    /// The date proposed or typed, `YYYY-MM-DD`; empty for none.
    pub expires_at: String,
    /// Why that date is proposed: `Same lifetime as now.`
    pub proposal: String,
    /// What dates are possible.
    pub dates: DateRules,
    /// Until when older values work, which end no later than this one.
    pub old_values_until: Option<String>,
    /// How long the old value goes on working: seconds and words.
    pub grace_periods: Vec<Choice>,
    /// What is wrong with the form.
    pub errors: FormErrors,
}
