import { type KeyObject, sign, verify } from "node:crypto";

/** What a provider token says. */
export interface ProviderTokenClaims {
  /** 10 characters. */
  readonly keyId: string;
  /** 10 characters. */
  readonly teamId: string;
  /** Epoch seconds. */
  readonly issuedAtSeconds: number;
}

/**
 * Signs a provider token: a JWT with ES256, the signature as raw R‖S.
 * Source: Apple, "Establishing a token-based connection to APNs"; RFC 7518, section 3.4.
 */
export function signProviderToken(key: KeyObject, claims: ProviderTokenClaims): string {
  const head = encode({ alg: "ES256", kid: claims.keyId });
  const body = encode({ iss: claims.teamId, iat: claims.issuedAtSeconds });
  const signed = `${head}.${body}`;
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

export type ReadProviderToken =
  | {
      readonly kind: "read";
      readonly claims: ProviderTokenClaims;
      readonly signed: string;
      readonly signature: Buffer;
    }
  | { readonly kind: "malformed"; readonly detail: string };

/** Takes a provider token apart, without a look at its signature. Never throws. */
export function readProviderToken(token: string): ReadProviderToken {
  const parts = token.split(".");
  const [head = "", body = "", signature = ""] = parts;
  if (parts.length !== 3) return { kind: "malformed", detail: `${parts.length} parts, not 3` };
  const header = decode(head);
  const claims = decode(body);
  if (header?.alg !== "ES256") return { kind: "malformed", detail: "alg is not ES256" };
  if (typeof header.kid !== "string") return { kind: "malformed", detail: "kid is missing" };
  if (typeof claims?.iss !== "string") return { kind: "malformed", detail: "iss is missing" };
  if (typeof claims.iat !== "number" || !Number.isFinite(claims.iat)) {
    return { kind: "malformed", detail: "iat is not a number" };
  }
  return {
    kind: "read",
    claims: { keyId: header.kid, teamId: claims.iss, issuedAtSeconds: claims.iat },
    signed: `${head}.${body}`,
    signature: Buffer.from(signature, "base64url"),
  };
}

/** Whether the signature is that of `publicKey`. Raw R‖S (64 bytes) and DER are both taken, as APNs does. */
export function verifyProviderToken(publicKey: KeyObject, signed: string, signature: Uint8Array): boolean {
  const dsaEncoding = signature.length === 64 ? "ieee-p1363" : "der";
  try {
    return verify("sha256", Buffer.from(signed), { key: publicKey, dsaEncoding }, signature);
  } catch {
    return false; // bytes that are no signature at all
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
