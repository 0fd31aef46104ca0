import { type DraftRun, runSpan } from "./draft-run.ts";
import type { NotificationDraft } from "./notification-draft.ts";

/** A run as drafts, one for each recipient. */
export function draftsOf({ shared, bytes, tokenForm, spans, recipients }: DraftRun): NotificationDraft[] {
  const encoding = tokenForm === "bytes" ? "hex" : "latin1";
  return Array.from({ length: recipients }, (_, recipient) => {
    const at = recipient * runSpan.size;
    const span = (start: number, end: number): Buffer => bytes.subarray(spans[at + start], spans[at + end]);
    const reference = span(runSpan.referenceStart, runSpan.referenceEnd).toString();
    return {
      ...shared,
      deviceTokens: [span(runSpan.tokenStart, runSpan.tokenEnd).toString(encoding).toLowerCase()],
      payload: span(runSpan.payloadStart, runSpan.payloadEnd),
      ...(reference === "" ? {} : { reference }),
    };
  });
}
