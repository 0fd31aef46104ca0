/** What a simulator of Apple's side must be able to do to a client: each with the scenario that does it, and the test that shows it. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readScenario } from "./read-scenario.ts";
import type { Action } from "./scenario.ts";
import type { ActionDocument, RuleDocument, ScenarioDocument } from "./scenario-document.ts";

const doing = (action: ActionDocument | readonly ActionDocument[], more: Partial<RuleDocument> = {}) => ({
  rules: { ...more, do: action },
});

/**
 * Tests that see it from a client's side, by the beginning of their names. Without a file they stand in
 * `simulator.scenario.test.ts`.
 */
type ShownBy = string | readonly [file: string, test: string];

/** The list of faults that are a scenario's, in its order and words. */
const faults: Readonly<Record<string, readonly [ScenarioDocument, ShownBy]>> = {
  "by connection, stream ordinal, token pattern, seeded probability and time": [
    {
      seed: 7,
      rules: [
        {
          when: { connection: 2, request: { from: 3 }, deviceToken: "dead*", probability: 0.5 },
          do: "close",
        },
        { when: { sinceMs: { from: 1000, to: 2000 } }, do: "close" },
        { on: "time", atMs: 5000, do: "close" },
      ],
    },
    ["scenario/scenario-run.test.ts", "when %j, then of %j"],
  ],
  "GOAWAY with any id, code and debug JSON": [
    doing({
      goaway: { code: 7, last: 3, debug: { reason: "Shutdown" } },
    }),
    "GOAWAY with any last stream",
  ],
  "GOAWAY twice": [
    doing([{ goaway: { last: "all", debug: { reason: "x" } } }, { goaway: { last: "this" } }]),
    "GOAWAY with any last stream",
  ],
  "GOAWAY storm": [doing({ goaway: { times: 1000 } }), "GOAWAY with any last stream"],
  "RST any code, before processing": [
    doing({ reset: { code: "refusedStream" } }),
    "reset, twice, before and after",
  ],
  "RST any code, after processing": [
    doing({ reset: { code: 2, request: "processed" } }),
    "reset, twice, before and after",
  ],
  "RST twice": [doing({ reset: { times: 2 } }), "reset, twice, before and after"],
  "SETTINGS at any time: limit 0, 1, n": [
    {
      rules: [0, 1, 500].map((maxConcurrentStreams, each) => ({
        on: "time",
        atMs: each * 100,
        do: { settings: { maxConcurrentStreams } },
      })),
    },
    "SETTINGS at any time",
  ],
  "SETTINGS: window": [doing({ settings: { initialWindowSize: 0 } }), "SETTINGS at any time"],
  "SETTINGS: table size": [doing({ settings: { headerTableSize: 0 } }), "SETTINGS at any time"],
  "SETTINGS: frame size": [doing({ settings: { maxFrameSize: 16_385 } }), "SETTINGS at any time"],
  "SETTINGS: header list": [doing({ settings: { maxHeaderListSize: 1 } }), "SETTINGS at any time"],
  "SETTINGS never sent": [doing({ withhold: { what: "settings" } }, { on: "open" }), "withhold: SETTINGS"],
  "SETTINGS late": [
    doing({ withhold: { what: "settings", forMs: 3000 } }, { on: "open" }),
    "withhold for a while",
  ],
  "SETTINGS acknowledgement withheld": [
    doing({ withhold: { what: "settings-acknowledgement" } }, { on: "open" }),
    "withhold: SETTINGS",
  ],
  "WINDOW_UPDATE withheld": [
    doing({ withhold: { what: "window-update" } }, { on: "open" }),
    "withhold: SETTINGS",
  ],
  "WINDOW_UPDATE overflow": [
    doing([{ window: { increment: 0x7fff_ffff } }, { window: { stream: "this" } }]),
    "SETTINGS at any time, window updates that overflow",
  ],
  "PING unanswered": [
    doing({ withhold: { what: "ping-acknowledgement" } }, { on: "open" }),
    "withhold: SETTINGS",
  ],
  "PING late": [
    doing({ withhold: { what: "ping-acknowledgement", forMs: 5000 } }, { on: "open" }),
    "withhold for a while",
  ],
  "PING flood": [
    doing({ ping: { count: 100_000 } }),
    "SETTINGS at any time, window updates that overflow, a flood of PINGs",
  ],
  "answers: status, reason, headers": [
    doing({
      answer: { status: 429, reason: "TooManyRequests", headers: { "x-any": "1" } },
    }),
    "answer: status, reason",
  ],
  "answers: Retry-After forms": [
    {
      rules: ["2", "Wed, 21 Oct 2026 07:28:00 GMT", "soon"].map((when, each) => ({
        when: { request: each + 1 },
        do: { answer: { status: 503, headers: { "retry-after": when } } },
      })),
    },
    "answer: status, reason",
  ],
  "answers: body bytes": [doing({ answer: { status: 500, body: "<html>" } }), "answer: status, reason"],
  "answers: delay distribution": [doing({ answer: { delayMs: { from: 10, to: 3000 } } }), "answer: delayed"],
  "answers: never": [doing({ silence: { request: "processed" } }), "silence, processed and ignored"],
  "answers: after timeout": [doing({ answer: { delayMs: 60_000 } }), "answer: delayed"],
  "HEADERS over CONTINUATION": [doing({ answer: { pieceBytes: 5 } }), "answer: with 103"],
  padding: [doing({ answer: { padding: 255 } }), "answer: with 103"],
  "1-byte segments": [doing({ segment: { bytes: 1 } }, { on: "open" }), "segment: everything"],
  "103": [doing({ answer: { earlyHints: "sent" } }), "answer: with 103"],
  trailers: [doing({ answer: { trailers: { "x-trailer": "1" } } }), "answer: with 103"],
  "malformed frames": [
    doing({ bytes: { hex: "ffffff 01 00 00000001" } }),
    "SETTINGS at any time, window updates that overflow, a flood of PINGs, and any bytes",
  ],
  "TCP: refuse": [doing("refuse", { on: "connect" }), "refuse and hang"],
  "TCP: accept and hang": [doing("hang", { on: "connect" }), "refuse and hang"],
  "TCP: black hole": [doing("stall"), "stall: a black hole"],
  "TCP: RST": [doing({ close: { how: "rst" } }), "close: %s"],
  "TCP: FIN without close_notify": [doing({ close: { how: "fin-without-close-notify" } }), "close: %s"],
  "TCP: half close": [doing({ close: { how: "half" } }), "close: %s"],
  "TCP: slow read": [doing({ stall: { what: "reads", forMs: 1000 } }), "stall: a slow reader"],
  "TLS: expired": [
    doing({ tls: { variant: "expired" } }, { on: "connect" }),
    "TLS: a certificate that is %s",
  ],
  "TLS: wrong host": [
    doing({ tls: { variant: "wrong-host" } }, { on: "connect" }),
    "TLS: a certificate that is %s",
  ],
  "TLS: other CA": [
    doing({ tls: { variant: "other-authority" } }, { on: "connect" }),
    "TLS: a certificate that is %s",
  ],
  "TLS: no ALPN": [doing({ tls: { variant: "no-alpn" } }, { on: "connect" }), "TLS: no ALPN"],
  "TLS: client certificate required": [
    doing({ tls: { variant: "client-certificate-required" } }, { on: "connect" }),
    "TLS: no ALPN, and a client certificate",
  ],
  "TLS: renegotiation": [
    {
      rules: [
        { on: "connect", do: { tls: { variant: "tls-1.2" } } },
        { when: { request: 3 }, do: "renegotiate" },
      ],
    },
    "TLS: a new handshake in the midst",
  ],
  "binary protocol: error frames 1–8, 10, 128, 255": [
    {
      rules: [1, 2, 3, 4, 5, 6, 7, 8, 10, 128, 255].map((status, each) => ({
        when: { protocol: "binary", connection: each + 1, request: 3 },
        do: { errorResponse: { status, identifier: status === 10 ? "last" : "this" } },
      })),
    },
    ["simulator.binary.test.ts", "scenarios: an error response with status %d"],
  ],
  "binary protocol: late errors": [
    doing({ answer: { reason: "BadDeviceToken", delayMs: 30_000 } }),
    ["simulator.binary.test.ts", "a late error"],
  ],
  "recorded in a machine-readable history": [
    { rules: { name: "recorded", do: "close" } },
    "what a scenario did is told",
  ],
};

