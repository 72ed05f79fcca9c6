//! Which group a path means, also one that it had once, or that it would have had below a group that had another path.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use crate::db::schema::{audit_events, groups, routes};
use crate::db::{DbConnection, UnionAll, length, lower, substr};
use crate::error::Error;
use crate::groups::path::{FullPath, MAX_NESTING};

/// Events that tell which path a group has from then on, or had last.
const TELL_A_PATH: [&str; 5] = [
    "group_created",
    "group_imported",
    "group_renamed",
    "group_transferred",
    "group_deleted",
];

diesel::alias! {
    const MOVERS: Alias<Movers> = groups as movers;
    const OTHERS: Alias<Others> = audit_events as others;
    const LOWER: Alias<Lower> = audit_events as lower_ones;
    const THERE: Alias<There> = audit_events as there;
}

/// Whether anything happened at the place to which an event and what lay below the same group at another time lead, or
/// below it; and whether anything there tells this very path.
macro_rules! traces_at {
    ($other:expr, $lower:expr, $path:expr) => {{
        let place = || audit_events::group_traversal.concat(substr($lower, length($other) + 1));
        let traversal = || THERE.field(audit_events::group_traversal);
        (
            exists(
                THERE
                    .filter(traversal().ge(place()))
                    // Numbers and slashes go on below it, and this comes after all of them.
                    .filter(traversal().lt(place().concat(":"))),
            ),
            exists(
                THERE
                    .filter(traversal().eq(place()))
                    .filter(THERE.field(audit_events::group_path).eq($path.to_owned())),
            ),
        )
    }};
}

/// Where the group of this path is; or was, when it last had that path, be it its own that was another one or that of a
/// group above it. Not outside of `within`. One query.
pub(super) fn traversal_of(
    conn: &mut DbConnection,
    path: &str,
    within: Option<&str>,
) -> Result<Option<String>, Error> {
    let path = path.trim_matches('/');
    let key = FullPath::parse(path).map_or_else(|_| String::new(), |path| path.key());
    let nowhere = || String::new().into_sql::<Text>();
    let still = |is_there: bool| is_there.into_sql::<Bool>();
    let living = groups::table
        .inner_join(routes::table.on(routes::group_id.eq(groups::id.nullable())))
        .filter(routes::path_key.eq(key))
        .select((
            i64::MAX.into_sql::<BigInt>(),
            groups::traversal,
            nowhere(),
            nowhere(),
            still(false),
            (still(false), still(false)),
        ));
    let former = audit_events::table
        .filter(audit_events::event.eq_any(TELL_A_PATH))
        .filter(audit_events::group_path.eq(path))
        .select((
            audit_events::id,
            audit_events::group_traversal,
            nowhere(),
            nowhere(),
            still(false),
            (still(false), still(false)),
        ));
    // A group had the beginning of the path; the rest leads on from where that group is now.
    let rest = || {
        substr(
            path.to_owned().into_sql::<Text>(),
            length(audit_events::group_path) + 1,
        )
    };
    let above = || {
        audit_events::table
            .filter(audit_events::event.eq_any(TELL_A_PATH))
            .filter(audit_events::group_path.eq_any(beginnings(path)))
    };
    let below = above()
        .inner_join(
            MOVERS.on(MOVERS
                .field(groups::id)
                .nullable()
                .eq(audit_events::group_id)),
        )
        .inner_join(
            routes::table
                .on(routes::path_key.eq(lower(MOVERS.field(groups::full_path).concat(rest())))),
        )
        .inner_join(groups::table.on(groups::id.nullable().eq(routes::group_id)))
        .select((
            audit_events::id,
            audit_events::group_traversal,
            MOVERS.field(groups::traversal),
            groups::traversal,
            still(true),
            traces_at!(MOVERS.field(groups::traversal), groups::traversal, path),
        ));
    // Or from another path that it had, when what lies below had another name itself.
    let both = above()
        .inner_join(
            OTHERS.on(OTHERS
                .field(audit_events::group_id)
                .eq(audit_events::group_id)),
        )
        .inner_join(
            LOWER.on(LOWER
                .field(audit_events::group_path)
                .eq(OTHERS.field(audit_events::group_path).concat(rest()))),
        )
        .filter(OTHERS.field(audit_events::event).eq_any(TELL_A_PATH))
        .filter(LOWER.field(audit_events::event).eq_any(TELL_A_PATH))
        .select((
            audit_events::id,
            audit_events::group_traversal,
            OTHERS.field(audit_events::group_traversal),
            LOWER.field(audit_events::group_traversal),
            still(false),
            traces_at!(
                OTHERS.field(audit_events::group_traversal),
                LOWER.field(audit_events::group_traversal),
                path
            ),
        ));
    let found: Vec<Trace> = UnionAll(living, UnionAll(former, UnionAll(below, both))).load(conn)?;
    Ok(latest(found, within))
}

