//! Is it alive, and is it ready?

use std::sync::atomic::Ordering;

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::app::App;
use crate::audit::system;
use crate::error::Error;
use crate::jobs::run::context;
use crate::settings;

/// `GET /-/liveness`, `GET /-/health`: the process answers.
pub async fn liveness() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// `GET /-/readiness`: the database answers too, its clock says what ours does, and nobody has asked us to stop.
pub async fn readiness(app: web::Data<App>) -> HttpResponse {
    if app.stopping.load(Ordering::Relaxed) {
        return not_ready("the node is stopping");
    }
    let clocks = app.get_ref().clone();
    let looked = app.db.read(move |conn| {
        settings::store::revision(conn)?;
        Ok(clocks.check_clock(conn).map_err(|error| told(&error)))
    });
    let why = match looked.await {
        Ok(Ok(())) => return HttpResponse::Ok().json(json!({ "status": "ok" })),
        Ok(Err(why)) => {
            note_skew(&app, &why).await;
            why
        }
        Err(_) => "the database does not answer".to_owned(),
    };
    not_ready(&why)
}

fn not_ready(why: &str) -> HttpResponse {
    HttpResponse::ServiceUnavailable()
        .insert_header(("Retry-After", "5"))
        .json(json!({ "status": "unavailable", "reason": why }))
}

/// Of ten minutes of it one line is written, however often somebody asks.
async fn note_skew(app: &App, why: &str) {
    let now = app.clock.now();
    if !app.skew.is_news(now) {
        return;
    }
    let (acting, why) = (app.clone(), why.to_owned());
    let noted = app.db.write(move |conn| {
        let ctx = context(conn, &acting, now)?;
        system::clock_skew(conn, &ctx, &why)
    });
    if let Err(error) = noted.await {
        tracing::warn!(%error, "That clocks are apart could not be written to the audit trail");
    }
}

fn told(error: &Error) -> String {
    match error {
        Error::Unavailable(cause) => cause.to_string(),
        other => other.to_string(),
    }
}