/** The rest of the list, which is what Apple does of itself: no scenario's work. */
const ofItself: Readonly<Record<string, ShownBy>> = {
  "provider-token rules with Apple's first-sight clock": [
    "verdict/provider-token-session.test.ts",
    "a clock that is ahead",
  ],
  "one team per connection": ["verdict/provider-token-session.test.ts", "a connection is one team's"],
  "per-token 429": ["devices/devices.test.ts", "a pace counts the pushes"],
  "throttle to 1 stream after a bad token": ["push-connection.test.ts", "refusals in a row take the streams"],
  "device registry with 410 timestamps": ["simulator.test.ts", "answers 410 for a device that left"],
  "binary protocol: commands 0/1/2": ["simulator.binary.test.ts", "takes notifications in silence"],
  "binary protocol: feedback service": ["simulator.binary.test.ts", "feedback is told at once"],
  "virtual clock": ["virtual-clock.test.ts", "timers fire in order"],
  "truth: per apns-id how often": ["history/history.test.ts", "counts how often each id was processed"],
  "truth: in which order, on which connection": [
    "push-connection.test.ts",
    "the history tells what was sent",
  ],
};

const source = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), "utf8");

function expectShown(shownBy: ShownBy): void {
  const [file, name] = typeof shownBy === "string" ? ["simulator.scenario.test.ts", shownBy] : shownBy;
  expect(source(file).includes(`"${name}`), `${file} has no test "${name}…"`).toBe(true);
}

test.each(Object.entries(faults))("%s", (_, [document, shownBy]) => {
  expect(readScenario(document)).toMatchObject({ kind: "valid" });
  expectShown(shownBy);
});

test.each(Object.entries(ofItself))("%s", (_, shownBy) => expectShown(shownBy));

test("every action stands for a fault of the list", () => {
  const used = new Set<Action["kind"]>();
  for (const [document] of Object.values(faults)) {
    const read = readScenario(document);
    if (read.kind === "valid")
      for (const { actions } of read.scenario.rules) for (const { kind } of actions) used.add(kind);
  }
  const all: Readonly<Record<Action["kind"], true>> = {
    ...{ answer: true, silence: true, reset: true, goaway: true, settings: true, window: true, ping: true },
    ...{ bytes: true, close: true, stall: true, segment: true, withhold: true, refuse: true, hang: true },
    ...{ tls: true, renegotiate: true, errorResponse: true },
  };
  expect([...used].sort()).toEqual(Object.keys(all).sort());
});
