//! The yardstick: actix-web with nothing in it. It runs as a process of its own, like what it is compared with.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
};

use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::{Context as _, bail};

/// As much as a group has to say: about 300 bytes.
const JSON: &str = concat!(
    r#"{"id":1000042,"web_url":"http://127.0.0.1:8080/groups/team1000040/team1000041","name":"team1000042","#,
    r#""path":"team1000042","description":"","visibility":"private","full_name":"team1000040 / team1000042","#,
    r#""full_path":"team1000040/team1000042","parent_id":1000040,"created_at":"2026-01-01T10:00:00.000Z"}"#,
);

/// A page can't be longer.
const LONGEST: usize = 1 << 20;

/// A running yardstick, ended when dropped.
#[derive(Debug)]
pub(crate) struct Bare {
    child: Child,
    /// `127.0.0.1:port`
    pub(crate) address: String,
}

impl Bare {
    /// Starts one.
    pub(crate) fn start() -> anyhow::Result<Bare> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("bare")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().context("it was asked for")?;
        BufReader::new(output).read_line(&mut line)?;
        let bare = Bare {
            child,
            address: line.trim().to_owned(),
        };
        if bare.address.is_empty() {
            bail!("the bare server ended before it listened");
        }
        Ok(bare)
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until its input ends: JSON for everything, and under `/text/N` a text of N bytes that is ready.
pub(crate) fn serve() -> anyhow::Result<()> {
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
    let text = web::Bytes::from("Latchkey ".repeat(LONGEST / 9 + 1));
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            let text = text.clone();
            App::new()
                .route(
                    "/text/{length}",
                    web::get().to(move |length: web::Path<usize>| {
                        let some = text.slice(..length.into_inner().min(LONGEST));
                        async move {
                            HttpResponse::Ok()
                                .content_type("text/html; charset=utf-8")
                                .body(some)
                        }
                    }),
                )
                // What isn't read would end the connection.
                .route(
                    "/api/v4/groups/{id}/access_tokens",
                    web::post().to(|_: web::Bytes| async {
                        HttpResponse::Ok()
                            .content_type("application/json")
                            .body(JSON)
                    }),
                )
                .default_service(web::to(|| async {
                    HttpResponse::Ok()
                        .content_type("application/json")
                        .body(JSON)
                }))
        })
        .bind("127.0.0.1:0")?;
        for address in server.addrs() {
            writeln!(io::stdout(), "{address}")?;
        }
        server.run().await?;
        Ok(())
    })
}
