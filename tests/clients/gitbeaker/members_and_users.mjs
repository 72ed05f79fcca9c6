// Members of groups and projects, and users.

import assert from "node:assert/strict";

import { connect, connectWith, daysAhead, each, has, refused } from "./kit.mjs";

const gl = connect("OWNER");

async function members(list, resource) {
  const [frank] = await gl.Users.all({ username: "frank" });
  const added = await list.add(resource, 20, { userId: frank.id, expiresAt: daysAhead(10) });
  has(added, { id: frank.id, username: "frank", access_level: 20, expires_at: daysAhead(10) });
  await refused(409, "Member already exists", list.add(resource, 20, { userId: frank.id }));
  has(await list.edit(resource, frank.id, 30, { expiresAt: daysAhead(20) }), {
    access_level: 30,
    expires_at: daysAhead(20),
  });
  has(await list.show(resource, frank.id), { access_level: 30, state: "active" });
  assert.ok(each(await list.all(resource), "username").includes("frank"));
  const all = await list.all(resource, { includeInherited: true, perPage: 3 });
  assert.deepEqual(
    ["alice", "bob", "carol", "frank"].filter((name) => !each(all, "username").includes(name)),
    [],
  );
  assert.equal(new Set(each(all, "id")).size, all.length);
  await list.remove(resource, frank.id);
  await refused(404, "404 Not found", list.show(resource, frank.id));
}

async function bots() {
  const token = await gl.GroupAccessTokens.create("acme", "ci", ["api"], daysAhead(10), { accessLevel: 20 });
  const text = "project bots cannot be added to other groups / projects";
  await refused(
    400,
    JSON.stringify({ user_id: [text] }),
    gl.ProjectMembers.add("acme/p1", 30, { userId: token.user_id }),
  );
  const reason = "403 Forbidden - A bot's membership belongs to its token";
  await refused(403, reason, gl.GroupMembers.edit("acme", token.user_id, 50));
  await refused(403, reason, gl.GroupMembers.remove("acme", token.user_id));
  has(await gl.GroupMembers.show("acme", token.user_id), { name: "ci", access_level: 20 });
  has(await gl.Users.show(token.user_id), { bot: true, name: "ci" });
}

async function users() {
  has(await gl.Users.showCurrentUser(), { username: "alice", bot: false, state: "active", email: "alice@example.com" });
  const admin = connect("ADMIN");
  const people = await admin.Users.all({ withoutProjectBots: true, perPage: 3 });
  assert.equal(new Set(each(people, "username")).size, people.length);
  assert.ok(people.length >= 10 && people.every((user) => !user.username.includes("_bot_")));
  const zoe = await admin.Users.create({
    email: "zoe@example.com",
    username: "zoe",
    name: "Zoe",
    password: "six chairs sing in the rain",
  });
  has(zoe, { username: "zoe", state: "active", is_admin: false });
  has(await admin.Users.edit(zoe.id, { name: "Zoë" }), { name: "Zoë", username: "zoe" });
  const token = await admin.PersonalAccessTokens.create(zoe.id, "script", ["api"]);
  assert.equal(await admin.Users.block(zoe.id), true);
  await refused(
    403,
    "403 Forbidden - Your account has been blocked.",
    connectWith(token.token).Users.showCurrentUser(),
  );
  assert.deepEqual(each(await admin.Users.all({ blocked: true }), "username"), ["zoe"]);
  assert.equal(await admin.Users.unblock(zoe.id), true);
  has(await connectWith(token.token).Users.showCurrentUser(), { username: "zoe" });
  await admin.Users.remove(zoe.id);
  const metadata = await gl.Metadata.show();
  assert.match(metadata.version, /^\d+\.\d+\.\d+$/);
  has(metadata, { enterprise: false });
}

await members(gl.GroupMembers, "acme/sub");
await members(gl.ProjectMembers, "acme/sub/p2");
await bots();
await users();
