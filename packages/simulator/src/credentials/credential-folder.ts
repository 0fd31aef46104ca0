import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IssuedCertificate } from "./certificate-issuer.ts";
import type { ProviderKey } from "./provider-key.ts";
import {
  completeCredentials,
  type FoundCredentials,
  type SimulatorCredentials,
} from "./simulator-credentials.ts";

/** Paths of what a sender needs. */
export interface CredentialFiles {
  /** The authority's certificate, to be trusted. */
  readonly ca: string;
  /** The provider key, `AuthKey_<keyId>.p8`. */
  readonly key: string;
  /** The client certificate and its key. */
  readonly cert: string;
  readonly certKey: string;
}

export interface StoredCredentials {
  readonly credentials: SimulatorCredentials;
  readonly files: CredentialFiles;
  /** One sentence for each part that was there and had to be replaced. */
  readonly notices: readonly string[];
}

const fileNames = {
  authority: { cert: "ca.pem", key: "ca-key.pem" },
  server: { cert: "server.pem", key: "server-key.pem" },
  client: { cert: "client.pem", key: "client-key.pem" },
  /** The provider key's ids. Written first: a folder without it was not made by a simulator, and nothing in it is touched. */
  ids: "simulator.json",
} as const;

const providerKeyFile = (keyId: string): string => `AuthKey_${keyId}.p8`;

/**
 * Loads the credentials kept in `dir`, and makes and stores what is missing or of no use any more. The folder is made
 * with mode 0700, keys with 0600.
 *
 * @throws Error where `dir` holds such files of another origin, and what the file system throws where it cannot be used
 */
export function openCredentialFolder(dir: string, topic: string, nowMs: number): StoredCredentials {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  refuseForeignFolder(dir);
  const found: FoundCredentials = {
    ...readPair(dir, "authority"),
    ...readPair(dir, "server"),
    ...readPair(dir, "client"),
    ...readProviderKey(dir),
  };
  const { credentials, notices } = completeCredentials(found, topic, nowMs);
  const { providerKey } = credentials;
  if (providerKey !== found.providerKey) writeProviderKey(dir, providerKey);
  for (const name of ["authority", "server", "client"] as const) {
    if (credentials[name] === found[name]) continue;
    // The key first: a certificate without its key is the half-state that the next start tells apart.
    writeWhole(join(dir, fileNames[name].key), credentials[name].key, 0o600);
    writeWhole(join(dir, fileNames[name].cert), credentials[name].cert, 0o644);
  }
  return {
    credentials,
    notices,
    files: {
      ca: join(dir, fileNames.authority.cert),
      key: join(dir, providerKeyFile(providerKey.keyId)),
      cert: join(dir, fileNames.client.cert),
      certKey: join(dir, fileNames.client.key),
    },
  };
}

/** The two files of a certificate. Where only one is there the other reads as empty, which is a fault, not an absence. */
function readPair(dir: string, name: "authority" | "server" | "client"): FoundCredentials {
  const cert = readIfThere(join(dir, fileNames[name].cert));
  const key = readIfThere(join(dir, fileNames[name].key));
  if (cert === undefined && key === undefined) return {};
  const pair: IssuedCertificate = { cert: cert ?? "", key: key ?? "" };
  return { [name]: pair };
}

function readProviderKey(dir: string): FoundCredentials {
  const text = readIfThere(join(dir, fileNames.ids));
  if (text === undefined) return {};
  const ids = parseIds(text);
  const key = /^[A-Z0-9]{10}$/.test(ids.keyId)
    ? readIfThere(join(dir, providerKeyFile(ids.keyId)))
    : undefined;
  return { providerKey: { ...ids, key: key ?? "" } };
}

/** The ids in `simulator.json`; empty ones, which are a fault, where it is damaged. */
function parseIds(text: string): { keyId: string; teamId: string } {
  try {
    const value: unknown = JSON.parse(text);
    const { keyId, teamId } = (value ?? {}) as Record<string, unknown>;
    return { keyId: String(keyId), teamId: String(teamId) };
  } catch {
    return { keyId: "", teamId: "" };
  }
}

/** The ids first, because they mark the folder as ours. An earlier key stays where it is: keys are never deleted. */
function writeProviderKey(dir: string, { key, keyId, teamId }: ProviderKey): void {
  writeWhole(join(dir, fileNames.ids), `${JSON.stringify({ keyId, teamId }, null, 2)}\n`, 0o644);
  writeWhole(join(dir, providerKeyFile(keyId)), key, 0o600);
}

/** A folder with certificates of its owner's must not lose them to ours of the same name. */
function refuseForeignFolder(dir: string): void {
  if (existsSync(join(dir, fileNames.ids))) return;
  const ours = [fileNames.authority, fileNames.server, fileNames.client].flatMap(({ cert, key }) => [
    cert,
    key,
  ]);
  const foreign = ours.find((name) => existsSync(join(dir, name)));
  if (foreign === undefined) return;
  throw new Error(
    `${join(dir, foreign)} was not made by a simulator (there is no ${fileNames.ids} beside it): give another folder.`,
  );
}

/** Writes a file so that a reader sees either the old one or the whole new one. */
function writeWhole(path: string, text: string, mode: number): void {
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, text, { mode, flag: "wx" });
  chmodSync(temporary, mode);
  renameSync(temporary, path);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
