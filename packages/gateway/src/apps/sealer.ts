import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const algorithm = "aes-256-gcm";
const prefix = "sealed:1:";
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Seals secrets with AES-256-GCM, so that whoever has the database alone has none of them.
 *
 * A sealed secret is `sealed:1:` and, in base64url, a nonce of 12 random bytes, the tag of 16 and the ciphertext. It can be
 * opened only under the name that it was sealed under: in another row it is worth nothing.
 */
export class Sealer {
  readonly #key: Uint8Array;

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  seal(secret: string, name: string): string {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv(algorithm, this.#key, nonce).setAAD(Buffer.from(name));
    const sealed = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
    return prefix + Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url");
  }

  /** Undefined where it was sealed with another key or under another name, or is damaged. */
  unseal(sealed: string, name: string): string | undefined {
    if (!sealed.startsWith(prefix)) return undefined;
    const bytes = Buffer.from(sealed.slice(prefix.length), "base64url");
    if (bytes.length < nonceBytes + tagBytes) return undefined;
    const decipher = createDecipheriv(algorithm, this.#key, bytes.subarray(0, nonceBytes));
    decipher.setAAD(Buffer.from(name));
    decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
    try {
      return (
        decipher.update(bytes.subarray(nonceBytes + tagBytes), undefined, "utf8") + decipher.final("utf8")
      );
    } catch {
      return undefined;
    }
  }
}
