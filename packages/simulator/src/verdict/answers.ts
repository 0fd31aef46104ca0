import { makeApnsId, type RejectionReason, rejectionReasons } from "@carillon/apns";
import type { Verdict } from "./judge.ts";
import type { Court } from "./rules.ts";

/** An answer as the HTTP/2 edge writes it. */
export interface AnswerParts {
  readonly status: number;
  /** Apple's reason; undefined with a 200. */
  readonly reason: string | undefined;
  /** [name, value, ...], `:status` first. */
  readonly fields: readonly string[];
  /** Undefined for an answer that ends on its HEADERS, as a 200 does. */
  readonly body: Buffer | undefined;
}

/** Bodies of refusals by reason, made once. */
const bodies = new Map<string, Buffer>(
  Object.keys(rejectionReasons).map((reason) => [reason, Buffer.from(JSON.stringify({ reason }))]),
);

/** The answer in Apple's form (`apns-protocol` §3.1). `apns-unique-id` comes in the sandbox only. */
export function writeAnswer(
  verdict: Verdict,
  { environment, assumptions }: Pick<Court, "environment" | "assumptions">,
): AnswerParts {
  const { apnsId, refusal } = verdict;
  if (refusal === undefined) {
    const fields =
      environment === "sandbox"
        ? [":status", "200", "apns-id", apnsId, "apns-unique-id", makeApnsId()]
        : [":status", "200", "apns-id", apnsId];
    return { status: 200, reason: undefined, fields, body: undefined };
  }
  const { status } = rejectionReasons[refusal.reason];
  const { contentType, retryAfterSeconds } = assumptions;
  const fields = [":status", String(status), "apns-id", apnsId];
  if (contentType !== undefined) fields.push("content-type", contentType);
  if (retryAfterSeconds !== undefined && (status === 429 || status === 503)) {
    fields.push("retry-after", String(retryAfterSeconds));
  }
  return { status, reason: refusal.reason, fields, body: writeBody(refusal.reason, refusal.goneSinceMs) };
}

/** The JSON of a refusal, and of a GOAWAY's debug data. */
export function writeBody(reason: RejectionReason, goneSinceMs?: number): Buffer {
  if (goneSinceMs !== undefined) return Buffer.from(JSON.stringify({ reason, timestamp: goneSinceMs }));
  return bodies.get(reason) ?? Buffer.from(JSON.stringify({ reason }));
}
