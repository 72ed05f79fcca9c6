"""Members of groups and projects: listed, added, changed and removed; and bots, which are left alone."""

from gitlab.const import AccessLevel
from gitlab.exceptions import GitlabCreateError, GitlabDeleteError, GitlabGetError, GitlabUpdateError

from kit import connect, days_ahead, has, refused, same


def usernames(members):
    """The user names of a list, sorted."""
    return sorted(member.username for member in members)


def look(gl, acme, project):
    """Direct ones, and those of the groups above."""
    people = ["alice", "bob", "carol", "dave", "erin", "paula"]
    direct = acme.members.list(get_all=True)
    same([name for name in usernames(direct) if "_bot_" not in name], people)
    same([member.name for member in direct if "_bot_" in member.username], ["robot"])
    pages = acme.members.list(iterator=True, per_page=3)
    same((pages.total, pages.total_pages), (7, 3))
    same(usernames(pages), usernames(direct))
    same(usernames(acme.members.list(query="car")), ["carol"])

    (carol,) = acme.members.list(query="carol")
    has(carol, access_level=AccessLevel.DEVELOPER, state="active", expires_at=None, membership_state="active")
    same(acme.members.get(carol.id).attributes["username"], "carol")
    same(usernames(acme.members.list(user_ids=[carol.id])), ["carol"])
    same(project.members.list(get_all=True), [])
    same(len(project.members_all.list(get_all=True)), 7)
    inherited = project.members_all.get(carol.id)
    has(inherited, id=carol.id, access_level=AccessLevel.DEVELOPER)
    refused(GitlabGetError, 404, "404 Not found", project.members.get, carol.id)


def add(gl, resource, what):
    """By id and by name, until a day, and not twice."""
    (frank,) = gl.users.list(username="frank")
    made = resource.members.create(
        {"user_id": frank.id, "access_level": AccessLevel.REPORTER, "expires_at": days_ahead(10)}
    )
    has(made, id=frank.id, username="frank", access_level=AccessLevel.REPORTER, expires_at=days_ahead(10))
    same(made.created_by["username"], "alice")
    again = {"user_id": frank.id, "access_level": AccessLevel.GUEST}
    refused(GitlabCreateError, 409, "Member already exists", resource.members.create, again)
    by_name = resource.members.create({"username": "oscar", "access_level": AccessLevel.GUEST})
    has(by_name, username="oscar", access_level=AccessLevel.GUEST, expires_at=None)
    nobody = {"user_id": 999999, "access_level": AccessLevel.GUEST}
    refused(GitlabCreateError, 404, "404 User Not Found", resource.members.create, nobody)
    wrong = {"user_id": frank.id, "access_level": 35}
    refused(GitlabCreateError, 400, "access_level does not have a valid value", resource.members.create, wrong)
    refused(GitlabCreateError, 403, "403 Forbidden", what(connect("DEVELOPER")).members.create, again)
    return made, by_name


def change(resource, frank, what):
    """Another role, another end, and none."""
    frank.access_level = AccessLevel.DEVELOPER
    frank.expires_at = days_ahead(20)
    frank.save()
    has(resource.members.get(frank.id), access_level=AccessLevel.DEVELOPER, expires_at=days_ahead(20))
    frank.expires_at = ""
    frank.save()
    has(resource.members.get(frank.id), access_level=AccessLevel.DEVELOPER, expires_at=None)
    carol = what(connect("DEVELOPER"))
    refused(GitlabUpdateError, 403, "403 Forbidden", carol.members.update, frank.id, {"access_level": 40})


def remove(resource, frank, oscar):
    """As an object, and by id."""
    frank.delete()
    resource.members.delete(oscar.id)
    for person in [frank, oscar]:
        refused(GitlabGetError, 404, "404 Not found", resource.members.get, person.id)
        refused(GitlabDeleteError, 404, "404 Not found", resource.members.delete, person.id)


def leave_bots_alone(gl, acme, project):
    """A bot stays where it was made, in the role it was made for."""
    token = acme.access_tokens.create({"name": "ci", "scopes": ["api"], "access_level": AccessLevel.DEVELOPER})
    elsewhere = {"user_id": token.user_id, "access_level": AccessLevel.GUEST}
    text = {"user_id": ["project bots cannot be added to other groups / projects"]}
    for resource in [project, gl.groups.get("acme/sub")]:
        refused(GitlabCreateError, 400, text, resource.members.create, elsewhere)
    bot = acme.members.get(token.user_id)
    has(bot, name="ci", access_level=AccessLevel.DEVELOPER)
    bot.access_level = AccessLevel.OWNER
    text = "403 Forbidden - A bot's membership belongs to its token"
    refused(GitlabUpdateError, 403, text, bot.save)
    refused(GitlabDeleteError, 403, text, bot.delete)
    has(acme.members.get(token.user_id), access_level=AccessLevel.DEVELOPER)


def keep_an_owner(gl, acme):
    """The last Owner of a top-level group stays."""
    gl.auth()
    try:
        acme.members.delete(gl.user.id)
    except GitlabDeleteError as error:
        same(error.response_code, 403)
        assert error.error_message.startswith("403 Forbidden"), error.error_message
    else:
        raise AssertionError("expected a refusal: alice is the last Owner")


def main():
    gl = connect("OWNER")
    acme, project = gl.groups.get("acme"), gl.projects.get("acme/sub/p2")
    look(gl, acme, project)
    for resource, what in [
        (acme, lambda gl: gl.groups.get("acme")),
        (project, lambda gl: gl.projects.get("acme/sub/p2")),
    ]:
        frank, oscar = add(gl, resource, what)
        change(resource, frank, what)
        remove(resource, frank, oscar)
    leave_bots_alone(gl, acme, project)
    keep_an_owner(gl, acme)


main()
