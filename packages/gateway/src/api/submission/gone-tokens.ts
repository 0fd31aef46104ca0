import type { App } from "../../apps/index.ts";
import {
  type DraftRun,
  deviceTokenIn,
  deviceTokensOf,
  type NotificationDraft,
  possibleEnvironments,
  runSpan,
  sharedOf,
} from "../../delivery/index.ts";
import type { GoneToken, Outcomes } from "../../outcomes/index.ts";
import type { FieldProblem } from "../contract/answers.ts";
import type { ReadLines } from "./line-intake.ts";
import { type Entry, invalid } from "./submission.ts";
import type { ReadBody, SubmittedEntry } from "./submission-reader.ts";

type Environment = NotificationDraft["environment"];
type Run = Extract<ReadLines, { kind: "run" }>;

/**
 * Takes out of a submission what would go to device tokens that are gone, for apps that want that: in its place stands why.
 * What the sender says to have registered since then passes.
 */
export class GoneTokens {
  readonly #feedback: Pick<Outcomes["feedback"], "findGone">;

  constructor(feedback: Pick<Outcomes["feedback"], "findGone">) {
    this.#feedback = feedback;
  }

  /** @throws {ApiProblem} nothing is left */
  async siftBody({ entries, isList }: ReadBody, app: App): Promise<readonly SubmittedEntry[]> {
    const numbered = entries.map(
      (entry, line): ReadLines => (entry.kind === "run" ? entry : { kind: "entry", line, entry }),
    );
    const pointerOf = (number: number): string => (isList ? `/notifications/${number}` : "");
    const sifted = await this.#sift(numbered, app, pointerOf);
    const left = sifted.map((each) => (each.kind === "run" ? each : each.entry));
    if (left.some(({ kind }) => kind !== "invalid")) return left;
    throw invalid(left.flatMap((entry) => (entry.kind === "invalid" ? entry.problems : [])));
  }

  /** A line of which only some recipients are left becomes several entries with its number. */
  siftLines(lines: readonly ReadLines[], app: App): Promise<readonly ReadLines[]> {
    return this.#sift(lines, app, () => "");
  }

  async #sift(
    lines: readonly ReadLines[],
    app: App,
    pointerOf: (number: number) => string,
  ): Promise<readonly ReadLines[]> {
    const gone = new Map<Environment, ReadonlyMap<string, GoneToken>>();
    for (const [environment, deviceTokens] of tokensIn(lines)) {
      const found = await this.#feedback.findGone(app.config.name, environment, deviceTokens);
      if (found.size > 0) gone.set(environment, found);
    }
    if (gone.size === 0) return lines;
    return lines.flatMap((each) => {
      if (each.kind === "run") return cutRun(each, goneFor(each.run.shared, gone), pointerOf);
      const { entry, line } = each;
      if (entry.kind === "invalid") return [each];
      const rest = cutDraft(entry.draft, goneFor(entry.draft, gone), pointerOf(line));
      return rest?.map((entry): ReadLines => ({ kind: "entry", line, entry })) ?? [each];
    });
  }
}

/** The device tokens that are asked about. */
function tokensIn(lines: readonly ReadLines[]): ReadonlyMap<Environment, string[]> {
  const tokens = new Map<Environment, string[]>();
  for (const each of lines) {
    const draft = draftIn(each);
    if (draft === undefined) continue;
    const deviceTokens = [...deviceTokensOf(draft)];
    for (const environment of possibleEnvironments(sharedOf(draft))) {
      const known = tokens.get(environment);
      // Not by spreading: they may be too many for arguments.
      if (known === undefined) tokens.set(environment, deviceTokens.slice());
      else for (const token of deviceTokens) known.push(token);
    }
  }
  return tokens;
}

function draftIn(line: ReadLines): NotificationDraft | DraftRun | undefined {
  if (line.kind === "run") return line.run;
  return line.entry.kind === "valid" ? line.entry.draft : undefined;
}

type Choice = Pick<NotificationDraft, "environment" | "environmentChoice">;

