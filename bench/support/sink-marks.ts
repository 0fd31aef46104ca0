/**
 * Marks at the front of payloads, which a sink reads: who sent it and when, so that the sink can tell how long it took, and
 * whether it is to be answered as by a device, a service or a credential that is out of order.
 *
 * `{"mark":["urgent",1732471000000.25],…`: the label, and when the call was due, epoch milliseconds.
 */

/** Labels with another answer than 200; any other label is timed. */
const fates: Readonly<Record<string, Fate>> = {
  unavailable: { status: "503", reason: "ServiceUnavailable" },
  silent: "silence",
  "wrong-key": { status: "403", reason: "InvalidProviderToken" },
  refused: { status: "400", reason: "BadCollapseId" },
};

/** What goes under it is timed like the rest, and apart from it. */
export const warmUpLabel = "warm-up";

type Fate = "silence" | { readonly status: string; readonly reason: string };

/** What came under one label. */
export interface MarkReport {
  readonly label: string;
  readonly count: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** `label` and, where the call has a time of its own, `atMs`. */
export function markedPayload(label: string, atMs: number): string {
  return `{"mark":["${label}",${atMs.toFixed(2)}],"aps":{"alert":{"title":"Your order has left","body":"It is on its way"},"sound":"default"}}`;
}

const opening = Buffer.from('{"mark":["');
const [quote, bracket] = [0x22, 0x5d];

export class SinkMarks {
  #byLabel = new Map<
    string,
    { readonly tookMs: number[]; firstAtMs: number; lastAtMs: number; count: number }
  >();

  /** How the payload between `from` and `end` is to be answered; undefined for the usual 200. */
  read(bytes: Buffer, from: number, end: number): Fate | undefined {
    if (bytes.compare(opening, 0, opening.length, from, Math.min(from + opening.length, end)) !== 0)
      return undefined;
    const labelEnd = bytes.indexOf(quote, from + opening.length);
    const label = bytes.toString("latin1", from + opening.length, labelEnd);
    const dueAtMs = Number(bytes.toString("latin1", labelEnd + 2, bytes.indexOf(bracket, labelEnd)));
    this.#note(label, dueAtMs);
    return fates[label];
  }

  /** What came since the last report. */
  report(): readonly MarkReport[] {
    const reports = Array.from(this.#byLabel, ([label, { tookMs, ...seen }]) => {
      tookMs.sort((one, other) => one - other);
      const at = (share: number): number => tookMs[Math.floor(tookMs.length * share)] ?? Number.NaN;
      return { label, ...seen, p50Ms: at(0.5), p99Ms: at(0.99) };
    });
    this.#byLabel = new Map();
    return reports;
  }

  #note(label: string, dueAtMs: number): void {
    const nowMs = performance.timeOrigin + performance.now();
    let seen = this.#byLabel.get(label);
    if (seen === undefined) {
      seen = { tookMs: [], firstAtMs: nowMs, lastAtMs: nowMs, count: 0 };
      this.#byLabel.set(label, seen);
    }
    seen.count += 1;
    seen.lastAtMs = nowMs;
    // What was only to be counted has no time.
    if (dueAtMs > 0) seen.tookMs.push(nowMs - dueAtMs);
  }
}

/** HEADERS and DATA for the stream whose id stands at `at`. */
export function refusal({ status, reason }: Exclude<Fate, "silence">, bytes: Buffer, at: number): Buffer {
  // `:status` as a literal under the name at index 8 of the static table.
  const block = Buffer.from([0x08, 3, ...Buffer.from(status)]);
  const body = Buffer.from(`{"reason":"${reason}"}`);
  const frames = Buffer.concat([
    Buffer.from([0, 0, block.length, 1, 0x04, 0, 0, 0, 0]),
    block,
    Buffer.from([0, 0, body.length, 0, 0x01, 0, 0, 0, 0]),
    body,
  ]);
  for (const start of [5, 9 + block.length + 5]) bytes.copy(frames, start, at, at + 4);
  return frames;
}
