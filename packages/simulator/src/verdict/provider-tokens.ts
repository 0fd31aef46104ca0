import { createPublicKey, type KeyObject } from "node:crypto";
import { readProviderToken, verifyProviderToken } from "@carillon/apns";
import type { ProviderKey } from "../credentials/index.ts";

/** A provider token whose signature, key id and team are right. */
export interface KnownProviderToken {
  readonly keyId: string;
  readonly teamId: string;
  readonly issuedAtMs: number;
  /** When this simulator saw it first, on any connection. */
  readonly firstSeenMs: number;
}

/** Tokens remembered at most; those seen first are forgotten first. */
const mostRemembered = 1024;

/** Checks provider tokens, each signature once. */
export class ProviderTokens {
  private readonly keys = new Map<string, { readonly teamId: string; readonly publicKey: KeyObject }>();
  private readonly known = new Map<string, KnownProviderToken>();

  constructor(keys: readonly ProviderKey[]) {
    for (const { key, keyId, teamId } of keys) {
      this.keys.set(keyId, { teamId, publicKey: createPublicKey(key) });
    }
  }

  /** What the token says; undefined where it is malformed, or signature, key id or team are wrong. */
  verify(token: string, nowMs: number): KnownProviderToken | undefined {
    const known = this.known.get(token);
    if (known !== undefined) return known;
    const read = readProviderToken(token);
    if (read.kind === "malformed") return undefined;
    const { keyId, teamId, issuedAtSeconds } = read.claims;
    const key = this.keys.get(keyId);
    if (key === undefined || key.teamId !== teamId) return undefined;
    if (!verifyProviderToken(key.publicKey, read.signed, read.signature)) return undefined;
    const fresh = { keyId, teamId, issuedAtMs: issuedAtSeconds * 1000, firstSeenMs: nowMs };
    this.remember(token, fresh);
    return fresh;
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
