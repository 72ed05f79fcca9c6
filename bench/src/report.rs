//! What came out, as a table in docs/performance.md.

use std::{
    fs,
    io::{self, Write as _},
    process::Command,
};

use anyhow::Context as _;

use crate::program::root;

/// A table of one measurement.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns. All but the first one hold numbers.
    pub(crate) fn new<const N: usize>(header: [&str; N]) -> Table {
        Table {
            header: header.map(str::to_owned).to_vec(),
            rows: Vec::new(),
        }
    }

    /// One more line.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// How many lines it has.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Has nothing been measured?
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// In Markdown.
    fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule: String = (0..self.header.len())
            .map(|column| if column == 0 { "|---" } else { "|--:" })
            .collect();
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("{}{rule}|\n{rows}", line(&self.header))
    }
}

/// Prints a table, and the circumstances in which it was made.
pub(crate) fn print(circumstances: &str, table: &Table) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout(), "\n{}", text(circumstances, table))?)
}

/// Puts both into their section of the page: between `<!-- NAME -->` and `<!-- end of NAME -->`.
pub(crate) fn publish(section: &str, circumstances: &str, table: &Table) -> anyhow::Result<()> {
    let page = root().join("docs/performance.md");
    let old = fs::read_to_string(&page).with_context(|| page.display().to_string())?;
    let new = replaced(&old, section, &text(circumstances, table))
        .with_context(|| format!("{} has no section {section}", page.display()))?;
    fs::write(&page, new)?;
    Ok(())
}

fn text(circumstances: &str, table: &Table) -> String {
    format!("{circumstances}\n\n{}", table.markdown())
}

fn replaced(page: &str, section: &str, text: &str) -> Option<String> {
    let (before, rest) = page.split_once(&format!("<!-- {section} -->"))?;
    let (_, after) = rest.split_once(&format!("<!-- end of {section} -->"))?;
    Some(format!(
        "{before}<!-- {section} -->\n{text}<!-- end of {section} -->{after}"
    ))
}

/// With commas between thousands.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How the program was built.
pub(crate) fn profile() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let folder = path.parent().and_then(|folder| folder.file_name());
    folder.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// What was measured: the commit, or that there is none.
pub(crate) fn commit() -> String {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=10"])
        .current_dir(root())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => "no commit".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_takes_the_place_of_the_one_before_and_of_nothing_else() {
        let page = "# A\n<!-- one -->\nold\n<!-- end of one -->\n## B\n<!-- two -->\n<!-- end of two -->\n";
        let mut table = Table::new(["", "seconds"]);
        table.row(["check".to_owned(), "3".to_owned()]);
        assert_eq!(
            replaced(page, "one", &table.markdown()).unwrap(),
            "# A\n<!-- one -->\n|  | seconds |\n|---|--:|\n| check | 3 |\n<!-- end of one -->\n## B\n<!-- two -->\n<!-- end of two -->\n"
        );
        assert_eq!(replaced(page, "three", ""), None);
    }
}
