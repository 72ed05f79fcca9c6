//! nginx in front, PgBouncer behind, as `deploy/` has them: the real programs.

use std::{
    fs,
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
use latchkey::{
    db::{DatabaseUrl, DbConnection},
    members::AccessLevel,
    server::background,
};
use serde_json::json;

use crate::on_postgres;
use crate::support::{
    Answer, Company, GitClient, Nginx, NodePlan, PASSWORD, PgBouncer, TestResource, TestServer,
    front::{installed, nginx_main, shipped},
    postgres,
    server::{SECRET, http_client},
    storage::folder,
};

on_postgres![
    the_main_job_goes_through_nginx_two_nodes_and_a_pooler,
    many_at_once_share_a_few_connections_and_nobody_gets_what_is_anothers,
    each_change_has_its_time_limits_whichever_connection_the_pooler_gives_it,
    the_address_of_a_client_is_what_nginx_saw_and_not_what_the_client_says,
    a_node_that_is_gone_is_passed_over,
    whatever_works_on_a_session_is_refused_through_a_pooler,
    a_pooler_whose_server_is_away_is_an_outage,
];

/// Two nodes behind nginx, whose database lies behind a pooler.
struct Place {
    nodes: [TestServer; 2],
    nginx: Nginx,
    /// As people reach it.
    front: TestServer,
    pooler: PgBouncer,
}

/// Connections to the database that both nodes share; each node alone has four to the pooler.
const CONNECTIONS: u32 = 3;

impl Place {
    /// Or `None` where a program isn't installed.
    fn on(server: &TestServer) -> Option<Place> {
        let pooler = PgBouncer::before(&server.storage.address(), CONNECTIONS)?;
        let through = pooler.url(&server.storage.address());
        let node = || {
            TestServer::node(NodePlan {
                database: DatabaseUrl::parse(&through).unwrap(),
                external_url: Some("http://tokens.test".parse().unwrap()),
                trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
                ..NodePlan::node_of(server)
            })
        };
        let nodes = [node(), node()];
        let addresses = nodes.each_ref().map(|node| &node.url["http://".len()..]);
        let nginx = Nginx::before(&addresses)?;
        let front = nodes[0].reached_at(&nginx.url());
        Some(Place {
            nodes,
            nginx,
            front,
            pooler,
        })
    }
}

async fn the_main_job_goes_through_nginx_two_nodes_and_a_pooler(server: TestServer) {
    let Some(place) = Place::on(&server) else {
        return;
    };
    let front = &place.front;
    let company = Company::on(front);
    let browser = front.visitor();
    browser.sign_in("alice", PASSWORD).await.expect(303);
    let path = company.acme.page("settings/access_tokens");
    let form = browser.open(&path).await.form(&path);
    let form = form
        .fill("resource_access_token[name]", "deploy")
        .fill("resource_access_token[access_level]", "40")
        .tick("resource_access_token[scopes][]", "api")
        .tick("resource_access_token[scopes][]", "write_repository");
    let made = browser.submit(&form).await.expect(200).page();
    let field = made.tag("created-access-token-field").unwrap();
    let value = field.get("value").unwrap();
    let own = "/personal_access_tokens/self";
    let api = front.with_token(&value);
    for _ in 0..10 {
        api.get(own).await.expect(200);
        assert!(browser.open(&path).await.says("deploy"));
    }
    if let Some(git) = GitClient::new() {
        let tree = git.init("work");
        tree.commit_mebibytes(6);
        tree.done(["checkout", "--quiet", "main"]);
        let url = front.git_url(&company.p1, "x", &value);
        tree.push(&url, "main:main").succeeded();
        for name in ["one", "other"] {
            assert_eq!(git.clone(&url, name).commits(), 1);
        }
    }
    let rotated = api
        .post(&format!("{own}/rotate"), json!({}))
        .await
        .expect(200);
    api.get(own).await.expect(401);
    let new = rotated.json()["token"].as_str().unwrap().to_owned();
    let api = front.with_token(&new);
    for _ in 0..4 {
        api.get(own).await.expect(200);
    }
    api.delete(own).await.expect(204);
    for _ in 0..10 {
        api.get(own).await.expect(401);
    }
    browser.sign_out().await.expect(303);
    assert!(!browser.is_signed_in().await);
    for node in &place.nodes {
        let address = node.url.trim_start_matches("http://");
        assert!(place.nginx.log().contains(address), "{}", place.nginx.log());
        background::flush_uses(&node.app).await;
        background::flush_days(&node.app).await;
        node.run_due_jobs().await;
    }
    assert!(!place.nginx.log().contains(&value));
}

async fn many_at_once_share_a_few_connections_and_nobody_gets_what_is_anothers(server: TestServer) {
    let Some(place) = Place::on(&server) else {
        return;
    };
    let front = &place.front;
    let company = Company::on(front);
    let tokens: Vec<_> = (0..12)
        .map(|number| {
            let token = company.acme.token(&format!("ci{number}"));
            token.role(AccessLevel::Owner).create()
        })
        .collect();
    let group = company.acme.path();
    let one = async |number: usize| {
        let token = &tokens[number];
        for round in 0..15 {
            let own = token.get("/personal_access_tokens/self").await.expect(200);
            assert_eq!(own.json()["name"], format!("ci{number}"));
            let found = token
                .get(&format!("{group}?with_projects=false"))
                .await
                .expect(200);
            assert_eq!(found.json()["id"], company.acme.id);
            let list = token
                .get(&format!("{group}/access_tokens?per_page=5"))
                .await;
            assert_eq!(list.expect(200).json().as_array().unwrap().len(), 5);
            if round % 5 == 0 {
                let body = json!({ "name": "n", "scopes": ["read_api"], "access_level": 20 });
                let made = token.post(&format!("{group}/access_tokens"), body).await;
                // Bots make no tokens, and are told so each time.
                assert!(matches!(made.status, 400 | 403), "{}", made.text());
                let body = json!({ "name": format!("p{number}-{round}"), "namespace_id": company.acme.id });
                token.post("/projects", body).await.expect(201);
            }
        }
    };
    futures_util::future::join_all((0..tokens.len()).map(one)).await;
}

async fn each_change_has_its_time_limits_whichever_connection_the_pooler_gives_it(
    server: TestServer,
) {
    #[derive(QueryableByName)]
    struct Setting {
        #[diesel(sql_type = Text)]
        value: String,
    }
    let Some(place) = Place::on(&server) else {
        return;
    };
    for round in 0..12 {
        let node = &place.nodes[round % 2];
        for (name, expected) in [
            ("statement_timeout", "30s"),
            ("lock_timeout", "5s"),
            ("synchronous_commit", "on"),
            ("TimeZone", "UTC"),
        ] {
            let value = node.arrange(move |conn, _| {
                let DbConnection::Postgres(conn) = conn else {
                    unreachable!("this is PostgreSQL")
                };
                let query = format!("SELECT current_setting('{name}') AS value");
                let setting: Setting = sql_query(query).get_result(conn)?;
                Ok(setting.value)
            });
            assert_eq!(value, expected, "{name}");
        }
        node.get("/-/readiness").await.expect(200);
    }
}

async fn the_address_of_a_client_is_what_nginx_saw_and_not_what_the_client_says(
    server: TestServer,
) {
    let Some(place) = Place::on(&server) else {
        return;
    };
    let company = Company::on(&place.front);
    let token = company.acme.token("ci").create();
    // Not the address of the proxy, which is believed.
    let client = http_client()
        .local_address("127.0.0.2".parse().ok())
        .build()
        .unwrap();
    let ask = async |claim: &str| {
        let url = format!("{}/api/v4/personal_access_tokens/self", place.nginx.url());
        let request = client.get(url).header("PRIVATE-TOKEN", &token.value);
        Answer::to(request.header("X-Forwarded-For", claim))
            .await
            .expect(200);
    };
    for claim in ["6.6.6.6", "127.0.0.1", "rubbish, 10.0.0.1"] {
        ask(claim).await;
    }
    for node in &place.nodes {
        background::flush_uses(&node.app).await;
    }
    assert_eq!(server.count("access_token_uses", "ips = '127.0.0.2'"), 1);
    let metrics = place.front.get("/-/metrics").await;
    metrics.expect(404);
}

async fn a_node_that_is_gone_is_passed_over(server: TestServer) {
    let Some(place) = Place::on(&server) else {
        return;
    };
    let company = Company::on(&place.front);
    let token = company.acme.token("ci").create();
    let Place {
        nodes: [one, other],
        nginx,
        front,
        pooler,
    } = place;
    // Whoever is left, is left: the front belongs to the first node.
    let gone = other.url["http://".len()..].to_owned();
    drop(other);
    let began = Instant::now();
    while TcpStream::connect(&gone).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(10), "{gone} goes on");
        std::thread::park_timeout(Duration::from_millis(10));
    }
    for round in 0..20 {
        let answer = token.get("/personal_access_tokens/self").await;
        assert_eq!(answer.status, 200, "round {round}\n{}", nginx.log());
    }
    // Both are named where one was passed over.
    assert!(
        nginx.log().contains(&format!("{gone}, ")),
        "{}",
        nginx.log()
    );
    drop((one, front, pooler));
}

