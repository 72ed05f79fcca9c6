//! What stands before and behind the nodes where there are several: nginx, PgBouncer. The real programs.

// A test may fail loudly, and each test program uses its own part of this.
#![allow(clippy::expect_used, clippy::unwrap_used, dead_code)]

use std::{
    env, fs,
    io::{self, Write},
    net::{TcpListener, TcpStream},
    os::unix::{fs::chown, process::CommandExt as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{keeper::unprivileged_user, storage::folder};

/// A program that listens on a port, ended when dropped.
struct Listener {
    child: Child,
    port: u16,
    home: TempDir,
    /// The signal that ends it at once.
    ends_at_once: &'static str,
}

/// nginx, as `deploy/nginx.conf` has it.
pub struct Nginx(Listener);

/// PgBouncer, as `deploy/pgbouncer.ini` has it.
pub struct PgBouncer(Listener);

impl Nginx {
    /// In front of the nodes at these addresses, or `None` where it isn't installed, which is said aloud.
    pub fn before(nodes: &[&str]) -> Option<Nginx> {
        let program = installed("nginx", "LATCHKEY_TEST_NGINX")?;
        Some(Nginx(Listener::start("-TERM", |home, port| {
            let site = shipped("nginx.conf");
            let mut servers = nodes.iter();
            let mut lines = Vec::new();
            for line in site.lines() {
                let words = line.trim_start();
                // What an operator changes: the nodes, where it listens, the certificate and where the log goes.
                if words.starts_with("server 10.0.0.") {
                    let node = servers.next().expect("no more nodes than the file has");
                    let options = words
                        .split_once(' ')
                        .and_then(|(_, rest)| rest.split_once(' '));
                    let options = options.map_or(";", |(_, options)| options);
                    lines.push(format!("server {node} {options}"));
                } else if words == "listen 443 ssl;" {
                    lines.push(format!("listen 127.0.0.1:{port};"));
                } else if words == "listen 80;" {
                    lines.push(format!("listen unix:{}/80.socket;", home.display()));
                } else if words.starts_with("access_log") {
                    lines.push(format!(
                        "access_log {}/access.log no_query;",
                        home.display()
                    ));
                } else if !words.starts_with("ssl_certificate") {
                    lines.push(line.to_owned());
                }
            }
            fs::write(home.join("site.conf"), lines.join("\n")).unwrap();
            let home = home.display();
            fs::write(format!("{home}/nginx.conf"), nginx_main(&home.to_string())).unwrap();
            let mut command = Command::new(&program);
            command.args(["-c", &format!("{home}/nginx.conf"), "-e"]);
            command.arg(format!("{home}/error.log"));
            command
        })))
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.0.port)
    }

    /// What it wrote down about requests.
    pub fn log(&self) -> String {
        fs::read_to_string(self.0.home.path().join("access.log")).unwrap_or_default()
    }
}

impl PgBouncer {
    /// In front of the server at the port of this URL, with so many connections to it; `None` where it isn't installed,
    /// which is said aloud.
    pub fn before(database_url: &str, connections: u32) -> Option<PgBouncer> {
        let program = installed("pgbouncer", "LATCHKEY_TEST_PGBOUNCER")?;
        if env::var("LATCHKEY_TEST_POSTGRES_URL").is_ok() {
            let _ = writeln!(
                io::stderr(),
                "SKIPPED: PgBouncer before somebody else's server"
            );
            return None;
        }
        let rest = database_url.split_once('@').expect("a user").1;
        let port = rest.split_once(':').expect("a port").1;
        let port = port.split('/').next().unwrap().to_owned();
        let knows_statements = version(&program) >= (1, 21);
        Some(PgBouncer(Listener::start("-KILL", |home, listen| {
            let mut lines = Vec::new();
            for line in shipped("pgbouncer.ini").lines() {
                let key = line.split(" = ").next().unwrap_or_default();
                match key {
                    "latchkey" => {
                        lines.push(format!("* = host=127.0.0.1 port={port} user=latchkey"))
                    }
                    "listen_addr" => lines.push("listen_addr = 127.0.0.1".to_owned()),
                    "listen_port" => lines.push(format!("listen_port = {listen}")),
                    "auth_type" => lines.push("auth_type = any".to_owned()),
                    "auth_file" => {}
                    "default_pool_size" => lines.push(format!("default_pool_size = {connections}")),
                    "max_prepared_statements" if !knows_statements => {}
                    _ => lines.push(line.to_owned()),
                }
            }
            lines.push("unix_socket_dir =".to_owned());
            lines.push(format!("logfile = {}/log", home.display()));
            let file = home.join("pgbouncer.ini");
            fs::write(&file, lines.join("\n")).unwrap();
            let mut command = Command::new(&program);
            command.arg("-q").arg(file);
            command
        })))
    }

    /// The URL of a database, through it.
    pub fn url(&self, database_url: &str) -> String {
        let (start, rest) = database_url.split_once('@').expect("a user");
        let (_, name) = rest.split_once('/').expect("a database");
        format!("{start}@127.0.0.1:{}/{name}", self.0.port)
    }
}

impl Listener {
    fn start(ends_at_once: &'static str, command: impl Fn(&Path, u16) -> Command) -> Listener {
        let mut said = String::new();
        // Another program may take the free port before this one does.
        for _ in 0..3 {
            let home = folder();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            drop(listener);
            let mut command = command(home.path(), port);
            // PgBouncer refuses to run as root, and nginx's worker, which never does, couldn't get into the folder.
            if let Some((user, group)) = unprivileged_user() {
                chown(home.path(), Some(user), Some(group)).unwrap();
                command.uid(user).gid(group);
            }
            let mut child = command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .process_group(0)
                .spawn()
                .expect("the program starts");
            let began = Instant::now();
            while began.elapsed() < Duration::from_secs(10) && child.try_wait().unwrap().is_none() {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Listener {
                        child,
                        port,
                        home,
                        ends_at_once,
                    };
                }
                std::thread::park_timeout(Duration::from_millis(10));
            }
            let _ = child.kill();
            let _ = child.wait();
            for log in ["error.log", "log"] {
                said += &fs::read_to_string(home.path().join(log)).unwrap_or_default();
            }
        }
        panic!("it doesn't listen:\n{said}");
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // At once, for both: nginx ends its workers, and PgBouncer has none. What it takes for "at once" it may have been
        // started to ignore.
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args([self.ends_at_once, &id]).status();
        if !asked.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// What nginx is started with: nothing of it lies outside of this folder, and `site.conf` there is the rest.
pub fn nginx_main(home: &str) -> String {
    format!(
        "daemon off; worker_processes 1; pid {home}/pid; error_log {home}/error.log;\n\
         events {{ worker_connections 256; }}\n\
         http {{\n\
         client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/f;\n\
         uwsgi_temp_path {home}/u; scgi_temp_path {home}/s;\n\
         include {home}/site.conf;\n}}\n"
    )
}

/// A file that operators begin with.
pub fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy")
        .join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Where a program is; the variable names another one. With `LATCHKEY_REQUIRE_CLIENTS=1` its absence is a failure.
pub fn installed(name: &str, variable: &str) -> Option<String> {
    let sbin = format!("/usr/sbin/{name}");
    let candidates = [
        env::var(variable).unwrap_or_default(),
        name.to_owned(),
        sbin,
    ];
    for program in candidates.into_iter().filter(|program| !program.is_empty()) {
        let found = Command::new(&program)
            .arg("-V")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if found.is_ok() {
            return Some(program);
        }
    }
    let complaint = format!("{name} is not installed (Debian: {name})");
    let required = env::var("LATCHKEY_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
    assert!(!required, "{complaint}, and LATCHKEY_REQUIRE_CLIENTS=1");
    // Straight to the stream: the test harness would keep what `eprintln!` says to itself.
    let _ = writeln!(io::stderr(), "SKIPPED: {complaint}");
    None
}

fn version(program: &str) -> (u32, u32) {
    let output = Command::new(program).arg("-V").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().nth(1).unwrap().split('.');
    let mut number = || {
        numbers
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    };
    (number(), number())
}
