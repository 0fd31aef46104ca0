import type { AppConfig } from "../config/index.ts";
import { type DraftRun, runSpan, type SharedDraft } from "../delivery/index.ts";
import type { WantedPush } from "./frame-reader.ts";

type Choice = Pick<SharedDraft, "environment" | "environmentChoice">;
type ChoosingApp = Pick<AppConfig, "environment" | "resolveEnvironment">;

/** Frames name no environment. */
export function choiceFor({ environment, resolveEnvironment }: ChoosingApp): Choice {
  return { environment, ...(resolveEnvironment ? { environmentChoice: "open" } : {}) };
}

/**
 * The pushes as drafts, in order; those in a row that differ in device token and payload only, and came in one read, become one
 * run. Nothing is copied: the runs point into the bytes as they came.
 */
export function draftRuns(pushes: readonly WantedPush[], app: ChoosingApp): readonly DraftRun[] {
  const choice = choiceFor(app);
  const runs: DraftRun[] = [];
  for (let from = 0; from < pushes.length; ) {
    const first = pushes[from]!;
    let to = from + 1;
    while (to < pushes.length && isAlike(first, pushes[to]!)) to += 1;
    runs.push(runOf(pushes, from, to, choice));
    from = to;
  }
  return runs;
}

function isAlike(one: WantedPush, other: WantedPush): boolean {
  return (
    one.payload.buffer === other.payload.buffer &&
    one.pushType === other.pushType &&
    one.topic === other.topic &&
    one.priority === other.priority &&
    one.expirationSeconds === other.expirationSeconds
  );
}

function runOf(pushes: readonly WantedPush[], from: number, to: number, choice: Choice): DraftRun {
  const { payload: firstPayload, topic, pushType, priority, expirationSeconds } = pushes[from]!;
  const spans = new Uint32Array((to - from) * runSpan.size);
  let payloadBytes = 0;
  for (let at = from, span = 0; at < to; at += 1, span += runSpan.size) {
    const { deviceToken, payload } = pushes[at]!;
    const tokenStart = deviceToken.byteOffset;
    const payloadStart = payload.byteOffset;
    spans[span + runSpan.tokenStart] = tokenStart;
    spans[span + runSpan.tokenEnd] = tokenStart + deviceToken.length;
    spans[span + runSpan.payloadStart] = payloadStart;
    spans[span + runSpan.payloadEnd] = payloadStart + payload.length;
    payloadBytes += payload.length;
  }
  return {
    shared: {
      ...{ topic, lane: "normal", delivery: "at-least-once", ...choice },
      ...(pushType === undefined ? {} : { pushType }),
      ...(priority === undefined ? {} : { priority }),
      ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
    },
    bytes: Buffer.from(firstPayload.buffer),
    ...{ tokenForm: "bytes", spans, recipients: to - from, payloadBytes },
  };
}
