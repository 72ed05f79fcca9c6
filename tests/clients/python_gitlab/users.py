"""Users: oneself, people and bots in lists, and what administrators do with people."""

from gitlab.exceptions import GitlabBlockError, GitlabCreateError, GitlabDeleteError, GitlabGetError, GitlabUpdateError

from kit import connect, connect_with, has, ids, refused, same, token_of

PASSWORD = "six chairs sing in the rain"


def look(gl, admin):
    """The caller, others, and lists of them."""
    gl.auth()
    has(gl.user, username="alice", name="Alice", state="active", bot=False, email="alice@example.com")
    has(gl.user, web_url=f"{gl.url}/alice", external=False, locked=False, avatar_url=None)
    assert not hasattr(gl.user, "is_admin")
    admin.auth()
    same(admin.user.is_admin, True)

    (carol,) = gl.users.list(username="CAROL")
    shown = gl.users.get(carol.id)
    has(shown, username="carol", bot=False, followers=0)
    assert not hasattr(shown, "email")
    same(admin.users.get(carol.id).email, "carol@example.com")
    refused(GitlabGetError, 404, "404 User Not Found", gl.users.get, 999999)

    people = {"root", "alice", "oscar", "bob", "carol", "dave", "paula", "erin", "frank", "xenia"}
    everybody = gl.users.list(get_all=True)
    for filters in [{"humans": True}, {"without_project_bots": True}]:
        found = {user.username for user in gl.users.list(get_all=True, **filters)}
        assert people <= found and not any("_bot_" in name for name in found), found
    same(sum("_bot_" in user.username for user in everybody), 2)
    pages = gl.users.list(iterator=True, per_page=5, without_project_bots=True)
    same(pages.per_page, 5)
    same(len(set(ids(pages))), pages.total)
    same([user.username for user in gl.users.list(search="xeni")], ["xenia"])
    same(gl.users.list(blocked=True), [])


def meet_a_bot(gl):
    """A bot is a user, too."""
    bot_gl = connect("BOT")
    bot_gl.auth()
    has(bot_gl.user, name="robot", bot=True, state="active", email=f"{bot_gl.user.username}@noreply.127.0.0.1")
    shown = gl.users.get(bot_gl.user.id)
    has(shown, name="robot", bot=True, username=bot_gl.user.username)


def administrate(admin):
    """Somebody comes, changes, is blocked, let in again, and goes."""
    wanted = {"email": "zoe@example.com", "username": "zoe", "name": "Zoe", "password": PASSWORD}
    zoe = admin.users.create(wanted)
    has(zoe, username="zoe", name="Zoe", email="zoe@example.com", state="active", is_admin=False, bot=False)
    try:
        admin.users.create(wanted)
    except GitlabCreateError as error:
        same(error.response_code, 409)
        assert "has already been taken" in error.error_message, error.error_message
    else:
        raise AssertionError("expected a refusal: there is a zoe")
    robot = admin.users.create(
        {"email": "yan@example.com", "username": "yan", "name": "Yan", "force_random_password": True, "external": True}
    )
    has(robot, external=True, is_admin=False)

    zoe.name = "Zoë"
    zoe.external = True
    zoe.save()
    has(admin.users.get(zoe.id), name="Zoë", external=True, username="zoe")

    token = zoe.personal_access_tokens.create({"name": "script", "scopes": ["api"]})
    connect_with(token.token).auth()
    same(zoe.block(), True)
    same(zoe.state, "blocked")
    blocked = "403 Forbidden - Your account has been blocked."
    refused(GitlabGetError, 403, blocked, connect_with(token.token).auth)
    same([user.username for user in admin.users.list(blocked=True)], ["zoe"])
    assert "zoe" not in [user.username for user in admin.users.list(get_all=True, active=True)]
    same(zoe.unblock(), True)
    same(zoe.state, "active")
    connect_with(token.token).auth()
    zoe.delete()
    robot.delete()


def leave_others_alone(gl):
    """What nobody but an administrator may do."""
    (carol,) = gl.users.list(username="carol")
    wanted = {"email": "m@example.com", "username": "mallory", "name": "Mallory", "password": PASSWORD}
    refused(GitlabCreateError, 403, "403 Forbidden", gl.users.create, wanted)
    refused(GitlabUpdateError, 403, "403 Forbidden", gl.users.update, carol.id, {"name": "x"})
    refused(GitlabBlockError, 403, "403 Forbidden", carol.block)
    refused(GitlabDeleteError, 403, "403 Forbidden", carol.delete)


def ask_for_the_version(gl):
    """A number that can be compared."""
    version, revision = gl.version()
    same(len([int(part) for part in version.split(".")]), 3, version)
    assert revision
    metadata = gl.http_get("/metadata")
    same((metadata["version"], metadata["enterprise"], metadata["kas"]["enabled"]), (version, False, False))


def main():
    gl, admin = connect("OWNER"), connect("ADMIN")
    look(gl, admin)
    meet_a_bot(gl)
    administrate(admin)
    leave_others_alone(gl)
    ask_for_the_version(gl)
    same(connect_with(token_of("ADMIN")).version(), gl.version())


main()
