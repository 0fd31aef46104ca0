import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { makeSecretFile } from "../../apps/index.ts";

/** Why the admin key cannot be used, and what to do about it. */
export class AdminKeyError extends Error {
  override readonly name = "AdminKeyError";
}

/** Printable ASCII without spaces, so that it can stand in a header as it is. */
const usable = /^[\x21-\x7e]{16,512}$/;

/**
 * The bare key in `file`. When there is none yet, one is made: 256 random bits, mode 0600, whole on disk or not at all.
 * @throws {AdminKeyError}
 */
export function openAdminKey(file: string): string {
  try {
    return readKey(file) ?? makeKey(file);
  } catch (error) {
    if (error instanceof AdminKeyError) throw error;
    throw new AdminKeyError(
      `The admin key ${file} can be neither read nor made (${(error as Error).message}). ` +
        "Give this process's user the right to, or name another data folder.",
    );
  }
}

/** Compares in constant time: how long it takes says nothing about the key, its length included. */
export function isSameKey(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

function readKey(file: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const key = text.trim();
  if (usable.test(key)) return key;
  throw new AdminKeyError(
    `${file} holds no key: 16 to 512 printable characters without spaces are expected, and nothing else. ` +
      "Delete it and start again: a new key is made.",
  );
}

function makeKey(file: string): string {
  const key = `ck_${randomBytes(32).toString("base64url")}`;
  return makeSecretFile(file, key) ? key : (readKey(file) ?? key);
}
