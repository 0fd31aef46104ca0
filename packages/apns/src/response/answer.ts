import { parseRejectionReason, type RejectionReason } from "./rejection-reason.ts";

/** One answer of APNs, read. */
export type Answer =
  | { readonly kind: "accepted"; readonly uniqueId?: string }
  | {
      readonly kind: "rejected";
      readonly status: number;
      readonly reason: RejectionReason;
      readonly goneSinceMs?: number;
      readonly retryAfterMs?: number;
      /** Not in the answer itself: what the client knows of the cause. */
      readonly detail?: string;
    }
  | {
      readonly kind: "unrecognized";
      readonly status: number;
      readonly reason: string;
      readonly retryAfterMs?: number;
    };

const longestWaitMs = 24 * 60 * 60 * 1000;
const mostReasonCharacters = 200;
/** Below this a 410's timestamp is seconds by mistake: in milliseconds it would lie before March 1973. */
const earliestMs = 100_000_000_000;

/**
 * Reads an answer. Never throws: the body may be empty, cut, no JSON at all, or hostile; then the status alone counts.
 *
 * @param fields response header fields, [name, value, …], names in lower case
 * @param nowMs the time, for a `retry-after` in the form of a date
 */
export function readAnswer(
  status: number,
  fields: readonly string[],
  body: Uint8Array,
  nowMs: number,
): Answer {
  // 201 and 204: a channel was made, was deleted.
  if (status === 200 || status === 201 || status === 204) {
    const uniqueId = findField(fields, "apns-unique-id");
    return uniqueId === undefined ? { kind: "accepted" } : { kind: "accepted", uniqueId };
  }
  const { reason: text, timestamp } = readBody(body);
  const wait = readRetryAfter(findField(fields, "retry-after"), nowMs);
  const retryAfterMs = wait === undefined ? {} : { retryAfterMs: wait };
  const reason = parseRejectionReason(text);
  if (reason === undefined) return { kind: "unrecognized", status, reason: text, ...retryAfterMs };
  const goneSinceMs = status === 410 && timestamp !== undefined ? { goneSinceMs: timestamp } : {};
  return { kind: "rejected", status, reason, ...goneSinceMs, ...retryAfterMs };
}

/** The first value of a field, or undefined. */
export function findField(fields: readonly string[], name: string): string | undefined {
  for (let at = 0; at < fields.length; at += 2) if (fields[at] === name) return fields[at + 1];
  return undefined;
}

function readBody(body: Uint8Array): { reason: string; timestamp?: number } {
  const text = Buffer.from(body.buffer, body.byteOffset, body.length)
    .toString("utf8")
    .replace(/^\uFEFF/, "");
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null && Object.hasOwn(parsed, "reason")) {
      const { reason, timestamp } = parsed as { reason: unknown; timestamp?: unknown };
      if (typeof reason === "string") {
        const short = reason.slice(0, mostReasonCharacters);
        return Object.hasOwn(parsed, "timestamp")
          ? { reason: short, ...readTimestamp(timestamp) }
          : { reason: short };
      }
    }
  } catch {
    // Not JSON: what came is shown as it is, cut.
  }
  return { reason: text.slice(0, mostReasonCharacters) };
}

function readTimestamp(timestamp: unknown): { timestamp?: number } {
  if (typeof timestamp !== "number" || !Number.isFinite(timestamp) || timestamp <= 0) return {};
  return { timestamp: timestamp < earliestMs ? timestamp * 1000 : timestamp };
}

/** Seconds or an HTTP date (RFC 9110, section 10.2.3); nonsense and the past count as absent. */
function readRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return ms > 0 ? Math.min(ms, longestWaitMs) : undefined;
}
