import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { makeSecretFile } from "./secret-file.ts";

/** Why the key that seals secrets cannot be used, and what to do about it. */
export class SealingKeyError extends Error {
  override readonly name = "SealingKeyError";
}

/**
 * The key in `file`, 32 bytes in base64. When there is none yet, one is made, mode 0600.
 * @throws {SealingKeyError}
 */
export function openSealingKey(file: string): Buffer {
  try {
    return readKey(file) ?? makeKey(file);
  } catch (error) {
    if (error instanceof SealingKeyError) throw error;
    throw new SealingKeyError(
      `The sealing key ${file} can be neither read nor made (${(error as Error).message}). ` +
        "Give this process's user the right to, or set CARILLON_WEBHOOKS_SEALING_KEY.",
    );
  }
}

function readKey(file: string): Buffer | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const key = Buffer.from(text.trim(), "base64");
  if (key.length === 32) return key;
  throw new SealingKeyError(
    `${file} holds no key: 32 bytes in base64 are expected, and nothing else. Put the file back from a backup. If there is ` +
      "none, delete it and start again: a new key is made, and each webhook must be rotated to get a new secret.",
  );
}

function makeKey(file: string): Buffer {
  const key = randomBytes(32);
  return makeSecretFile(file, key.toString("base64")) ? key : (readKey(file) ?? key);
}
