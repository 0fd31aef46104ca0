import type { TraceStep, WaitCause } from "../trace.ts";
import type { TraceFacts, WayFacts } from "../trace-facts.ts";
import { adviceOn, countText, durationText, explained, isoOf } from "../words.ts";

/** A shorter wait is none to speak of. */
export const longWaitMs = 5_000;

/** How it came in, and what it waited for or waits for before it leaves. */
export function queueSteps(facts: TraceFacts): readonly TraceStep[] {
  return [...submissionSteps(facts), ...pastWait(facts), ...waySteps(facts), ...presentWait(facts)];
}

/** Since when it could have left: it was stored, and its time had come. */
export function readyAtMs({ inspection }: Pick<TraceFacts, "inspection">): number {
  return Math.max(inspection.storedAtMs, inspection.dueAtMs);
}

function submissionSteps({ inspection }: TraceFacts): readonly TraceStep[] {
  const { storedAtMs, dueAtMs, record } = inspection;
  const stored: TraceStep = {
    ...{ kind: "stored", at: isoOf(storedAtMs) },
    text: `Taken for the app ${record.app}, and on disk.`,
  };
  if (dueAtMs <= storedAtMs) return [stored];
  const until = isoOf(dueAtMs);
  const text = `Not to be sent before ${until}, as its sender asked (sendAt).`;
  return [stored, { kind: "scheduled", at: stored.at ?? until, until, text }];
}

function waySteps({ wayEvents }: TraceFacts): readonly TraceStep[] {
  return wayEvents.map(({ at, cursor, type, data }) => {
    const reason = typeof data.reason === "string" && data.reason !== "" ? data.reason : undefined;
    return { kind: "route", at, cursor, type, text: wayText(type, data.state, reason), ...explained(reason) };
  });
}

function wayText(type: string, state: unknown, reason: string | undefined): string {
  if (type === "route.parked") return `Its way to Apple came to a stop: ${reason}.`;
  if (type === "route.released") return "Its way to Apple was well again.";
  return state === "degraded"
    ? `Apple was in trouble: of the latest answers at least half were errors or missing${reason === undefined ? "" : ` (${reason})`}.`
    : "Apple was well again.";
}

/** Nothing tells what it waited for; but what its way to Apple did in that time follows. */
function pastWait({ inspection }: TraceFacts): readonly TraceStep[] {
  const leftAt = inspection.record.attempts[0]?.at;
  if (leftAt === undefined) return [];
  const readyMs = readyAtMs({ inspection });
  const waitedMs = Date.parse(leftAt) - readyMs;
  if (waitedMs < longWaitMs) return [];
  const text =
    `It waited ${durationText(waitedMs)} before its first attempt was answered. A pause of the app, its rate, a queue before it, ` +
    "or a way to Apple that is not well make notifications wait.";
  return [{ kind: "waited", at: isoOf(readyMs), until: leftAt, text }];
}

function presentWait(facts: TraceFacts): readonly TraceStep[] {
  const { record, isInDoubt } = facts.inspection;
  if (record.status !== "queued" || record.attempts.length > 0) return [];
  const step = waitingStep(facts, readyAtMs(facts));
  return [isInDoubt ? { ...step, text: `${step.text} ${doubtText}` } : step];
}

const doubtText =
  "The gateway was killed while it held this one, so that Apple may have it already; it is sent again under the same apns-id.";

/** What it waits for now. */
export function waitingStep({ way, inspection }: TraceFacts, readyMs: number): TraceStep {
  const { record } = inspection;
  const { app, environment } = record;
  const step = (waitsFor: WaitCause, text: string, sinceMs = readyMs, reason?: string): TraceStep => ({
    ...{ kind: "waiting", at: isoOf(Math.max(sinceMs, readyMs)), waitsFor, text },
    ...explained(reason),
  });
  const { pause, waitingFor, waitingSinceMs, rateLimit } = way;
  if (pause !== undefined) {
    const why = pause.reason === undefined ? "" : `: ${pause.reason}`;
    const text = `The app is paused since ${isoOf(pause.sinceMs)}${why}. Nothing of it is sent until carillon apps resume ${app}.`;
    return step("pause", text, pause.sinceMs);
  }
  if (waitingFor !== undefined) {
    const since = waitingSinceMs === undefined ? "" : ` since ${isoOf(waitingSinceMs)}`;
    const text = `The way to Apple (${environment}) is at a stop${since}: ${waitingFor}.${adviceOn(waitingFor)} Its queue is kept, and one notification goes out now and then to see whether it is well again.`;
    return step("connection", text, waitingSinceMs, waitingFor);
  }
  const others = queueText(way, record.lane);
  if (rateLimit !== undefined)
    return step("rate", `The app sends at most ${rateLimit} a second (rateLimit). ${others}`);
  return step("turn", others);
}

function queueText({ queued, inFlight }: WayFacts, lane: string): string {
  return (
    `It waits for its turn in the lane ${lane}, or for Apple's answer: ${countText(queued, "notification")} of the app ` +
    `${queued === 1 ? "is" : "are"} not final, ${inFlight} of them in flight.`
  );
}
