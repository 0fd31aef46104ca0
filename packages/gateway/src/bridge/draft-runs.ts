import { type DraftRun, runSpan, type SharedDraft } from "../delivery/index.ts";
import type { WantedPush } from "./frame-reader.ts";

/** The pushes as drafts, in order; those in a row that differ in device token and payload only become one run. */
export function draftRuns(
  pushes: readonly WantedPush[],
  environment: SharedDraft["environment"],
): readonly DraftRun[] {
  const runs: DraftRun[] = [];
  for (let from = 0; from < pushes.length; ) {
    const first = pushes[from]!;
    let to = from + 1;
    while (to < pushes.length && isAlike(first, pushes[to]!)) to += 1;
    runs.push(runOf(pushes, from, to, environment));
    from = to;
  }
  return runs;
}

function isAlike(one: WantedPush, other: WantedPush): boolean {
  return (
    one.pushType === other.pushType &&
    one.topic === other.topic &&
    one.priority === other.priority &&
    one.expirationSeconds === other.expirationSeconds
  );
}

function runOf(
  pushes: readonly WantedPush[],
  from: number,
  to: number,
  environment: SharedDraft["environment"],
): DraftRun {
  const { topic, pushType, priority, expirationSeconds } = pushes[from]!;
  let room = 0;
  for (let at = from; at < to; at += 1)
    room += pushes[at]!.deviceToken.length * 2 + pushes[at]!.payload.length;
  const bytes = Buffer.allocUnsafeSlow(room);
  const spans = new Uint32Array((to - from) * runSpan.size);
  let payloadBytes = 0;
  let end = 0;
  for (let at = from; at < to; at += 1) {
    const { deviceToken, payload } = pushes[at]!;
    const span = (at - from) * runSpan.size;
    spans[span + runSpan.tokenStart] = end;
    end += bytes.write(deviceToken.toString("hex"), end, "latin1");
    spans[span + runSpan.tokenEnd] = end;
    spans[span + runSpan.payloadStart] = end;
    end += payload.copy(bytes, end);
    spans[span + runSpan.payloadEnd] = end;
    spans[span + runSpan.referenceStart] = end;
    spans[span + runSpan.referenceEnd] = end;
    payloadBytes += payload.length;
  }
  return {
    shared: {
      ...{ topic, environment, lane: "normal", delivery: "at-least-once" },
      ...(pushType === undefined ? {} : { pushType }),
      ...(priority === undefined ? {} : { priority }),
      ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
    },
    ...{ bytes, spans, recipients: to - from, payloadBytes },
  };
}
