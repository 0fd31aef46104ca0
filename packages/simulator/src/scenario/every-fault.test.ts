/** What a simulator of Apple's side must be able to do to a client, each with the scenario that does it. */
import { expect, test } from "vitest";
import { readScenario } from "./read-scenario.ts";
import type { Action } from "./scenario.ts";
import type { ActionDocument, RuleDocument, ScenarioDocument } from "./scenario-document.ts";

const doing = (action: ActionDocument | readonly ActionDocument[], more: Partial<RuleDocument> = {}) => ({
  rules: { ...more, do: action },
});

/**
 * The list of faults, in its order and words. Left out is what is no scenario: provider-token rules, one team for each connection,
 * 429 of a device, one stream after refusals, devices with 410 timestamps and the virtual clock have tests beside their rooms. TLS
 * renegotiation, the binary protocol and the feedback service cannot be had yet.
 */
const faults: Readonly<Record<string, ScenarioDocument>> = {
  "by connection, stream ordinal, token pattern, seeded probability and time": {
    seed: 7,
    rules: [
      { when: { connection: 2, request: { from: 3 }, deviceToken: "dead*", probability: 0.5 }, do: "close" },
      { when: { sinceMs: { from: 1000, to: 2000 } }, do: "close" },
      { on: "time", atMs: 5000, do: "close" },
    ],
  },
  "GOAWAY with any id, code and debug JSON": doing({
    goaway: { code: 7, last: 3, debug: { reason: "Shutdown" } },
  }),
  "GOAWAY twice": doing([{ goaway: { last: "all", debug: { reason: "x" } } }, { goaway: { last: "this" } }]),
  "GOAWAY storm": doing({ goaway: { times: 1000 } }),
  "RST any code, before processing": doing({ reset: { code: "refusedStream" } }),
  "RST any code, after processing": doing({ reset: { code: 2, request: "processed" } }),
  "RST twice": doing({ reset: { times: 2 } }),
  "SETTINGS at any time: limit 0, 1, n": {
    rules: [0, 1, 500].map((maxConcurrentStreams, each) => ({
      on: "time",
      atMs: each * 100,
      do: { settings: { maxConcurrentStreams } },
    })),
  },
  "SETTINGS: window": doing({ settings: { initialWindowSize: 0 } }),
  "SETTINGS: table size": doing({ settings: { headerTableSize: 0 } }),
  "SETTINGS: frame size": doing({ settings: { maxFrameSize: 16_385 } }),
  "SETTINGS: header list": doing({ settings: { maxHeaderListSize: 1 } }),
  "SETTINGS never sent": doing({ withhold: { what: "settings" } }, { on: "open" }),
  "SETTINGS late": {
    rules: [
      { on: "open", do: { withhold: { what: "settings" } } },
      { on: "time", atMs: 3000, do: { settings: { maxConcurrentStreams: 1000 } } },
    ],
  },
  "SETTINGS acknowledgement withheld": doing(
    { withhold: { what: "settings-acknowledgement" } },
    { on: "open" },
  ),
  "WINDOW_UPDATE withheld": doing({ withhold: { what: "window-update" } }, { on: "open" }),
  "WINDOW_UPDATE overflow": doing([{ window: { increment: 0x7fff_ffff } }, { window: { stream: "this" } }]),
  "PING unanswered": doing({ withhold: { what: "ping-acknowledgement" } }, { on: "open" }),
  "PING late": doing({ stall: { what: "writes", forMs: 5000 } }),
  "PING flood": doing({ ping: { count: 100_000 } }),
  "answers: status, reason, headers": doing({
    answer: { status: 429, reason: "TooManyRequests", headers: { "x-any": "1" } },
  }),
  "answers: Retry-After forms": {
    rules: ["2", "Wed, 21 Oct 2026 07:28:00 GMT", "soon"].map((when, each) => ({
      when: { request: each + 1 },
      do: { answer: { status: 503, headers: { "retry-after": when } } },
    })),
  },
  "answers: body bytes": doing({ answer: { status: 500, body: "<html>" } }),
  "answers: delay distribution": doing({ answer: { delayMs: { from: 10, to: 3000 } } }),
  "answers: never": doing({ silence: { request: "processed" } }),
  "answers: after timeout": doing({ answer: { delayMs: 60_000 } }),
  "HEADERS over CONTINUATION": doing({ answer: { pieceBytes: 5 } }),
  padding: doing({ answer: { padding: 255 } }),
  "1-byte segments": doing({ segment: { bytes: 1 } }, { on: "open" }),
  "103": doing({ answer: { earlyHints: "sent" } }),
  trailers: doing({ answer: { trailers: { "x-trailer": "1" } } }),
  "malformed frames": doing({ bytes: { hex: "ffffff 01 00 00000001" } }),
  "TCP: refuse": doing("refuse", { on: "connect" }),
  "TCP: accept and hang": doing("hang", { on: "connect" }),
  "TCP: black hole": doing("stall"),
  "TCP: RST": doing({ close: { how: "rst" } }),
  "TCP: FIN without close_notify": doing({ close: { how: "fin-without-close-notify" } }),
  "TCP: half close": doing({ close: { how: "half" } }),
  "TCP: slow read": doing({ stall: { what: "reads", forMs: 1000 } }),
  "TLS: expired": doing({ tls: { variant: "expired" } }, { on: "connect" }),
  "TLS: wrong host": doing({ tls: { variant: "wrong-host" } }, { on: "connect" }),
  "TLS: other CA": doing({ tls: { variant: "other-authority" } }, { on: "connect" }),
  "TLS: no ALPN": doing({ tls: { variant: "no-alpn" } }, { on: "connect" }),
  "TLS: client certificate required": doing(
    { tls: { variant: "client-certificate-required" } },
    { on: "connect" },
  ),
};

test.each(Object.entries(faults))("%s", (_, document) => {
  expect(readScenario(document)).toMatchObject({ kind: "valid" });
});

test("every action stands for a fault of the list", () => {
  const used = new Set<Action["kind"]>();
  for (const document of Object.values(faults)) {
    const read = readScenario(document);
    if (read.kind === "valid")
      for (const { actions } of read.scenario.rules) for (const { kind } of actions) used.add(kind);
  }
  const all: Readonly<Record<Action["kind"], true>> = {
    ...{ answer: true, silence: true, reset: true, goaway: true, settings: true, window: true, ping: true },
    ...{ bytes: true, close: true, stall: true, segment: true, withhold: true, refuse: true, hang: true },
    tls: true,
  };
  expect([...used].sort()).toEqual(Object.keys(all).sort());
});
