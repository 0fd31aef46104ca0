/** How many device tokens are remembered: about so many of the latest. */
const slots = 2 ** 18;

/**
 * When device tokens were last known to be good, in 2 MiB whatever their number: a new token may take the place of an older
 * one. What is forgotten can only make a token seem gone that was registered again in between; the sender's own comparison
 * of `since` with its registration then decides. Of 2^50 pairs of tokens one is taken for the other.
 */
export class SignsOfLife {
  /** In each slot a tag and, beside it, epoch seconds, rounded up: one look at memory. */
  readonly #slots = new Uint32Array(2 * slots);

  /** It was good at this moment, epoch milliseconds. */
  note({ low, high }: TokenHash, atMs: number): void {
    this.#note(low, high, Math.ceil(atMs / 1_000));
  }

  /**
   * The same of many, in a loop of its own, in which the looks at memory overlap: they are most of what it costs that an outcome
   * is told (bench/delivery.ts).
   */
  noteAll({ lows, highs, count }: TokenHashes, atMs: number): void {
    const seconds = Math.ceil(atMs / 1_000);
    for (let at = 0; at < count; at += 1) this.#note(lows[at] ?? 0, highs[at] ?? 0, seconds);
  }

  /** The latest sign of life, epoch milliseconds; undefined when none is remembered. */
  latest({ low, high }: TokenHash): number | undefined {
    const slot = slotOf(low);
    const seconds = this.#slots[slot + 1] ?? 0;
    return seconds > 0 && this.#slots[slot] === high ? seconds * 1_000 : undefined;
  }

  #note(low: number, high: number, seconds: number): void {
    const slot = slotOf(low);
    const latest = this.#slots[slot] === high ? (this.#slots[slot + 1] ?? 0) : 0;
    this.#slots[slot] = high;
    this.#slots[slot + 1] = Math.max(latest, seconds);
  }
}

function slotOf(low: number): number {
  return 2 * (low & (slots - 1));
}

/** Remembers that something may be known of a token. Never forgets; says yes for one in thousands of others too. */
export class TokenFilter {
  static readonly #bits = 2 ** 22;
  readonly #words = new Uint32Array(TokenFilter.#bits / 32);

  add({ low, high }: TokenHash): void {
    for (const hash of [low, high]) {
      const bit = hash & (TokenFilter.#bits - 1);
      this.#words[bit >>> 5] = (this.#words[bit >>> 5] ?? 0) | (1 << (bit & 31));
    }
  }

  mayHave({ low, high }: TokenHash): boolean {
    return this.#has(low) && this.#has(high);
  }

  /** Which of many it may have, by their index; mostly none. */
  mayHaveOf({ lows, highs, count }: TokenHashes): readonly number[] {
    const found: number[] = [];
    for (let at = 0; at < count; at += 1)
      if (this.#has(lows[at] ?? 0) && this.#has(highs[at] ?? 0)) found.push(at);
    return found;
  }

  #has(hash: number): boolean {
    const bit = hash & (TokenFilter.#bits - 1);
    return ((this.#words[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
  }
}

/** A device token of one app in one environment, in 64 bits. */
export interface TokenHash {
  readonly low: number;
  readonly high: number;
}

/** Hashes of many device tokens, in room that is used again. */
export class TokenHashes {
  readonly lows: Uint32Array;
  readonly highs: Uint32Array;
  count = 0;

  /** @param most so many at most */
  constructor(most: number) {
    this.lows = new Uint32Array(most);
    this.highs = new Uint32Array(most);
  }

  get isFull(): boolean {
    return this.count === this.lows.length;
  }

  add(seed: number, deviceToken: string): void {
    const { low, high } = hashToken(seed, deviceToken);
    this.lows[this.count] = low;
    this.highs[this.count] = high;
    this.count += 1;
  }
}

/** Mixes what tells tokens apart: the last 16 digits, which are 64 bits, and the route (FNV-1a, with two primes). */
export function hashToken(seed: number, deviceToken: string): TokenHash {
  let low = seed >>> 0;
  let high = ~seed >>> 0;
  for (let at = Math.max(deviceToken.length - 16, 0); at < deviceToken.length; at += 1) {
    const code = deviceToken.charCodeAt(at);
    low = Math.imul(low ^ code, 16_777_619);
    high = Math.imul(high ^ code, 2_246_822_519);
  }
  return { low: (low ^ (low >>> 15)) >>> 0, high: (high ^ (high >>> 13)) >>> 0 };
}

/** Tells the tokens of one route from those of others. */
export function seedOf(app: string, environment: string): number {
  let seed = 2_166_136_261;
  for (const character of `${environment} ${app}`)
    seed = Math.imul(seed ^ character.charCodeAt(0), 16_777_619);
  return seed >>> 0;
}
