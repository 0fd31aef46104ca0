import type { RejectionReason } from "@carillon/apns";
import type { KnownProviderToken, ProviderTokens } from "./provider-tokens.ts";

/** A provider token is accepted for this long after it was issued, or first seen where its clock is ahead. */
const longestAgeMs = 60 * 60_000;

/** A new one may come this long after the one before. */
const shortestChangeMs = 20 * 60_000;

/** How far ahead of ours the sender's clock may be (`apns-protocol` §11, 5). */
const mostAheadMs = 5 * 60_000;

/** The provider tokens of one connection: the rules of `apns-protocol` §2.1. */
export class ProviderTokenSession {
  private readonly tokens: ProviderTokens;
  /** The `authorization` accepted last, and when this connection saw it first. */
  private header: string | undefined;
  private current: KnownProviderToken | undefined;
  private currentSinceMs = 0;

  constructor(tokens: ProviderTokens) {
    this.tokens = tokens;
  }

  /** Why a request with this `authorization` is refused; undefined where it is not. */
  check(authorization: string | undefined, nowMs: number): RejectionReason | undefined {
    if (authorization === undefined) return "MissingProviderToken";
    if (authorization === this.header && this.current !== undefined) {
      return isExpired(this.current, nowMs) ? "ExpiredProviderToken" : undefined;
    }
    const token = /^bearer +(\S+)$/i.exec(authorization)?.[1];
    const known = token === undefined ? undefined : this.tokens.verify(token, nowMs);
    if (known === undefined || known.issuedAtMs > nowMs + mostAheadMs) return "InvalidProviderToken";
    if (this.current !== undefined && known.teamId !== this.current.teamId) return "InvalidProviderToken";
    if (isExpired(known, nowMs)) return "ExpiredProviderToken";
    if (this.isTooSoon(known, nowMs)) return "TooManyProviderTokenUpdates";
    this.header = authorization;
    this.current = known;
    this.currentSinceMs = nowMs;
    return undefined;
  }

  /**
   * Whether this change of tokens comes too soon after the last one: by our clock, and by what the tokens say as well,
   * because a connection may be younger than the token it began with. An expired token may be replaced at once.
   */
  private isTooSoon(next: KnownProviderToken, nowMs: number): boolean {
    if (this.current === undefined || isExpired(this.current, nowMs)) return false;
    return (
      nowMs - this.currentSinceMs < shortestChangeMs &&
      next.issuedAtMs - this.current.issuedAtMs < shortestChangeMs
    );
  }
}

function isExpired(token: KnownProviderToken, nowMs: number): boolean {
  return nowMs - Math.min(token.issuedAtMs, token.firstSeenMs) > longestAgeMs;
}
