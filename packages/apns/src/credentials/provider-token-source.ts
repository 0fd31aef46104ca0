import type { KeyObject } from "node:crypto";
import { type Clock, systemClock } from "../runtime/index.ts";
import { signProviderToken } from "./provider-token.ts";

/** A token this old is replaced: well before the 60 minutes after which APNs refuses it. */
const renewAfterMs = 50 * 60_000;
/** APNs answers 429 to a token that changes more often than once in 20 minutes. */
const shortestLifeMs = 20 * 60_000;
/** A clock that jumped back by more than this makes a token that lies in the future. */
const mostSkewMs = 60_000;

/**
 * The provider token of one key, one at a time. Age is counted from when a token was made, and it is made when it is first
 * asked for, so APNs never sees it before its life has begun.
 */
export class ProviderTokenSource {
  private readonly key: KeyObject;
  private readonly keyId: string;
  private readonly teamId: string;
  private readonly clock: Clock;
  /** The token as it is sent; made once, because every request bears it. */
  private bearer: string | undefined;
  private madeAtMs = 0;
  private madeAtMonotonic = 0;
  /** When the last token that replaced a refused one was made; by the clock that does not jump. */
  private renewedAtMonotonic = Number.NEGATIVE_INFINITY;

  constructor(key: KeyObject, keyId: string, teamId: string, clock: Clock = systemClock) {
    this.key = key;
    this.keyId = keyId;
    this.teamId = teamId;
    this.clock = clock;
  }

  /** What the `authorization` header is to say now: `bearer` and the token. */
  current(): string {
    const now = this.clock.now();
    const age = this.clock.monotonic() - this.madeAtMonotonic;
    const jumped = Math.abs(now - this.madeAtMs - age) > mostSkewMs;
    if (this.bearer !== undefined && age < (jumped ? shortestLifeMs : renewAfterMs)) return this.bearer;
    return this.make();
  }

  /**
   * APNs called `refused`, which `current` gave, expired. Makes a new token if that one is still the current one; however many answers say
   * so, one new token comes of it. False when a refused token was replaced less than 20 minutes ago: a further one would be
   * refused too, and the clock is the likely cause.
   */
  replace(refused: string): boolean {
    if (this.bearer !== refused) return true;
    const now = this.clock.monotonic();
    if (now - this.renewedAtMonotonic < shortestLifeMs) return false;
    this.renewedAtMonotonic = now;
    this.make();
    return true;
  }

  private make(): string {
    this.madeAtMs = this.clock.now();
    this.madeAtMonotonic = this.clock.monotonic();
    const issuedAtSeconds = Math.floor(this.madeAtMs / 1000);
    const token = signProviderToken(this.key, { keyId: this.keyId, teamId: this.teamId, issuedAtSeconds });
    this.bearer = `bearer ${token}`;
    return this.bearer;
  }
}

/** Sources by key, so that all clients of a process that use one key send one token. */
const shared = new Map<string, ProviderTokenSource>();
const mostShared = 10_000;

/** The process-wide source of a key; `clock` other than the system's gets one of its own, for tests. */
export function providerTokenSource(
  key: KeyObject,
  keyId: string,
  teamId: string,
  clock: Clock = systemClock,
): ProviderTokenSource {
  if (clock !== systemClock) return new ProviderTokenSource(key, keyId, teamId, clock);
  const secret = key.export({ format: "der", type: "pkcs8" }).toString("base64");
  const name = `${teamId} ${keyId} ${secret}`;
  let source = shared.get(name);
  if (source === undefined) {
    if (shared.size >= mostShared) shared.clear();
    source = new ProviderTokenSource(key, keyId, teamId, clock);
    shared.set(name, source);
  }
  return source;
}
