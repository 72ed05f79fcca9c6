//! All requests at the bare handler, at Latchkey on SQLite and on PostgreSQL, side by side; and what they are to reach.

mod clients;
mod growth;
mod requests;
mod special;
mod subject;

use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use clap::ValueEnum as _;
use latchkey::clock::Clock;

use crate::{
    alternate::Rounds,
    goals::Results,
    place::{Place, Where},
    plot::{Panel, svg},
    program::{Program, root},
    report::{self, Table, grouped},
    seed::layout::Layout,
};
use requests::Request;
use special::Comparison;
use subject::Subject;

pub(crate) use clients::{Fixed, Target, filled_in, sign_in, sign_in_form};
pub(crate) use subject::{Yardstick, closed, measure, steady};

/// What the plot says to those who don't see it.
const PLOT: &str = "Answers a second by the number of tokens, and processor time by the depth of the group, on both databases";

/// The size that the goals are about.
const MAIN: u64 = 100_000;

/// How often, how long, and how much at once.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Method {
    /// How often there and back again.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each server is asked at a time, in seconds.
    #[arg(long, default_value_t = 1.0)]
    window: f64,
    /// Connections, each of them kept alive.
    #[arg(long, default_value_t = 16)]
    connections: u32,
    /// Requests a second at the most while p50 and p99 are measured, counted from when each was due.
    #[arg(long, default_value_t = 200.0)]
    rate: f64,
}

impl Method {
    /// By turns.
    pub(crate) fn rounds(&self) -> anyhow::Result<Rounds> {
        ensure!(self.rounds > 0, "--rounds must be 1 at least");
        ensure!(
            self.window > 0.0 && self.window <= 60.0,
            "--window takes up to 60 seconds"
        );
        ensure!(self.rate > 0.0, "--rate must be above 0");
        Ok(Rounds {
            rounds: self.rounds,
            window: Duration::from_secs_f64(self.window),
        })
    }

    /// As many as were asked for, one at least.
    pub(crate) fn connections(&self) -> u32 {
        self.connections.max(1)
    }
}

/// What is to be measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Sizes of the databases, with commas between them.
    #[arg(
        long,
        visible_alias = "sizes",
        value_delimiter = ',',
        default_value = "1000,100000"
    )]
    tokens: Vec<u64>,
    /// Groups from a top-level group down to the lowest one below it.
    #[arg(long, default_value_t = 5)]
    depth: u64,
    /// How many people sign in while the API is measured.
    #[arg(long, default_value_t = 40)]
    people: u32,
    #[command(flatten)]
    method: Method,
    #[command(flatten)]
    place: Where,
    /// Only print the results.
    #[arg(long)]
    dry: bool,
}

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Request(Request),
    Comparison(Comparison),
    Growth,
}

/// Which parts.
#[derive(Debug, clap::Args)]
pub(crate) struct Parts {
    /// Some of api, spread, hot, unknown, list, page, create, revoke, sign-in; last-used, keyset, durable, beside,
    /// sign-in-p99, depth; growth. With commas between them; nothing is written into the docs then.
    #[arg(long, value_delimiter = ',', value_parser = part)]
    only: Vec<Part>,
}

fn part(text: &str) -> Result<Part, String> {
    if text == "growth" {
        return Ok(Part::Growth);
    }
    Request::from_str(text, false)
        .map(Part::Request)
        .or_else(|_| Comparison::from_str(text, false).map(Part::Comparison))
        .map_err(|_| "no part of a run; --help names them".to_owned())
}

/// What holds for all measurements of a run.
pub(crate) struct Setting {
    rounds: Rounds,
    connections: u32,
    rate: f64,
    people: u32,
    yardstick: Yardstick,
}

/// Everything, or some of it.
pub(crate) fn run(arguments: &Arguments, parts: &Parts) -> anyhow::Result<()> {
    let wanted = |part: Part| parts.only.is_empty() || parts.only.contains(&part);
    let bench = Bench::start(arguments)?;
    let Bench {
        setting, mut sizes, ..
    } = bench;
    let main = main_size(&sizes)?;
    let mut results = Results::default();
    let (mut requests, mut comparisons) = (requests::table(), special::table());

    let (size, subjects) = &mut sizes[main];
    for comparison in Comparison::ALL {
        // The growth has it in more detail.
        let again = comparison == Comparison::Depth && wanted(Part::Growth);
        if wanted(Part::Comparison(comparison)) && !again {
            for subject in subjects.iter_mut() {
                say(&format!(
                    "{}, {} tokens: {comparison:?}",
                    subject.instance.kind.name(),
                    grouped(size.cast_signed())
                ))?;
                special::measure_comparison(
                    &setting,
                    comparison,
                    subject,
                    &mut comparisons,
                    &mut results,
                )?;
            }
        }
    }
    for request in Request::ALL {
        for (at, (size, subjects)) in sizes.iter().enumerate() {
            if wanted(Part::Request(request)) {
                say(&format!(
                    "{} tokens: {request:?}",
                    grouped(size.cast_signed())
                ))?;
                let results = (at == main).then_some(&mut results);
                requests::measure_request(&setting, request, subjects, &mut requests, results)?;
            }
        }
    }
    let growth = match wanted(Part::Growth) {
        true => Some(growing(&setting, &sizes, &mut results)?),
        false => None,
    };

    let circumstances = circumstances(arguments, bench.own_cluster);
    let goals = results.table();
    for table in [&requests, &comparisons] {
        if !table.is_empty() {
            report::print(&circumstances, table)?;
        }
    }
    if let Some((table, _)) = &growth {
        report::print(&circumstances, table)?;
    }
    report::print(&circumstances, &goals)?;
    if arguments.dry || !parts.only.is_empty() {
        return Ok(());
    }
    for (section, table) in [
        ("goals", &goals),
        ("requests", &requests),
        ("comparisons", &comparisons),
    ] {
        report::publish(section, &circumstances, table)?;
    }
    publish_growth(&circumstances, growth.as_ref())
}

