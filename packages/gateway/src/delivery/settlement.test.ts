import { type Outcome, type RejectionReason, rejectionReasons } from "@carillon/apns";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  defaultBudget,
  isExpired,
  type RetryBudget,
  type Situation,
  settle,
  settleExpired,
  type Verdict,
} from "./settlement.ts";

const apnsId = "01234567-89ab-7def-8123-456789abcdef";
const nowMs = 1_700_000_000_000;
const fresh: Situation = { attempts: 1, doubt: false, sinceMs: nowMs, nowMs, delivery: "at-least-once" };

function rejected(reason: RejectionReason, retryAfterMs?: number): Outcome {
  const { status } = rejectionReasons[reason];
  const base = { kind: "rejected", apnsId, attempts: 1, reason, status } as const;
  return retryAfterMs === undefined ? base : { ...base, retryAfterMs };
}

function unrecognized(status: number, reason: string): Outcome {
  return { kind: "unrecognized", apnsId, attempts: 1, status, reason };
}

function indeterminate(cause: "socket-closed" | "reset" | "timeout" | "protocol"): Outcome {
  return { kind: "indeterminate", apnsId, attempts: 1, cause };
}

function unprocessed(cause: "goaway" | "refused-stream" | "not-written", detail?: string): Outcome {
  const base = { kind: "unprocessed", apnsId, attempts: 1, cause } as const;
  return detail === undefined ? base : { ...base, detail };
}

const accepted: Outcome = { kind: "accepted", apnsId, attempts: 1 };

type Word = Exclude<Verdict["kind"], "hold"> | "retry in doubt" | `hold: ${string}`;

function wordOf(outcome: Outcome, situation: Partial<Situation> = {}, budget = defaultBudget): Word {
  const verdict = settle(outcome, { ...fresh, ...situation }, budget, 0.5);
  if (verdict.kind === "hold") return `hold: ${verdict.cause}`;
  return verdict.kind === "retry" && verdict.doubt ? "retry in doubt" : verdict.kind;
}

/** The ages in the table: fresh; at the last attempt; too old; about to expire. */
const ages = {
  fresh: {},
  "last attempt": { attempts: 100 },
  "too old": { sinceMs: nowMs - 86_400_000 },
  expiring: { expirationSeconds: Math.floor(nowMs / 1_000) + 1 },
} as const;

/** Outcome; then what becomes of it fresh, at the last attempt, too old, expiring; with an earlier attempt in doubt the same. */
const table: readonly (readonly [string, Outcome, string, string])[] = [
  ["accepted", accepted, "accepted, accepted, accepted, accepted", "accepted, accepted, accepted, accepted"],
  [
    "goaway",
    unprocessed("goaway"),
    "hold: refused, hold: refused, hold: refused, hold: refused",
    "hold: refused, hold: refused, hold: refused, hold: refused",
  ],
  [
    "refused stream",
    unprocessed("refused-stream"),
    "hold: refused, hold: refused, hold: refused, hold: refused",
    "hold: refused, hold: refused, hold: refused, hold: refused",
  ],
  [
    "not written",
    unprocessed("not-written"),
    "hold: unreachable, hold: unreachable, hold: unreachable, hold: unreachable",
    "hold: unreachable, hold: unreachable, hold: unreachable, hold: unreachable",
  ],
  [
    "a wrong key",
    rejected("InvalidProviderToken"),
    "hold: credential, hold: credential, hold: credential, hold: credential",
    "hold: credential, hold: credential, hold: credential, hold: credential",
  ],
  [
    "an old provider token",
    rejected("ExpiredProviderToken"),
    "hold: unreachable, hold: unreachable, hold: unreachable, hold: unreachable",
    "hold: unreachable, hold: unreachable, hold: unreachable, hold: unreachable",
  ],
  [
    "403 in unknown words",
    unrecognized(403, "NewReason"),
    "hold: credential, hold: credential, hold: credential, hold: credential",
    "hold: credential, hold: credential, hold: credential, hold: credential",
  ],
  [
    "a topic",
    rejected("TopicDisallowed"),
    "rejected, rejected, rejected, rejected",
    "rejected, rejected, rejected, rejected",
  ],
  [
    "a dead device",
    rejected("Unregistered"),
    "rejected, rejected, rejected, rejected",
    "rejected, rejected, rejected, rejected",
  ],
  [
    "a bad device",
    rejected("BadDeviceToken"),
    "rejected, rejected, rejected, rejected",
    "rejected, rejected, rejected, rejected",
  ],
  [
    "a bad request",
    rejected("PayloadTooLarge"),
    "rejected, rejected, rejected, rejected",
    "rejected, rejected, rejected, rejected",
  ],
  [
    "400 in unknown words",
    unrecognized(400, "NewReason"),
    "rejected, rejected, rejected, rejected",
    "rejected, rejected, rejected, rejected",
  ],
  [
    "too many for a device",
    rejected("TooManyRequests"),
    "retry, rejected, rejected, expired",
    "retry in doubt, unknown, unknown, unknown",
  ],
  [
    "service unavailable",
    rejected("ServiceUnavailable"),
    "retry, rejected, rejected, expired",
    "retry in doubt, unknown, unknown, unknown",
  ],
  [
    "500 in unknown words",
    unrecognized(502, "<html>"),
    "retry, rejected, rejected, expired",
    "retry in doubt, unknown, unknown, unknown",
  ],
  [
    "429 in unknown words",
    unrecognized(429, ""),
    "retry, rejected, rejected, expired",
    "retry in doubt, unknown, unknown, unknown",
  ],
  ...(["socket-closed", "reset", "timeout", "protocol"] as const).map(
    (cause) =>
      [
        cause,
        indeterminate(cause),
        "retry in doubt, unknown, unknown, unknown",
        "retry in doubt, unknown, unknown, unknown",
      ] as const,
  ),
];

