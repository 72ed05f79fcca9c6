"""Tokens of people: their own, and those that an administrator looks after."""

from gitlab.exceptions import GitlabAuthenticationError, GitlabCreateError, GitlabDeleteError, GitlabGetError

from kit import connect, connect_with, days_ahead, dead, has, ids, matches, refused, same, TOKEN


def administrate(admin):
    """An administrator makes tokens for somebody, finds, rotates and revokes them."""
    (carol,) = admin.users.list(username="carol")
    made = carol.personal_access_tokens.create(
        {"name": "laptop", "scopes": ["api"], "expires_at": days_ahead(30), "description": "the old one"}
    )
    has(made, name="laptop", scopes=["api"], expires_at=days_ahead(30), user_id=carol.id, active=True)
    same(made.description, "the old one")
    matches(made.token, TOKEN)
    assert not hasattr(made, "access_level")

    shown = admin.personal_access_tokens.get(made.id)
    has(shown, id=made.id, name="laptop", description="the old one", revoked=False)
    assert not hasattr(shown, "token")
    assert made.id in ids(admin.personal_access_tokens.list(get_all=True, user_id=carol.id))
    same({token.user_id for token in admin.personal_access_tokens.list(get_all=True, user_id=carol.id)}, {carol.id})

    old_value = made.token
    shown.rotate(expires_at=days_ahead(90))
    has(shown, expires_at=days_ahead(90), user_id=carol.id, name="laptop")
    dead(old_value)
    connect_with(shown.token).auth()
    shown.delete()
    dead(shown.token)
    same(admin.personal_access_tokens.get(shown.id).revoked, True)


def go_through_pages(admin):
    """45 tokens of one person, 20 on a page."""
    (erin,) = admin.users.list(username="erin")
    for number in range(45):
        erin.personal_access_tokens.create({"name": f"token {number}", "scopes": ["read_api"]})
    pages = admin.personal_access_tokens.list(iterator=True, per_page=20, user_id=erin.id)
    same((pages.total, pages.total_pages, pages.next_page), (45, 3, 2))
    same(len(set(ids(pages))), 45)
    newest = admin.personal_access_tokens.list(user_id=erin.id, sort="name_desc", page=1, per_page=1)
    same([token.name for token in newest], ["token 9"])


def look_after_yourself(admin):
    """What everybody may do with their own."""
    (dave,) = admin.users.list(username="dave")
    made = dave.personal_access_tokens.create({"name": "script", "scopes": ["api"]})
    same(made.expires_at, days_ahead(365))
    gl = connect_with(made.token)
    gl.auth()
    has(gl.user, id=dave.id, username="dave", bot=False)
    same(ids(gl.personal_access_tokens.list(get_all=True)), [made.id])
    own = gl.personal_access_tokens.get("self")
    same(own.id, made.id)

    answer = gl.personal_access_tokens.rotate("self", expires_at=days_ahead(14))
    same(answer["expires_at"], days_ahead(14))
    dead(made.token)
    gl = connect_with(answer["token"])
    own = gl.personal_access_tokens.get("self")
    own.rotate(self_rotate=True)
    same(own.expires_at, days_ahead(7))
    gl = connect_with(own.token)
    gl.personal_access_tokens.delete("self")
    dead(own.token)


def leave_others_alone(admin):
    """What nobody but an administrator may do with somebody else's."""
    (erin,) = admin.users.list(username="erin")
    made = erin.personal_access_tokens.create({"name": "hers", "scopes": ["api"]})
    gl = connect("DEVELOPER")
    refused(GitlabAuthenticationError, 401, "401 Unauthorized", gl.personal_access_tokens.get, made.id)
    refused(GitlabAuthenticationError, 401, "401 Unauthorized", gl.personal_access_tokens.rotate, made.id)
    refused(GitlabDeleteError, 400, "400 Bad request", gl.personal_access_tokens.delete, made.id)
    (hers,) = gl.users.list(username="erin")
    wanted = {"name": "mine", "scopes": ["api"]}
    refused(GitlabCreateError, 403, "403 Forbidden", hers.personal_access_tokens.create, wanted)
    refused(GitlabGetError, 404, "404 Not Found", admin.personal_access_tokens.get, 999999)
    connect_with(made.token).auth()


def main():
    admin = connect("ADMIN")
    administrate(admin)
    go_through_pages(admin)
    look_after_yourself(admin)
    leave_others_alone(admin)


main()
