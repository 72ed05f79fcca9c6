//! Tokens that work, in what a push brings along: found, told, and written into the trail.

use actix_web::web;
use zeroize::Zeroizing;

use crate::access_tokens::secret::Candidate;
use crate::access_tokens::spotting::Spotter;
use crate::app::App;
use crate::context::Context;
use crate::error::Error;
use crate::git::accept;
use crate::git::gate::Question;
use crate::git::leaks::{Incoming, Place, Suspect};
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

/// Every token that works in what is new with this push; the trail is told of them.
///
/// # Errors
/// When Git or the database doesn't answer.
pub(in crate::git) async fn find(
    app: &App,
    ctx: &Context,
    project: &Project,
    question: &Question,
) -> Result<Vec<Leak>, Error> {
    let (repositories, asked) = (app.repositories.clone(), question.clone());
    let address = project.into();
    let suspects = web::block(move || {
        let path = repositories.path(address);
        let incoming = Incoming::new(repositories.git(), &path, &asked);
        let prefixes = known_prefixes();
        let spotter = Spotter::new(prefixes.iter().map(String::as_str))?;
        Ok::<_, anyhow::Error>(incoming.suspects(&spotter)?)
    })
    .await
    .map_err(|error| Error::internal(error.into()))?
    .map_err(Error::unavailable)?;
    let mut living = Vec::new();
    for suspect in suspects {
        if let Some((token_id, hint)) = alive(app, ctx, &suspect.value).await? {
            living.push((token_id, hint, suspect));
        }
    }
    if living.is_empty() {
        return Ok(Vec::new());
    }
    living.truncate(NAMED);
    let leaks = place(app, project, question, living).await?;
    let (ctx, project) = (ctx.clone(), project.clone());
    let mut ids: Vec<i64> = leaks.iter().map(|leak| leak.token_id).collect();
    ids.sort_unstable();
    ids.dedup();
    app.db
        .write(move |conn| accept::note_leak(conn, &ctx, &project, &ids))
        .await?;
    Ok(leaks)
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
    let (reader, today) = (app.clone(), ctx.today());
    let found = app
        .db
        .read(move |conn| token::still_there(conn, &reader, &candidate, today))
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

async fn place(
    app: &App,
    project: &Project,
    question: &Question,
    living: Vec<(i64, String, Suspect)>,
) -> Result<Vec<Leak>, Error> {
    let (repositories, asked) = (app.repositories.clone(), question.clone());
    let address = project.into();
    web::block(move || {
        let path = repositories.path(address);
        let incoming = Incoming::new(repositories.git(), &path, &asked);
        living
            .into_iter()
            .map(|(token_id, hint, suspect)| {
                Ok(Leak {
                    token_id,
                    hint,
                    place: incoming.place(&suspect)?,
                })
            })
            .collect::<std::io::Result<Vec<Leak>>>()
    })
    .await
    .map_err(|error| Error::internal(error.into()))?
    .map_err(|error| Error::unavailable(error.into()))
}

/// What the person who pushes reads.
pub(in crate::git) fn tell(leaks: &[Leak]) -> String {
    let mut lines = vec![
        "This push contains an access token that works, so it was refused:".to_owned(),
        String::new(),
    ];
    for leak in leaks {
        let commit = leak.place.commit.as_deref().unwrap_or("(unknown)");
        let place = match &leak.place.file {
            Some(file) => format!("file {}, line {}", printable(file), leak.place.line),
            None => format!("message, line {}", leak.place.line),
        };
        lines.push(format!(
            "  commit {commit}, {place}: a token ending in {}",
            leak.hint
        ));
    }
    lines.push(String::new());
    lines.push(
        "Take it out of these commits and push again. Whoever has seen it can use it: rotate or revoke it."
            .to_owned(),
    );
    lines.join("\n")
}

/// A name without what a terminal would obey.
fn printable(name: &str) -> String {
    name.chars()
        .map(|letter| if letter.is_control() { '?' } else { letter })
        .collect()
}
