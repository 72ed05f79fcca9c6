//! The same requests in databases of different sizes, and in groups of different depths.

use super::{
    Setting,
    clients::{Draw, Drawn},
    special::depths,
    subject::{Subject, closed},
};
use crate::{
    alternate::{Measure, alternate},
    goals::{Aim, Results, number},
    plot::{Curve, Point},
    report::{Table, grouped},
    window::Client,
};

/// How deep.
pub(crate) const DEPTHS: [i64; 5] = [1, 2, 5, 10, 20];

/// The table's head.
pub(crate) fn table() -> Table {
    Table::new(["", "database", "", "answers a second", "CPU"])
}

/// All sizes of one database by turns, each compared with the smallest.
pub(crate) fn sizes(
    setting: &Setting,
    subjects: &[&Subject],
    table: &mut Table,
    results: &mut Results,
) -> anyhow::Result<Vec<Curve>> {
    let Some(kind) = subjects.first().map(|subject| subject.instance.kind) else {
        return Ok(Vec::new());
    };
    let mut curves = Vec::new();
    let cases = [
        ("all tokens", Draw::All, Aim::GrowthUniform),
        ("a thousand hot tokens", Draw::Hot, Aim::GrowthHot),
    ];
    for (name, draw, aim) in &cases {
        let mut measures: Vec<Measure<'_>> = Vec::new();
        for subject in subjects {
            let clients = |connection| -> Box<dyn Client> {
                let layout = subject.instance.layout;
                Box::new(Drawn::new(
                    &subject.target,
                    layout,
                    draw.clone(),
                    connection,
                ))
            };
            measures.push(subject.measure(closed(setting.connections), Box::new(clients)));
        }
        let all = alternate(setting.rounds, &mut measures)?;
        let mut points = Vec::new();
        for (subject, series) in subjects.iter().zip(&all) {
            let tokens = subject.instance.layout.tokens;
            let ratio = series.throughput_of(&all[0]).unwrap_or_default();
            let cpu = series.cpu_of(&all[0]).filter(|_| subject.sees_all());
            table.row([
                format!("a group, {name}"),
                kind.name().to_owned(),
                format!("{} tokens", grouped(tokens.cast_signed())),
                number(ratio),
                cpu.map_or_else(String::new, number),
            ]);
            points.push(Point {
                label: short(tokens),
                value: ratio,
            });
        }
        let last = points.last().filter(|_| points.len() > 1);
        results.note(*aim, kind, last.map(|point| point.value));
        curves.push(Curve {
            name: format!("{}, {name}", kind.name()),
            points,
        });
    }
    Ok(curves)
}

/// All depths of one database by turns, each compared with the top.
pub(crate) fn all_depths(
    setting: &Setting,
    subject: &Subject,
    table: &mut Table,
    results: &mut Results,
) -> anyhow::Result<Curve> {
    let kind = subject.instance.kind;
    let mut points = Vec::new();
    for (depth, cpu) in depths(setting, subject, &DEPTHS)? {
        table.row([
            "a group below the token's".to_owned(),
            kind.name().to_owned(),
            format!("{depth} deep"),
            String::new(),
            cpu.map_or_else(String::new, number),
        ]);
        if depth == 20 {
            results.note(Aim::Depth, kind, cpu);
        }
        points.push(Point {
            label: depth.to_string(),
            value: cpu.unwrap_or_default(),
        });
    }
    Ok(Curve {
        name: kind.name().to_owned(),
        points,
    })
}

/// `10M` for ten million.
fn short(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => format!("{}k", number / 1_000),
        _ => format!("{}M", number / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn large_numbers_are_short_in_a_plot() {
        assert_eq!(
            [short(200), short(100_000), short(10_000_000)],
            ["200", "100k", "10M"]
        );
    }
}
