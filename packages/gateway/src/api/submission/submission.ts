import { Compile } from "typebox/compile";
import type { App } from "../../apps/index.ts";
import { findSchemaProblems, type SchemaProblem } from "../../config/index.ts";
import type { NotificationDraft } from "../../delivery/index.ts";
import type { FieldProblem } from "../contract/answers.ts";
import {
  friendlySchema,
  limits,
  notificationListSchema,
  notificationSchema,
  type WrittenFriendly,
  type WrittenNotification,
} from "../contract/notification.ts";
import { ApiProblem } from "../problems/api-problem.ts";
import { escapePointerStep, type ScannedJson, type Span, scanJson } from "./json-scanner.ts";
import { readNotification } from "./notification-reader.ts";

/** One notification of a submission. */
export type Entry =
  | { readonly kind: "valid"; readonly draft: NotificationDraft }
  | {
      readonly kind: "invalid";
      readonly problems: readonly FieldProblem[];
      /** How many results it stands for, 1 or more. */
      readonly recipients: number;
    };

const isNotification = Compile(notificationSchema);
const isNotificationList = Compile(notificationListSchema);

/** What a submission is read from, and for whom. */
interface Source {
  readonly bytes: Buffer;
  readonly json: ScannedJson;
  readonly app: App;
  readonly nowMs: number;
}

/** What was read by the rules. */
export interface ReadSubmission {
  /** In order; at least one is valid. */
  readonly entries: readonly Entry[];
  /** Where each of them stands in the body. */
  readonly spans: readonly Span[];
  /** False for a notification that stands by itself. */
  readonly isList: boolean;
}

/**
 * Reads a body by the rules: one notification, or a list of them.
 * @throws {ApiProblem} malformed, or nothing in it is valid
 */
export function readSubmission(bytes: Buffer, app: App, nowMs: number): ReadSubmission {
  const scan = scanJson(bytes);
  if (scan.kind === "refused") {
    const detail = "The body is not JSON that can be taken. Nothing was stored.";
    throw new ApiProblem("malformed-request", detail, [scan.fault]);
  }
  const body = readObject(JSON.parse(bytes.toString("utf8")));
  const source = { bytes, json: scan.json, app, nowMs };
  const isList = Object.hasOwn(body, "notifications");
  const entries = isList ? readList(body, source) : [readOne(body, source)];
  checkRecipients(entries);
  const spans = isList ? scan.json.notifications : [{ start: 0, end: bytes.length }];
  if (entries.some(({ kind }) => kind === "valid")) return { entries, spans, isList };
  throw invalid(entries.flatMap((entry) => (entry.kind === "invalid" ? entry.problems : [])));
}

/** Reads one line of NDJSON, which is one notification. */
export function readLine(bytes: Buffer, app: App, nowMs: number): Entry {
  const scan = scanJson(bytes);
  if (scan.kind === "refused") return { kind: "invalid", recipients: 1, problems: [ofLine(scan.fault)] };
  const body: unknown = JSON.parse(bytes.toString("utf8"));
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  if (isObject && !Object.hasOwn(body, "notifications"))
    return readOne(body, { bytes, json: scan.json, app, nowMs });
  const detail = 'A line must be one notification: {"to": …}. Give each a line of its own.';
  return { kind: "invalid", recipients: 1, problems: [{ pointer: "", detail }] };
}

/** Which line it is stands beside it. */
function ofLine({ pointer, detail }: FieldProblem): FieldProblem {
  return {
    ...(pointer === undefined ? {} : { pointer }),
    detail: detail.replace("at line 1, column", "at column"),
  };
}

function readObject(body: unknown): object {
  const listForm = '{"notifications": [{"to": …}, …]}';
  if (Array.isArray(body))
    throw invalid([{ pointer: "", detail: `The body is a list. Put it into an object: ${listForm}.` }]);
  if (typeof body === "object" && body !== null) return body;
  throw invalid([{ pointer: "", detail: `The body must be an object: a notification, or ${listForm}.` }]);
}

function readOne(written: object, source: Source): Entry {
  const problems = isNotification.Check(written) ? [] : findSchemaProblems(notificationSchema, written);
  return readEntry({ written, problems, payload: source.json.payload, at: [] }, source);
}

function readList(body: object, source: Source): readonly Entry[] {
  const byIndex = new Map<number, SchemaProblem[]>();
  if (!isNotificationList.Check(body)) {
    const ofList: SchemaProblem[] = [];
    for (const problem of findSchemaProblems(notificationListSchema, body)) {
      const index = problem.path[1];
      if (typeof index !== "number") ofList.push(problem);
      else byIndex.set(index, [...(byIndex.get(index) ?? []), problem]);
    }
    if (ofList.length > 0) throw invalid(ofList.map((problem) => toFieldProblem(problem, 0)));
  }
  const { notifications } = body as { notifications: readonly unknown[] };
  return notifications.map((written, index) => {
    const problems = byIndex.get(index) ?? [];
    const payload = source.json.payloads[index];
    return readEntry({ written, problems, payload, at: ["notifications", index] }, source);
  });
}

