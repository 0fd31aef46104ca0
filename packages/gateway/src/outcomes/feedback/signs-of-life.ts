/** How many device tokens are remembered: about so many of the latest. */
const slots = 2 ** 18;

/**
 * When device tokens were last known to be good, in 2 MiB whatever their number: a new token may take the place of an older
 * one. What is forgotten can only make a token seem gone that was registered again in between; the sender's own comparison
 * of `since` with its registration then decides. Of 2^50 pairs of tokens one is taken for the other.
 */
export class SignsOfLife {
  readonly #tags = new Uint32Array(slots);
  /** Epoch seconds, rounded up. */
  readonly #seconds = new Uint32Array(slots);

  /** It was good at this moment, epoch milliseconds. */
  note(token: TokenHash, atMs: number): void {
    const slot = token.low & (slots - 1);
    const seconds = Math.ceil(atMs / 1_000);
    const isKnown = this.#tags[slot] === token.high;
    this.#tags[slot] = token.high;
    this.#seconds[slot] = isKnown ? Math.max(this.#seconds[slot] ?? 0, seconds) : seconds;
  }

  /** The latest sign of life, epoch milliseconds; undefined when none is remembered. */
  latest(token: TokenHash): number | undefined {
    const slot = token.low & (slots - 1);
    const seconds = this.#seconds[slot] ?? 0;
    return seconds > 0 && this.#tags[slot] === token.high ? seconds * 1_000 : undefined;
  }
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

/** Mixes what tells tokens apart: the last 24 digits and the route (FNV-1a, with two primes). */
export function hashToken(seed: number, deviceToken: string): TokenHash {
  let low = seed >>> 0;
  let high = ~seed >>> 0;
  for (let at = Math.max(deviceToken.length - 24, 0); at < deviceToken.length; at += 1) {
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