function goneFor(
  draft: Choice,
  gone: ReadonlyMap<Environment, ReadonlyMap<string, GoneToken>>,
): ReadonlyMap<string, GoneToken> | undefined {
  const [one, other] = possibleEnvironments(draft).flatMap((environment) => gone.get(environment) ?? []);
  return one === undefined || other === undefined ? one : new Map([...one, ...other]);
}

/** Undefined where all of it passes. */
function cutDraft(
  draft: NotificationDraft,
  gone: ReadonlyMap<string, GoneToken> | undefined,
  pointer: string,
): readonly Entry[] | undefined {
  const { deviceTokens } = draft;
  const entries: Entry[] = [];
  let from = 0;
  const pass = (to: number): void => {
    if (to > from)
      entries.push({ kind: "valid", draft: { ...draft, deviceTokens: deviceTokens.slice(from, to) } });
  };
  for (const [at, token] of deviceTokens.entries()) {
    const why = refusal(gone?.get(token), draft);
    if (why === undefined) continue;
    pass(at);
    entries.push(refused(why, deviceTokens.length === 1 ? `${pointer}/to` : `${pointer}/to/tokens/${at}`));
    from = at + 1;
  }
  if (entries.length === 0) return undefined;
  pass(deviceTokens.length);
  return entries;
}

function cutRun(
  whole: Run,
  gone: ReadonlyMap<string, GoneToken> | undefined,
  pointerOf: (number: number) => string,
): readonly ReadLines[] {
  const { first, count, run } = whole;
  // Either several notifications with one recipient each, or one notification.
  const isOneEach = count === run.recipients;
  const lines: ReadLines[] = [];
  let from = 0;
  const pass = (to: number): void => {
    if (to === from) return;
    const place = isOneEach ? { first: first + from, count: to - from } : { first, count };
    lines.push({ kind: "run", ...place, run: slice(run, from, to, isOneEach) });
  };
  for (let at = 0; gone !== undefined && at < run.recipients; at += 1) {
    const why = refusal(gone.get(deviceTokenIn(run, at)), run.shared);
    if (why === undefined) continue;
    pass(at);
    const line = isOneEach ? first + at : first;
    const pointer = `${pointerOf(line)}${isOneEach ? "/to" : `/to/tokens/${at}`}`;
    lines.push({ kind: "entry", line, entry: refused(why, pointer) });
    from = at + 1;
  }
  if (lines.length === 0) return [whole];
  pass(run.recipients);
  return lines;
}

/** The recipients of a run from `from` up to `to`. */
function slice(run: DraftRun, from: number, to: number, hasPayloadEach: boolean): DraftRun {
  const spans = run.spans.subarray(from * runSpan.size, to * runSpan.size);
  let payloadBytes = hasPayloadEach ? 0 : run.payloadBytes;
  for (let at = 0; hasPayloadEach && at < spans.length; at += runSpan.size)
    payloadBytes += (spans[at + runSpan.payloadEnd] ?? 0) - (spans[at + runSpan.payloadStart] ?? 0);
  return { ...run, spans, recipients: to - from, payloadBytes };
}

/** What is known to be gone, unless the device registered again at that moment or later. */
function refusal(
  gone: GoneToken | undefined,
  { registeredAtMs }: Pick<NotificationDraft, "registeredAtMs">,
): GoneToken | undefined {
  if (gone === undefined) return undefined;
  return registeredAtMs !== undefined && registeredAtMs >= gone.sinceMs ? undefined : gone;
}

function refused({ reason, sinceMs }: GoneToken, pointer: string): Entry {
  const since = new Date(sinceMs).toISOString();
  const problem: FieldProblem = {
    pointer,
    detail:
      `This device token is gone since ${since} (${reason}). Delete it. If the device has registered again, send ` +
      "registeredAt with the notification, or take the verdict back with POST …/feedback/{token}/restore.",
    reason,
    since,
  };
  return { kind: "invalid", problems: [problem], recipients: 1 };
}
