//! Bots, groups, memberships and tokens as rows.

use latchkey::access_tokens::secret::{Digest, DigestKey};

use super::{
    layout::{
        EXPIRES_AT, FIRST_ON_PAGE, LADDER, LADDER_TOKEN, LONG, Layout, MEASURED, ON_PAGE, PAGE,
        RUNGS, SUBGROUPS, Seeded, value,
    },
    table::{Cell, Sink, Store, Table},
};

/// When it all was made.
const MADE: &str = "2026-01-01 10:00:00";
/// When tokens were used before: long enough ago for the next use to be written down.
const USED: &str = "2026-02-01 10:00:00";
/// From where: no load comes from an address that is news.
const FROM: &str = "127.0.0.1";

/// All groups, with the ids from the top down to each.
fn lineages(layout: Layout) -> impl Iterator<Item = Vec<i64>> {
    let fixed = [vec![MEASURED], vec![PAGE], vec![LONG]];
    let subgroups = (1..=SUBGROUPS).map(|number| vec![MEASURED, MEASURED + number]);
    let ladder = (0..RUNGS).map(|rung| (LADDER..=LADDER + rung).collect());
    let many = (0..layout.groups()).map(move |number| layout.lineage(number));
    fixed.into_iter().chain(subgroups).chain(ladder).chain(many)
}

/// All tokens that there are from the start.
fn tokens(layout: Layout) -> impl Iterator<Item = Seeded> {
    let alone = |id, group| Seeded {
        id,
        group,
        root: group,
    };
    (FIRST_ON_PAGE..FIRST_ON_PAGE + ON_PAGE)
        .map(move |id| alone(id, PAGE))
        .chain([alone(LADDER_TOKEN, LADDER)])
        .chain((0..layout.tokens).map(move |number| layout.token(number)))
}

/// Fills the tables with groups, and with tokens, their bots and these bots' memberships.
pub(crate) fn fill(
    store: &mut dyn Store,
    layout: Layout,
    key: &DigestKey,
    progress: &mut dyn FnMut(Table) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for table in Table::ALL {
        progress(table)?;
        store.fill(table, &mut |sink| match table {
            Table::Groups | Table::Routes => lineages(layout).try_for_each(|ids| {
                let group = Group::of(&ids);
                if table == Table::Groups {
                    group.row(sink, &ids)
                } else {
                    sink.row(&[Cell::Text(&group.full_path), Cell::Int(group.id)])
                }
            }),
            _ => tokens(layout).try_for_each(|token| token_row(table, token, key, sink)),
        })?;
    }
    Ok(())
}

/// Adds these tokens, their bots and memberships, to tables that are filled already.
pub(crate) fn add(store: &mut dyn Store, tokens: &[Seeded], key: &DigestKey) -> anyhow::Result<()> {
    for table in [Table::Users, Table::Memberships, Table::AccessTokens] {
        store.fill(table, &mut |sink| {
            let mut tokens = tokens.iter();
            tokens.try_for_each(|token| token_row(table, *token, key, sink))
        })?;
    }
    Ok(())
}

struct Group {
    id: i64,
    path: String,
    full_path: String,
    traversal: String,
}

impl Group {
    fn of(ids: &[i64]) -> Group {
        let name = |id: &i64| format!("team{id}");
        let full_path: Vec<String> = ids.iter().map(name).collect();
        let id = ids.last().copied().unwrap_or_default();
        Group {
            id,
            path: name(&id),
            full_path: full_path.join("/"),
            traversal: ids.iter().map(|id| format!("{id}/")).collect(),
        }
    }

    fn row(&self, sink: &mut dyn Sink, ids: &[i64]) -> anyhow::Result<()> {
        let parent = ids.iter().rev().nth(1);
        sink.row(&[
            Cell::Int(self.id),
            Cell::Text("group"),
            Cell::Text(&self.path),
            Cell::Text(&self.path),
            Cell::Text(&self.full_path),
            Cell::Text(&self.full_path.replace('/', " / ")),
            Cell::Text(&self.traversal),
            Cell::Int(ids.first().copied().unwrap_or(self.id)),
            parent.map_or(Cell::Null, |id| Cell::Int(*id)),
            Cell::Text("private"),
            Cell::Text(MADE),
            Cell::Text(MADE),
        ])
    }
}

/// The path of a group that stands at the top.
pub(crate) fn path_of(id: i64) -> String {
    Group::of(&[id]).path
}

fn token_row(
    table: Table,
    token: Seeded,
    key: &DigestKey,
    sink: &mut dyn Sink,
) -> anyhow::Result<()> {
    let Seeded { id, group, root } = token;
    match table {
        Table::Users => {
            let name = format!("group_{group}_bot_{id}");
            let address = format!("{name}@noreply.example.com");
            sink.row(&[
                Cell::Int(id),
                Cell::Text(&name),
                Cell::Text(&name),
                Cell::Text(&format!("deploy {id}")),
                Cell::Text(&address),
                Cell::Text(&address),
                Cell::Text("project_bot"),
                Cell::Text("active"),
                Cell::Int(group),
                Cell::Text(MADE),
                Cell::Text(MADE),
            ])
        }
        // A Developer.
        Table::Memberships => sink.row(&[
            Cell::Int(id),
            Cell::Int(id),
            Cell::Int(group),
            Cell::Int(30),
            Cell::True,
            Cell::Text(MADE),
        ]),
        Table::AccessTokens => {
            let value = value(id);
            let digest: Digest = key.digest(value.expose());
            sink.row(&[
                Cell::Int(id),
                Cell::Int(id),
                Cell::Int(group),
                Cell::Int(root),
                Cell::Text(&format!("deploy {id}")),
                Cell::Text("Deploys every night"),
                Cell::Text("read_api read_repository"),
                Cell::Bytes(digest.as_bytes()),
                Cell::Text(&value.hint()),
                Cell::Text(EXPIRES_AT),
                Cell::Text(MADE),
                Cell::Text(MADE),
            ])
        }
        Table::AccessTokenUses => sink.row(&[Cell::Int(id), Cell::Text(USED), Cell::Text(FROM)]),
        Table::Groups | Table::Routes => Ok(()),
    }
}
