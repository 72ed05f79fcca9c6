"""Code: branches, commits, files, trees and archives."""

import io
import tarfile

from gitlab.exceptions import GitlabCreateError, GitlabDeleteError, GitlabGetError, GitlabUpdateError

from kit import connect, has, refused, same


def write(project):
    """Files are written, read, changed and deleted."""
    same(project.repository_tree(), [])
    same((project.branches.list(), project.commits.list()), ([], []))
    made = project.files.create(
        {"file_path": "docs/a b.md", "branch": "main", "content": "one\n", "commit_message": "Begin"}
    )
    has(made, file_path="docs/a b.md", branch="main")
    project.files.create(
        {
            "file_path": "logo.bin",
            "branch": "main",
            "content": "AP8=",
            "encoding": "base64",
            "commit_message": "Add a picture",
            "author_name": "Grace",
            "author_email": "grace@example.com",
        }
    )
    again = {"file_path": "logo.bin", "branch": "main", "content": "", "commit_message": "x"}
    refused(GitlabCreateError, 400, "A file with this name already exists", project.files.create, again)

    file = project.files.get(file_path="docs/a b.md", ref="main")
    has(file, file_name="a b.md", size=4, encoding="base64", ref="main")
    same(file.decode(), b"one\n")
    file.content = "one\ntwo\n"
    file.save(branch="main", commit_message="Go on")
    same(project.files.raw(file_path="docs/a b.md", ref="main"), b"one\ntwo\n")
    same(project.files.raw(file_path="logo.bin", ref="HEAD"), b"\x00\xff")
    same(project.files.head("logo.bin", ref="main")["X-Gitlab-Size"], "2")
    refused(
        GitlabGetError, 404, "404 File Not Found", project.files.get, file_path="nothing", ref="main"
    )


def look(project):
    """Trees, commits and archives."""
    same([entry["path"] for entry in project.repository_tree()], ["docs", "logo.bin"])
    deep = project.repository_tree(recursive=True, get_all=True, per_page=1)
    same([entry["path"] for entry in deep], ["docs", "docs/a b.md", "logo.bin"])
    same([entry["name"] for entry in project.repository_tree(path="docs", ref="main")], ["a b.md"])
    refused(GitlabGetError, 404, "404 Tree Not Found", project.repository_tree, path="nothing")

    commits = project.commits.list(get_all=True, per_page=1)
    same([commit.title for commit in commits], ["Go on", "Add a picture", "Begin"])
    same([commit.title for commit in project.commits.list(query_parameters={"path": "docs"}, get_all=True)], ["Go on", "Begin"])
    commit = project.commits.get(commits[1].short_id)
    has(commit, author_name="Grace", author_email="grace@example.com", project_id=project.id)
    same(project.commits.get("main").stats, {"additions": 1, "deletions": 0, "total": 1})
    refused(GitlabGetError, 404, "404 Commit Not Found", project.commits.get, "0" * 40)

    archive = tarfile.open(fileobj=io.BytesIO(project.repository_archive(sha="main")))
    names = [name.partition("/")[2] for name in archive.getnames()]
    assert "docs/a b.md" in names, names
    same(project.repository_archive(format="zip")[:2], b"PK")


def branch(project):
    """Branches come and go."""
    made = project.branches.create({"branch": "feature/one", "ref": "main"})
    has(made, name="feature/one", default=False, merged=False, protected=False)
    twice = {"branch": "feature/one", "ref": "main"}
    refused(GitlabCreateError, 400, "Branch already exists", project.branches.create, twice)
    same([branch.name for branch in project.branches.list(get_all=True)], ["feature/one", "main"])
    same([branch.name for branch in project.branches.list(search="feature")], ["feature/one"])
    same(project.branches.get("main").commit["title"], "Go on")
    project.files.delete(file_path="logo.bin", branch="feature/one", commit_message="Away")
    same([entry["path"] for entry in project.repository_tree(ref="feature/one")], ["docs"])
    made.delete()
    refused(GitlabGetError, 404, "404 Branch Not Found", project.branches.get, "feature/one")
    try:
        project.branches.delete("main")
    except GitlabDeleteError as error:
        same(error.response_code, 403)
    else:
        raise AssertionError("the default branch was deleted")
    same(project.tags.list(), [])
    refused(GitlabGetError, 404, "404 Tag Not Found", project.tags.get, "v1")


def by_others(project):
    """Developers have their branches; nobody else knows of anything."""
    carol = connect("DEVELOPER").projects.get(project.id)
    file = {"file_path": "c", "branch": "main", "content": "c", "commit_message": "c"}
    try:
        carol.files.create(file)
    except GitlabCreateError as error:
        same(error.response_code, 403)
    else:
        raise AssertionError("a Developer wrote to the default branch")
    carol.files.create({**file, "branch": "carols", "start_branch": "main"})
    same(carol.branches.get("carols").can_push, True)
    changed = carol.files.get(file_path="c", ref="carols")
    changed.last_commit_id = "0" * 40
    stale = {"branch": "carols", "content": "d", "commit_message": "d", "last_commit_id": "0" * 40}
    text = "You are attempting to update a file that has changed since you started editing it."
    refused(GitlabUpdateError, 400, text, carol.files.update, "c", stale)
    reader = connect("READER").projects.get(project.id)
    same(reader.files.raw(file_path="c", ref="carols"), b"c")


def main():
    project = connect("OWNER").projects.get("acme/p1")
    write(project)
    look(project)
    branch(project)
    by_others(project)


main()
