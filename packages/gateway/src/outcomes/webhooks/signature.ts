import { createHmac, randomBytes } from "node:crypto";

/** Signs messages as Standard Webhooks describes it (standardwebhooks.com, "Signature scheme"; symmetric, v1). */

const prefix = "whsec_";
const secretBytes = 32;

/** `whsec_` and 256 random bits in base64. */
export function makeSecret(): string {
  return prefix + randomBytes(secretBytes).toString("base64");
}

/** Whether it is one that messages can be signed with. */
export function isSecret(text: string): boolean {
  return text.startsWith(prefix);
}

export interface SignedHeaders {
  readonly "webhook-id": string;
  readonly "webhook-timestamp": string;
  readonly "webhook-signature": string;
}

/** One signature for each secret: a receiver that knows any of them can verify. */
export function signMessage(
  secrets: readonly string[],
  { id, body }: { readonly id: string; readonly body: Uint8Array },
  nowMs: number,
): SignedHeaders {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(prefix.length), "base64");
    return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64")}`;
  });
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}