/** A notification as it stands in the body. */
interface WrittenEntry {
  readonly written: unknown;
  /** Where keys or types are wrong. */
  readonly problems: readonly SchemaProblem[];
  readonly payload: Span | undefined;
  readonly at: SchemaProblem["path"];
}

function readEntry({ written, problems, payload, at }: WrittenEntry, { bytes, app, nowMs }: Source): Entry {
  const raw = payload && bytes.subarray(payload.start, payload.end);
  const pointer = pointerOf(at);
  const ofShape = problems.map((problem) => toFieldProblem(problem, at.length));
  const rest =
    problems.length === 0 ? (written as WrittenNotification) : wellFormedRest(written, problems, at.length);
  const read = rest && readNotification(rest, raw, pointer, app, nowMs);
  if (read?.kind === "read" && ofShape.length === 0) return { kind: "valid", draft: read.draft };
  const ofContent = read?.kind === "refused" ? read.problems : [];
  return { kind: "invalid", problems: [...ofShape, ...ofContent], recipients: countRecipients(written) };
}

/**
 * What is left of a notification without the keys that are wrong by their name or type, so that what else is wrong can
 * be told in the same answer. What must not be missing is put in, and causes no problem of its own.
 */
function wellFormedRest(
  written: unknown,
  problems: readonly SchemaProblem[],
  depth: number,
): WrittenNotification | undefined {
  if (problems.some(({ path }) => path.length === depth)) return undefined;
  const wrong = new Set(problems.map(({ path }) => path[depth]));
  const rest = Object.entries(written as object).filter(([key]) => !wrong.has(key));
  const placeholders = wrong.has("to") ? { to: { token: "00".repeat(32) } } : {};
  const notification = { ...Object.fromEntries(rest), ...placeholders } as WrittenNotification;
  const saysSomething = contentKeys.some((key) => notification[key] !== undefined);
  return saysSomething || !contentKeys.some((key) => wrong.has(key))
    ? notification
    : { ...notification, alert: "" };
}

const contentKeys = [
  "payload",
  ...(Object.keys(friendlySchema.properties) as (keyof WrittenFriendly)[]),
] as const;

/** An invalid notification has a result for each of its recipients too, as far as they can be counted. */
function countRecipients(written: unknown): number {
  const { tokens } = ((written as { to?: unknown } | null)?.to ?? {}) as { tokens?: unknown };
  return Array.isArray(tokens) ? Math.min(Math.max(tokens.length, 1), limits.tokens) : 1;
}

function checkRecipients(entries: readonly Entry[]): void {
  const count = entries.reduce(
    (sum, entry) => sum + (entry.kind === "valid" ? entry.draft.deviceTokens.length : entry.recipients),
    0,
  );
  if (count <= limits.recipients) return;
  const detail = `These are ${count} recipients; ${limits.recipients} may stand in one request. Send them in several.`;
  throw invalid([{ pointer: "/notifications", detail }]);
}

/** Nothing of a body can be taken. */
export function invalid(errors: readonly FieldProblem[]): ApiProblem {
  return new ApiProblem("invalid", "Nothing was stored. Mend what is listed and send it again.", errors);
}

/** @param depth how much of the path leads to the notification */
function toFieldProblem({ path, detail }: SchemaProblem, depth: number): FieldProblem {
  return { pointer: pointerOf(path), detail: misplaced(path.slice(depth)) ?? detail };
}

function pointerOf(path: SchemaProblem["path"]): string {
  return path.map((step) => `/${escapePointerStep(String(step))}`).join("");
}

/** Names that other programs give to what stands elsewhere here. */
const elsewhere: Readonly<Record<string, string>> = {
  token: '"to": {"token": "…"}',
  tokens: '"to": {"tokens": ["…"]}',
  deviceToken: '"to": {"token": "…"}',
  device_token: '"to": {"token": "…"}',
  aps: '"payload": {"aps": {…}}',
  title: '"alert": {"title": "…"}',
  subtitle: '"alert": {"subtitle": "…"}',
  body: '"alert": {"body": "…"}',
  message: '"alert": "…"',
  expiration: '"expiresAt" or "ttl"',
  expiry: '"expiresAt" or "ttl"',
  id: '"apnsId" or "reference"',
};

function misplaced([key, ...rest]: SchemaProblem["path"]): string | undefined {
  if (rest.length > 0 || typeof key !== "string" || !Object.hasOwn(elsewhere, key)) return undefined;
  return `There is no such key here. Did you mean ${elsewhere[key]}?`;
}
