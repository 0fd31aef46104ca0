import { basename } from "node:path";
import { ApnsClient, type ApnsClientOptions, ApnsError, type Credentials } from "@carillon/apns";
import { readCertificate } from "../certificate-flags.ts";
import { type Environment, FlagFiles, type ReadFlagFile, type Refuse } from "../flag-files.ts";
import type { SendFlags } from "./send-flags.ts";

const kinds = {
  token: ["key", "keyId", "teamId"],
  certificate: ["cert", "certKey"],
  pkcs12: ["p12"],
} as const satisfies Record<Credentials["kind"], readonly (keyof SendFlags)[]>;

const spelled = {
  key: "--key",
  keyId: "--key-id",
  teamId: "--team-id",
  cert: "--cert",
  certKey: "--cert-key",
  p12: "--p12",
} as const;

/** Where it goes: one of Apple's environments, or another server. */
export type SendTarget = Pick<ApnsClientOptions, "environment" | "endpoint">;

export interface CredentialSource {
  readonly flags: SendFlags;
  readonly environment: Environment;
  /** A certificate may be for the other environment. Undefined where it is not known what was meant. */
  readonly target: SendTarget | undefined;
}

/** Who sends: exactly one of the three kinds. Reads the files and makes sure that a client can be made of them. */
export async function readCredentialFlags(
  { flags, environment, target }: CredentialSource,
  readFile: ReadFlagFile,
  refuse: Refuse,
): Promise<Credentials | undefined> {
  const kind = tellKind(flags, refuse);
  if (kind === undefined) return undefined;
  if (kind === "token" && flags.passphraseFile !== undefined)
    refuse(
      "--passphrase-file",
      "belongs to --p12 or --cert: a provider key has no passphrase. Leave it out.",
    );
  const files = new FlagFiles(readFile, refuse);
  const credentials = await (kind === "token"
    ? readToken(flags, files, refuse)
    : readCertificate(kind, { flags, environment }, files, refuse));
  if (credentials === undefined) return undefined;
  try {
    // The constructor opens the credentials and connects to nothing.
    if (target !== undefined) new ApnsClient({ ...target, credentials });
    else new ApnsClient({ environment: "production", credentials, validation: "lenient" });
  } catch (error) {
    if (!(error instanceof ApnsError)) throw error;
    refuse(spelled[kinds[kind][0]], `${error.message}.`);
    return undefined;
  }
  return credentials;
}

function tellKind(flags: SendFlags, refuse: Refuse): Credentials["kind"] | undefined {
  const given = (Object.keys(kinds) as Credentials["kind"][]).filter((kind) =>
    kinds[kind].some((name) => flags[name] !== undefined),
  );
  const [kind, other] = given;
  if (kind === undefined) {
    refuse(
      "--key",
      "is missing. Say who sends: --key AuthKey_….p8 --key-id K --team-id T, or --cert FILE --cert-key FILE, " +
        "or --p12 FILE [--passphrase-file FILE].",
    );
  } else if (other !== undefined) {
    const names = given.map((each) => spelled[kinds[each].find((name) => flags[name] !== undefined)!]);
    refuse(names[0]!, `excludes ${names.slice(1).join(" and ")}. Keep one kind of credential.`);
    return undefined;
  }
  return kind;
}

async function readToken(
  flags: SendFlags,
  files: FlagFiles,
  refuse: Refuse,
): Promise<Credentials | undefined> {
  const { teamId } = flags;
  // Apple names the file after the key.
  const keyId = flags.keyId ?? /^AuthKey_([A-Za-z0-9]{10})\.p8$/.exec(basename(flags.key ?? ""))?.[1];
  const source = "Apple's developer account shows it";
  if (keyId === undefined) refuse("--key-id", `is missing. ${source}, beside the key.`);
  else if (!isTenCharacters(keyId))
    refuse("--key-id", `must be 10 letters and digits. ${source}, beside the key.`);
  if (teamId === undefined) refuse("--team-id", `is missing. ${source} under Membership.`);
  else if (!isTenCharacters(teamId))
    refuse("--team-id", `must be 10 letters and digits. ${source} under Membership.`);
  const key = await files.read("--key", flags.key, "Name the AuthKey_….p8 file.");
  if (key === undefined || !isTenCharacters(keyId) || !isTenCharacters(teamId)) return undefined;
  return { kind: "token", key, keyId, teamId };
}

function isTenCharacters(text: string | undefined): text is string {
  return text !== undefined && /^[A-Za-z0-9]{10}$/.test(text);
}
