import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import type { Clock } from "../runtime/index.ts";
import { readProviderToken } from "./provider-token.ts";
import { ProviderTokenSource, providerTokenSource } from "./provider-token-source.ts";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const minute = 60_000;

class FakeClock implements Clock {
  wallMs = Date.UTC(2026, 10, 24);
  passedMs = 0;
  now = (): number => this.wallMs;
  monotonic = (): number => this.passedMs;
  setTimer = () => ({ cancel: () => undefined });
  pass(ms: number): void {
    this.wallMs += ms;
    this.passedMs += ms;
  }
}

function source() {
  const clock = new FakeClock();
  return { clock, tokens: new ProviderTokenSource(privateKey, "ABC123DEFG", "DEF123GHIJ", clock) };
}

/** What APNs counts: how old each token is when it comes, and how far apart the changes lie. */
function watch() {
  let last: { token: string; firstSeenMs: number } | undefined;
  const gaps: number[] = [];
  let oldestMs = 0;
  return {
    gaps,
    oldest: () => oldestMs,
    see(token: string, clock: FakeClock): void {
      if (last?.token !== token) {
        if (last !== undefined) gaps.push(clock.passedMs - last.firstSeenMs);
        last = { token, firstSeenMs: clock.passedMs };
      }
      expect(token).toMatch(/^bearer [^ ]+$/);
      const read = readProviderToken(token.slice("bearer ".length));
      if (read.kind === "read")
        oldestMs = Math.max(oldestMs, clock.now() - read.claims.issuedAtSeconds * 1000);
    },
  };
}

test("over a day with a send a minute no token is older than an hour and none changes within 20 minutes", () => {
  const { clock, tokens } = source();
  const apns = watch();
  for (let each = 0; each < 24 * 60; each += 1) {
    apns.see(tokens.current(), clock);
    clock.pass(minute);
  }
  expect(apns.gaps.length + 1).toBeGreaterThanOrEqual(24);
  expect(apns.gaps.length + 1).toBeLessThanOrEqual(72);
  expect(Math.min(...apns.gaps)).toBeGreaterThanOrEqual(20 * minute);
  expect(apns.oldest()).toBeLessThan(60 * minute);
});

test("a source that nobody asks makes no token, so a first use at 46 minutes does not lead to two in 20", () => {
  const { clock, tokens } = source();
  clock.pass(46 * minute);
  const apns = watch();
  for (let each = 0; each < 120; each += 1) {
    apns.see(tokens.current(), clock);
    clock.pass(minute);
  }
  expect(Math.min(...apns.gaps)).toBeGreaterThanOrEqual(20 * minute);
});

test("however many answers call one token expired, one new token is made", () => {
  const { tokens } = source();
  const refused = tokens.current();
  for (let each = 0; each < 1000; each += 1) expect(tokens.replace(refused)).toBe(true);
  const next = tokens.current();
  expect(next).not.toBe(refused);
  expect(tokens.replace(refused)).toBe(true);
  expect(tokens.current()).toBe(next);
});

test("a server that always says expired gets no third token within 20 minutes", () => {
  const { clock, tokens } = source();
  expect(tokens.replace(tokens.current())).toBe(true);
  const second = tokens.current();
  clock.pass(19 * minute);
  expect(tokens.replace(second)).toBe(false);
  expect(tokens.current()).toBe(second);
  clock.pass(2 * minute);
  expect(tokens.replace(second)).toBe(true);
});

test("a clock that jumps does not make tokens faster than every 20 minutes", () => {
  const { clock, tokens } = source();
  const apns = watch();
  for (let each = 0; each < 240; each += 1) {
    apns.see(tokens.current(), clock);
    clock.pass(minute);
    if (each % 30 === 10) clock.wallMs += each % 60 === 10 ? 60 * minute : -60 * minute;
  }
  expect(Math.min(...apns.gaps)).toBeGreaterThanOrEqual(20 * minute);
});

/** Sources one after the other over one cache, as a process that is restarted has them. */
function restarts() {
  const clock = new FakeClock();
  const saved: string[] = [];
  const cache = { load: () => saved.at(-1), save: (token: string) => void saved.push(token) };
  const open = (key = privateKey, keyId = "ABC123DEFG") =>
    new ProviderTokenSource(key, keyId, "DEF123GHIJ", clock, cache);
  return { clock, cache, open, overwrite: cache.save };
}

test("over a day of restarts every two minutes the saved token is used until it is time for the next", () => {
  const { clock, open } = restarts();
  const apns = watch();
  for (let each = 0; each < 12 * 60; each += 1) {
    apns.see(open().current(), clock);
    clock.pass(2 * minute);
  }
  expect(apns.gaps.length + 1).toBeLessThanOrEqual(30);
  expect(Math.min(...apns.gaps)).toBeGreaterThanOrEqual(20 * minute);
  expect(apns.oldest()).toBeLessThan(60 * minute);
});