/// A path, and what stands before each slash of it, as far as that can be the path of a group.
fn beginnings(path: &str) -> Vec<String> {
    path.match_indices('/')
        .filter_map(|(at, _)| path.get(..at))
        .chain([path])
        .take(MAX_NESTING)
        .map(str::to_owned)
        .collect()
}

/// What tells of a path.
#[derive(Debug, Clone, Queryable)]
struct Trace {
    /// The event that tells of it, or of its beginning.
    id: i64,
    /// The place that it tells.
    then: String,
    /// Where the path leads on: the place of the same group at another time; else nothing.
    other: String,
    /// What lay below it at that time.
    lower: String,
    /// Is that time now?
    now: bool,
    /// Where that would have been at the time of the event.
    known: Known,
}

/// What is known of a place by events.
#[derive(Debug, Clone, Copy, Queryable)]
struct Known {
    /// Did anything happen in it or below it?
    happened: bool,
    /// Did anything happen in it while it had the path that is looked for?
    named: bool,
}

/// What the latest of these leads to within a place: where that was when it had the path; else where it is now. What
/// has its name from elsewhere, or was never there, is as if it weren't at all: nobody guesses names with it.
fn latest(traces: Vec<Trace>, within: Option<&str>) -> Option<String> {
    let inside = |traversal: &str| within.is_none_or(|within| traversal.starts_with(within));
    let leads_to = |trace: &Trace| {
        if trace.other.is_empty() {
            return Some(trace.then.clone()).filter(|then| inside(then));
        }
        let rest = trace.lower.strip_prefix(&trace.other)?;
        let place = format!("{}{rest}", trace.then);
        let told_inside = inside(&trace.lower);
        let Known { happened, named } = trace.known;
        if inside(&place) && (named || (happened && told_inside)) {
            Some(place)
        } else {
            Some(trace.lower.clone()).filter(|_| trace.now && told_inside)
        }
    };
    traces
        .iter()
        .filter_map(|trace| Some((trace.id, leads_to(trace)?)))
        .max_by_key(|(id, ..)| *id)
        .map(|(_, traversal)| traversal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(id: i64, then: &str, other: &str, lower: &str) -> Trace {
        Trace {
            id,
            then: then.into(),
            other: other.into(),
            lower: lower.into(),
            now: id == 9,
            known: Known {
                happened: true,
                named: id >= 9,
            },
        }
    }

    #[test]
    fn a_path_begins_with_the_groups_above_it() {
        assert_eq!(beginnings("a/b/c"), ["a", "a/b", "a/b/c"]);
        assert_eq!(beginnings("a"), ["a"]);
        let long = vec!["a"; 500].join("/");
        assert_eq!(beginnings(&long).len(), MAX_NESTING);
    }

    #[test]
    fn the_latest_place_that_one_may_look_at_counts() {
        let traces = || {
            vec![
                trace(5, "1/7/", "", ""),
                // 8 was in 7, and moved with it from 1 to 2.
                trace(9, "1/7/", "2/7/", "2/7/8/"),
                // What it was at the time of 11 is nobody's business in 2.
                trace(11, "4/7/", "2/7/", "2/7/8/"),
                // What was told at another time than it seems leads nowhere.
                trace(99, "1/7/", "3/7/", "2/7/8/"),
            ]
        };
        assert_eq!(latest(traces(), None).as_deref(), Some("4/7/8/"));
        assert_eq!(latest(traces(), Some("4/")).as_deref(), Some("4/7/8/"));
        assert_eq!(latest(traces(), Some("1/")).as_deref(), Some("1/7/8/"));
        assert_eq!(latest(traces(), Some("2/")).as_deref(), Some("2/7/8/"));
        assert_eq!(latest(traces(), Some("3/")), None);
    }

    #[test]
    fn what_was_never_there_or_has_its_name_from_elsewhere_leads_nowhere() {
        let moved = |now: bool, happened: bool, named: bool| {
            vec![Trace {
                now,
                known: Known { happened, named },
                ..trace(9, "1/7/", "2/7/", "2/7/8/")
            }]
        };
        let within = |traces: Vec<Trace>, place: &str| latest(traces, Some(place));
        for now in [true, false] {
            assert_eq!(within(moved(now, false, false), "1/"), None);
            assert_eq!(within(moved(now, true, false), "1/"), None);
            let named = within(moved(now, true, true), "1/");
            assert_eq!(named.as_deref(), Some("1/7/8/"));
        }
        assert_eq!(
            within(moved(true, false, false), "2/").as_deref(),
            Some("2/7/8/")
        );
        assert_eq!(within(moved(false, true, true), "2/"), None);
        // Whoever sees all of it is led to where something is.
        let all = |traces: Vec<Trace>| latest(traces, None);
        assert_eq!(all(moved(true, false, false)).as_deref(), Some("2/7/8/"));
        assert_eq!(all(moved(true, true, false)).as_deref(), Some("1/7/8/"));
        assert_eq!(all(moved(false, false, false)), None);
    }
}
