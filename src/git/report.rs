//! The answer to a push that was refused before Git saw it, in the words that clients show.

use super::pkt_line::{self, FLUSH};
use super::push::Commands;

/// The band of the report itself, and that of what people are told.
const REPORT: u8 = 1;
const TOLD: u8 = 2;

/// A report that refuses every command: each with its own reason, or with `otherwise` if only others are to blame.
/// `told` is shown to the person, a line at a time.
pub fn refusing(
    commands: &Commands,
    reason: impl Fn(&str) -> Option<&'static str>,
    otherwise: &str,
    told: &[String],
) -> Vec<u8> {
    let mut report = Vec::new();
    pkt_line::write(&mut report, b"unpack ok\n");
    for command in &commands.list {
        let reason = reason(&command.name).unwrap_or(otherwise);
        pkt_line::write(
            &mut report,
            format!("ng {} {reason}\n", command.name).as_bytes(),
        );
    }
    report.extend_from_slice(FLUSH);
    if !commands.can("side-band-64k") {
        return report;
    }
    let mut out = Vec::new();
    for line in told {
        pkt_line::write_band(&mut out, TOLD, format!("{line}\n").as_bytes());
    }
    pkt_line::write_band(&mut out, REPORT, &report);
    out.extend_from_slice(FLUSH);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn commands(capabilities: &str) -> Commands {
        let mut body = Vec::new();
        let first = format!("{ID} {ID} refs/heads/main\0{capabilities}");
        pkt_line::write(&mut body, first.as_bytes());
        pkt_line::write(&mut body, format!("{ID} {ID} refs/heads/x").as_bytes());
        body.extend_from_slice(FLUSH);
        Commands::read(&body).unwrap().unwrap()
    }

    fn report(capabilities: &str) -> String {
        let reason = |name: &str| (name == "refs/heads/main").then_some("protected branch");
        let told = ["No.".to_owned()];
        let bytes = refusing(&commands(capabilities), reason, "not alone", &told);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn every_command_gets_its_reason() {
        assert_eq!(
            report("report-status"),
            "000eunpack ok\n0028ng refs/heads/main protected branch\n001eng refs/heads/x not alone\n0000"
        );
    }

    #[test]
    fn a_client_with_a_side_band_is_told_why_first() {
        let report = report("report-status side-band-64k");
        assert!(report.starts_with("0009\u{2}No.\n"), "{report:?}");
        assert!(report.contains("\u{1}000eunpack ok\n"), "{report:?}");
        assert!(report.ends_with("00000000"), "{report:?}");
    }
}
