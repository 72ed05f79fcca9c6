//! Answers as Git's programs understand them: plain text is shown to the person behind `remote:`.

use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, HttpResponseBuilder};

use crate::error::Error;
use crate::git::Service;
use crate::git::pkt_line::{self, FLUSH};

/// What a client without a good credential is told.
const CHALLENGE: &str = "Basic realm=\"Latchkey\"";
const DENIED: &str =
    "HTTP Basic: Access denied. Use any user name, and an access token as the password.";

/// The same whether it isn't there or may not be seen.
const NOT_FOUND: &str =
    "The project you were looking for could not be found or you don't have permission to view it.";

const BUSY: &str = "Latchkey can't do this at the moment. Try again soon.";

/// The answer that says why not.
pub(super) fn refuse(error: &Error) -> HttpResponse {
    match error {
        Error::Unauthenticated(_) => {
            let mut answer = plain(StatusCode::UNAUTHORIZED);
            answer.insert_header((header::WWW_AUTHENTICATE, CHALLENGE));
            answer.body(format!("{DENIED}\n"))
        }
        Error::Forbidden(why) => {
            let why = why.as_deref().unwrap_or("You are not allowed to do this.");
            plain(StatusCode::FORBIDDEN).body(format!("{why}\n"))
        }
        Error::NotFound(_) => plain(StatusCode::NOT_FOUND).body(format!("{NOT_FOUND}\n")),
        Error::TooManyRequests(seconds) => {
            let mut answer = plain(StatusCode::TOO_MANY_REQUESTS);
            answer.insert_header((header::RETRY_AFTER, *seconds));
            answer.body("Too many wrong credentials. Try again later.\n")
        }
        Error::Parameter(why) | Error::Refused(why) => {
            plain(StatusCode::BAD_REQUEST).body(format!("{why}\n"))
        }
        Error::Unavailable(cause) => {
            tracing::warn!(cause = ?cause, "Git could not be served");
            let mut answer = plain(StatusCode::SERVICE_UNAVAILABLE);
            answer.insert_header((header::RETRY_AFTER, 5));
            answer.body(format!("{BUSY}\n"))
        }
        other => {
            tracing::error!(cause = ?other, "Git could not be served");
            plain(StatusCode::INTERNAL_SERVER_ERROR).body("Something went wrong on our side.\n")
        }
    }
}

fn plain(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer.content_type("text/plain; charset=utf-8");
    uncached(&mut answer);
    answer
}

/// What the protocol wants of every answer.
fn uncached(answer: &mut HttpResponseBuilder) {
    answer
        .insert_header((
            header::CACHE_CONTROL,
            "no-cache, max-age=0, must-revalidate",
        ))
        .insert_header((header::PRAGMA, "no-cache"))
        .insert_header((header::EXPIRES, "Tue, 01 Jan 1980 00:00:00 GMT"));
}

/// The protocol in which clients fetch files one by one, or a service that there isn't.
pub(super) fn not_allowed() -> HttpResponse {
    plain(StatusCode::FORBIDDEN).body("The command you're trying to execute is not allowed.\n")
}

/// A body that says it is something else.
pub(super) fn wrong_type() -> HttpResponse {
    plain(StatusCode::UNSUPPORTED_MEDIA_TYPE).body("This is not a request of Git.\n")
}

/// A push that says that it is larger than any may be.
pub(super) fn too_large(limit: u64) -> HttpResponse {
    plain(StatusCode::PAYLOAD_TOO_LARGE).body(format!("{}\n", over_limit(limit)))
}

/// How a push over the limit is told.
pub(super) fn over_limit(limit: u64) -> String {
    format!(
        "This push is larger than the {} that this instance takes at once.",
        readable(limit)
    )
}

/// A size as people read it.
fn readable(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.iter().find(|(_, size)| bytes >= *size) {
        Some((unit, size)) if bytes.is_multiple_of(*size) => format!("{} {unit}", bytes / size),
        Some((unit, size)) => format!("{}.{} {unit}", bytes / size, bytes % size * 10 / size),
        None => format!("{bytes} bytes"),
    }
}

/// What comes first when a service tells what there is.
pub(super) fn service_line(service: Service) -> Bytes {
    let mut line = Vec::new();
    pkt_line::write(
        &mut line,
        format!("# service={}\n", service.name()).as_bytes(),
    );
    line.extend_from_slice(FLUSH);
    line.into()
}

/// An answer that tells what there is.
pub(super) fn advertisement(service: Service) -> HttpResponseBuilder {
    good(format!("application/x-{}-advertisement", service.name()))
}

/// An answer of the service itself.
pub(super) fn result(service: Service) -> HttpResponseBuilder {
    good(format!("application/x-{}-result", service.name()))
}

fn good(content_type: String) -> HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer.content_type(content_type);
    uncached(&mut answer);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_told_as_people_read_it() {
        for (bytes, text) in [
            (2_147_483_648, "2 GiB"),
            (1_048_576, "1 MiB"),
            (1_572_864, "1.5 MiB"),
            (65_536, "64 KiB"),
            (999, "999 bytes"),
        ] {
            assert_eq!(readable(bytes), text);
        }
    }

    #[test]
    fn the_service_is_named_in_a_frame() {
        assert_eq!(
            &service_line(Service::UploadPack)[..],
            b"001e# service=git-upload-pack\n0000"
        );
    }
}
