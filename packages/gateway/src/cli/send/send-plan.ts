import {
  type ApnsClientOptions,
  type Credentials,
  certificateOf,
  type Notification,
  type Sender,
} from "@carillon/apns";
import { CommandFailure } from "../command-failure.ts";
import { exitStatus } from "../exit-status.ts";
import { FlagFiles, type ReadFlagFile, type Refuse } from "../flag-files.ts";
import type { HostPort } from "../host-port.ts";
import { readInputFile } from "../input-file.ts";
import { readNumber } from "../number-text.ts";
import { readBinaryTarget } from "./binary-target.ts";
import { readCredentialFlags, type SendTarget } from "./credential-flags.ts";
import { readNotificationFlags } from "./notification-flags.ts";
import type { SendFlags } from "./send-flags.ts";

/** What `carillon send` is going to do: checked, complete, files read. */
export interface SendPlan {
  readonly notifications: readonly Notification[];
  readonly target: SendTarget & Pick<ApnsClientOptions, "credentials" | "ca">;
  /** Where the retired protocol is spoken; undefined for HTTP/2. */
  readonly binary: HostPort | undefined;
  /** For everything, from the first look at the flags to the last answer. */
  readonly timeoutMs: number;
  readonly attempts: number;
}

const timeoutRange = { least: 0.1, most: 3600, form: "decimal" } as const;
const defaultTimeoutSeconds = 30;
const attemptsRange = { least: 1, most: 100 };
const defaultAttempts = 5;

/** @throws {CommandFailure} all problems at once, status 2; nothing was sent then */
export async function planSend(
  flags: SendFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<SendPlan> {
  const problems: string[] = [];
  const refuse: Refuse = (flag, detail) => void problems.push(`${flag} ${detail}`);
  const timeoutSeconds =
    readNumber(flags.timeout, timeoutRange, (detail) => refuse("--timeout", detail)) ?? defaultTimeoutSeconds;
  const attempts = readNumber(flags.attempts, attemptsRange, (detail) => refuse("--attempts", detail));
  const late = AbortSignal.timeout(timeoutSeconds * 1000);
  const readFile: ReadFlagFile = (file) => readInputFile(file, late);

  const binary = readBinaryTarget(flags, refuse);
  const target = readTarget(flags, refuse);
  const credentials = await readCredentialFlags(
    { flags, environment, target: flags.binary === undefined ? target : undefined },
    readFile,
    refuse,
  );
  const sender = credentials && readSender(credentials);
  const notifications = await readNotificationFlags(
    { flags, nowMs: Date.now(), ...sender },
    readFile,
    refuse,
  );
  const ca = await new FlagFiles(readFile, refuse).readCertificates("--ca", flags.ca);
  if (flags.binary === undefined) checkTopic(flags, refuse);
  if (problems.length > 0 || credentials === undefined || target === undefined) throw refusal(problems);
  return {
    notifications,
    binary,
    target: { credentials, ...target, ...(ca === undefined ? {} : { ca }) },
    timeoutMs: timeoutSeconds * 1000,
    attempts: attempts ?? defaultAttempts,
  };
}

/** What notifications are held against: a certificate is for its topics alone, and its main topic needs no naming. */
function readSender(credentials: Credentials): { readonly sender: Sender; readonly mainTopic?: string } {
  if (credentials.kind === "token") return { sender: { kind: "token" } };
  const { topics = [], mainTopic } = certificateOf(credentials) ?? {};
  return { sender: { kind: "certificate", topics }, ...(mainTopic === undefined ? {} : { mainTopic }) };
}

function readTarget({ sandbox, endpoint }: SendFlags, refuse: Refuse): SendTarget | undefined {
  if (endpoint === undefined) return { environment: sandbox === true ? "sandbox" : "production" };
  if (sandbox === true) refuse("--endpoint", "excludes --sandbox: each says where to send. Keep one.");
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isBare =
    url?.protocol === "https:" && url.pathname === "/" && url.search === "" && url.username === "";
  if (isBare) return { endpoint };
  refuse("--endpoint", "must be https://host or https://host:port, and nothing more.");
  return undefined;
}

/** A certificate names its topic itself; a key is for all apps of a team. */
function checkTopic({ topic, cert, p12 }: SendFlags, refuse: Refuse): void {
  if (topic === undefined && cert === undefined && p12 === undefined)
    refuse("--topic", "is missing. Name the app's bundle id, such as com.example.app.");
}

function refusal(problems: readonly string[]): CommandFailure {
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  return new CommandFailure(exitStatus.usage, {
    summary: `${count} with the flags; nothing was sent.`,
    problems,
    hint: "carillon send --help shows all flags, with examples.",
  });
}