test("a saved token that is of another key, from the future, too old or no token at all is not used", () => {
  const { clock, open, overwrite } = restarts();
  const first = open().current();
  expect(open().current()).toBe(first);
  expect(open(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey).current()).not.toBe(first);
  for (const text of ["", "nonsense", "a.b.c", `${first.slice("bearer ".length)}x`]) {
    overwrite(text);
    expect(open().current()).not.toContain(text === "" ? first : text);
  }
  const second = open().current();
  expect(open(privateKey, "OTHER12345").current()).not.toBe(second);
  const third = open().current();
  clock.wallMs -= 2 * minute;
  expect(open().current()).not.toBe(third);
  const fourth = open().current();
  clock.pass(51 * minute);
  expect(open().current()).not.toBe(fourth);
});

test("a saved token keeps its age: what goes on with it renews it in time", () => {
  const { clock, open } = restarts();
  const apns = watch();
  apns.see(open().current(), clock);
  clock.pass(45 * minute);
  const tokens = open();
  for (let each = 0; each < 120; each += 1) {
    apns.see(tokens.current(), clock);
    clock.pass(minute);
  }
  expect(apns.oldest()).toBeLessThan(51 * minute);
  expect(Math.min(...apns.gaps)).toBeGreaterThanOrEqual(20 * minute);
});

test("over a day processes that share a cache use one token at a time, and go over to the next one together", () => {
  const { clock, open } = restarts();
  const apns = watch();
  const processes = [open(), open(), open(), open()];
  for (let each = 0; each < 24 * 60; each += 1) {
    for (const tokens of processes) apns.see(tokens.current(), clock);
    clock.pass(minute);
  }
  expect(Math.min(...apns.gaps)).toBeGreaterThanOrEqual(20 * minute);
  expect(apns.oldest()).toBeLessThan(60 * minute);
});

test("a token that another process saved while this one signed its own is the one that is used", () => {
  const { clock, open } = restarts();
  const first = open().current();
  const saved: string[] = [];
  // As a file that is only ever made, never written over: between the look and the save somebody else made it.
  const cache = { load: () => saved[0], save: () => void saved.push(first.slice("bearer ".length)) };
  const tokens = new ProviderTokenSource(privateKey, "ABC123DEFG", "DEF123GHIJ", clock, cache);
  expect(tokens.current()).toBe(first);
  expect(tokens.current()).toBe(first);
});

test("an expired token that another process has replaced costs no further one", () => {
  const { open } = restarts();
  const [one, other] = [open(), open()];
  const refused = one.current();
  expect(other.current()).toBe(refused);
  expect(one.replace(refused)).toBe(true);
  expect(other.replace(refused)).toBe(true);
  expect(other.current()).toBe(one.current());
});

test("a cache that fails costs a token, never a send", () => {
  const fail = () => {
    throw new Error("the disk is full");
  };
  const clock = new FakeClock();
  const tokens = new ProviderTokenSource(privateKey, "ABC123DEFG", "DEF123GHIJ", clock, {
    load: fail,
    save: fail,
  });
  expect(tokens.current()).toMatch(/^bearer /);
  expect(tokens.current()).toBe(tokens.current());
});

test("a saved token that APNs calls expired is replaced, and the next one saved", () => {
  const { cache, open } = restarts();
  open().current();
  const tokens = open();
  const refused = tokens.current();
  expect(tokens.replace(refused)).toBe(true);
  expect(tokens.current()).not.toBe(refused);
  expect(`bearer ${cache.load()}`).toBe(tokens.current());
});

test("all clients of a process share the source of a key", () => {
  const one = providerTokenSource(privateKey, "ABC123DEFG", "DEF123GHIJ");
  expect(providerTokenSource(privateKey, "ABC123DEFG", "DEF123GHIJ")).toBe(one);
  expect(providerTokenSource(privateKey, "ABC123DEFG", "OTHER12345")).not.toBe(one);
  expect(one.current()).toBe(one.current());
});

test("a cache that comes with a later client of the same key is used", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const saved: string[] = [];
  const cache = { load: () => undefined, save: (token: string) => void saved.push(token) };
  providerTokenSource(privateKey, "ABC123DEFG", "DEF123GHIJ");
  const source = providerTokenSource(privateKey, "ABC123DEFG", "DEF123GHIJ", undefined, cache);
  const bearer = source.current();
  expect(saved.map((token) => `bearer ${token}`)).toEqual([bearer]);
});
