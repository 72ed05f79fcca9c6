//! Where a group can't go.

use latchkey::{groups::path::MAX_NESTING, members::AccessLevel};

use super::{addresses, all_in_step, transfer, wrong};
use crate::on_both;
use crate::support::{Company, TestGroup, TestServer};

on_both![
    not_into_itself_nor_below_itself,
    not_where_it_lies_already,
    not_deeper_than_groups_may_lie,
    not_where_its_address_is_taken,
    not_to_the_top_with_a_reserved_path,
    not_into_a_group_that_fewer_see,
    all_that_is_wrong_is_told_at_once,
];

/// Refused about this field, and nothing changed.
#[track_caller]
fn refused(group: &TestGroup, to: Option<&TestGroup>, field: &str, message: &str) {
    let server = &group.server;
    let root = group
        .server
        .person(&format!("root{}", server.next()))
        .admin()
        .create();
    let before = addresses(server);
    let outcome = transfer(group, root.actor(), to);
    assert_eq!(wrong(outcome), [(field.to_owned(), message.to_owned())]);
    assert_eq!(addresses(server), before);
    assert_eq!(
        server.count("audit_events", "event = 'group_transferred'"),
        0
    );
}

async fn not_into_itself_nor_below_itself(server: TestServer) {
    let company = Company::on(&server);
    for to in [&company.sub, &company.deep] {
        refused(
            &company.sub,
            Some(to),
            "group_id",
            "can't be the group itself or one below it",
        );
    }
    refused(
        &company.acme,
        Some(&company.deep),
        "group_id",
        "can't be the group itself or one below it",
    );
}

async fn not_where_it_lies_already(server: TestServer) {
    let company = Company::on(&server);
    refused(
        &company.sub,
        Some(&company.acme),
        "group_id",
        "is where the group lies already",
    );
    refused(
        &company.acme,
        None,
        "group_id",
        "is where the group lies already",
    );
}

/// So many groups, each in the one before.
fn chain(server: &TestServer, name: &str, levels: usize) -> Vec<TestGroup> {
    let mut chain = vec![server.group(name).create()];
    while chain.len() < levels {
        let next = chain[chain.len() - 1].subgroup("g").create();
        chain.push(next);
    }
    chain
}

async fn not_deeper_than_groups_may_lie(server: TestServer) {
    let root = server.person("root").admin().create();
    let long = chain(&server, "long", MAX_NESTING - 2);
    let short = chain(&server, "short", 3);
    let message = "is nested too deep (maximum is 20 levels)";
    let last = &long[MAX_NESTING - 3];
    refused(&short[0], Some(last), "group_id", message);
    // One level less fits exactly: it is the deepest group that counts.
    transfer(&short[0], root.actor(), Some(&long[MAX_NESTING - 4])).unwrap();
    assert_eq!(super::now(&short[2]).depth() + 1, MAX_NESTING);
    short[2].project("p").create();
    let found = format!(
        "/groups/{}",
        super::now(&short[2]).full_path.replace('/', "%2F")
    );
    root.api().get(&found).await.expect(200);
    all_in_step(&server);
}

async fn not_where_its_address_is_taken(server: TestServer) {
    let company = Company::on(&server);
    let message = "has already been taken";
    company.other.subgroup("SUB").create();
    refused(&company.sub, Some(&company.other), "path", message);
    company.other.project("Deep").create();
    refused(&company.deep, Some(&company.other), "path", message);
    // At the top, people's names are addresses too.
    let frank = company.acme.subgroup("Frank").create();
    refused(&frank, None, "path", message);
    let acme = company.sub.subgroup("acme").create();
    refused(&acme, None, "path", message);
}

async fn not_to_the_top_with_a_reserved_path(server: TestServer) {
    let company = Company::on(&server);
    let admin = company.acme.subgroup("admin").create();
    refused(&admin, None, "path", "is reserved");
    let bot = company.acme.subgroup("group_1_bot_x").create();
    refused(
        &bot,
        None,
        "path",
        "is reserved: names like this are for the bots of access tokens",
    );
    // Below another group it may be called so.
    transfer(&admin, company.root.actor(), Some(&company.other)).unwrap();
}

async fn not_into_a_group_that_fewer_see(server: TestServer) {
    let groups = |kind: &str| {
        [
            server.group(&format!("private-{kind}")).private().create(),
            server
                .group(&format!("internal-{kind}"))
                .internal()
                .create(),
            server.group(&format!("public-{kind}")).public().create(),
        ]
    };
    let names = ["private", "internal", "public"];
    let (parents, tops) = (groups("to"), groups("of"));
    for (to, parent) in parents.iter().enumerate() {
        for (of, top) in tops.iter().enumerate().filter(|(of, _)| *of > to) {
            let moving = top.subgroup(&format!("m{of}{to}")).create();
            let message = format!(
                "{} is not allowed since the parent group has {} visibility",
                names[of], names[to]
            );
            refused(&moving, Some(parent), "visibility", &message);
        }
    }
    let root = server.person("root").admin().create();
    for (to, parent) in parents.iter().enumerate() {
        for (of, top) in tops.iter().enumerate().filter(|(of, _)| *of <= to) {
            let moving = top.subgroup(&format!("m{of}{to}")).create();
            transfer(&moving, root.actor(), Some(parent)).unwrap();
        }
    }
}

async fn all_that_is_wrong_is_told_at_once(server: TestServer) {
    let olga = server.person("olga").create();
    let long = chain(&server, "long", MAX_NESTING);
    let top = server.group("top").public().create();
    let (last, moving) = (&long[MAX_NESTING - 1], top.subgroup("g").create());
    server.sql(&format!(
        "UPDATE groups SET visibility = 'private' WHERE id = {}",
        last.id
    ));
    use crate::support::TestResource;
    top.member(&olga, AccessLevel::Owner);
    long[0].member(&olga, AccessLevel::Owner);
    let fields: Vec<String> = wrong(transfer(&moving, olga.actor(), Some(last)))
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    assert_eq!(fields, ["group_id", "visibility"]);
}
