// What goes wrong arrives as the library's own error, with the server's status and words.

import { connect, connectWith, daysAhead, refused } from "./kit.mjs";

const wanted = ["acme", "ci", ["api"], daysAhead(10)];

async function withoutAGoodCredential() {
  const wrong = connectWith(`glpat-${"x".repeat(20)}`);
  await refused(401, "401 Unauthorized", wrong.Users.showCurrentUser());
  for (const role of ["EXPIRED", "REVOKED"]) {
    await refused(401, "invalid_token", connect(role).PersonalAccessTokens.show());
    await refused(401, "invalid_token", connect(role).Groups.all());
  }
}

async function withTooSmallAScope() {
  await refused(403, "insufficient_scope", connect("READER").GroupAccessTokens.create(...wanted));
  await refused(403, "insufficient_scope", connect("NARROW").Users.showCurrentUser());
}

async function withTooSmallARole() {
  const message = "400 Bad request - User does not have permission to create group access token";
  for (const role of ["MAINTAINER", "BOT"]) {
    await refused(400, message, connect(role).GroupAccessTokens.create(...wanted));
  }
  await refused(401, "401 Unauthorized", connect("DEVELOPER").GroupAccessTokens.all("acme"));
  await refused(404, "404 Group Not Found", connect("OUTSIDER").GroupAccessTokens.all("acme"));
  await refused(404, "404 Project Not Found", connect("OUTSIDER").Projects.show("acme/p1"));
  await refused(403, "403 Forbidden", connect("DEVELOPER").Groups.remove("acme"));
}

async function withWrongParameters() {
  const { GroupAccessTokens: tokens, Groups: groups } = connect("OWNER");
  for (const [message, name, scopes, expiresAt, options] of [
    ["scopes does not have a valid value", "ci", ["everything"], daysAhead(10)],
    ["400 Bad request - Scopes can't be blank", "ci", [], daysAhead(10)],
    ["expires_at is invalid", "ci", ["api"], "soon"],
    [`400 Bad request - Expiration date must be before ${daysAhead(365)}`, "ci", ["api"], daysAhead(366)],
    ["access_level does not have a valid value", "ci", ["api"], daysAhead(10), { accessLevel: 35 }],
    ["name is missing, scopes is missing", undefined, undefined, daysAhead(10)],
  ]) {
    await refused(400, message, tokens.create("acme", name, scopes, expiresAt, options));
  }
  const missing = "404 Could not find group access token with token_id: 999999 Not Found";
  await refused(404, missing, tokens.show("acme", 999999));
  await refused(404, missing, tokens.revoke("acme", 999999));
  await refused(401, "401 Unauthorized", tokens.rotate("acme", 999999));
  const taken = 'Failed to save group {:path=>["has already been taken"]}';
  await refused(400, taken, groups.create("Acme", "acme"));
}

await withoutAGoodCredential();
await withTooSmallAScope();
await withTooSmallARole();
await withWrongParameters();
