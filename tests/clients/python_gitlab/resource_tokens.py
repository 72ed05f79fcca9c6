"""The tokens of a group or of a project, from the first to the last request about them."""

import sys

from gitlab.const import AccessLevel

from kit import connect, connect_with, days_ahead, dead, has, ids, matches, names, same, TOKEN

KIND = sys.argv[1]
PATH = {"group": "acme/sub", "project": "acme/sub/p2"}[KIND]


def resource_of(gl, **options):
    """The group or the project."""
    return (gl.groups if KIND == "group" else gl.projects).get(PATH, **options)


def create_with_little(tokens):
    """Only a name and scopes: everything else has a default."""
    token = tokens.create({"name": "nightly", "scopes": ["api", "read_repository"]})
    has(
        token,
        name="nightly",
        description=None,
        scopes=["api", "read_repository"],
        access_level=AccessLevel.MAINTAINER,
        expires_at=days_ahead(365),
        created_at=f"{days_ahead(0)}T10:00:00.000Z",
        last_used_at=None,
        active=True,
        revoked=False,
    )
    matches(token.token, TOKEN)
    return token


def create_with_everything(tokens):
    """All that can be said."""
    wanted = {
        "name": "release",
        "description": "what the release job uses",
        "scopes": ["read_api"],
        "access_level": AccessLevel.DEVELOPER,
        "expires_at": days_ahead(30),
    }
    token = tokens.create(wanted)
    has(token, **wanted)
    return token


def show(tokens, created):
    """The same again, but for the value."""
    shown = tokens.get(created.id)
    fields = dict(created.attributes)
    del fields["token"]
    same(shown.attributes, fields)


def act_as_its_bot(value, token):
    """The value opens what the bot may see, and says who it is."""
    gl = connect_with(value)
    gl.auth()
    has(gl.user, id=token.user_id, name=token.name, bot=True, state="active")
    matches(gl.user.username, rf"{KIND}_{resource_of(gl).id}_bot_[0-9a-f]{{32}}")
    own = gl.personal_access_tokens.get("self")
    has(own, id=token.id, user_id=token.user_id, scopes=token.scopes, active=True)
    assert not hasattr(own, "token")


def go_through_pages(tokens):
    """45 tokens, 20 on a page: the iterator follows the links, whatever the order."""
    for number in range(43):
        tokens.create({"name": f"token {number:02}", "scopes": ["read_api"]})
    pages = tokens.list(iterator=True, per_page=20)
    same((pages.current_page, pages.prev_page, pages.next_page), (1, None, 2))
    same((pages.per_page, pages.total_pages, pages.total, len(pages)), (20, 3, 45, 45))
    everything = list(pages)
    same((len(everything), pages.current_page, pages.next_page), (45, 3, None))
    same(ids(everything), sorted(set(ids(everything))), "each once, by id")
    same(ids(tokens.list(get_all=True, per_page=20)), ids(everything))
    same(ids(tokens.list(page=3, per_page=20)), ids(everything)[40:])
    same(tokens.list(page=4, per_page=20), [])

    backwards = list(tokens.list(iterator=True, per_page=20, sort="name_desc", search="token"))
    same(names(backwards), [f"token {number:02}" for number in reversed(range(43))])


def filter_the_list(tokens, nightly, release):
    """Each filter, alone and together."""
    for expected, filters in [
        ([nightly.id], {"search": "nightly"}),
        ([nightly.id], {"search": "NIGHT"}),
        ([release.id], {"expires_before": days_ahead(31)}),
        ([release.id], {"expires_before": days_ahead(31), "state": "active"}),
        ([], {"expires_before": days_ahead(31), "state": "inactive"}),
        ([], {"expires_before": days_ahead(30)}),
        ([], {"state": "inactive"}),
        ([], {"revoked": True}),
        ([], {"created_before": f"{days_ahead(-1)}T00:00:00Z"}),
        ([], {"created_after": days_ahead(1)}),
        ([], {"last_used_before": days_ahead(-1)}),
    ]:
        same(ids(tokens.list(get_all=True, **filters)), expected, filters)
    same(ids(tokens.list(page=1, per_page=2, revoked=False)), [nightly.id, release.id])
    by_expiry = tokens.list(get_all=True, sort="expires_asc")
    same(by_expiry[0].id, release.id, "the first to expire")
    same(tokens.list(get_all=True, sort="expires_desc")[-1].id, release.id, "the last")


def rotate(tokens, token):
    """A new value for the same bot; the old one is dead at once."""
    old_id, old_value = token.id, token.token
    token.rotate()
    has(token, user_id=token.user_id, name="nightly", expires_at=days_ahead(7), active=True)
    assert token.id != old_id
    matches(token.token, TOKEN)
    dead(old_value)

    old_value = token.token
    answer = tokens.rotate(token.id, expires_at=days_ahead(60))
    same(answer["expires_at"], days_ahead(60))
    same(answer["user_id"], token.user_id)
    same(answer["access_level"], AccessLevel.MAINTAINER)
    dead(old_value)
    return tokens.get(answer["id"]), answer["token"]


def rotate_itself(value):
    """A token gets itself a new value, under either address."""
    gl = connect_with(value)
    own = gl.personal_access_tokens.get("self")
    own.rotate(self_rotate=True, expires_at=days_ahead(20))
    same(own.expires_at, days_ahead(20))
    dead(value)

    value = own.token
    gl = connect_with(value)
    own = resource_of(gl, lazy=True).access_tokens.get(own.id, lazy=True)
    own.rotate(self_rotate=True)
    same(own.expires_at, days_ahead(7))
    same(own.access_level, AccessLevel.MAINTAINER)
    dead(value)
    return own.token


def revoke(tokens, release):
    """By id, as an object, and by itself."""
    value, gone = release.token, tokens.create({"name": "gone", "scopes": ["api"]})
    release.delete()
    tokens.delete(gone.id)
    dead(value)
    dead(gone.token)
    same(tokens.list(get_all=True, state="active", search="release"), [])

    last = tokens.create({"name": "last", "scopes": ["read_repository"]})
    connect_with(last.token).personal_access_tokens.delete("self")
    dead(last.token)


def main():
    tokens = resource_of(connect("OWNER")).access_tokens
    nightly = create_with_little(tokens)
    release = create_with_everything(tokens)
    show(tokens, nightly)
    show(tokens, release)
    go_through_pages(tokens)
    filter_the_list(tokens, nightly, release)
    act_as_its_bot(nightly.token, nightly)
    rotated, value = rotate(tokens, nightly)
    act_as_its_bot(value, rotated)
    value = rotate_itself(value)
    connect_with(value).auth()
    revoke(tokens, release)


main()
