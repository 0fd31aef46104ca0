/** How many earlier payloads a new one is compared with. */
const remembered = 8;
/** A loop compares so few bytes sooner than a call of native code begins. */
const fewBytes = 96;

/** Knows where the last few payloads of a batch stand in it, so that one that comes back is not written again. */
export class RecentPayloads {
  #count = 0;
  // Of payload `index` at `index % remembered`.
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];
  readonly #marks: number[] = [];

  /**
   * The index of the payload that equals `bytes` from `start` to `end`, or undefined.
   * @param mark its `markOf`
   * @param batch what the payloads stand in
   */
  find(mark: number, batch: Buffer, bytes: Uint8Array, start: number, end: number): number | undefined {
    const length = end - start;
    const oldest = Math.max(this.#count - remembered, 0);
    for (let index = this.#count - 1; index >= oldest; index -= 1) {
      const slot = index % remembered;
      if (this.#marks[slot] !== mark || this.#lengths[slot] !== length) continue;
      if (isSame(batch, this.#starts[slot] ?? 0, bytes, start, end)) return index;
    }
    return undefined;
  }

  /** A payload was written into the batch and gets the next index, which is returned. */
  add(mark: number, start: number, end: number): number {
    const slot = this.#count % remembered;
    this.#starts[slot] = start;
    this.#lengths[slot] = end - start;
    this.#marks[slot] = mark;
    this.#count += 1;
    return this.#count - 1;
  }
}

/** Differs for nearly all payloads that differ. Looks at 32 to 64 bytes, for texts from one template differ anywhere. */
export function markOf(bytes: Uint8Array, start: number, end: number): number {
  const step = ((end - start) >> 6) + 1;
  let mark = 0;
  for (let at = start; at < end; at += step) mark = (Math.imul(mark, 31) + (bytes[at] ?? 0)) | 0;
  return mark;
}

function isSame(batch: Buffer, at: number, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length > fewBytes) return batch.compare(bytes, start, end, at, at + length) === 0;
  for (let place = 0; place < length; place += 1)
    if (batch[at + place] !== bytes[start + place]) return false;
  return true;
}
