import { loadProviderKey, signProviderToken } from "@carillon/apns";
import { expect, test } from "vitest";
import { makeProviderKey } from "../credentials/provider-key.ts";
import { type Assumptions, usualAssumptions } from "./assumptions.ts";
import { ProviderTokenSession } from "./provider-token-session.ts";
import { ProviderTokens } from "./provider-tokens.ts";

const minute = 60_000;
const start = 1_800_000_000_000;
const [ours, ofAnotherTeam] = [makeProviderKey(), makeProviderKey()];

/** A session of a new connection, and its clock in minutes after the start. */
function session(tokens = new ProviderTokens([ours, ofAnotherTeam]), assumptions: Partial<Assumptions> = {}) {
  const checked = new ProviderTokenSession(tokens);
  return {
    tokens,
    check: (authorization: string | undefined, minutes: number) =>
      checked.check(authorization, {
        nowMs: start + minutes * minute,
        environment: "sandbox",
        idleMs: 0,
        assumptions: { ...usualAssumptions, ...assumptions },
      }),
  };
}

/** `authorization` with a token made `minutes` after the start. */
function bearer(minutes: number, key = ours, word = "bearer"): string {
  const { keyId, teamId } = key;
  const issuedAtSeconds = (start + minutes * minute) / 1000;
  return `${word} ${signProviderToken(loadProviderKey(key.key), { keyId, teamId, issuedAtSeconds })}`;
}

test("no token, and what is none", () => {
  const { check } = session();
  expect(check(undefined, 0)).toBe("MissingProviderToken");
  for (const wrong of ["", "bearer", "bearer x", "bearer  ", "basic x", bearer(0).slice(7)]) {
    expect(check(wrong, 0)).toBe("InvalidProviderToken");
  }
  expect(check(bearer(0), 0)).toBeUndefined();
});

test("the word bearer may be written in any case", () => {
  for (const word of ["bearer", "Bearer", "BEARER"])
    expect(session().check(bearer(0, ours, word), 0)).toBeUndefined();
});

test("a token is good for an hour and not longer", () => {
  const { check } = session();
  const token = bearer(0);
  expect(check(token, 60)).toBeUndefined();
  expect(check(token, 60.001)).toBe("ExpiredProviderToken");
  expect(session().check(token, 61)).toBe("ExpiredProviderToken");
});

test("a clock that is ahead makes no token live longer than an hour after its first sight", () => {
  const { check } = session();
  const token = bearer(4);
  expect(check(token, 0)).toBeUndefined();
  expect(check(token, 60)).toBeUndefined();
  expect(check(token, 61)).toBe("ExpiredProviderToken");
});

test("a clock may be ahead by 5 minutes", () => {
  expect(session().check(bearer(5), 0)).toBeUndefined();
  expect(session().check(bearer(5.1), 0)).toBe("InvalidProviderToken");
});

test("one change in 20 minutes is one too many", () => {
  const { check } = session();
  expect(check(bearer(0), 0)).toBeUndefined();
  expect(check(bearer(19), 19)).toBe("TooManyProviderTokenUpdates");
  expect(check(bearer(20), 20)).toBeUndefined();
});

test("a token that was refused as too early does not count as the current one", () => {
  const { check } = session();
  const first = bearer(0);
  check(first, 0);
  expect(check(bearer(1), 1)).toBe("TooManyProviderTokenUpdates");
  expect(check(first, 2)).toBeUndefined();
  expect(check(bearer(2), 3)).toBe("TooManyProviderTokenUpdates");
});

test("a connection younger than its token may change to one made 20 minutes later", () => {
  const { check } = session();
  expect(check(bearer(0), 45)).toBeUndefined();
  expect(check(bearer(46), 46)).toBeUndefined();
});

test("two tokens that alternate are too many updates", () => {
  const { check } = session();
  const [first, second] = [bearer(0), bearer(25)];
  expect(check(first, 25)).toBeUndefined();
  expect(check(second, 25)).toBeUndefined();
  expect(check(first, 26)).toBe("TooManyProviderTokenUpdates");
  expect(check(second, 27)).toBeUndefined();
});

