"""Groups: found, made, changed, moved and deleted."""

from gitlab.exceptions import (
    GitlabCreateError,
    GitlabDeleteError,
    GitlabGetError,
    GitlabGroupTransferError,
    GitlabUpdateError,
)

from kit import connect, has, ids, names, refused, same


def find(gl):
    """By id, by path, and in lists."""
    acme = gl.groups.get("acme")
    has(acme, path="acme", full_path="acme", visibility="private", parent_id=None)
    has(acme, web_url=f"{gl.url}/groups/acme", resource_access_token_creation_allowed=True)
    same(gl.groups.get(acme.id).attributes, acme.attributes)
    deep = gl.groups.get("acme/sub/deep")
    has(deep, full_path="acme/sub/deep", full_name="acme / sub / deep")
    same(gl.groups.get("ACME/Sub").id, deep.parent_id, "whatever the case")
    embedded = acme.attributes["projects"]
    same([project["path_with_namespace"] for project in embedded], ["acme/p1"])
    assert "projects" not in gl.groups.get("acme", with_projects=False).attributes

    same([group.full_path for group in gl.groups.list(get_all=True)], ["acme", "acme/sub/deep", "acme/sub"])
    for expected, filters in [
        (["acme"], {"top_level_only": True}),
        (["acme/sub/deep"], {"search": "deep"}),
        (["acme", "acme/sub"], {"skip_groups": [deep.id]}),
        (["acme/sub", "acme/sub/deep", "acme"], {"order_by": "path", "sort": "desc"}),
        (["acme", "acme/sub", "acme/sub/deep"], {"order_by": "id"}),
        (["acme", "acme/sub/deep", "acme/sub"], {"owned": True}),
        ([], {"visibility": "public"}),
    ]:
        found = gl.groups.list(get_all=True, **filters)
        same([group.full_path for group in found], expected, filters)
    same(connect("DEVELOPER").groups.list(get_all=True, min_access_level=40), [])
    same(names(acme.subgroups.list(get_all=True)), ["sub"])
    same(names(acme.descendant_groups.list(get_all=True)), ["deep", "sub"])
    refused(GitlabGetError, 404, "404 Group Not Found", gl.groups.get, "acme/nothing")
    refused(GitlabGetError, 404, "404 Group Not Found", connect("OUTSIDER").groups.get, acme.id)


def make(gl, acme):
    """At the top, and below another."""
    tools = gl.groups.create({"name": "Our tools", "path": "tools", "visibility": "internal"})
    has(tools, name="Our tools", full_path="tools", visibility="internal", parent_id=None)
    build = gl.groups.create(
        {"name": "Build", "path": "build", "parent_id": tools.id, "description": "what builds"}
    )
    has(build, full_path="tools/build", full_name="Our tools / Build", description="what builds")
    same(build.parent_id, tools.id)
    refused(
        GitlabCreateError,
        400,
        'Failed to save group {:path=>["has already been taken"]}',
        gl.groups.create,
        {"name": "Tools", "path": "tools"},
    )
    below = {"name": "x", "path": "x", "parent_id": acme.id}
    refused(GitlabCreateError, 403, "403 Forbidden", connect("DEVELOPER").groups.create, below)
    return tools, build


def go_through_pages(gl, tools):
    """45 subgroups, 20 on a page, by number and from row to row."""
    for number in range(44):
        gl.groups.create({"name": f"Team {number:02}", "path": f"team-{number:02}", "parent_id": tools.id})
    pages = tools.subgroups.list(iterator=True, per_page=20)
    same((pages.total, pages.total_pages), (45, 3))
    by_name = names(pages)
    same(by_name, ["Build"] + [f"Team {number:02}" for number in range(44)])
    expected = ids(gl.groups.list(get_all=True, order_by="id", sort="asc"))
    keyset = {"iterator": True, "pagination": "keyset", "order_by": "id", "sort": "asc", "per_page": 20}
    same(ids(gl.groups.list(**keyset)), expected)
    keyset["order_by"] = "name"
    same(sorted(ids(gl.groups.list(**keyset))), expected)


def change(gl, tools, build):
    """Names, addresses, and the switch for tokens."""
    build.name = "Builds"
    build.path = "builds"
    build.description = ""
    build.save()
    has(build, name="Builds", full_path="tools/builds", description="")
    tools.resource_access_token_creation_allowed = False
    tools.save()
    same(gl.groups.get(build.id).resource_access_token_creation_allowed, False)
    refused(
        GitlabCreateError,
        400,
        "400 Bad request - User does not have permission to create group access token",
        build.access_tokens.create,
        {"name": "ci", "scopes": ["api"]},
    )
    gl.groups.update(tools.id, {"resource_access_token_creation_allowed": True})
    build.access_tokens.create({"name": "ci", "scopes": ["api"]})
    refused(
        GitlabUpdateError,
        400,
        {"resource_access_token_creation_allowed": ["can only be changed on a top-level group"]},
        gl.groups.update,
        build.id,
        {"resource_access_token_creation_allowed": False},
    )
    carol = connect("DEVELOPER")
    refused(GitlabUpdateError, 403, "403 Forbidden", carol.groups.update, gl.groups.get("acme").id, {"name": "x"})


def move(gl, tools, build, acme):
    """Below another group, and to the top."""
    build.transfer(acme.id)
    has(gl.groups.get(build.id), full_path="acme/builds", parent_id=acme.id)
    build.transfer()
    has(gl.groups.get("builds"), id=build.id, parent_id=None)
    taken = gl.groups.create({"name": "Builds", "path": "builds", "parent_id": tools.id})
    message = {"path": ["has already been taken"]}
    refused(GitlabGroupTransferError, 400, message, build.transfer, tools.id)
    taken.delete()
    build.transfer(tools.id)
    same(gl.groups.get(build.id).full_path, "tools/builds")


def delete(gl, tools, acme):
    """With everything in it."""
    refused(GitlabDeleteError, 403, "403 Forbidden", connect("DEVELOPER").groups.delete, acme.id)
    tools.delete()
    refused(GitlabGetError, 404, "404 Group Not Found", gl.groups.get, tools.id)
    refused(GitlabGetError, 404, "404 Group Not Found", gl.groups.get, "tools/builds")


def main():
    gl = connect("OWNER")
    find(gl)
    acme = gl.groups.get("acme")
    tools, build = make(gl, acme)
    go_through_pages(gl, tools)
    change(gl, tools, build)
    move(gl, tools, build, acme)
    delete(gl, tools, acme)


main()
