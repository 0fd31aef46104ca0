import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ApnsClient, type Credentials, certificateOf } from "@carillon/apns";
import { explainReadError } from "./config-document.ts";
import type { WrittenCredentials } from "./config-schema.ts";
import { openOldPkcs12 } from "./old-pkcs12.ts";

/** Where `load-credentials` tells what is wrong: `key` is the last part of the path. */
export type Report = (path: readonly string[], detail: string) => void;

/**
 * Reads the files that credentials name and makes sure that a client could be made of them.
 * Reports every problem, and returns undefined after any.
 */
export function loadCredentials(
  written: WrittenCredentials,
  folder: string,
  report: Report,
): Credentials | undefined {
  const files = new FileReader(folder, report);
  const credentials = readCredentials(written, files, report);
  if (credentials === undefined || files.failed) return undefined;
  try {
    // The constructor opens the credentials and connects to nothing; what it refuses could never send. One that has expired
    // is only warned about: other apps must not stand still for it.
    new ApnsClient({ environment: "sandbox", credentials, validation: "lenient" });
  } catch (error) {
    report([credentials.kind], sentence((error as Error).message));
    return undefined;
  }
  return credentials;
}

/** When a certificate ends or ended, for a warning; undefined where it is fine or cannot be told. */
export function describeExpiry(credentials: Credentials, nowMs: number): string | undefined {
  const { validUntilMs } = certificateOf(credentials) ?? {};
  if (validUntilMs === undefined || validUntilMs > nowMs) return undefined;
  return `its certificate expired on ${new Date(validUntilMs).toISOString().slice(0, 10)}: Apple will refuse it until it is renewed`;
}

/** That a .p12 file had to be converted, for a warning; undefined where none was. */
export function describeConversion(
  written: WrittenCredentials,
  credentials: Credentials,
): string | undefined {
  if (written.pkcs12 === undefined || credentials.kind === "pkcs12") return undefined;
  return (
    `${written.pkcs12.file} is of an old kind, encrypted with RC2. It works all the same; exported anew from a keychain of today, ` +
    "it is better protected"
  );
}

function readCredentials(
  written: WrittenCredentials,
  files: FileReader,
  report: Report,
): Credentials | undefined {
  if (written.token !== undefined) {
    const { keyId, teamId } = written.token;
    const key = files.oneOf("token", written.token.keyFile, written.token.key, "keyFile");
    return key === undefined ? undefined : { kind: "token", key, keyId, teamId };
  }
  if (written.certificate !== undefined) {
    const { certificate } = written;
    const cert = files.read(["certificate", "certFile"], certificate.certFile);
    const key = files.oneOf("certificate", certificate.keyFile, certificate.key, "keyFile");
    const passphrase = files.passphrase("certificate", certificate);
    if (cert === undefined || key === undefined) return undefined;
    try {
      new X509Certificate(cert);
    } catch {
      report(["certificate", "certFile"], "This file holds no certificate in PEM form.");
      return undefined;
    }
    return { kind: "certificate", cert, key, ...(passphrase === undefined ? {} : { passphrase }) };
  }
  if (written.pkcs12 !== undefined) {
    const data = files.read(["pkcs12", "file"], written.pkcs12.file);
    const passphrase = files.passphrase("pkcs12", written.pkcs12);
    if (data === undefined) return undefined;
    const credentials = {
      kind: "pkcs12",
      data,
      ...(passphrase === undefined ? {} : { passphrase }),
    } as const;
    return openOldPkcs12(credentials) ?? credentials;
  }
  return undefined; // the schema has said that one of them must stand here
}

class FileReader {
  failed = false;
  readonly #folder: string;
  readonly #report: Report;

  constructor(folder: string, report: Report) {
    this.#folder = folder;
    this.#report = report;
  }

  read(path: readonly string[], file: string): Buffer | undefined {
    try {
      return readFileSync(resolve(this.#folder, file));
    } catch (error) {
      this.#refuse(path, explainReadError(error));
      return undefined;
    }
  }

  /** A secret that comes from a file or from the environment; exactly one of both. */
  oneOf(
    kind: string,
    file: string | undefined,
    given: string | undefined,
    key: string,
  ): string | Buffer | undefined {
    if (file !== undefined && given === undefined) return this.read([kind, key], file);
    // Environment files often hold a PEM text on one line.
    if (file === undefined && given !== undefined) return given.replaceAll("\\n", "\n");
    const detail =
      file === undefined
        ? "This is missing. Name the file with the private key."
        : "The file and the environment both give the key. Leave one of them out.";
    this.#refuse([kind, key], detail);
    return undefined;
  }

  passphrase(
    kind: string,
    written: { readonly passphraseFile?: string; readonly passphrase?: string },
  ): string | undefined {
    if (written.passphraseFile === undefined) return written.passphrase;
    if (written.passphrase !== undefined) {
      this.#refuse(
        [kind, "passphraseFile"],
        "The file and the environment both give a passphrase. Leave one out.",
      );
      return undefined;
    }
    // Editors end a file with a line break that belongs to no passphrase.
    return this.read([kind, "passphraseFile"], written.passphraseFile)
      ?.toString("utf8")
      .replace(/\r?\n$/, "");
  }

  #refuse(path: readonly string[], detail: string): void {
    this.failed = true;
    this.#report(path, detail);
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
}