test("an expired token may be replaced at once", () => {
  const { check } = session();
  check(bearer(0), 59);
  expect(check(bearer(0), 61)).toBe("ExpiredProviderToken");
  expect(check(bearer(61), 61)).toBeUndefined();
});

test("also by one that was made less than 20 minutes after it", () => {
  const { check } = session();
  check(bearer(0), 59);
  expect(check(bearer(15), 60)).toBe("TooManyProviderTokenUpdates");
  expect(check(bearer(15), 61)).toBeUndefined();
});

test("a connection is one team's", () => {
  const { check } = session();
  expect(check(bearer(0), 0)).toBeUndefined();
  expect(check(bearer(30, ofAnotherTeam), 30)).toBe("InvalidProviderToken");
  expect(session().check(bearer(30, ofAnotherTeam), 30)).toBeUndefined();
});

test("one token serves many connections", () => {
  const tokens = new ProviderTokens([ours]);
  const token = bearer(0);
  for (let connections = 0; connections < 50; connections++) {
    expect(session(tokens).check(token, connections)).toBeUndefined();
  }
});

test("a key for one environment is refused in the other, under either spelling", () => {
  const key = { ...makeProviderKey(), environment: "production" } as const;
  const tokens = new ProviderTokens([key, { ...ours, environment: "sandbox" }]);
  expect(session(tokens).check(bearer(0), 0)).toBeUndefined();
  expect(session(tokens).check(bearer(0, key), 0)).toBe("BadEnvironmentKeyInToken");
  const { check } = session(tokens, { environmentKey: "BadEnvironmentKeyIdInToken" });
  expect(check(bearer(0, key), 0)).toBe("BadEnvironmentKeyIdInToken");
});

test("a connection is its first key's and the related one's", () => {
  const unrelated = makeProviderKey(ours.teamId);
  const related = { ...makeProviderKey(ours.teamId), relatedTo: ours.keyId };
  const tokens = new ProviderTokens([ours, unrelated, related]);
  const { check } = session(tokens);
  expect(check(bearer(0), 0)).toBeUndefined();
  expect(check(bearer(0, unrelated), 1)).toBe("UnrelatedKeyIdInToken");
  expect(check(bearer(0, related), 1)).toBeUndefined();
  expect(check(bearer(0), 2)).toBeUndefined();
  const reverse = session(tokens);
  expect(reverse.check(bearer(0, related), 0)).toBeUndefined();
  expect(reverse.check(bearer(0), 0)).toBeUndefined();
  expect(session(tokens).check(bearer(0, unrelated), 0)).toBeUndefined();
});

test("a revoked key is good no more, on connections that used it as well", () => {
  const { check, tokens } = session();
  const token = bearer(0);
  expect(check(token, 0)).toBeUndefined();
  tokens.revoke(ours.keyId);
  expect(check(token, 1)).toBe("InvalidProviderToken");
  tokens.add(ours);
  expect(check(token, 2)).toBeUndefined();
});

test("updates may be counted by team, over all its connections", () => {
  const tokens = new ProviderTokens([ours]);
  const assumptions = { tokenUpdatesBy: "team" } as const;
  const [first, second] = [bearer(0), bearer(1)];
  expect(session(tokens, assumptions).check(first, 0)).toBeUndefined();
  expect(session(tokens, assumptions).check(first, 1)).toBeUndefined();
  expect(session(tokens, assumptions).check(second, 2)).toBe("TooManyProviderTokenUpdates");
  expect(session(tokens, assumptions).check(bearer(21), 21)).toBeUndefined();
  expect(session(tokens).check(second, 22)).toBeUndefined();
});

test("what is assumed about other teams and the future", () => {
  const { check } = session(undefined, {
    otherTeam: "UnrelatedKeyIdInToken",
    mostAheadMs: minute,
    tokenFromTheFuture: "ExpiredProviderToken",
  });
  expect(check(bearer(2), 0)).toBe("ExpiredProviderToken");
  expect(check(bearer(1), 0)).toBeUndefined();
  expect(check(bearer(30, ofAnotherTeam), 30)).toBe("UnrelatedKeyIdInToken");
});
