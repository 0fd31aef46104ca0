import { parseRejectionReason } from "@carillon/apns";
import { errorCode, max31Bit, settingId } from "@carillon/apns/http2";
import { type Problem, Reader } from "./reader.ts";
import type {
  Action,
  Condition,
  FaultAnswer,
  Moment,
  Protocol,
  Scenario,
  ScenarioRule,
  Span,
} from "./scenario.ts";

export type ReadScenario =
  | { readonly kind: "valid"; readonly scenario: Scenario }
  | { readonly kind: "malformed"; readonly problems: readonly Problem[] };

const mostRules = 1000;
const mostActions = 100;
const longestMs = 86_400_000;
const mostTimes = 1_000_000;
const mostTextCharacters = 1_048_576;

/** Reads a scenario from plain objects, as YAML or JSON give them; all problems at once. */
export function readScenario(document: unknown): ReadScenario {
  const problems: Problem[] = [];
  const root = new Reader(document, "", problems);
  root.object(["seed", "rules"]);
  const seed = root.member("seed").whole(0, max31Bit, 1);
  const rules = root.member("rules").items(mostRules).map(readRule);
  return problems.length > 0 ? { kind: "malformed", problems } : { kind: "valid", scenario: { seed, rules } };
}

/** Everything that is wrong with a scenario, each with its path; nothing where it can be used. */
export function checkScenario(document: unknown): readonly Problem[] {
  const read = readScenario(document);
  return read.kind === "valid" ? [] : read.problems;
}

const moments: readonly Moment[] = ["connect", "open", "request", "time"];

function readRule(rule: Reader, at: number): ScenarioRule {
  rule.object(["name", "on", "atMs", "when", "times", "do"]);
  const on = rule.member("on").oneOf(moments, "request");
  const listed = rule.member("do").items(mostActions);
  const actions = listed.flatMap((action) => readAction(action, on));
  if (listed.length === 0) rule.member("do").wrong("must name at least one action");
  if (rule.member("atMs").isThere && on !== "time") rule.member("atMs").wrong('goes with "on": "time" only');
  return {
    name: rule.member("name").text(200) ?? `rule ${at + 1}`,
    on,
    atMs: rule.member("atMs").whole(0, longestMs, 0),
    when: readCondition(rule.member("when"), on),
    times: rule.member("times").whole(1, mostTimes, Number.POSITIVE_INFINITY),
    actions,
  };
}

const protocols: readonly Protocol[] = ["http/2", "binary", "feedback"];
const requestConditions = ["request", "attempt", "deviceToken", "topic", "pushType"] as const;

function readCondition(when: Reader, on: Moment): Condition {
  if (!when.isThere) return {};
  when.object(["connection", "protocol", "sinceMs", "probability", ...requestConditions]);
  const protocol = when.member("protocol");
  if (protocol.isThere && on === "connect") protocol.wrong('is not known yet with "on": "connect"');
  for (const name of requestConditions) {
    if (on !== "request" && when.member(name).isThere)
      when.member(name).wrong('goes with "on": "request" only');
  }
  const probability = when.member("probability");
  if (probability.isThere && !(Number(probability.value) >= 0 && Number(probability.value) <= 1)) {
    probability.wrong("must be a number from 0 to 1");
  }
  return omitUndefined({
    connection: readSpan(when.member("connection")),
    protocol: protocol.isThere ? protocol.oneOf<Protocol>(protocols, "http/2") : undefined,
    request: readSpan(when.member("request")),
    attempt: readSpan(when.member("attempt")),
    sinceMs: readSpan(when.member("sinceMs")),
    deviceToken: when.member("deviceToken").text(200)?.toLowerCase(),
    topic: when.member("topic").text(255),
    pushType: when.member("pushType").text(100),
    probability: probability.isThere ? Number(probability.value) : undefined,
  });
}

