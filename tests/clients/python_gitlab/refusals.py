"""What goes wrong arrives as the exception that the library has for it, with the server's words."""

import gitlab
from gitlab.exceptions import (
    GitlabAuthenticationError,
    GitlabCreateError,
    GitlabDeleteError,
    GitlabGetError,
    GitlabHttpError,
    GitlabListError,
    GitlabRotateError,
)

from kit import URL, connect, connect_with, days_ahead, refused, same, token_of


def without_a_good_credential():
    """None, one that nobody has, one that is over, and one that was revoked."""
    nobody = gitlab.Gitlab(URL, timeout=20)
    refused(GitlabAuthenticationError, 401, "401 Unauthorized", nobody.users.list)
    same(nobody.groups.list(get_all=True), [], "nothing is public")
    refused(GitlabGetError, 404, "404 Group Not Found", nobody.groups.get, "acme")
    wrong = connect_with("glpat-" + "x" * 20)
    refused(GitlabAuthenticationError, 401, "401 Unauthorized", wrong.auth)
    refused(GitlabAuthenticationError, 401, "401 Unauthorized", wrong.groups.list)
    for role in ["EXPIRED", "REVOKED"]:
        gl = connect(role)
        refused(GitlabAuthenticationError, 401, "invalid_token", gl.auth)
        refused(GitlabAuthenticationError, 401, "invalid_token", gl.personal_access_tokens.get, "self")
    for value in [{"oauth_token": token_of("OWNER")}, {"private_token": token_of("OWNER")}]:
        gl = gitlab.Gitlab(URL, timeout=20, **value)
        gl.auth()
        same(gl.user.username, "alice")


def with_too_small_a_scope():
    """Reading opens no writing, and a narrow scope nothing but itself."""
    reader = connect("READER")
    acme = reader.groups.get("acme")
    wanted = {"name": "ci", "scopes": ["api"]}
    token = acme.access_tokens.list(get_all=True)[0]
    refused(GitlabCreateError, 403, "insufficient_scope", acme.access_tokens.create, wanted)
    refused(GitlabRotateError, 403, "insufficient_scope", token.rotate)
    refused(GitlabDeleteError, 403, "insufficient_scope", token.delete)
    own = reader.personal_access_tokens.get("self")
    refused(GitlabRotateError, 403, "insufficient_scope", own.rotate, self_rotate=True)
    narrow = connect("NARROW")
    refused(GitlabGetError, 403, "insufficient_scope", narrow.auth)
    refused(GitlabListError, 403, "insufficient_scope", narrow.groups.list)
    same(narrow.personal_access_tokens.get("self").scopes, ["read_repository"])


def with_too_small_a_role():
    """Each verb has its own answer."""
    forbidden = "400 Bad request - User does not have permission to create {} access token"
    wanted = {"name": "ci", "scopes": ["api"]}
    tokens = connect("OWNER").groups.get("acme").access_tokens
    token = tokens.create(wanted)
    unauthorized = GitlabAuthenticationError, 401, "401 Unauthorized"
    for role in ["MAINTAINER", "DEVELOPER"]:
        theirs = connect(role).groups.get("acme").access_tokens
        refused(*unauthorized, theirs.list)
        refused(*unauthorized, theirs.get, token.id)
        refused(*unauthorized, theirs.rotate, token.id)
        refused(GitlabCreateError, 400, forbidden.format("group"), theirs.create, wanted)
        name = connect(role).users.get(connect(role).http_get("/user")["id"]).name
        message = f"400 Bad request - {name} cannot delete ci"
        refused(GitlabDeleteError, 400, message, theirs.delete, token.id)
    project = connect("DEVELOPER").projects.get("acme/p1")
    refused(*unauthorized, project.access_tokens.list)
    refused(GitlabCreateError, 400, forbidden.format("project"), project.access_tokens.create, wanted)

    project = connect("MAINTAINER").projects.get("acme/p1")
    project.access_tokens.create(wanted)
    message = "400 Bad request - Could not provision owner access to project access token"
    refused(GitlabCreateError, 400, message, project.access_tokens.create, {**wanted, "access_level": 50})

    robots = connect("BOT").groups.get("acme").access_tokens
    refused(GitlabCreateError, 400, forbidden.format("group"), robots.create, wanted)
    refused(*unauthorized, robots.rotate, token.id)
    robots.delete(token.id)


def with_wrong_parameters():
    """The words say which one, and what is wrong with it."""
    tokens = connect("OWNER").groups.get("acme").access_tokens
    limit = days_ahead(365)
    for message, change in [
        ("name is missing", {"name": None}),
        ("scopes is missing", {"scopes": None}),
        ("scopes does not have a valid value", {"scopes": ["everything"]}),
        ("scopes does not have a valid value", {"scopes": ["sudo"]}),
        ("access_level does not have a valid value", {"access_level": 35}),
        ("access_level is invalid", {"access_level": "owner"}),
        ("expires_at is invalid", {"expires_at": "soon"}),
        ("expires_at is invalid", {"expires_at": "2026-02-30"}),
        ("400 Bad request - Scopes can't be blank", {"scopes": []}),
        ("400 Bad request - Name is too long (maximum is 255 characters)", {"name": "x" * 256}),
        ("400 Bad request - Description is too long (maximum is 255 characters)", {"description": "x" * 256}),
        (f"400 Bad request - Expiration date must be before {limit}", {"expires_at": days_ahead(366)}),
        (
            "400 Bad request - Could not provision maintainer access to the access token. "
            "ERROR: Expires at cannot be a date in the past",
            {"expires_at": days_ahead(-1)},
        ),
    ]:
        wanted = {"name": "ci", "scopes": ["api"], **change}
        refused(GitlabCreateError, 400, message, tokens.create, wanted)
    refused(GitlabListError, 400, "state does not have a valid value", tokens.list, state="sleepy")
    refused(GitlabListError, 400, "per_page has a value not allowed", tokens.list, per_page=0)

    token = tokens.create({"name": "ci", "scopes": ["api"]})
    message = f"400 Bad request - Expiration date must be before {limit}"
    refused(GitlabRotateError, 400, message, token.rotate, expires_at=days_ahead(366))
    refused(GitlabRotateError, 400, "expires_at is invalid", token.rotate, expires_at="soon")
    message = "404 Could not find group access token with token_id: 999999 Not Found"
    refused(GitlabGetError, 404, message, tokens.get, 999999)
    refused(GitlabDeleteError, 404, message, tokens.delete, 999999)
    refused(GitlabAuthenticationError, 401, "401 Unauthorized", tokens.rotate, 999999)


def with_an_address_that_is_not_there():
    """Neither a route, nor a method."""
    gl = connect("OWNER")
    refused(GitlabHttpError, 404, "404 Not Found", gl.http_get, "/nothing")
    refused(GitlabHttpError, 405, "405 Not Allowed", gl.http_put, "/user")


def with_a_token_that_was_rotated_away():
    """Who asks for a rotation with an old value ends the new one."""
    tokens = connect("OWNER").groups.get("acme").access_tokens
    token = tokens.create({"name": "ci", "scopes": ["api"]})
    thief = connect_with(token.token)
    token.rotate()
    connect_with(token.token).auth()
    refused(GitlabAuthenticationError, 401, "invalid_token", thief.personal_access_tokens.rotate, "self")
    refused(GitlabAuthenticationError, 401, "invalid_token", connect_with(token.token).auth)


def main():
    without_a_good_credential()
    with_too_small_a_scope()
    with_too_small_a_role()
    with_wrong_parameters()
    with_an_address_that_is_not_there()
    with_a_token_that_was_rotated_away()


main()
