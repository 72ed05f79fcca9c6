// Tokens of groups, of projects and of people, from the first to the last request about them.

import assert from "node:assert/strict";

import { connect, connectWith, daysAhead, dead, each, has, TODAY, TOKEN } from "./kit.mjs";

/** All that is done with the tokens of one group or project. */
async function live(tokens, resource, kind) {
  const nightly = await tokens.create(resource, "nightly", ["api", "read_repository"], daysAhead(90), {
    accessLevel: 30,
    description: "what the nightly job uses",
  });
  has(nightly, {
    name: "nightly",
    description: "what the nightly job uses",
    scopes: ["api", "read_repository"],
    access_level: 30,
    expires_at: daysAhead(90),
    created_at: `${TODAY}T10:00:00.000Z`,
    last_used_at: null,
    active: true,
    revoked: false,
  });
  assert.match(nightly.token, TOKEN);
  const byDefault = await tokens.create(resource, "by default", ["read_api"]);
  has(byDefault, { access_level: 40, expires_at: daysAhead(365), description: null });

  const { token, ...fields } = nightly;
  assert.deepEqual(await tokens.show(resource, nightly.id), fields);

  for (let number = 0; number < 43; number += 1) {
    await tokens.create(resource, `token ${String(number).padStart(2, "0")}`, ["read_api"], daysAhead(10));
  }
  const all = await tokens.all(resource, { perPage: 20 });
  assert.equal(all.length, 45);
  assert.equal(new Set(each(all, "id")).size, 45);
  assert.ok(all.every((listed) => !("token" in listed)));
  const second = await tokens.all(resource, { perPage: 20, page: 2, showExpanded: true });
  assert.deepEqual(second.paginationInfo, {
    total: 45, next: 3, current: 2, previous: 1, perPage: 20, totalPages: 3,
  });
  assert.deepEqual(each(second.data, "id"), each(all, "id").slice(20, 40));
  const two = await tokens.all(resource, { perPage: 10, maxPages: 2 });
  assert.equal(two.length, 20);
  for (const [expected, filters] of [
    [["nightly"], { search: "nightly" }],
    [["token 42", "token 41"], { search: "token", sort: "name_desc", page: 1, perPage: 2 }],
    [[], { state: "inactive" }],
    [[], { revoked: true }],
    [["by default"], { expiresAfter: daysAhead(100) }],
    [["nightly"], { expiresAfter: daysAhead(50), expiresBefore: daysAhead(100), state: "active" }],
    [[], { createdBefore: daysAhead(-1) }],
  ]) {
    assert.deepEqual(each(await tokens.all(resource, filters), "name"), expected, JSON.stringify(filters));
  }

  const bot = await connectWith(nightly.token).Users.showCurrentUser();
  has(bot, { id: nightly.user_id, name: "nightly", bot: true, state: "active" });
  assert.match(bot.username, new RegExp(`^${kind}_\\d+_bot_[0-9a-f]{32}$`));

  const rotated = await tokens.rotate(resource, nightly.id);
  has(rotated, { name: "nightly", user_id: nightly.user_id, expires_at: daysAhead(7), access_level: 30 });
  assert.notEqual(rotated.id, nightly.id);
  await dead(nightly.token);
  const again = await tokens.rotate(resource, rotated.id, { expiresAt: daysAhead(60) });
  has(again, { expires_at: daysAhead(60), last_used_at: null });
  await dead(rotated.token);

  const itself = await connectWith(again.token)[`${kind[0].toUpperCase()}${kind.slice(1)}AccessTokens`].rotate(
    resource,
    "self",
    { expiresAt: daysAhead(20) },
  );
  has(itself, { expires_at: daysAhead(20), user_id: nightly.user_id });
  await dead(again.token);

  await tokens.revoke(resource, itself.id);
  await dead(itself.token);
  assert.deepEqual(await tokens.all(resource, { search: "nightly", state: "active" }), []);
}

/** What an administrator does with tokens of people, and people with their own. */
async function livePersonally() {
  const admin = connect("ADMIN");
  const [carol] = await admin.Users.all({ username: "carol" });
  const made = await admin.PersonalAccessTokens.create(carol.id, "laptop", ["api"], { expiresAt: daysAhead(30) });
  has(made, { name: "laptop", scopes: ["api"], user_id: carol.id, expires_at: daysAhead(30), active: true });
  assert.match(made.token, TOKEN);
  const other = await admin.Users.createPersonalAccessToken(carol.id, "desktop", ["read_api"]);
  has(other, { name: "desktop", expires_at: daysAhead(365) });
  has(await admin.PersonalAccessTokens.show({ tokenId: made.id }), { id: made.id, name: "laptop" });
  const hers = await admin.PersonalAccessTokens.all({ userId: carol.id });
  assert.ok(each(hers, "id").includes(made.id) && hers.every((token) => token.user_id === carol.id));
  await admin.PersonalAccessTokens.remove({ tokenId: other.id });
  await dead(other.token);

  const own = connectWith(made.token);
  has(await own.PersonalAccessTokens.show(), { id: made.id, name: "laptop", revoked: false });
  assert.ok(each(await own.PersonalAccessTokens.all(), "id").includes(made.id));
  const rotated = await own.PersonalAccessTokens.rotate("self", { expiresAt: daysAhead(40) });
  has(rotated, { name: "laptop", expires_at: daysAhead(40) });
  await dead(made.token);
  await connectWith(rotated.token).PersonalAccessTokens.remove();
  await dead(rotated.token);
}

/** The library can be asked for names in the manner of JavaScript. */
async function camelize() {
  const gl = connect("OWNER", { camelize: true });
  const made = await gl.GroupAccessTokens.create("acme", "camel", ["api"], daysAhead(5));
  has(made, { expiresAt: daysAhead(5), accessLevel: 40, lastUsedAt: null });
  const [listed] = await gl.GroupAccessTokens.all("acme", { search: "camel" });
  has(listed, { id: made.id, userId: made.userId });
}

const owner = connect("OWNER");
const project = await owner.Projects.show("acme/sub/p2");
await live(owner.GroupAccessTokens, "acme/sub", "group");
await live(owner.ProjectAccessTokens, project.id, "project");
await livePersonally();
await camelize();
