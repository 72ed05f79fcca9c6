//! The mails that were written into the folder, newest last.

use latchkey::jobs::Job;

use super::TestServer;

impl TestServer {
    /// Sends what waits, and reads what came to this address: the text of each mail.
    pub async fn mails_to(&self, address: &str) -> Vec<String> {
        self.run_job(Job::DeliverMail).await;
        let mut mails: Vec<(std::time::SystemTime, String)> = std::fs::read_dir(self.mail_folder())
            .into_iter()
            .flatten()
            .map(|file| {
                let path = file.unwrap().path();
                let written = path.metadata().unwrap().modified().unwrap();
                (written, std::fs::read_to_string(path).unwrap())
            })
            .collect();
        mails.sort();
        let to = format!("<{address}>");
        mails
            .into_iter()
            .map(|(_, mail)| unfolded(&mail))
            .filter(|mail| {
                mail.lines()
                    .any(|line| line.starts_with("To:") && line.contains(&to))
            })
            .collect()
    }
}

/// Quoted-printable lines put together again.
fn unfolded(mail: &str) -> String {
    mail.replace("\r\n", "\n")
        .replace("=\n", "")
        .replace("=3D", "=")
}

/// The path of the first link below `path` in a mail.
#[track_caller]
pub fn link_in(mail: &str, path: &str) -> String {
    let start = mail
        .find(path)
        .unwrap_or_else(|| panic!("no {path} in {mail}"));
    mail[start..]
        .split(|c: char| c.is_whitespace() || c == '"' || c == '<')
        .next()
        .unwrap()
        .to_owned()
}
