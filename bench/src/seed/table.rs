//! The tables that are filled straight away, and what goes into their columns.

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Users,
    Groups,
    Routes,
    Memberships,
    AccessTokens,
    AccessTokenUses,
}

impl Table {
    /// All of them, in an order in which each row finds what it refers to.
    pub(crate) const ALL: [Table; 6] = [
        Table::Users,
        Table::Groups,
        Table::Routes,
        Table::Memberships,
        Table::AccessTokens,
        Table::AccessTokenUses,
    ];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Table::Users => "users",
            Table::Groups => "groups",
            Table::Routes => "routes",
            Table::Memberships => "memberships",
            Table::AccessTokens => "access_tokens",
            Table::AccessTokenUses => "access_token_uses",
        }
    }

    /// The columns that a row names, in its order. The others have their defaults.
    pub(crate) fn columns(self) -> &'static [&'static str] {
        match self {
            Table::Users => &[
                "id",
                "username",
                "username_key",
                "name",
                "email",
                "email_key",
                "kind",
                "state",
                "bot_group_id",
                "created_at",
                "updated_at",
            ],
            Table::Groups => &[
                "id",
                "kind",
                "name",
                "path",
                "full_path",
                "full_name",
                "traversal",
                "root_id",
                "parent_id",
                "visibility",
                "created_at",
                "updated_at",
            ],
            Table::Routes => &["path_key", "group_id"],
            Table::Memberships => &[
                "id",
                "user_id",
                "group_id",
                "access_level",
                "bot",
                "created_at",
            ],
            Table::AccessTokens => &[
                "id",
                "user_id",
                "group_id",
                "root_id",
                "name",
                "description",
                "scopes",
                "digest",
                "hint",
                "expires_at",
                "created_at",
                "updated_at",
            ],
            Table::AccessTokenUses => &["token_id", "last_used_at", "ips"],
        }
    }

    /// Does the database count its ids?
    pub(crate) fn has_sequence(self) -> bool {
        !matches!(self, Table::Routes | Table::AccessTokenUses)
    }
}

/// A value of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    Null,
    True,
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// What rows are handed to, one after the other.
pub(crate) trait Sink {
    /// Takes one row of the table that is being filled.
    fn row(&mut self, cells: &[Cell<'_>]) -> anyhow::Result<()>;
}

/// A database whose tables are filled one after the other.
pub(crate) trait Store {
    /// Puts all rows that `rows` hands over into this table.
    fn fill(
        &mut self,
        table: Table,
        rows: &mut dyn FnMut(&mut dyn Sink) -> anyhow::Result<()>,
    ) -> anyhow::Result<()>;
}