describe.each(["at-least-once", "at-most-once"] as const)("%s", (delivery) => {
  test.each(table)("%s", (_name, outcome, withoutDoubt, inDoubt) => {
    // What was written and not answered is never sent again.
    const never = delivery === "at-most-once" && outcome.kind === "indeterminate";
    const expected = (words: string): string => (never ? "unknown, unknown, unknown, unknown" : words);
    const words = (doubt: boolean) =>
      Object.values(ages)
        .map((age) => wordOf(outcome, { ...age, doubt, delivery }))
        .join(", ");
    expect(words(false)).toBe(expected(withoutDoubt));
    expect(words(true)).toBe(expected(inDoubt));
  });
});

test("every documented reason has a verdict that fits whose fault it is", () => {
  for (const [reason, { status, fault }] of Object.entries(rejectionReasons)) {
    const word = wordOf(rejected(reason as RejectionReason));
    const expected = {
      request: "rejected",
      "device-token": "rejected",
      credential: status === 403 ? /^hold/ : "rejected",
      pace: "retry",
      service: "retry",
    }[fault];
    expect(word, reason).toMatch(expected);
  }
});

test("a final verdict gives Apple's last word, or what happened", () => {
  expect(settle(rejected("BadTopic"), fresh, defaultBudget, 0.5)).toEqual({
    kind: "rejected",
    reason: "BadTopic",
  });
  const last = { ...fresh, attempts: 100 };
  expect(settle(rejected("ServiceUnavailable"), last, defaultBudget, 0.5)).toEqual({
    kind: "rejected",
    reason: "ServiceUnavailable",
  });
  expect(settle(indeterminate("timeout"), last, defaultBudget, 0.5)).toEqual({
    kind: "unknown",
    reason: "timeout",
  });
  expect(settle(unprocessed("not-written", "connect ECONNREFUSED"), fresh, defaultBudget, 0.5)).toEqual({
    kind: "hold",
    cause: "unreachable",
    detail: "connect ECONNREFUSED",
  });
});

test("waits double from two seconds up to a quarter of an hour, each spread over its upper half", () => {
  const waits = (random: number) =>
    [1, 2, 3, 9, 10, 50].map((attempts) => {
      const verdict = settle(rejected("ServiceUnavailable"), { ...fresh, attempts }, defaultBudget, random);
      return verdict.kind === "retry" ? verdict.atMs - nowMs : undefined;
    });
  expect(waits(0)).toEqual([1_000, 2_000, 4_000, 256_000, 450_000, 450_000]);
  expect(waits(1 - Number.EPSILON)).toEqual([2_000, 4_000, 8_000, 512_000, 900_000, 900_000]);
});

test("an expiration of 0 is an instruction to Apple and no time", () => {
  expect(isExpired(0, nowMs)).toBe(false);
  expect(isExpired(undefined, nowMs)).toBe(false);
  expect(isExpired(nowMs / 1_000, nowMs)).toBe(true);
  expect(isExpired(nowMs / 1_000, nowMs - 1)).toBe(false);
  expect(wordOf(rejected("ServiceUnavailable"), { expirationSeconds: 0 })).toBe("retry");
});

test("what expires after an attempt without an answer is unknown, else expired", () => {
  expect(settleExpired(false)).toEqual({ kind: "expired" });
  expect(settleExpired(true)).toMatchObject({ kind: "unknown" });
});

