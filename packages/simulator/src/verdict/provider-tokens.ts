import { createPublicKey, type KeyObject } from "node:crypto";
import { readProviderToken, verifyProviderToken } from "@carillon/apns";
import type { ProviderKey, ProviderKeyScope } from "../credentials/index.ts";

/** A key that senders may sign with. */
export type KnownKey = ProviderKey & ProviderKeyScope;

/** A provider token whose signature, key id and team are right. */
export interface KnownProviderToken {
  readonly key: KnownKey;
  readonly issuedAtMs: number;
  /** When this simulator saw it first, on any connection. */
  readonly firstSeenMs: number;
}

/** The provider token that was used last, and since when: what changes are counted by. */
export interface TokenUse {
  token: KnownProviderToken;
  sinceMs: number;
}

/** Tokens remembered at most; those seen first are forgotten first. */
const mostRemembered = 1024;

/** Checks provider tokens, each signature once. */
export class ProviderTokens {
  private readonly keys = new Map<string, { readonly key: KnownKey; readonly publicKey: KeyObject }>();
  private readonly known = new Map<string, KnownProviderToken>();
  private readonly useByTeam = new Map<string, TokenUse>();

  constructor(keys: readonly KnownKey[]) {
    for (const key of keys) this.add(key);
  }

  /** Makes a key known, or changes what one is for. */
  add(key: KnownKey): void {
    this.revoke(key.keyId);
    this.keys.set(key.keyId, { key, publicKey: createPublicKey(key.key) });
  }

  /** The key is good no more, and neither is any token made with it. */
  revoke(keyId: string): void {
    this.keys.delete(keyId);
    for (const [token, { key }] of this.known) if (key.keyId === keyId) this.known.delete(token);
  }

  /** Whether the key that a token was checked with is still good. */
  isGood(key: KnownKey): boolean {
    return this.keys.get(key.keyId)?.key === key;
  }

  /** What the token says; undefined where it is malformed, or signature, key id or team are wrong. */
  verify(token: string, nowMs: number): KnownProviderToken | undefined {
    const known = this.known.get(token);
    if (known !== undefined) return known;
    const read = readProviderToken(token);
    if (read.kind === "malformed") return undefined;
    const { keyId, teamId, issuedAtSeconds } = read.claims;
    const found = this.keys.get(keyId);
    if (found === undefined || found.key.teamId !== teamId) return undefined;
    if (!verifyProviderToken(found.publicKey, read.signed, read.signature)) return undefined;
    const fresh = { key: found.key, issuedAtMs: issuedAtSeconds * 1000, firstSeenMs: nowMs };
    this.remember(token, fresh);
    return fresh;
  }

  /** What the team used last, on any connection. */
  teamUse(teamId: string): TokenUse | undefined {
    return this.useByTeam.get(teamId);
  }

  setTeamUse(use: TokenUse): void {
    this.useByTeam.set(use.token.key.teamId, use);
  }

  private remember(token: string, known: KnownProviderToken): void {
    this.known.set(token, known);
    if (this.known.size <= mostRemembered) return;
    for (const oldest of this.known.keys()) {
      this.known.delete(oldest);
      break;
    }
  }
}
