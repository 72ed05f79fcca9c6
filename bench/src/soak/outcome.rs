//! What the scenes have to tell: lines of a table, and what isn't as it should be.

use crate::{place::Kind, report::Table};

/// How many complaints are told in full.
const TOLD: usize = 20;

/// Lines by their names, with what came out on each database.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    lines: Vec<(String, [String; 2])>,
    complaints: Vec<String>,
}

impl Outcomes {
    /// Notes a result.
    pub(crate) fn note(&mut self, kind: Kind, what: &str, result: impl ToString) {
        let column = match kind {
            Kind::Sqlite => 0,
            Kind::Postgres => 1,
        };
        let at = match self.lines.iter().position(|(name, _)| name == what) {
            Some(at) => at,
            None => {
                self.lines.push((what.to_owned(), Default::default()));
                self.lines.len() - 1
            }
        };
        self.lines[at].1[column] = result.to_string();
    }

    /// Notes what isn't as it should be.
    pub(crate) fn complain(&mut self, kind: Kind, scene: &str, complaints: Vec<String>) {
        let all = complaints.into_iter();
        let all = all.map(|what| format!("{scene} on {}: {what}", kind.name()));
        self.complaints.extend(all);
    }

    /// As a table.
    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new(["", Kind::Sqlite.name(), Kind::Postgres.name()]);
        for (name, [sqlite, postgres]) in &self.lines {
            table.row([name.clone(), sqlite.clone(), postgres.clone()]);
        }
        table
    }

    /// Everything that isn't as it should be, if anything.
    pub(crate) fn verdict(&self) -> anyhow::Result<()> {
        if self.complaints.is_empty() {
            return Ok(());
        }
        let mut text = format!("{} things are wrong:", self.complaints.len());
        for complaint in self.complaints.iter().take(TOLD) {
            text.push_str("\n  ");
            text.push_str(complaint);
        }
        if self.complaints.len() > TOLD {
            text.push_str("\n  …");
        }
        Err(anyhow::anyhow!(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_databases_share_a_line_and_one_complaint_is_one_too_many() {
        let mut outcomes = Outcomes::default();
        outcomes.note(Kind::Sqlite, "answers", 7);
        outcomes.note(Kind::Postgres, "kills", 20);
        outcomes.note(Kind::Postgres, "answers", 8);
        assert_eq!(outcomes.lines.len(), 2);
        assert_eq!(outcomes.lines[0].1, ["7", "8"]);
        assert!(outcomes.verdict().is_ok());
        outcomes.complain(Kind::Sqlite, "steady", vec!["memory has grown".to_owned()]);
        let said = outcomes.verdict().unwrap_err().to_string();
        assert!(
            said.contains("steady on SQLite: memory has grown"),
            "{said}"
        );
    }
}
