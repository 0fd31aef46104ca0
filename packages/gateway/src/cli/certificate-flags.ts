import {
  ApnsError,
  type CertificateCredentials,
  certificateOf,
  type Pkcs12Credentials,
} from "@carillon/apns";
import { openOldPkcs12 } from "../config/index.ts";
import { type Environment, type FlagFiles, isCertificate, type Refuse } from "./flag-files.ts";

/** The flags that name a client certificate and its private key; absent ones are undefined. */
export interface CertificateFlags {
  readonly cert?: string;
  readonly certKey?: string;
  readonly p12?: string;
  readonly passphraseFile?: string;
}

export interface CertificateSource {
  readonly flags: CertificateFlags;
  /** CARILLON_PASSPHRASE stands for a file with it. */
  readonly environment: Environment;
}

/** Both have what TLS needs: the certificate and its key. */
export type ClientCertificate = CertificateCredentials | Pkcs12Credentials;

/** The client certificate, where nothing else can say who asks. Makes sure that TLS could show it. */
export async function readClientCertificate(
  source: CertificateSource,
  files: FlagFiles,
  refuse: Refuse,
): Promise<ClientCertificate | undefined> {
  const { cert, certKey, p12 } = source.flags;
  const isPair = cert !== undefined || certKey !== undefined;
  if (isPair && p12 !== undefined) {
    refuse("--p12", "excludes --cert and --cert-key. Keep one kind of credential.");
    return undefined;
  }
  if (!isPair && p12 === undefined) {
    refuse(
      "--cert",
      "is missing. Say who asks: --cert FILE --cert-key FILE, or --p12 FILE [--passphrase-file FILE].",
    );
    return undefined;
  }
  const credentials = await readCertificate(isPair ? "certificate" : "pkcs12", source, files, refuse);
  if (credentials === undefined) return undefined;
  try {
    certificateOf(credentials);
    return credentials;
  } catch (error) {
    if (!(error instanceof ApnsError)) throw error;
    refuse(isPair ? "--cert" : "--p12", `${error.message}.`);
    return undefined;
  }
}

/** The files of one kind of certificate; whether they fit together is not looked at. */
export async function readCertificate(
  kind: ClientCertificate["kind"],
  { flags, environment }: CertificateSource,
  files: FlagFiles,
  refuse: Refuse,
): Promise<ClientCertificate | undefined> {
  const passphrase = await readPassphrase(flags, environment, files);
  if (passphrase === undefined) return undefined;
  const opener = passphrase === "" ? {} : { passphrase };
  if (kind === "pkcs12") {
    const data = await files.read("--p12", flags.p12, "Name the .p12 file.");
    if (data === undefined) return undefined;
    const credentials = { kind, data, ...opener };
    const opened = openOldPkcs12(credentials);
    return opened ?? credentials;
  }
  const cert = await files.read("--cert", flags.cert, "Name the PEM file with the certificate.");
  const key = await files.read(
    "--cert-key",
    flags.certKey,
    "Name the PEM file with the certificate's private key; it may be the same file.",
  );
  if (cert === undefined || key === undefined) return undefined;
  if (!isCertificate(cert)) {
    refuse("--cert", "This file holds no certificate in PEM form.");
    return undefined;
  }
  return { kind, cert, key, ...opener };
}

/** Empty where there is none; undefined after a refusal. */
async function readPassphrase(
  { passphraseFile }: CertificateFlags,
  environment: Environment,
  files: FlagFiles,
): Promise<string | undefined> {
  if (passphraseFile === undefined) return environment.CARILLON_PASSPHRASE ?? "";
  const bytes = await files.read("--passphrase-file", passphraseFile, "");
  // Editors end a file with a line break that belongs to no passphrase.
  return bytes?.toString("utf8").replace(/\r?\n$/, "");
}
