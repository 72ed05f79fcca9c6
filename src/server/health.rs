//! Is it alive, and is it ready?

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::app::App;
use crate::settings;

/// `GET /-/liveness`, `GET /-/health`: the process answers.
pub async fn liveness() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// `GET /-/readiness`: the database answers too.
pub async fn readiness(app: web::Data<App>) -> HttpResponse {
    match app.db.read(settings::store::revision).await {
        Ok(_) => HttpResponse::Ok().json(json!({ "status": "ok" })),
        Err(_) => HttpResponse::ServiceUnavailable()
            .insert_header(("Retry-After", "5"))
            .json(json!({ "status": "unavailable", "reason": "the database does not answer" })),
    }
}
