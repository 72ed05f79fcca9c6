// What the scripts share: whose tokens there are, and how they say what was expected.
//
// The server has the company that the scripts for Python know, and its clock stands still.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";

// The library lies in another folder than the scripts, where an import would not look.
const installed = createRequire(join(process.env.LATCHKEY_NODE_FOLDER, "package.json"));
export const { Gitlab, GitbeakerRequestError } = installed("@gitbeaker/rest");

export const URL = process.env.LATCHKEY_URL;
export const TODAY = process.env.LATCHKEY_TODAY;
export const TOKEN = /^glpat-[0-9A-Za-z_.-]{20,}$/;

// Whatever hangs, ends.
setTimeout(() => {
  console.error("not done after two minutes");
  process.exit(1);
}, 120_000).unref();

/** The value of the token of OWNER, ADMIN and so on. */
export function tokenOf(role) {
  return process.env[`LATCHKEY_${role}_TOKEN`];
}

/** The library, with the token of this role. */
export function connect(role, options = {}) {
  return connectWith(tokenOf(role), options);
}

/** The library, with a token of this value. */
export function connectWith(token, options = {}) {
  return new Gitlab({ host: URL, token, queryTimeout: 20_000, ...options });
}

/** The date so many days from now. */
export function daysAhead(days) {
  const date = new Date(`${TODAY}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

/** Fails unless the fields of the thing are these. */
export function has(thing, expected) {
  for (const [name, value] of Object.entries(expected)) {
    assert.deepEqual(thing[name], value, name);
  }
}

/** Fails unless the promise ends in the library's own error, with this status and these words. */
export async function refused(status, description, promise) {
  const error = await promise.then(
    (answer) => assert.fail(`expected ${status} ${description}, got ${JSON.stringify(answer)}`),
    (error) => error,
  );
  if (!(error instanceof GitbeakerRequestError)) throw error;
  assert.deepEqual([error.cause.response.status, error.cause.description], [status, description]);
}

/** Fails unless a token of this value no longer lets anybody in. */
export async function dead(value) {
  await refused(401, "invalid_token", connectWith(value).PersonalAccessTokens.show());
}

/** One field of each thing of a list. */
export function each(things, name) {
  return things.map((thing) => thing[name]);
}
