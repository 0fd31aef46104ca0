import type { RejectionReason } from "@carillon/apns";
import type { Assumptions } from "./assumptions.ts";
import type { KnownKey, KnownProviderToken, ProviderTokens, TokenUse } from "./provider-tokens.ts";

/** A provider token is accepted for this long after it was issued, or first seen where its clock is ahead. */
const longestAgeMs = 60 * 60_000;

/** A new one may come this long after the one before. */
const shortestChangeMs = 20 * 60_000;

/** What provider tokens are checked against, beside themselves. */
export interface TokenCourt {
  readonly nowMs: number;
  readonly environment: "sandbox" | "production";
  readonly assumptions: Assumptions;
  /** How long the connection had been without a request before this one. */
  readonly idleMs: number;
}

/** What a provider token said, without its secret part. */
export interface UsedProviderToken {
  readonly keyId: string;
  readonly teamId: string;
  readonly issuedAtMs: number;
  /** Since when the connection used it. */
  readonly sinceMs: number;
}

/** Provider tokens remembered for each connection: the newest. */
const mostUsed = 20;

/** The provider tokens of one connection: the rules of `apns-protocol` §2.1. */
export class ProviderTokenSession {
  private readonly tokens: ProviderTokens;
  /** The `authorization` accepted last, and since when this connection has it. */
  private header: string | undefined;
  private use: TokenUse | undefined;
  /** The key of the first request that was accepted: the connection is bound to it. */
  private firstKey: KnownKey | undefined;

  private readonly usedTokens: UsedProviderToken[] = [];

  constructor(tokens: ProviderTokens) {
    this.tokens = tokens;
  }

  /** The provider tokens that were accepted, one for each change, oldest first; the newest 20. */
  get used(): readonly UsedProviderToken[] {
    return this.usedTokens;
  }

  /** Bundle ids that the current key is for; undefined for all of its team. */
  get topics(): readonly string[] | undefined {
    return this.use?.token.key.topics;
  }

  /** Why a request with this `authorization` is refused; undefined where it is not. */
  check(authorization: string | undefined, court: TokenCourt): RejectionReason | undefined {
    if (authorization === undefined) return "MissingProviderToken";
    const { nowMs, idleMs, assumptions } = court;
    if (authorization === this.header && this.use !== undefined && this.tokens.isGood(this.use.token.key)) {
      if (!isExpired(this.use.token, nowMs)) return undefined;
      return idleMs > longestAgeMs ? assumptions.expiredWhileIdle : "ExpiredProviderToken";
    }
    const text = /^bearer +(\S+)$/i.exec(authorization)?.[1];
    const token = text === undefined ? undefined : this.tokens.verify(text, nowMs);
    if (token === undefined) return "InvalidProviderToken";
    const refusal = this.checkKey(token.key, court) ?? this.checkTime(token, court);
    if (refusal !== undefined) return refusal;
    this.header = authorization;
    this.use = { token, sinceMs: nowMs };
    const { keyId, teamId } = token.key;
    this.usedTokens.push({ keyId, teamId, issuedAtMs: token.issuedAtMs, sinceMs: nowMs });
    if (this.usedTokens.length > mostUsed) this.usedTokens.shift();
    this.firstKey ??= token.key;
    if (this.tokens.teamUse(token.key.teamId)?.token !== token) this.tokens.setTeamUse(this.use);
    return undefined;
  }

  /** A connection is for one team, for one environment, and for its first key and the one related to that. */
  private checkKey(key: KnownKey, court: TokenCourt): RejectionReason | undefined {
    const { assumptions, environment } = court;
    if (key.environment !== undefined && key.environment !== environment) return assumptions.environmentKey;
    const first = this.firstKey;
    if (first === undefined || first.keyId === key.keyId) return undefined;
    if (first.teamId !== key.teamId) return assumptions.otherTeam;
    return key.relatedTo === first.keyId || first.relatedTo === key.keyId
      ? undefined
      : "UnrelatedKeyIdInToken";
  }

  private checkTime(token: KnownProviderToken, court: TokenCourt): RejectionReason | undefined {
    const { assumptions, nowMs } = court;
    if (token.issuedAtMs > nowMs + assumptions.mostAheadMs) return assumptions.tokenFromTheFuture;
    if (isExpired(token, nowMs)) return "ExpiredProviderToken";
    const last = assumptions.tokenUpdatesBy === "team" ? this.tokens.teamUse(token.key.teamId) : this.use;
    return last !== undefined && isTooSoon(last, token, nowMs) ? "TooManyProviderTokenUpdates" : undefined;
  }
}

/**
 * Whether this change of tokens comes too soon after the last one: by our clock, and by what the tokens say as well,
 * because a connection may be younger than the token it began with. An expired token may be replaced at once, and a related
 * key's token is no change.
 */
function isTooSoon(last: TokenUse, next: KnownProviderToken, nowMs: number): boolean {
  if (last.token === next || last.token.key.keyId !== next.key.keyId) return false;
  if (isExpired(last.token, nowMs)) return false;
  return (
    nowMs - last.sinceMs < shortestChangeMs && next.issuedAtMs - last.token.issuedAtMs < shortestChangeMs
  );
}

function isExpired(token: KnownProviderToken, nowMs: number): boolean {
  return nowMs - Math.min(token.issuedAtMs, token.firstSeenMs) > longestAgeMs;
}