function readSpan(span: Reader): Span | undefined {
  if (!span.isThere) return undefined;
  if (typeof span.value === "number") return span.whole(0, Number.MAX_SAFE_INTEGER, 0);
  if (!span.object(["from", "to"])) return undefined;
  const from = span.member("from").whole(0, Number.MAX_SAFE_INTEGER, 0);
  const to = span.member("to").whole(0, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (from > to) span.wrong('"from" must not be larger than "to"');
  return { from, to };
}

/** Reads one action: an object with one member, whose name says what happens; or that name alone. */
const actionReaders = {
  answer: (value) => ({ kind: "answer", answer: readAnswer(value) }),
  silence: (value) => ({ kind: "silence", request: readFate(value.member("request"), "ignored") }),
  reset: (value) => ({
    kind: "reset",
    code: readCode(value.member("code"), errorCode.refusedStream),
    request: readFate(value.member("request"), "ignored"),
    times: value.member("times").whole(1, 100, 1),
  }),
  goaway: readGoaway,
  settings: readSettings,
  window: (value) => ({
    kind: "window",
    stream: value.member("stream").oneOf(["connection", "this"], "connection"),
    increment: value.member("increment").whole(0, max31Bit, max31Bit),
  }),
  ping: (value) => ({ kind: "ping", count: value.member("count").whole(1, 100_000, 1) }),
  errorResponse: (value) => ({
    kind: "errorResponse",
    status: value.member("status").whole(0, 255, 8),
    identifier:
      typeof value.member("identifier").value === "number"
        ? value.member("identifier").whole(0, 0xffff_ffff, 0)
        : value.member("identifier").oneOf<"this" | "last">(["this", "last"], "this"),
  }),
  bytes: readBytes,
  close: (value) => ({
    kind: "close",
    how: value.member("how").oneOf(["fin", "fin-without-close-notify", "rst", "half"], "fin"),
  }),
  stall: (value) => ({
    kind: "stall",
    what: value.member("what").oneOf(["reads", "writes", "both"], "both"),
    forMs: readDuration(value),
  }),
  segment: (value) => ({ kind: "segment", bytes: value.member("bytes").whole(1, 65_536, 1) }),
  withhold: (value) => ({
    kind: "withhold",
    what: value
      .member("what")
      .items(10)
      .map((each) =>
        each.oneOf(
          ["settings", "settings-acknowledgement", "ping-acknowledgement", "window-update"],
          "settings",
        ),
      ),
    forMs: readDuration(value),
  }),
  renegotiate: () => ({ kind: "renegotiate" }),
  refuse: () => ({ kind: "refuse" }),
  hang: () => ({ kind: "hang" }),
  tls: (value) => ({
    kind: "tls",
    variant: value
      .member("variant")
      .oneOf(
        ["expired", "wrong-host", "other-authority", "no-alpn", "client-certificate-required", "tls-1.2"],
        "other-authority",
      ),
  }),
} as const satisfies Record<Action["kind"], (value: Reader) => Action>;

const members: Readonly<Record<Action["kind"], readonly string[]>> = {
  answer: [
    ...["status", "reason", "timestamp", "headers", "body", "delayMs", "earlyHints", "trailers", "padding"],
    "pieceBytes",
  ],
  silence: ["request"],
  reset: ["code", "request", "times"],
  goaway: ["code", "last", "debug", "times"],
  settings: Object.keys(settingId),
  window: ["stream", "increment"],
  ping: ["count"],
  errorResponse: ["status", "identifier"],
  bytes: ["hex"],
  close: ["how"],
  stall: ["what", "forMs"],
  segment: ["bytes"],
  withhold: ["what", "forMs"],
  renegotiate: [],
  refuse: [],
  hang: [],
  tls: ["variant"],
};

/** Moments at which each action makes sense. */
const beforeTls: readonly string[] = ["refuse", "hang", "tls"];
const requestOnly: readonly string[] = ["answer", "silence", "reset"];

const names = Object.keys(actionReaders) as Action["kind"][];

function readAction(action: Reader, on: Moment): Action[] {
  const text = typeof action.value === "string" ? action.value : undefined;
  if (text === undefined && !action.object(names)) return [];
  const found = names.filter((name) => (text === undefined ? action.member(name).isThere : text === name));
  const [name] = found;
  if (name === undefined || found.length > 1) {
    action.wrong(`must be one of ${names.join(", ")}`);
    return [];
  }
  if (beforeTls.includes(name) !== (on === "connect") || (requestOnly.includes(name) && on !== "request")) {
    action.wrong(`"${name}" does not go with "on": "${on}"`);
  }
  const value = text === undefined ? action.member(name) : new Reader({}, action.path, []);
  return value.object(members[name]) ? [actionReaders[name](value)] : [];
}

/** For how long; undefined: for ever. */
function readDuration(value: Reader): number | undefined {
  const forMs = value.member("forMs");
  return forMs.isThere ? forMs.whole(1, longestMs, 1) : undefined;
}

function readFate(value: Reader, fallback: "processed" | "ignored"): "processed" | "ignored" {
  return value.oneOf(["processed", "ignored"], fallback);
}

/** An error code by its number or its name, such as "enhanceYourCalm". */
function readCode(value: Reader, fallback: number): number {
  if (!value.isThere) return fallback;
  if (typeof value.value === "string" && Object.hasOwn(errorCode, value.value)) {
    return errorCode[value.value as keyof typeof errorCode];
  }
  if (typeof value.value === "number") return value.whole(0, 0xffff_ffff, fallback);
  value.wrong(`must be a number, or one of ${Object.keys(errorCode).join(", ")}`);
  return fallback;
}

function readAnswer(value: Reader): FaultAnswer {
  const reason = value.member("reason").text(200);
  const status = value.member("status");
  if (reason !== undefined && !status.isThere && parseRejectionReason(reason) === undefined) {
    value.member("reason").wrong("is not one of Apple's: give its status, too");
  }
  return omitUndefined({
    reason,
    status: status.isThere ? status.whole(100, 999, 200) : undefined,
    timestamp: value.member("timestamp").isThere
      ? value.member("timestamp").whole(0, Number.MAX_SAFE_INTEGER, 0)
      : undefined,
    headers: value.member("headers").texts(),
    body: value.member("body").text(mostTextCharacters),
    delayMs: readSpan(value.member("delayMs")),
    earlyHints: value.member("earlyHints").oneOf(["sent", "none"], "none"),
    trailers: value.member("trailers").texts(),
    padding: value.member("padding").whole(0, 255, 0),
    pieceBytes: value.member("pieceBytes").isThere
      ? value.member("pieceBytes").whole(1, 16_384, 1)
      : undefined,
  });
}

function readGoaway(value: Reader): Action {
  const last = value.member("last");
  const debug = value.member("debug");
  return {
    kind: "goaway",
    code: readCode(value.member("code"), errorCode.noError),
    last:
      typeof last.value === "string"
        ? last.oneOf<"this" | "all">(["this", "all"], "this")
        : last.whole(0, max31Bit, 0),
    debug:
      typeof debug.value === "object" && debug.value !== null
        ? JSON.stringify(debug.value)
        : (debug.text(16_000) ?? ""),
    times: value.member("times").whole(1, 1000, 1),
  };
}

function readSettings(value: Reader): Action {
  const entries = (Object.keys(settingId) as (keyof typeof settingId)[]).flatMap((name) => {
    const entry = value.member(name);
    return entry.isThere ? [[settingId[name], entry.whole(0, 0xffff_ffff, 0)] as const] : [];
  });
  return { kind: "settings", entries };
}

function readBytes(value: Reader): Action {
  const hex = value.member("hex").text(mostTextCharacters)?.replaceAll(/\s/g, "") ?? "";
  if (hex === "" || !/^(?:[0-9a-f]{2})+$/i.test(hex)) {
    value.member("hex").wrong("must be bytes as hexadecimal digits");
  }
  return { kind: "bytes", bytes: Buffer.from(hex, "hex") };
}

function omitUndefined<Value extends object>(
  value: Value,
): { [Key in keyof Value]?: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [Key in keyof Value]?: Exclude<Value[Key], undefined>;
  };
}
