import type { History, Push } from "../history/index.ts";
import { compare, type Difference } from "./compare.ts";

/** What a push must be like: everything that is given. */
export interface PushExpectation {
  readonly protocol?: "http/2" | "binary";
  /** In any case. */
  readonly deviceToken?: string;
  /** In any case. */
  readonly apnsId?: string;
  readonly topic?: string;
  readonly pushType?: string;
  readonly channelId?: string;
  /** @default 200, unless a reason is given */
  readonly status?: number;
  readonly reason?: string;
  readonly connection?: number;
  /** Header fields by their names in lower case; there may be more. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What the JSON must have; there may be more in it. A string: the payload as it is. */
  readonly payload?: object | string;
}

export interface ExpectOptions {
  /** How long to wait, in milliseconds. @default 5000 */
  readonly timeoutMs?: number;
}

/**
 * Resolves with the first push that is as expected: one that came already, or one that comes in time.
 *
 * @throws Error that shows how the nearest push differs
 */
export async function expectPush(
  history: History,
  expectation: PushExpectation,
  { timeoutMs = 5000 }: ExpectOptions = {},
): Promise<Push> {
  const isExpected = (push: Push): boolean => differ(expectation, push).length === 0;
  const found =
    history.pushes.find(isExpected) ?? (await waitForPush(history, isExpected, Math.max(0, timeoutMs)));
  if (found !== undefined) return found;
  const came = history.pushes;
  const lines = [
    `No push came within ${timeoutMs} ms that has`,
    ...describeExpectation(expectation),
    ...describeNearest(expectation, came),
  ];
  throw new Error(lines.join("\n"));
}

/**
 * Makes sure that no push of those that came is like this. It does not wait: let the sender finish first.
 *
 * @throws Error that shows the push that is
 */
export function expectNoPush(history: History, expectation: PushExpectation): void {
  const found = history.pushes.find((push) => differ(expectation, push).length === 0);
  if (found === undefined) return;
  const lines = [
    `There should be no push like this, and number ${found.sequence} is:`,
    ...describeExpectation(expectation),
    `  payload: ${shorten(found.payload.toString("utf8"))}`,
  ];
  throw new Error(lines.join("\n"));
}

function waitForPush(
  history: History,
  isExpected: (push: Push) => boolean,
  timeoutMs: number,
): Promise<Push | undefined> {
  return new Promise((resolve) => {
    const finish = (push: Push | undefined): void => {
      clearTimeout(timer);
      end();
      resolve(push);
    };
    const end = history.subscribe((push) => isExpected(push) && finish(push));
    const timer = setTimeout(() => finish(undefined), timeoutMs);
  });
}

/** The expectation with its default, ids in lower case. */
function complete(expectation: PushExpectation): PushExpectation {
  const { deviceToken, apnsId, status, reason } = expectation;
  return {
    ...expectation,
    ...(deviceToken === undefined ? {} : { deviceToken: deviceToken.toLowerCase() }),
    ...(apnsId === undefined ? {} : { apnsId: apnsId.toLowerCase() }),
    ...(status === undefined && reason === undefined ? { status: 200 } : {}),
  };
}

function differ(expectation: PushExpectation, push: Push): readonly Difference[] {
  const { payload, ...fields } = complete(expectation);
  const text = push.payload.toString("utf8");
  return [
    ...compare(fields, { ...pick(push), headers: push.headers }, ""),
    ...(payload === undefined
      ? []
      : compare(payload, typeof payload === "string" ? text : parse(text), "payload")),
  ];
}

function pick({
  protocol,
  deviceToken,
  apnsId,
  topic,
  pushType,
  channelId,
  status,
  reason,
  connection,
}: Push) {
  const lower = apnsId.toLowerCase();
  return { protocol, deviceToken, apnsId: lower, topic, pushType, channelId, status, reason, connection };
}

/** JSON as a value; anything else as the text that it is. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function describeExpectation(expectation: PushExpectation): string[] {
  return Object.entries(complete(expectation)).map(([name, value]) => `  ${name}: ${show(name, value)}`);
}

function describeNearest(expectation: PushExpectation, came: readonly Push[]): string[] {
  const [last] = came.slice(-1);
  if (last === undefined) return ["No push came at all."];
  let nearest = { push: last, differences: differ(expectation, last) };
  for (const push of came.slice(-1000)) {
    const differences = differ(expectation, push);
    if (differences.length < nearest.differences.length) nearest = { push, differences };
  }
  const count = came.length === 1 ? "One push came" : `${came.length} pushes came`;
  return [
    `${count}. The nearest, number ${nearest.push.sequence}, differs:`,
    ...nearest.differences.map(
      ({ path, expected, found }) =>
        `  ${path}: expected ${show(path, expected)}, found ${show(path, found)}`,
    ),
  ];
}

function show(name: string, value: unknown): string {
  if (name === "deviceToken" && typeof value === "string") return `${value.slice(0, 8)}…${value.slice(-4)}`;
  return value === undefined ? "nothing" : shorten(JSON.stringify(value));
}

const mostShown = 300;

function shorten(text: string): string {
  return text.length <= mostShown ? text : `${text.slice(0, mostShown)}…`;
}