async fn whatever_works_on_a_session_is_refused_through_a_pooler(server: TestServer) {
    let Some(place) = Place::on(&server) else {
        return;
    };
    if !postgres::dumps() {
        return;
    }
    let data = folder();
    let file = data.path().join("backup");
    let (straight, through) = (
        server.storage.address(),
        place.pooler.url(&server.storage.address()),
    );
    let run = |arguments: &[&str], url: &str, status: i32| {
        let output = Command::new(env!("CARGO_BIN_EXE_latchkey"))
            .args(arguments)
            .arg(&file)
            .args(["--database-url", url])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LATCHKEY_SECRET", std::str::from_utf8(SECRET).unwrap())
            .current_dir(data.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{said}");
        said
    };
    run(&["backup"], &straight, 0);
    for command in [&["backup", "--force"][..], &["restore"]] {
        let said = run(command, &through, 1);
        assert!(said.contains("is a connection pooler"), "{said}");
    }
}

async fn a_pooler_whose_server_is_away_is_an_outage(server: TestServer) {
    // Nobody listens there.
    let nowhere = "postgres://latchkey@127.0.0.1:1/latchkey";
    let Some(pooler) = PgBouncer::before(nowhere, 1) else {
        return;
    };
    let node = TestServer::node(NodePlan {
        database: DatabaseUrl::parse(&pooler.url(nowhere)).unwrap(),
        ..NodePlan::node_of(&server)
    });
    let api = node.with_token("glpat-AAAAAAAAAAAAAAAAAAAA");
    let answer = api.get("/personal_access_tokens/self").await.expect(503);
    assert_ne!(answer.header("retry-after"), "");
    node.get("/-/liveness").await.expect(200);
    node.get("/-/readiness").await.expect(503);
}

/// The very file: with a certificate in the places that it names, nginx has nothing to say about it.
#[test]
fn the_file_for_nginx_is_one_that_nginx_takes() {
    let Some(program) = installed("nginx", "LATCHKEY_TEST_NGINX") else {
        return;
    };
    let home = folder();
    let place = home.path().display();
    let key = rcgen::generate_simple_self_signed(["tokens.example.com".to_owned()]).unwrap();
    fs::write(home.path().join("cert.pem"), key.cert.pem()).unwrap();
    fs::write(home.path().join("key.pem"), key.signing_key.serialize_pem()).unwrap();
    let site = shipped("nginx.conf")
        .replace(
            "/etc/ssl/tokens.example.com.pem",
            &format!("{place}/cert.pem"),
        )
        .replace(
            "/etc/ssl/tokens.example.com.key",
            &format!("{place}/key.pem"),
        )
        .replace("/var/log/nginx", &place.to_string());
    fs::write(home.path().join("site.conf"), site).unwrap();
    let file = home.path().join("nginx.conf");
    fs::write(&file, nginx_main(&place.to_string())).unwrap();
    let output = Command::new(program)
        .args(["-t", "-e"])
        .arg(home.path().join("error.log"))
        .arg("-c")
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && !said.contains("[warn]"),
        "{said}"
    );
}
