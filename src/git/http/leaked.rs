//! Tokens that work, in what a push brings along: found, told, and written into the trail.

use std::collections::HashMap;

use actix_web::web;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::access_tokens::secret::Candidate;
use crate::access_tokens::spotting::Spotter;
use crate::app::App;
use crate::context::Context;
use crate::error::Error;
use crate::git::accept;
use crate::git::gate::Question;
use crate::git::leaks::{Incoming, Place, Suspect, Unsearchable, in_name};
use crate::git::stop::Stop;
use crate::projects::Project;
use crate::redaction::known_prefixes;
use crate::web::token;

/// Leaks that the person is told of one by one.
const NAMED: usize = 10;

/// A token that works, and where it stands.
pub(in crate::git) struct Leak {
    token_id: i64,
    hint: String,
    place: Place,
}

/// Every token that works in what is new with this push; the trail is told of them. Whoever stops waiting for this ends
/// it.
///
/// # Errors
/// When Git or the database doesn't answer; [`unsearchable`] tells what nobody can look through.
pub(in crate::git) async fn find(
    app: &App,
    ctx: &Context,
    project: &Project,
    question: &Question,
) -> Result<Vec<Leak>, Error> {
    let stop = Stop::default();
    let _ends_with_this = stop.when_dropped();
    let looking = async {
        let suspects = suspects(app, project, question, &stop).await?;
        let living = living(app, ctx, suspects).await?;
        place(app, project, question, living, &stop).await
    };
    let leaks = tokio::time::timeout(app.git_times.search, looking)
        .await
        .unwrap_or_else(|_| Err(Error::unavailable(Unsearchable::TooLong.into())))?;
    note(app, ctx, project, &leaks).await?;
    Ok(leaks)
}

/// Tokens that work in the name of a reference to be.
///
/// # Errors
/// When the database doesn't answer.
pub(in crate::git) async fn find_in_name(
    app: &App,
    ctx: &Context,
    project: &Project,
    name: &str,
) -> Result<Vec<Leak>, Error> {
    let spotter = spotter().map_err(Error::internal)?;
    let living = living(app, ctx, in_name(name, &spotter)).await?;
    let leaks: Vec<Leak> = living
        .into_iter()
        .map(|(token_id, hint, _)| Leak {
            token_id,
            hint,
            place: Place::of_reference(name, &spotter),
        })
        .collect();
    note(app, ctx, project, &leaks).await?;
    Ok(leaks)
}

/// Why nobody can look through a push, if it is for that that [`find`] failed.
pub(in crate::git) fn unsearchable(error: &Error) -> Option<Unsearchable> {
    let Error::Unavailable(cause) = error else {
        return None;
    };
    let within = cause.downcast_ref::<std::io::Error>();
    let within = within.and_then(std::io::Error::get_ref);
    let within = within.and_then(|inner| inner.downcast_ref::<Unsearchable>());
    within.or(cause.downcast_ref::<Unsearchable>()).copied()
}

fn spotter() -> anyhow::Result<Spotter> {
    let prefixes = known_prefixes();
    Ok(Spotter::new(prefixes.iter().map(String::as_str))?)
}

/// Runs this on what a push brings, in a thread of its own.
async fn looking_at<T: Send + 'static>(
    app: &App,
    project: &Project,
    question: &Question,
    stop: &Stop,
    look: impl FnOnce(Incoming<'_>, &Spotter) -> std::io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let (repositories, asked, stop) = (app.repositories.clone(), question.clone(), stop.clone());
    let address = project.into();
    web::block(move || {
        let path = repositories.path(address);
        let incoming = Incoming::new(repositories.git(), &path, &asked, &stop);
        Ok::<_, anyhow::Error>(look(incoming, &spotter()?)?)
    })
    .await
    .map_err(|error| Error::internal(error.into()))?
    .map_err(Error::unavailable)
}

async fn suspects(
    app: &App,
    project: &Project,
    question: &Question,
    stop: &Stop,
) -> Result<Vec<Suspect>, Error> {
    looking_at(app, project, question, stop, |incoming, spotter| {
        incoming.suspects(spotter)
    })
    .await
}

/// A token that works, by its id and what it ends in, and where it was seen.
type Living = (i64, String, Suspect);

async fn living(app: &App, ctx: &Context, suspects: Vec<Suspect>) -> Result<Vec<Living>, Error> {
    let mut living = Vec::new();
    // A value may stand in many places, and is looked up once.
    let mut known: HashMap<[u8; 32], Option<(i64, String)>> = HashMap::new();
    for suspect in suspects {
        let digest: [u8; 32] = Sha256::digest(suspect.value.as_bytes()).into();
        let token = match known.get(&digest) {
            Some(token) => token.clone(),
            None => alive(app, ctx, &suspect.value).await?,
        };
        known.insert(digest, token.clone());
        if let Some((token_id, hint)) = token {
            living.push((token_id, hint, suspect));
        }
    }
    Ok(living)
}

/// Writes into the trail that a push was refused.
async fn note(app: &App, ctx: &Context, project: &Project, leaks: &[Leak]) -> Result<(), Error> {
    if leaks.is_empty() {
        return Ok(());
    }
    let (ctx, project) = (ctx.clone(), project.clone());
    let mut ids: Vec<i64> = leaks.iter().map(|leak| leak.token_id).collect();
    ids.sort_unstable();
    ids.dedup();
    app.db
        .write(move |conn| accept::note_leak(conn, &ctx, &project, &ids))
        .await
}

/// The token with this value, if it works today.
async fn alive(
    app: &App,
    ctx: &Context,
    value: &Zeroizing<String>,
) -> Result<Option<(i64, String)>, Error> {
    let Ok(candidate) = Candidate::parse(value) else {
        return Ok(None);
    };
    let (reader, now) = (app.clone(), ctx.now);
    let found = app
        .db
        .read(move |conn| token::still_there(conn, &reader, &candidate, now))
        .await;
    match found {
        Ok(recognised) => {
            let token = recognised.found.token;
            Ok(Some((token.id, token.hint)))
        }
        Err(Error::Unauthenticated(_) | Error::Forbidden(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where these stand; without those that this push doesn't bring.
async fn place(
    app: &App,
    project: &Project,
    question: &Question,
    living: Vec<Living>,
    stop: &Stop,
) -> Result<Vec<Leak>, Error> {
    if living.is_empty() {
        return Ok(Vec::new());
    }
    looking_at(app, project, question, stop, |incoming, spotter| {
        let suspects: Vec<&Suspect> = living.iter().map(|(.., suspect)| suspect).collect();
        let places = incoming.places(&suspects, spotter, NAMED)?;
        let leaks = living.into_iter().zip(places);
        Ok(leaks
            .filter_map(|((token_id, hint, _), place)| {
                Some(Leak {
                    token_id,
                    hint,
                    place: place?,
                })
            })
            .collect())
    })
    .await
}

/// What the person who pushes reads.
pub(in crate::git) fn tell(leaks: &[Leak]) -> String {
    let mut lines = vec![
        "This push contains an access token that works, so it was refused:".to_owned(),
        String::new(),
    ];
    for Leak { place, hint, .. } in leaks {
        lines.push(format!("  {place}: a token ending in {hint}"));
    }
    lines.push(String::new());
    lines.push(
        "Take it out and push again. Whoever has seen it can use it: rotate or revoke it."
            .to_owned(),
    );
    lines.join("\n")
}
