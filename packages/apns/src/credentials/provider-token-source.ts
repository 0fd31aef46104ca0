import { createPublicKey, type KeyObject } from "node:crypto";
import { type Clock, systemClock } from "../runtime/index.ts";
import { readProviderToken, signProviderToken, verifyProviderToken } from "./provider-token.ts";

/** A token this old is replaced: well before the 60 minutes after which APNs refuses it. */
const renewAfterMs = 50 * 60_000;
/** APNs answers 429 to a token that changes more often than once in 20 minutes. */
const shortestLifeMs = 20 * 60_000;
/** A clock that jumped back by more than this makes a token that lies in the future. */
const mostSkewMs = 60_000;

/**
 * Where a provider token outlives the process: APNs takes a new one only every 20 minutes, and a token signed anew is a new one even in
 * the same second. A file will do, or a row; what is kept there is as secret as a password for an hour. Called seldom, and synchronously.
 * What it throws costs a token more, never a send.
 *
 * Several processes may share one: each looks into it before it saves, and again afterwards, and goes on with what it finds. So
 * where `save` leaves alone what another process saved since `load`, all of them use one token; where it overwrites, two that
 * begin within the same fraction of a millisecond may use one each.
 */
export interface ProviderTokenCache {
  /** The token that was saved last, or undefined. One that is too old or of another key is not used. */
  load(): string | undefined;
  save(providerToken: string): void;
}

/**
 * The provider token of one key, one at a time. Age is counted from when a token was made, and it is made when it is first
 * asked for, so APNs never sees it before its life has begun.
 */
export class ProviderTokenSource {
  private readonly key: KeyObject;
  private readonly keyId: string;
  private readonly teamId: string;
  private readonly clock: Clock;
  private cache: ProviderTokenCache | undefined;
  /** The token as it is sent; made once, because every request bears it. */
  private bearer: string | undefined;
  private madeAtMs = 0;
  private madeAtMonotonic = 0;
  /** When the last token that replaced a refused one was made; by the clock that does not jump. */
  private renewedAtMonotonic = Number.NEGATIVE_INFINITY;

  constructor(
    key: KeyObject,
    keyId: string,
    teamId: string,
    clock: Clock = systemClock,
    cache?: ProviderTokenCache,
  ) {
    this.cache = cache;
    this.key = key;
    this.keyId = keyId;
    this.teamId = teamId;
    this.clock = clock;
  }

  /** Uses the cache from now on, unless there is one already. */
  keepIn(cache: ProviderTokenCache): void {
    this.cache ??= cache;
  }

  /** What the `authorization` header is to say now: `bearer` and the token. */
  current(): string {
    const now = this.clock.now();
    const age = this.clock.monotonic() - this.madeAtMonotonic;
    const jumped = Math.abs(now - this.madeAtMs - age) > mostSkewMs;
    if (this.bearer !== undefined && age < (jumped ? shortestLifeMs : renewAfterMs)) return this.bearer;
    return this.renew();
  }

  /**
   * APNs called `refused`, which `current` gave, expired. Takes a new token if that one is still the current one; however many answers say
   * so, one new token comes of it. False when a refused token was replaced less than 20 minutes ago: a further one would be
   * refused too, and the clock is the likely cause.
   */
  replace(refused: string): boolean {
    if (this.bearer !== refused) return true;
    const now = this.clock.monotonic();
    if (now - this.renewedAtMonotonic < shortestLifeMs) return false;
    this.renewedAtMonotonic = now;
    this.renew();
    return true;
  }

  /** Another token than the current one: what another process saved, or one of our own. */
  private renew(): string {
    const madeAtMs = this.clock.now();
    const madeAtMonotonic = this.clock.monotonic();
    const issuedAtSeconds = Math.floor(madeAtMs / 1000);
    const token = signProviderToken(this.key, { keyId: this.keyId, teamId: this.teamId, issuedAtSeconds });
    // Signed before the look, so that nearly no time is left in which two processes can both find nothing.
    const found = this.adoptSaved();
    if (found !== undefined) return found;
    this.madeAtMs = madeAtMs;
    this.madeAtMonotonic = madeAtMonotonic;
    this.bearer = `bearer ${token}`;
    this.save(token);
    return this.adoptSaved() ?? this.bearer;
  }

  /**
   * Takes up the saved token as if it had been made here, when it was made: one of this key, young enough, and another than the
   * current one.
   */
  private adoptSaved(): string | undefined {
    const saved = this.load();
    if (saved === undefined || `bearer ${saved}` === this.bearer) return undefined;
    const read = readProviderToken(saved);
    if (read.kind !== "read") return undefined;
    const { claims, signed, signature } = read;
    const ageMs = this.clock.now() - claims.issuedAtSeconds * 1000;
    const isOurs =
      claims.keyId === this.keyId &&
      claims.teamId === this.teamId &&
      verifyProviderToken(createPublicKey(this.key), signed, signature);
    if (!isOurs || ageMs < 0 || ageMs >= renewAfterMs) return undefined;
    this.madeAtMs = claims.issuedAtSeconds * 1000;
    this.madeAtMonotonic = this.clock.monotonic() - ageMs;
    this.bearer = `bearer ${saved}`;
    return this.bearer;
  }

  private load(): string | undefined {
    try {
      return this.cache?.load();
    } catch {
      return undefined; // as if nothing had been saved
    }
  }

  private save(token: string): void {
    try {
      this.cache?.save(token);
    } catch {
      // The next process makes a token of its own; this one has its.
    }
  }
}

/** Sources by key, so that all clients of a process that use one key send one token. */
const shared = new Map<string, ProviderTokenSource>();
const mostShared = 10_000;

/**
 * The process-wide source of a key; `clock` other than the system's gets one of its own, for tests. The cache of the first who brings
 * one is the one that is used.
 */
export function providerTokenSource(
  key: KeyObject,
  keyId: string,
  teamId: string,
  clock: Clock = systemClock,
  cache?: ProviderTokenCache,
): ProviderTokenSource {
  if (clock !== systemClock) return new ProviderTokenSource(key, keyId, teamId, clock, cache);
  const secret = key.export({ format: "der", type: "pkcs8" }).toString("base64");
  const name = `${teamId} ${keyId} ${secret}`;
  let source = shared.get(name);
  if (source === undefined) {
    if (shared.size >= mostShared) shared.clear();
    source = new ProviderTokenSource(key, keyId, teamId, clock, cache);
    shared.set(name, source);
  } else if (cache !== undefined) source.keepIn(cache);
  return source;
}
