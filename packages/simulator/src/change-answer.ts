import { rejectionReasons } from "@carillon/apns";
import type { OddAnswer } from "./http2/index.ts";
import type { FaultAnswer } from "./scenario/index.ts";
import type { AnswerParts } from "./verdict/index.ts";

/** An answer, perhaps with what a scenario made of it. */
export interface ChangedAnswer extends AnswerParts {
  /** How it is written, where that is unusual. */
  readonly odd?: OddAnswer;
}

const noBytes = Buffer.alloc(0);
const wholeBlock = 16_384;

/** The usual answer with a scenario's changes. The `apns-id` stays. */
export function changeAnswer(usual: AnswerParts, changes: FaultAnswer): ChangedAnswer {
  const { status, reason, body } = changeVerdict(usual, changes);
  const fields = [":status", String(status)];
  for (let at = 2; at < usual.fields.length; at += 2) {
    const name = usual.fields[at]!;
    if (name.startsWith("apns-") || changes.reason === undefined) fields.push(name, usual.fields[at + 1]!);
  }
  if (changes.reason !== undefined) fields.push("content-type", "application/json");
  for (const [name, value] of Object.entries(changes.headers ?? {}))
    setField(fields, name.toLowerCase(), value);
  const { earlyHints, trailers, padding = 0, pieceBytes } = changes;
  const isUsual =
    earlyHints !== "sent" && trailers === undefined && padding === 0 && pieceBytes === undefined;
  if (isUsual) return { status, reason, fields, body };
  return {
    ...{ status, reason, fields, body },
    odd: {
      fields,
      body: body ?? noBytes,
      interim: earlyHints === "sent" ? [":status", "103"] : undefined,
      trailers: trailers && Object.entries(trailers).flat(),
      padding,
      pieceBytes: pieceBytes ?? wholeBlock,
    },
  };
}

function changeVerdict(
  usual: AnswerParts,
  changes: FaultAnswer,
): Pick<AnswerParts, "status" | "reason" | "body"> {
  const body = changes.body === undefined ? undefined : Buffer.from(changes.body);
  const { reason, timestamp } = changes;
  if (reason !== undefined) {
    const known = Object.hasOwn(rejectionReasons, reason)
      ? rejectionReasons[reason as keyof typeof rejectionReasons].status
      : 400;
    const json = JSON.stringify(timestamp === undefined ? { reason } : { reason, timestamp });
    return { status: changes.status ?? known, reason, body: body ?? Buffer.from(json) };
  }
  const status = changes.status ?? usual.status;
  return { status, reason: status === 200 ? undefined : usual.reason, body: body ?? usual.body };
}

function setField(fields: string[], name: string, value: string): void {
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] !== name) continue;
    fields[at + 1] = value;
    return;
  }
  fields.push(name, value);
}
