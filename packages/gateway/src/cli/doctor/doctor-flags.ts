import type { SenderCertificate } from "../../doctor/index.ts";
import { type CertificateFlags, readClientCertificate } from "../certificate-flags.ts";
import { CommandFailure } from "../command-failure.ts";
import { exitStatus } from "../exit-status.ts";
import { type Environment, FlagFiles, type Refuse } from "../flag-files.ts";
import { readInputFile } from "../input-file.ts";
import { readNumber } from "../number-text.ts";

/** The flags of `carillon doctor` as they were typed; absent ones are undefined. */
export interface DoctorFlags extends CertificateFlags {
  readonly config?: string;
  readonly connect?: boolean;
  readonly timeout?: string;
  readonly json?: boolean;
}

export interface DoctorPlan {
  readonly sender: SenderCertificate | undefined;
  /** Undefined where nothing is to be connected to. */
  readonly connectWithinMs: number | undefined;
}

const timeoutRange = { least: 0.1, most: 600, form: "decimal" } as const;
const defaultTimeoutSeconds = 10;
/** How long files that are pipes may take. */
const filesMs = 30_000;

/** @throws {CommandFailure} all problems at once */
export async function readDoctorFlags(flags: DoctorFlags, environment: Environment): Promise<DoctorPlan> {
  const problems: string[] = [];
  const refuse: Refuse = (flag, detail) => void problems.push(`${flag} ${detail}`);
  const seconds = readNumber(flags.timeout, timeoutRange, (detail) => refuse("--timeout", detail));
  if (seconds !== undefined && flags.connect !== true) refuse("--timeout", "belongs to --connect.");
  const files = new FlagFiles((file) => readInputFile(file, AbortSignal.timeout(filesMs)), refuse);
  const sender = await readSender(flags, environment, files, refuse);
  if (problems.length > 0)
    throw new CommandFailure(exitStatus.usage, {
      summary: "nothing was looked at.",
      problems,
      hint: "carillon doctor --help shows all flags, with examples.",
    });
  const connectWithinMs = flags.connect === true ? (seconds ?? defaultTimeoutSeconds) * 1000 : undefined;
  return { sender, connectWithinMs };
}

async function readSender(
  flags: DoctorFlags,
  environment: Environment,
  files: FlagFiles,
  refuse: Refuse,
): Promise<SenderCertificate | undefined> {
  const { cert, certKey, p12, passphraseFile } = flags;
  if (cert !== undefined && certKey === undefined && p12 === undefined) {
    const bytes = await files.readCertificates("--cert", cert);
    return bytes && { kind: "alone", pem: bytes.toString("latin1") };
  }
  if ([cert, certKey, p12, passphraseFile].every((each) => each === undefined)) return undefined;
  const credentials = await readClientCertificate({ flags, environment }, files, refuse);
  return credentials && { kind: "with-key", credentials };
}
