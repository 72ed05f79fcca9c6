//! Comma-separated values, as RFC 4180 has them and spreadsheets open them.

/// Rows as lines, with a head if it is given.
///
/// # Errors
/// When a row has another number of cells than the one before it.
pub fn csv<const N: usize>(
    head: Option<&[&str; N]>,
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    if let Some(head) = head {
        writer.write_record(head)?;
    }
    for row in rows {
        writer.write_record(row.iter().map(|cell| harmless(cell)))?;
    }
    writer
        .into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

/// A cell that no spreadsheet takes for a formula: others chose the names.
fn harmless(cell: &str) -> String {
    const BEGINNINGS: &[char] = &[
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ];
    if cell.starts_with(BEGINNINGS) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for beginning in ["=", "+", "-", "@", "\t", "\r", "＝"] {
            let name = format!("{beginning}HYPERLINK(1)");
            let bytes = csv(None, [[name.clone()]]).unwrap();
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .from_reader(bytes.as_slice());
            let row = reader.records().next().unwrap().unwrap();
            assert_eq!(row.get(0), Some(format!("'{name}").as_str()));
        }
        assert_eq!(harmless("a=b"), "a=b");
    }
}
