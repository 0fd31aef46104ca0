import type { FeedbackOptions } from "@carillon/apns/binary";
import { type CertificateFlags, readClientCertificate } from "../certificate-flags.ts";
import { CommandFailure } from "../command-failure.ts";
import { exitStatus } from "../exit-status.ts";
import { type Environment, FlagFiles, type Refuse } from "../flag-files.ts";
import type { GatewayFlags } from "../gateway-client.ts";
import { readHostPort } from "../host-port.ts";
import { readInputFile } from "../input-file.ts";

/** The flags of `carillon feedback` as they were typed; absent ones are undefined. */
export interface FeedbackFlags extends GatewayFlags, CertificateFlags {
  readonly app?: string;
  readonly after?: string;
  readonly limit?: string;
  readonly binary?: string;
  readonly ca?: string;
  readonly json?: boolean;
}

const ofGateways = {
  url: "--url",
  apiKey: "--api-key",
  app: "--app",
  after: "--after",
  limit: "--limit",
} as const satisfies Partial<Record<keyof FeedbackFlags, `--${string}`>>;

const ofTheService = {
  cert: "--cert",
  certKey: "--cert-key",
  p12: "--p12",
  passphraseFile: "--passphrase-file",
  ca: "--ca",
} as const satisfies Partial<Record<keyof FeedbackFlags, `--${string}`>>;

/** How long files that are pipes may take. */
const filesMs = 30_000;

/**
 * Which feedback service is read, and as whom; undefined where a gateway is asked.
 * @throws {CommandFailure} all problems at once
 */
export async function readServiceFlags(
  flags: FeedbackFlags,
  environment: Environment,
): Promise<FeedbackOptions | undefined> {
  const problems: string[] = [];
  const refuse: Refuse = (flag, detail) => void problems.push(`${flag} ${detail}`);
  const wrong = Object.entries(flags.binary === undefined ? ofTheService : ofGateways);
  for (const [name, flag] of wrong)
    if (flags[name as keyof FeedbackFlags] !== undefined)
      refuse(
        flag,
        `${flags.binary === undefined ? "belongs to" : "cannot be used with"} --binary. Leave it out.`,
      );
  let options: FeedbackOptions | undefined;
  if (flags.binary !== undefined) {
    const files = new FlagFiles((file) => readInputFile(file, AbortSignal.timeout(filesMs)), refuse);
    const target = readHostPort(flags.binary, "localhost:2196", (detail) => refuse("--binary", detail));
    const credentials = await readClientCertificate({ flags, environment }, files, refuse);
    const ca = await files.readCertificates("--ca", flags.ca);
    if (target !== undefined && credentials !== undefined)
      options = { ...target, credentials, ...(ca === undefined ? {} : { ca }) };
  }
  if (problems.length === 0) return options;
  throw new CommandFailure(exitStatus.usage, {
    summary: "nothing was read.",
    problems,
    hint: "carillon feedback --help shows all flags, with examples.",
  });
}
