"""The `gitlab` command, with its answers as JSON."""

import json
import os
import subprocess
import sys

from kit import URL, connect, days_ahead, dead, matches, same, token_of, TOKEN

PROGRAM = os.path.join(os.path.dirname(sys.executable), "gitlab")


def command(value, *arguments):
    """The command as somebody types it, with a token of this value."""
    typed = [PROGRAM, "--server-url", URL, "--private-token", value, "--output", "json", *arguments]
    return subprocess.run(typed, capture_output=True, text=True, timeout=60, check=False)


def asked(value, *arguments):
    """What it prints, if it succeeds."""
    done = command(value, *arguments)
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout) if done.stdout.strip() else None


def complained(value, complaint, *arguments):
    """It fails, and says why."""
    done = command(value, *arguments)
    assert done.returncode != 0, f"{arguments}: expected a failure, got {done.stdout}"
    assert complaint in done.stderr, f"{arguments}: expected {complaint!r}, got {done.stderr!r}"


def look_after_tokens(owner, kind, path):
    """Created, listed, shown, rotated and deleted."""
    resource = f"{kind}-access-token"
    where = [f"--{kind}-id", path]
    scopes = ["--scopes", "api,read_repository"]
    made = asked(owner, resource, "create", *where, "--name", "ci", *scopes, "--expires-at", days_ahead(30))
    same((made["name"], made["scopes"], made["expires_at"]), ("ci", ["api", "read_repository"], days_ahead(30)))
    matches(made["token"], TOKEN)
    shown = asked(owner, resource, "get", *where, "--id", str(made["id"]))
    same((shown["id"], shown["access_level"], "token" in shown), (made["id"], 40, False))
    listed = asked(owner, resource, "list", *where, "--get-all")
    assert made["id"] in [token["id"] for token in listed], listed
    rotated = asked(owner, resource, "rotate", *where, "--id", str(made["id"]), "--expires-at", days_ahead(60))
    matches(rotated["token"], TOKEN)
    dead(made["token"])
    itself = asked(rotated["token"], "personal-access-token", "get", "--id", "self")
    same((itself["id"], itself["name"], itself["expires_at"]), (rotated["id"], "ci", days_ahead(60)))
    asked(owner, resource, "delete", *where, "--id", str(rotated["id"]))
    dead(rotated["token"])


def look_around(owner):
    """Projects, groups, members and oneself."""
    projects = asked(owner, "project", "list", "--get-all")
    paths = {project["path_with_namespace"] for project in projects}
    same(paths, {"acme/p1", "acme/sub/p2", "acme/sub/deep/p3"})
    same(asked(owner, "project", "get", "--id", "acme/sub/p2")["path"], "p2")
    groups = asked(owner, "group", "list", "--get-all", "--order-by", "id")
    same([group["full_path"] for group in groups], ["acme", "acme/sub", "acme/sub/deep"])
    same(asked(owner, "group", "get", "--id", "acme/sub/deep")["parent_id"], groups[1]["id"])
    members = asked(owner, "group-member", "list", "--group-id", "acme", "--get-all")
    assert "carol" in [member["username"] for member in members], members
    same(asked(owner, "current-user", "get")["username"], "alice")
    made = asked(owner, "project", "create", "--name", "tools", "--namespace-id", str(groups[0]["id"]))
    same(made["path_with_namespace"], "acme/tools")
    asked(owner, "project", "update", "--id", str(made["id"]), "--description", "what we use")
    same(asked(owner, "project", "get", "--id", "acme/tools")["description"], "what we use")
    asked(owner, "project", "delete", "--id", str(made["id"]))


def complain(owner):
    """The words of the server reach the person."""
    complained(owner, "404 Group Not Found", "group", "get", "--id", "nothing")
    scopes = ["--name", "ci", "--scopes", "everything"]
    complaint = "scopes does not have a valid value"
    complained(owner, complaint, "group-access-token", "create", "--group-id", "acme", *scopes)
    complained("glpat-" + "x" * 20, "401 Unauthorized", "project", "list")
    complained(token_of("REVOKED"), "invalid_token", "personal-access-token", "get", "--id", "self")


def main():
    owner = token_of("OWNER")
    look_after_tokens(owner, "group", "acme/sub")
    look_after_tokens(owner, "project", "acme/sub/p2")
    look_around(owner)
    complain(owner)
    admin = token_of("ADMIN")
    (carol,) = connect("ADMIN").users.list(username="carol")
    arguments = ["--user-id", str(carol.id), "--name", "laptop", "--scopes", "read_api"]
    made = asked(admin, "user-personal-access-token", "create", *arguments)
    same(asked(made["token"], "personal-access-token", "get", "--id", "self")["user_id"], carol.id)


main()
