// Groups and projects: found, made, changed, moved and deleted.

import assert from "node:assert/strict";

import { connect, each, has, refused, URL } from "./kit.mjs";

const gl = connect("OWNER");

async function groups() {
  const acme = await gl.Groups.show("acme");
  has(acme, { full_path: "acme", visibility: "private", parent_id: null, web_url: `${URL}/groups/acme` });
  assert.equal(acme.resource_access_token_creation_allowed, true);
  const deep = await gl.Groups.show("acme/sub/deep");
  has(deep, { full_path: "acme/sub/deep", full_name: "acme / sub / deep" });
  assert.equal((await gl.Groups.show(deep.id)).full_path, "acme/sub/deep");

  assert.deepEqual(each(await gl.Groups.all(), "path"), ["acme", "deep", "sub"]);
  assert.deepEqual(each(await gl.Groups.all({ skipGroups: [deep.id], orderBy: "id" }), "path"), ["acme", "sub"]);
  assert.deepEqual(each(await gl.Groups.all({ topLevelOnly: true }), "path"), ["acme"]);
  assert.deepEqual(each(await gl.Groups.search("deep"), "id"), [deep.id]);
  assert.deepEqual(each(await gl.Groups.allSubgroups("acme"), "path"), ["sub"]);
  assert.deepEqual(each(await gl.Groups.allDescendantGroups("acme"), "path"), ["deep", "sub"]);
  const projects = await gl.Groups.allProjects("acme", { includeSubgroups: true });
  assert.deepEqual(each(projects, "path").sort(), ["p1", "p2", "p3"]);

  const tools = await gl.Groups.create("Our tools", "tools", { visibility: "internal", description: "what we use" });
  has(tools, { name: "Our tools", full_path: "tools", visibility: "internal", description: "what we use" });
  const build = await gl.Groups.create("Build", "build", { parentId: tools.id });
  has(build, { full_path: "tools/build", parent_id: tools.id });
  has(await gl.Groups.edit(build.id, { name: "Builds", path: "builds" }), { name: "Builds", full_path: "tools/builds" });
  has(await gl.Groups.edit(tools.id, { resourceAccessTokenCreationAllowed: false }), {
    resource_access_token_creation_allowed: false,
  });
  await gl.Groups.transfer(build.id, { groupId: acme.id });
  has(await gl.Groups.show(build.id), { full_path: "acme/builds", parent_id: acme.id });
  await gl.Groups.transfer(build.id);
  has(await gl.Groups.show("builds"), { id: build.id, parent_id: null });

  for (let number = 0; number < 44; number += 1) {
    await gl.Groups.create(`Team ${number}`, `team-${number}`, { parentId: tools.id });
  }
  const subgroups = await gl.Groups.allSubgroups("tools", { perPage: 20, showExpanded: true });
  assert.equal(subgroups.data.length, 44);
  const keyset = await gl.Groups.all({ pagination: "keyset", orderBy: "id", sort: "asc", perPage: 20 });
  assert.deepEqual(each(keyset, "id"), each(await gl.Groups.all({ orderBy: "id", perPage: 100 }), "id"));
  assert.equal(keyset.length, 49);

  for (const group of [tools, build]) {
    await gl.Groups.remove(group.id);
    await refused(404, "404 Group Not Found", gl.Groups.show(group.id));
  }
}

async function projects() {
  const acme = await gl.Groups.show("acme");
  const site = await gl.Projects.create({
    name: "Our site",
    path: "site.io",
    namespaceId: acme.id,
    description: "what people see",
  });
  has(site, { path_with_namespace: "acme/site.io", name: "Our site", description: "what people see" });
  has(site, { visibility: "private", web_url: `${URL}/acme/site.io` });
  const notes = await gl.Projects.create({ name: "notes" });
  has(notes, { path_with_namespace: "alice/notes" });
  assert.equal((await gl.Projects.show("acme/site.io")).id, site.id);
  assert.equal((await gl.Projects.show("alice/notes")).owner.username, "alice");
  assert.deepEqual(each(await gl.Projects.search("site"), "id"), [site.id]);
  assert.deepEqual(each(await gl.Projects.all({ search: "p2", minAccessLevel: 50 }), "path"), ["p2"]);

  has(await gl.Projects.edit(site.id, { name: "The site", description: "", path: "www.acme.io" }), {
    name: "The site",
    description: "",
    path_with_namespace: "acme/www.acme.io",
  });
  has(await gl.Projects.transfer(site.id, "acme/sub"), { path_with_namespace: "acme/sub/www.acme.io" });
  has(await gl.Projects.transfer(site.id, acme.id), { path_with_namespace: "acme/www.acme.io" });

  for (let number = 0; number < 40; number += 1) {
    await gl.Projects.create({ name: `project ${number}`, namespaceId: acme.id });
  }
  const all = await gl.Projects.all({ perPage: 20, showExpanded: true });
  assert.equal(all.data.length, 45);
  const first = await gl.Projects.all({ perPage: 20, page: 1, showExpanded: true });
  has(first.paginationInfo, { total: 45, next: 2, previous: null, totalPages: 3 });
  for (const sort of ["asc", "desc"]) {
    const keyset = await gl.Projects.all({ pagination: "keyset", orderBy: "id", sort, perPage: 20 });
    assert.deepEqual(each(keyset, "id"), each(await gl.Projects.all({ orderBy: "id", sort, perPage: 100 }), "id"));
    assert.equal(keyset.length, 45);
  }
  for (const project of [site, notes]) {
    await gl.Projects.remove(project.id);
    await refused(404, "404 Project Not Found", gl.Projects.show(project.id));
  }
}

await groups();
await projects();