describe("a retry", () => {
  const outcome = fc.oneof(
    fc.constantFrom(
      accepted,
      ...(["goaway", "refused-stream", "not-written"] as const).map((each) => unprocessed(each)),
    ),
    fc
      .tuple(
        fc.constantFrom(...(Object.keys(rejectionReasons) as RejectionReason[])),
        fc.option(fc.integer({ min: -5, max: 90_000_000 }), { nil: undefined }),
      )
      .map(([reason, retryAfterMs]) => rejected(reason, retryAfterMs)),
    fc.integer({ min: 300, max: 599 }).map((status) => unrecognized(status, "?")),
    fc.constantFrom(...(["socket-closed", "reset", "timeout", "protocol"] as const).map(indeterminate)),
  );
  const situation: fc.Arbitrary<Situation> = fc.record(
    {
      attempts: fc.integer({ min: 1, max: 120 }),
      doubt: fc.boolean(),
      // The clock may have been set back since.
      sinceMs: fc.integer({ min: nowMs - 100_000_000, max: nowMs + 3_600_000 }),
      nowMs: fc.constant(nowMs),
      delivery: fc.constantFrom("at-least-once", "at-most-once"),
      expirationSeconds: fc.oneof(fc.constant(0), fc.integer({ min: 1_699_999_000, max: 1_700_100_000 })),
    },
    { requiredKeys: ["attempts", "doubt", "sinceMs", "nowMs", "delivery"] },
  );
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  test("never comes before Apple's Retry-After, after the expiration, or beyond the budget", () => {
    fc.assert(
      fc.property(outcome, situation, random, (given, about, chance) => {
        const verdict = settle(given, about, defaultBudget, chance);
        if (verdict.kind !== "retry") return;
        const retryAfterMs = "retryAfterMs" in given ? (given.retryAfterMs ?? 0) : 0;
        expect(verdict.atMs).toBeGreaterThan(nowMs);
        expect(verdict.atMs - nowMs).toBeGreaterThanOrEqual(
          Math.min(retryAfterMs, defaultBudget.longestRetryAfterMs),
        );
        expect(isExpired(about.expirationSeconds, verdict.atMs)).toBe(false);
        expect(about.attempts).toBeLessThan(defaultBudget.maxAttempts);
        expect(verdict.atMs - about.sinceMs).toBeLessThanOrEqual(defaultBudget.maxAgeMs);
        // Once in doubt, in doubt for ever.
        expect(verdict.doubt).toBe(about.doubt || given.kind === "indeterminate");
        expect(about.delivery === "at-most-once" && given.kind === "indeterminate").toBe(false);
      }),
      { numRuns: 5_000 },
    );
  });

  test("is followed by so many others at most, whatever the answers", () => {
    const budget: RetryBudget = { ...defaultBudget, maxAttempts: 20 };
    fc.assert(
      fc.property(fc.infiniteStream(outcome), fc.infiniteStream(random), (outcomes, chances) => {
        let about: Situation = fresh;
        for (;;) {
          const [given, chance] = [outcomes.next().value, chances.next().value];
          if (given === undefined || chance === undefined) return;
          const verdict = settle(given, about, budget, chance);
          if (verdict.kind !== "retry") return;
          about = { ...about, attempts: about.attempts + 1, doubt: verdict.doubt, nowMs: verdict.atMs };
          expect(about.attempts).toBeLessThanOrEqual(20);
        }
      }),
    );
  });

  test("nothing is called rejected or expired that Apple may have taken, except by Apple's own word", () => {
    fc.assert(
      fc.property(outcome, situation, random, (given, about, chance) => {
        if (!about.doubt) return;
        const verdict = settle(given, about, defaultBudget, chance);
        expect(verdict.kind).not.toBe("expired");
        if (verdict.kind !== "rejected") return;
        expect(given.kind === "rejected" || given.kind === "unrecognized").toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("the other environment", () => {
  const untried = { otherEnvironment: "untried" } as const;
  const refused = { otherEnvironment: "refused" } as const;
  const bad = rejected("BadDeviceToken");

  test("is tried after BadDeviceToken while it is untried, whatever the policy, and never twice", () => {
    expect(wordOf(bad, untried)).toBe("elsewhere");
    expect(wordOf(bad, { ...untried, delivery: "at-most-once" })).toBe("elsewhere");
    expect(wordOf(bad, { ...untried, doubt: true })).toBe("elsewhere");
    expect(wordOf(bad, refused)).toBe("rejected");
    expect(wordOf(bad)).toBe("rejected");
  });

  test("is not tried beyond the budget or after the expiration", () => {
    expect(wordOf(bad, { ...untried, attempts: 100 })).toBe("rejected");
    expect(wordOf(bad, { ...untried, expirationSeconds: nowMs / 1_000 })).toBe("rejected");
    expect(wordOf(bad, { ...untried, expirationSeconds: 0 })).toBe("elsewhere");
  });

  test("is tried for no other reason", () => {
    for (const reason of Object.keys(rejectionReasons) as RejectionReason[]) {
      if (reason === "BadDeviceToken") continue;
      expect(wordOf(rejected(reason), untried), reason).toBe(wordOf(rejected(reason)));
    }
  });

  test("where the key is not good there the first word stands, and any other 403 holds as ever", () => {
    for (const reason of Object.keys(rejectionReasons) as RejectionReason[]) {
      const verdict = settle(rejected(reason), { ...fresh, ...refused }, defaultBudget, 0.5);
      const isOnlyForOther = /^Bad(EnvironmentKey(Id)?InToken|CertificateEnvironment)$/.test(reason);
      if (isOnlyForOther) expect(verdict, reason).toEqual({ kind: "rejected", reason: "BadDeviceToken" });
      else expect(verdict, reason).toEqual(settle(rejected(reason), fresh, defaultBudget, 0.5));
    }
  });
});