/// Sizes and depths alone.
pub(crate) fn grow(arguments: &Arguments) -> anyhow::Result<()> {
    let bench = Bench::start(arguments)?;
    let growth = growing(&bench.setting, &bench.sizes, &mut Results::default())?;
    let circumstances = circumstances(arguments, bench.own_cluster);
    report::print(&circumstances, &growth.0)?;
    if arguments.dry {
        return Ok(());
    }
    publish_growth(&circumstances, Some(&growth))
}

/// All servers of a run.
struct Bench {
    setting: Setting,
    /// By size, the smallest first.
    sizes: Vec<(u64, Vec<Subject>)>,
    own_cluster: bool,
    // Last: the servers before what they run on.
    _place: Place,
}

impl Bench {
    fn start(arguments: &Arguments) -> anyhow::Result<Bench> {
        let method = &arguments.method;
        let rounds = method.rounds()?;
        let path = Program::build()?;
        let mut place = Place::open(&arguments.place, path)?;
        let mut tokens = arguments.tokens.clone();
        tokens.sort_unstable();
        tokens.dedup();
        ensure!(
            tokens.first() >= Some(&100),
            "--tokens must be 100 at least"
        );
        let mut sizes = Vec::new();
        for tokens in tokens {
            let mut subjects = Vec::new();
            for kind in arguments.place.kinds() {
                let layout = Layout {
                    tokens,
                    depth: arguments.depth,
                };
                let instance = place.instance(kind, layout)?;
                subjects.push(Subject::start(instance, place.path().to_owned())?);
            }
            sizes.push((tokens, subjects));
        }
        Ok(Bench {
            setting: Setting {
                rounds,
                connections: method.connections(),
                rate: method.rate,
                people: arguments.people.max(1),
                yardstick: Yardstick::start()?,
            },
            sizes,
            own_cluster: place.has_cluster(),
            _place: place,
        })
    }
}

/// The first one that is as large as the goals suppose, or the largest there is.
fn main_size(sizes: &[(u64, Vec<Subject>)]) -> anyhow::Result<usize> {
    let large = sizes.iter().position(|(size, _)| *size >= MAIN);
    large.or(sizes.len().checked_sub(1)).context("no size")
}

type Growth = (Table, Vec<Panel>);

fn growing(
    setting: &Setting,
    sizes: &[(u64, Vec<Subject>)],
    results: &mut Results,
) -> anyhow::Result<Growth> {
    let mut table = growth::table();
    let (_, subjects) = &sizes[main_size(sizes)?];
    let (mut by_size, mut by_depth) = (Vec::new(), Vec::new());
    for (at, subject) in subjects.iter().enumerate() {
        say(&format!(
            "{}: sizes and depths",
            subject.instance.kind.name()
        ))?;
        let of_kind: Vec<&Subject> = sizes.iter().filter_map(|(_, all)| all.get(at)).collect();
        by_size.push(growth::sizes(setting, &of_kind, &mut table, results)?);
        by_depth.push(growth::all_depths(setting, subject, &mut table, results)?);
    }
    // The same colour for the same database: what is dashed comes after what is not.
    let rows = by_size.iter().map(Vec::len).max().unwrap_or_default();
    let sizes = (0..rows).flat_map(|row| {
        by_size
            .iter()
            .filter_map(move |curves| curves.get(row).cloned())
    });
    let panels = vec![
        Panel {
            title: "Answers a second, of the smallest table's",
            below: "tokens",
            curves: sizes.collect(),
        },
        Panel {
            title: "Processor time, of a group at the top",
            below: "groups from the top down",
            curves: by_depth,
        },
    ];
    Ok((table, panels))
}

fn publish_growth(circumstances: &str, growth: Option<&Growth>) -> anyhow::Result<()> {
    let Some((table, panels)) = growth else {
        return Ok(());
    };
    let with_plot = format!("{circumstances}\n\n![{PLOT}](performance.svg)");
    report::publish("growth", &with_plot, table)?;
    fs::write(plot_file(), svg(panels)).context("the plot")
}

fn plot_file() -> PathBuf {
    root().join("docs/performance.svg")
}

/// What has to be known to make sense of the numbers.
fn circumstances(arguments: &Arguments, own_cluster: bool) -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let names: Vec<&str> = arguments
        .place
        .kinds()
        .into_iter()
        .map(|kind| kind.name())
        .collect();
    let method = &arguments.method;
    format!(
        "{}, {}{}, {cores} cores, {} build, commit {}. Depth {}, {} connections, {} rounds there and back, {} s each.",
        Clock::System.now().date_naive(),
        names.join(" and "),
        if own_cluster {
            " on the same machine"
        } else {
            ""
        },
        report::profile(),
        report::commit(),
        arguments.depth,
        method.connections(),
        method.rounds,
        method.window,
    )
}

fn say(what: &str) -> anyhow::Result<()> {
    Ok(writeln!(io::stderr(), "{what}")?)
}
