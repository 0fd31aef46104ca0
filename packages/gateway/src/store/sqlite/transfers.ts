import type { Answer, Call, ResultOf } from "./calls.ts";

/** Below this size copying a buffer to another thread costs less than handing it over. */
const worthHandingOver = 4_096;

/** The buffers that go to the worker with a call instead of being copied. */
export function transfersOfCall(call: Call): ArrayBuffer[] {
  return call.name === "add" ? buffersOf(call.args[0].map(({ body }) => body)) : [];
}

/** The buffers that come back with its answer. */
export function transfersOfAnswer(name: Call["name"], answer: Answer): ArrayBuffer[] {
  if (answer.kind !== "done") return [];
  switch (name) {
    case "add":
      return buffersOf(answer.result as ResultOf<"add">);
    case "claim":
      return buffersOf((answer.result as ResultOf<"claim">).batches.map(({ body }) => body));
    case "find":
      return buffersOf([(answer.result as ResultOf<"find">)?.body]);
    default:
      return [];
  }
}

function buffersOf(bodies: readonly (Uint8Array | undefined)[]): ArrayBuffer[] {
  return bodies.flatMap((body) =>
    body !== undefined &&
    body.byteLength >= worthHandingOver &&
    body.byteLength === body.buffer.byteLength &&
    body.buffer instanceof ArrayBuffer
      ? [body.buffer]
      : [],
  );
}
