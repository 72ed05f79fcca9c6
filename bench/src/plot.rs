//! A picture of how answers change with what there is: small, and readable on light and dark paper.

use std::fmt::Write as _;

/// One line in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curve {
    pub(crate) name: String,
    pub(crate) points: Vec<Point>,
}

/// One place on a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    /// What stands below it; the same for all lines.
    pub(crate) label: String,
    pub(crate) value: f64,
}

/// A part of the picture, with lines of its own.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) below: &'static str,
    pub(crate) curves: Vec<Curve>,
}

/// Of a panel.
const WIDTH: f64 = 360.0;
const PLOT: (f64, f64, f64, f64) = (40.0, 44.0, 300.0, 170.0);
const LEGEND: f64 = 266.0;

/// Four of them can be told apart by everybody, and by their dashes in black and white.
const STYLES: [(&str, &str); 4] = [
    ("a", ""),
    ("b", ""),
    ("a", " stroke-dasharray='5 4'"),
    ("b", " stroke-dasharray='5 4'"),
];

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#24292f}.t{font-weight:600;font-size:13px}.m{fill:#57606a}\
.g{stroke:#d0d7de}.a{stroke:#0969da}.b{stroke:#bc4c00}.fa{fill:#0969da}.fb{fill:#bc4c00}\
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.m{fill:#9198a1}.g{stroke:#3d444d}\
.a{stroke:#58a6ff}.b{stroke:#ffa657}.fa{fill:#58a6ff}.fb{fill:#ffa657}}";

/// The picture, as SVG.
pub(crate) fn svg(panels: &[Panel]) -> String {
    let rows = panels.iter().map(|panel| panel.curves.len()).max();
    let height = LEGEND + 18.0 * rows.unwrap_or_default() as f64 + 6.0;
    let width = WIDTH * panels.len() as f64;
    let titles: Vec<&str> = panels.iter().map(|panel| panel.title).collect();
    let mut text = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' role='img'>\
         <title>{}</title><style>{STYLE}</style>\n",
        escape(&titles.join("; "))
    );
    for (at, panel) in panels.iter().enumerate() {
        let _ = write!(text, "<g transform='translate({} 0)'>", WIDTH * at as f64);
        draw(&mut text, panel);
        text.push_str("</g>\n");
    }
    text.push_str("</svg>\n");
    text
}

fn draw(text: &mut String, panel: &Panel) {
    let (left, top, width, height) = PLOT;
    let values = panel.curves.iter().flat_map(|curve| &curve.points);
    let step = step(values.map(|point| point.value).fold(1.0, f64::max));
    let y = |value: f64| top + height - value / (step * 4.0) * height;
    let _ = write!(
        text,
        "<text class='t' x='{left}' y='22'>{}</text>",
        escape(panel.title)
    );
    for line in 0..=4 {
        let value = step * f64::from(line);
        let at = y(value);
        let _ = write!(
            text,
            "<line class='g' x1='{left}' x2='{}' y1='{at:.1}' y2='{at:.1}'/>\
             <text class='m' x='{}' y='{:.1}' text-anchor='end'>{value}</text>",
            left + width,
            left - 6.0,
            at + 4.0
        );
    }
    let labels: Vec<&str> = panel
        .curves
        .first()
        .map(|curve| {
            curve
                .points
                .iter()
                .map(|point| point.label.as_str())
                .collect()
        })
        .unwrap_or_default();
    let last = labels.len().saturating_sub(1).max(1) as f64;
    let x = |at: usize| left + 16.0 + at as f64 / last * (width - 32.0);
    for (at, label) in labels.iter().enumerate() {
        let _ = write!(
            text,
            "<text class='m' x='{:.1}' y='{}' text-anchor='middle'>{}</text>",
            x(at),
            top + height + 17.0,
            escape(label)
        );
    }
    let _ = write!(
        text,
        "<text class='m' x='{}' y='{}' text-anchor='middle'>{}</text>",
        left + width / 2.0,
        top + height + 33.0,
        escape(panel.below)
    );
    for (number, (curve, (class, dash))) in panel.curves.iter().zip(STYLES).enumerate() {
        let points: Vec<String> = curve
            .points
            .iter()
            .enumerate()
            .map(|(at, point)| format!("{:.1},{:.1}", x(at), y(point.value)))
            .collect();
        let _ = write!(
            text,
            "<polyline class='{class}' fill='none' stroke-width='2'{dash} points='{}'/>",
            points.join(" ")
        );
        for point in &points {
            let (x, y) = point.split_once(',').unwrap_or_default();
            let _ = write!(text, "<circle class='f{class}' cx='{x}' cy='{y}' r='3'/>");
        }
        let row = LEGEND + 18.0 * number as f64;
        let _ = write!(
            text,
            "<line class='{class}' stroke-width='2'{dash} x1='{left}' x2='{}' y1='{row}' y2='{row}'/>\
             <text x='{}' y='{}'>{}</text>",
            left + 24.0,
            left + 32.0,
            row + 4.0,
            escape(&curve.name)
        );
    }
}

/// Four steps of this height, a round number, hold the value.
fn step(largest: f64) -> f64 {
    let mut step = 0.25;
    while step * 4.0 < largest * 1.02 {
        step = if step < 0.5 { 0.5 } else { step * 2.0 };
    }
    step
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_drawn_and_named_and_nothing_leaves_the_picture() {
        let curve = |name: &str, values: [f64; 2]| Curve {
            name: name.to_owned(),
            points: values
                .into_iter()
                .zip(["1k", "10M"])
                .map(|(value, label)| Point {
                    label: label.to_owned(),
                    value,
                })
                .collect(),
        };
        let panel = Panel {
            title: "Sizes",
            below: "tokens",
            curves: vec![
                curve("SQLite & more", [1.0, 0.5]),
                curve("PostgreSQL", [1.0, 2.6]),
            ],
        };
        let text = svg(&[panel]);
        assert_eq!(text.matches("<polyline").count(), 2);
        assert!(text.contains("SQLite &amp; more") && text.contains("10M"));
        assert!(text.contains("prefers-color-scheme:dark"));
        // 2.6 of 4 lies within the lines.
        assert!(text.contains("324.0,103.5"), "{text}");
    }

    #[test]
    fn the_scale_has_round_numbers_above_what_is_shown() {
        assert_eq!(
            [step(0.7), step(0.99), step(1.2), step(2.5)],
            [0.25, 0.5, 0.5, 1.0]
        );
    }
}
