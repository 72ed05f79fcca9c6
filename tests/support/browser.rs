//! A person's browser: Chromium without a window, driven through chromedriver.

// A test may fail loudly, and each test program uses its own part of this.
#![allow(clippy::expect_used, dead_code)]

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    str::FromStr,
};

use fantoccini::{Client, ClientBuilder, error::CmdError, wd::WebDriverCompatibleCommand};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A browser with an empty profile, gone when dropped.
pub struct Browser {
    client: Client,
    _keeper: Keeper,
}

impl Browser {
    /// A fresh browser, or `None` where none is installed, which is said aloud.
    ///
    /// With `LATCHKEY_REQUIRE_BROWSER=1` its absence is a failure.
    pub async fn start() -> Option<Browser> {
        let chromium = find(&["chromium", "chromium-browser", "google-chrome"]);
        let chromedriver = find(&["chromedriver"]);
        let (Some(chromium), Some(chromedriver)) = (chromium, chromedriver) else {
            let complaint = "Chromium and chromedriver are not both installed";
            let required = env::var("LATCHKEY_REQUIRE_BROWSER").is_ok_and(|value| value == "1");
            assert!(!required, "{complaint}, and LATCHKEY_REQUIRE_BROWSER=1");
            // Straight to the stream: the test harness would keep what `eprintln!` says to itself.
            let _ = writeln!(io::stderr(), "SKIPPED: {complaint}");
            return None;
        };
        let keeper = Keeper::start(&chromedriver).expect("chromedriver starts");
        let options = json!({
            "binary": chromium,
            "args": [
                "--headless=new",
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                // No visits to the makers of the browser, which a test machine may not be able to reach.
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
                "--lang=en-US",
            ],
        });
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", keeper.port))
            .await
            .expect("chromedriver starts a browser");
        let browser = Browser {
            client,
            _keeper: keeper,
        };
        browser
            .set_window(1280, 900)
            .await
            .expect("the window has a size");
        Some(browser)
    }

    /// The page that is open, and everything that can be done with it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Makes the window as large as this.
    pub async fn set_window(&self, width: u32, height: u32) -> Result<(), CmdError> {
        self.client.set_window_size(width, height).await
    }

    /// Lets the browser's own tools do something: a command and its parameters.
    pub async fn devtools(&self, command: &str, params: Value) -> Value {
        let body = json!({ "cmd": command, "params": params });
        let path = "goog/cdp/execute";
        let done = self.client.issue_cmd(Own { path, body }).await;
        done.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// What the browser complained about since it was last asked: scripts, styles and pictures that the policy
    /// forbids, errors in ours.
    pub async fn complaints(&self) -> Vec<String> {
        let body = json!({ "type": "browser" });
        let path = "se/log";
        let log = self.client.issue_cmd(Own { path, body }).await;
        log.expect("the browser keeps a log")
            .as_array()
            .into_iter()
            .flatten()
            .map(|entry| format!("{} {}", entry["level"], entry["message"]))
            // The browser writes down each answer that isn't a success; those are meant here.
            .filter(|line| !line.contains("Failed to load resource"))
            .collect()
    }

    /// Writes what the window shows to a PNG file.
    pub async fn screenshot(&self, path: impl AsRef<Path>) -> Result<(), CmdError> {
        let picture = self.client.screenshot().await?;
        fs::write(path, picture).expect("the screenshot is written");
        Ok(())
    }
}

/// One of chromedriver's own commands.
#[derive(Debug)]
struct Own {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Own {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as FromStr>::Err> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/{}", self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = env::split_paths(&path)
        .chain(["/usr/bin", "/usr/lib/chromium"].map(PathBuf::from))
        .collect();
    names
        .iter()
        .flat_map(|name| {
            directories
                .iter()
                .map(move |directory| directory.join(name))
        })
        .find(|program| program.is_file())
}

/// A shell that runs chromedriver and waits for the end of its input, which comes when the browser is dropped or
/// this process ends, be it by `kill -9`. Then it ends chromedriver and the browser and removes their files.
struct Keeper {
    port: u16,
    shell: Child,
}

const KEEP: &str = r#"
trap '' HUP INT TERM
chromedriver=$1 folder=$2
TMPDIR=$folder HOME=$folder "$chromedriver" --port=0 </dev/null 2>&1 &
driver=$!
exec >/dev/null 2>&1
cat
kill -KILL "$driver"
# The browser is in a session of its own; what its processes have in common is the profile's place.
for process in /proc/[0-9]*; do
  if tr '\0' '\n' <"$process/environ" | grep -qxF "TMPDIR=$folder"; then kill -KILL "${process#/proc/}"; fi
done
rm -rf "$folder"
"#;

impl Keeper {
    fn start(chromedriver: &Path) -> io::Result<Keeper> {
        let folder = TempDir::with_prefix_in("latchkey-browser-", "/tmp")?;
        let mut shell = Command::new("sh")
            .args(["-c", KEEP, "sh"])
            .args([chromedriver, folder.path()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Out of reach of Ctrl-C, which is for the tests.
            .process_group(0)
            .spawn()?;
        // From here on the shell removes it.
        let _ = folder.keep();
        let output = shell.stdout.take().expect("the output is a pipe");
        let mut said = String::new();
        for line in BufReader::new(output).lines() {
            let line = line?;
            // "ChromeDriver was started successfully on port 41231."
            let port = line
                .rsplit_once(" on port ")
                .and_then(|(_, port)| port.trim_end_matches('.').parse().ok());
            if let Some(port) = port.filter(|_| line.contains("started successfully")) {
                return Ok(Keeper { port, shell });
            }
            said.push_str(&line);
            said.push('\n');
        }
        Err(io::Error::other(said))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
