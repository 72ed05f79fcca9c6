"""Projects: found, made, changed, moved and deleted."""

from gitlab.exceptions import GitlabCreateError, GitlabDeleteError, GitlabGetError, GitlabUpdateError

from kit import connect, has, ids, refused, same


def paths(projects):
    """The full paths of a list."""
    return [project.path_with_namespace for project in projects]


def make(gl, acme):
    """In a group, with a dot in its path, and in somebody's own namespace."""
    site = gl.projects.create(
        {"name": "Our site", "path": "site.io", "namespace_id": acme.id, "description": "what people see"}
    )
    has(site, name="Our site", path="site.io", path_with_namespace="acme/site.io", visibility="private")
    has(site, name_with_namespace="acme / Our site", description="what people see", archived=False)
    has(site, web_url=f"{gl.url}/acme/site.io", http_url_to_repo=f"{gl.url}/acme/site.io.git")
    same((site.namespace["id"], site.namespace["kind"]), (acme.id, "group"))

    notes = gl.projects.create({"name": "notes"})
    has(notes, path_with_namespace="alice/notes", visibility="private", name_with_namespace="Alice / notes")
    same((notes.namespace["kind"], notes.namespace["full_path"]), ("user", "alice"))
    same(notes.owner["username"], "alice")

    again = {"name": "Another", "path": "site.io", "namespace_id": acme.id}
    refused(GitlabCreateError, 400, {"path": ["has already been taken"]}, gl.projects.create, again)
    outsider = connect("OUTSIDER").projects
    refused(GitlabCreateError, 404, "404 Namespace Not Found", outsider.create, again)
    return site, notes


def find(gl, site, notes):
    """By id, by path, and in lists."""
    same(gl.projects.get("acme/site.io").attributes, gl.projects.get(site.id).attributes)
    same(gl.projects.get("Acme/Site.IO").id, site.id, "whatever the case")
    same(gl.projects.get("alice/notes").id, notes.id)
    same(gl.projects.get("acme/sub/deep/p3").path, "p3")
    same(gl.projects.get(site.id).permissions["group_access"]["access_level"], 50)
    refused(GitlabGetError, 404, "404 Project Not Found", gl.projects.get, "acme/nothing")
    refused(GitlabGetError, 404, "404 Project Not Found", gl.projects.get, "nothing")
    refused(GitlabGetError, 404, "404 Project Not Found", connect("OUTSIDER").projects.get, site.id)

    everything = ["acme/p1", "acme/sub/p2", "acme/sub/deep/p3", "acme/site.io", "alice/notes"]
    for expected, filters in [
        (everything, {"order_by": "id", "sort": "asc"}),
        (everything[::-1], {"order_by": "id", "sort": "desc"}),
        (["acme/site.io"], {"search": "SITE"}),
        (["acme/sub/deep/p3"], {"search": "deep", "search_namespaces": True}),
        (["alice/notes"], {"search": "alice", "search_namespaces": True}),
        ([], {"visibility": "public"}),
        ([], {"archived": True}),
        (everything, {"owned": True, "order_by": "id", "sort": "asc"}),
        (everything, {"membership": True, "order_by": "id", "sort": "asc"}),
        (everything[2:], {"id_after": gl.projects.get("acme/sub/p2").id, "order_by": "id", "sort": "asc"}),
        (["acme/sub/p2"], {"search": "p2", "min_access_level": 50}),
    ]:
        same(paths(gl.projects.list(get_all=True, **filters)), expected, filters)
    (simple,) = gl.projects.list(search="site", simple=True)
    assert "visibility" not in simple.attributes

    acme = gl.groups.get("acme")
    same(sorted(paths(acme.projects.list(get_all=True))), ["acme/p1", "acme/site.io"])
    same(len(acme.projects.list(get_all=True, include_subgroups=True)), 4)
    same(connect("OUTSIDER").projects.list(get_all=True), [])


def go_through_pages(gl, acme):
    """45 projects in a group of their own, by number and from row to row."""
    many = gl.groups.create({"name": "many", "path": "many", "parent_id": acme.id})
    for number in range(45):
        gl.projects.create({"name": f"project {number:02}", "namespace_id": many.id})
    pages = gl.projects.list(iterator=True, per_page=20, search="project ")
    same((pages.total, pages.total_pages, pages.next_page), (45, 3, 2))
    same(len(set(ids(pages))), 45)
    same(len(many.projects.list(get_all=True, per_page=20)), 45)

    for sort in ["asc", "desc"]:
        expected = ids(gl.projects.list(get_all=True, order_by="id", sort=sort, per_page=100))
        rows = gl.projects.list(iterator=True, pagination="keyset", order_by="id", sort=sort, per_page=20)
        same((rows.total, len(expected)), (None, 50), "nothing is counted")
        same(ids(rows), expected)
    many.delete()


def change(gl, site):
    """Name, address, description and visibility."""
    site.name = "The site"
    site.path = "www.acme.io"
    site.description = ""
    site.save()
    has(site, name="The site", path_with_namespace="acme/www.acme.io", description="")
    same(gl.projects.get("acme/www.acme.io").id, site.id)
    wider = {"visibility": "public"}
    try:
        gl.projects.update(site.id, wider)
    except GitlabUpdateError as error:
        same((error.response_code, list(error.error_message)), (400, ["visibility"]))
    else:
        raise AssertionError("expected a refusal: the group is private")
    carol = connect("DEVELOPER").projects
    refused(GitlabUpdateError, 403, "403 Forbidden", carol.update, site.id, {"name": "x"})
    made = carol.create({"name": "by-carol", "namespace_id": site.namespace["id"]})
    same(made.path_with_namespace, "acme/by-carol")


def move(gl, site, notes):
    """By the path and by the id of where to."""
    sub = gl.groups.get("acme/sub")
    site.transfer("acme/sub/deep")
    same(gl.projects.get(site.id).path_with_namespace, "acme/sub/deep/www.acme.io")
    site.transfer(sub.id)
    same(gl.projects.get(site.id).namespace["full_path"], "acme/sub")
    notes.transfer("acme/sub")
    moved = gl.projects.get("acme/sub/notes")
    same((moved.id, moved.namespace["kind"]), (notes.id, "group"))
    notes.transfer("alice")
    same(gl.projects.get("alice/notes").id, notes.id)


def delete(gl, site, notes):
    """With what belongs to it."""
    refused(GitlabDeleteError, 403, "403 Forbidden", connect("DEVELOPER").projects.delete, site.id)
    site.delete()
    gl.projects.delete("alice/notes")
    for project in [site, notes]:
        refused(GitlabGetError, 404, "404 Project Not Found", gl.projects.get, project.id)


def main():
    gl = connect("OWNER")
    acme = gl.groups.get("acme")
    site, notes = make(gl, acme)
    find(gl, site, notes)
    go_through_pages(gl, acme)
    change(gl, site)
    move(gl, site, notes)
    delete(gl, site, notes)


main()
