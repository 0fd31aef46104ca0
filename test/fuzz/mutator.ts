/** Changes byte strings the way that finds faults in parsers of frames: bits, lengths, whole frames, pieces of others. */

/** A small generator whose whole state is one number, so that a seed repeats a run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const interesting = [0, 1, 0x7f, 0x80, 0xff, 0x3f, 0x40, 0x1f, 0x20, 9, 4, 5] as const;
const mostBytes = 40_000;

export class Mutator {
  private readonly random: () => number;
  private readonly framesAt: number;

  /** @param framesAt where the first frame of an input begins */
  constructor(random: () => number, framesAt: number) {
    this.random = random;
    this.framesAt = framesAt;
  }

  /** One to eight changes of `input`, some of them with pieces of `other`. */
  mutate(input: Buffer, other: Buffer): Buffer {
    let bytes: Buffer = Buffer.from(input);
    for (let changes = 1 + this.below(8); changes > 0; changes -= 1) bytes = this.change(bytes, other);
    return bytes.subarray(0, mostBytes);
  }

  below(bound: number): number {
    return Math.floor(this.random() * bound);
  }

  private change(bytes: Buffer, other: Buffer): Buffer {
    if (bytes.length === 0) return Buffer.from(other);
    const at = this.below(bytes.length);
    const span = 1 + this.below(Math.min(32, bytes.length - at));
    switch (this.below(9)) {
      case 0:
        bytes[at] = bytes[at]! ^ (1 << this.below(8));
        return bytes;
      case 1:
        bytes[at] = interesting[this.below(interesting.length)]!;
        return bytes;
      case 2:
        bytes[at] = bytes[at]! + 1 - 2 * this.below(2);
        return bytes;
      case 3:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + span)]);
      case 4:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + span), bytes.subarray(at)]);
      case 5: {
        const from = this.below(other.length);
        return Buffer.concat([bytes.subarray(0, at), other.subarray(from, from + span), bytes.subarray(at)]);
      }
      case 6:
        return this.changeFrame(bytes);
      case 7:
        return this.repeatFrame(bytes);
      default:
        return Buffer.concat([bytes.subarray(0, at), other.subarray(this.below(other.length + 1))]);
    }
  }

  /** Where the frames of a stream begin, as far as their lengths make sense. */
  private frames(bytes: Buffer): number[] {
    const starts: number[] = [];
    for (let at = this.framesAt; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) starts.push(at);
    return starts;
  }

  /** Another type, other flags, another stream or length for one frame. */
  private changeFrame(bytes: Buffer): Buffer {
    const starts = this.frames(bytes);
    const at = starts[this.below(starts.length)];
    if (at === undefined) return bytes;
    const kind = this.below(4);
    if (kind === 0) bytes[at + 3] = this.below(12);
    else if (kind === 1) bytes[at + 4] = this.below(256);
    else if (kind === 2) bytes.writeUInt32BE(this.below(12), at + 5);
    else bytes.writeUIntBE(this.below(64), at, 3);
    return bytes;
  }

  /** One frame once more, somewhere else. */
  private repeatFrame(bytes: Buffer): Buffer {
    const starts = this.frames(bytes);
    const from = starts[this.below(starts.length)];
    const to = starts[this.below(starts.length)];
    if (from === undefined || to === undefined) return bytes;
    const frame = bytes.subarray(from, from + 9 + bytes.readUIntBE(from, 3));
    return Buffer.concat([bytes.subarray(0, to), frame, bytes.subarray(to)]);
  }
}
