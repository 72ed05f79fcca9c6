//! A person who reads code, in a real browser.

use serde_json::json;

use super::{Reader, with_browser};
use crate::support::{GitClient, TestResource};

/// A picture of 16 by 16 dots.
const PICTURE: &str = "89504e470d0a1a0a0000000d4948445200000010000000100802000000909168360000001649444154789c6350\
483840126218d530aa61f86a00007fb74010cf9ed6600000000049454e44ae426082";

impl Reader<'_> {
    /// Clicks on the link of the main part that reads like this.
    async fn follow(&self, label: &str) {
        let script = format!(
            "const found = [...document.querySelectorAll('main a')]
                .filter(a => a.textContent.trim() == {});
            if (found.length) found[0].click();
            return found.length",
            json!(label)
        );
        assert_ne!(self.script(&script).await, json!(0), "no link {label}");
    }

    /// Waits until the address ends like this.
    async fn arrive(&self, end: &str) {
        for _ in 0..100 {
            let url = self.client().current_url().await.unwrap();
            if url.as_str().ends_with(end) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let url = self.client().current_url().await.unwrap();
        panic!("at {url} and not at {end}");
    }
}

#[test]
fn a_person_reads_a_file_its_history_and_a_commit_and_switches_the_branch() {
    with_browser(async |server, company, browser| {
        let Some(git) = GitClient::new() else { return };
        let project = &company.p1;
        let maintainer = project.token("maintainer").create();
        let tree = git.init("code");
        let bytes: Vec<u8> = PICTURE
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        tree.commit_file("docs/logo.png", bytes);
        tree.commit_file("src/deep/a.txt", "first line\n");
        let readme = "# Welcome\n\n![The logo](docs/logo.png)\n\n[The file](src/deep/a.txt)\n\n\
            <script>document.title = 'pwned'</script><img src=x onerror=\"document.title = 'pwned'\">\n\n\
            ![elsewhere](https://pictures.example/x.png) <p style=\"color: red\">red</p>\n";
        tree.commit_file("README.md", readme);
        tree.commit_file("src/deep/a.txt", "first line\n<b>second</b> line\n");
        tree.done(["checkout", "--quiet", "-b", "feature/x"]);
        tree.commit_file("src/deep/a.txt", "of the feature\n");
        let url = project.url_for(&maintainer);
        tree.run(["push", "--quiet", &url, "main", "feature/x"])
            .succeeded();

        let dave = Reader {
            browser: &browser,
            server: &server,
        };
        dave.sign_in("dave").await;
        dave.open("/acme/p1").await;
        dave.read("Welcome").await;
        // The picture is drawn, from the repository.
        let drawn = "const image = document.querySelector('img[alt=\"The logo\"]');
            image.scrollIntoView();
            return image.complete && image.naturalWidth == 16";
        for _ in 0..100 {
            if dave.script(drawn).await == json!(true) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(
            dave.script(drawn).await,
            json!(true),
            "the picture is there"
        );

        dave.follow("src").await;
        dave.arrive("/-/tree/main/src").await;
        dave.follow("deep").await;
        dave.arrive("/src/deep").await;
        dave.follow("a.txt").await;
        dave.arrive("/-/blob/main/src/deep/a.txt").await;
        dave.read("<b>second</b> line").await;

        dave.follow("History").await;
        dave.arrive("/-/commits/main/src/deep/a.txt").await;
        let rows = "return document.querySelectorAll('[data-testid=commit-row]').length";
        assert_eq!(dave.script(rows).await, json!(2));
        dave.follow("Write src/deep/a.txt").await;
        dave.wait("file-change").await;
        dave.read("+<b>second</b> line").await;
        dave.follow("src/deep/a.txt").await;
        dave.wait("text").await;

        // Another branch: the same file, as it is there.
        dave.open("/acme/p1/-/blob/main/src/deep/a.txt").await;
        dave.wait_for("details.menu summary[aria-label^='Branch']")
            .await
            .click()
            .await
            .unwrap();
        dave.wait_for("details[open] a[href*='feature/x']")
            .await
            .click()
            .await
            .unwrap();
        dave.read("of the feature").await;
        dave.arrive("/-/blob/feature/x/src/deep/a.txt?switched=1")
            .await;

        assert_eq!(dave.complaints().await, Vec::<String>::new());
        let title = dave.client().title().await.unwrap();
        assert!(!title.contains("pwned"), "{title}");
    });
}
