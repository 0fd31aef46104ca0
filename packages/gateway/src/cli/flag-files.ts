import { X509Certificate } from "node:crypto";
import type { ReadInput } from "./input-file.ts";

/** Told what is wrong with a flag and what to do about it. */
export type Refuse = (flag: `--${string}`, detail: string) => void;

/** Reads a file that a flag names. */
export type ReadFlagFile = (file: string) => Promise<ReadInput>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** The files that flags name. */
export class FlagFiles {
  readonly #readFile: ReadFlagFile;
  readonly #refuse: Refuse;

  constructor(readFile: ReadFlagFile, refuse: Refuse) {
    this.#readFile = readFile;
    this.#refuse = refuse;
  }

  /** The bytes of the file, or undefined after a refusal. */
  async read(flag: `--${string}`, file: string | undefined, whatToName: string): Promise<Buffer | undefined> {
    if (file === undefined) {
      this.#refuse(flag, `is missing. ${whatToName}`);
      return undefined;
    }
    const input = await this.#readFile(file);
    if (input.kind === "read") return input.bytes;
    this.#refuse(flag, `(${file}) ${input.detail}`);
    return undefined;
  }

  /** Certificates in PEM form, or undefined where the flag is absent or after a refusal. */
  async readCertificates(flag: `--${string}`, file: string | undefined): Promise<Buffer | undefined> {
    if (file === undefined) return undefined;
    const bytes = await this.read(flag, file, "");
    if (bytes === undefined || isCertificate(bytes)) return bytes;
    this.#refuse(flag, `(${file}) This file holds no certificate in PEM form.`);
    return undefined;
  }
}

export function isCertificate(pem: Buffer): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}
