import { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, type SecureContextOptions, TLSSocket } from "node:tls";
import { ApnsError, type Clock, systemClock } from "../runtime/index.ts";
import { loadProviderKey } from "./provider-key.ts";
import {
  type ProviderTokenCache,
  type ProviderTokenSource,
  providerTokenSource,
} from "./provider-token-source.ts";
import { type PushCertificate, readPushCertificate } from "./push-certificate.ts";

/** Who the sender is: a provider key, or a certificate with its key in one of two forms. */
export type Credentials = TokenCredentials | CertificateCredentials | Pkcs12Credentials;

/**
 * A provider key: one for all apps of a team, or for those it was made for. It signs a provider token that is renewed every 50
 * minutes. Source: Apple, "Establishing a token-based connection to APNs".
 */
export interface TokenCredentials {
  readonly kind: "token";
  /** The content of the AuthKey_….p8 file: PEM. */
  readonly key: string | Uint8Array;
  /** 10 characters, from the developer account; also in the file's name. */
  readonly keyId: string;
  /** 10 characters, from the developer account's membership page. */
  readonly teamId: string;
  /** Keeps the provider token across restarts. @default none: each process makes its own */
  readonly cache?: ProviderTokenCache;
}

/** A push certificate and its key. Source: Apple, "Establishing a certificate-based connection to APNs". */
export interface CertificateCredentials {
  readonly kind: "certificate";
  /** PEM, the client certificate first, then any intermediate ones. */
  readonly cert: string | Uint8Array;
  /** PEM; may be encrypted. */
  readonly key: string | Uint8Array;
  readonly passphrase?: string;
}

/** A push certificate and its key in one file, as Keychain Access exports them. */
export interface Pkcs12Credentials {
  readonly kind: "pkcs12";
  /** The bytes of a .p12 file. */
  readonly data: Uint8Array;
  readonly passphrase?: string;
}

/** Credentials, read: what goes into the TLS handshake, and where provider tokens come from. */
export interface Identity {
  readonly tls: SecureContextOptions;
  readonly tokens: ProviderTokenSource | undefined;
  /** What the certificate says; undefined with a provider key. */
  readonly certificate: PushCertificate | undefined;
  /** The certificate itself, DER; undefined with a provider key. */
  readonly der: Buffer | undefined;
}

const tenCharacters = /^[A-Za-z0-9]{10}$/;

/** @throws ApnsError `bad-option`, `bad-key` or `bad-certificate`, each with what to do */
export function openCredentials(credentials: Credentials, clock: Clock): Identity {
  switch (credentials?.kind) {
    case "token": {
      for (const name of ["keyId", "teamId"] as const) {
        if (!tenCharacters.test(credentials[name])) {
          throw new ApnsError(
            "bad-option",
            `credentials.${name} must be 10 letters and digits, from the developer account`,
          );
        }
      }
      const key = loadProviderKey(asBuffer("key", credentials.key));
      const { keyId, teamId, cache } = credentials;
      const tokens = providerTokenSource(key, keyId, teamId, clock, cache);
      return { tls: {}, tokens, certificate: undefined, der: undefined };
    }
    case "certificate":
      return checked({
        cert: asBuffer("cert", credentials.cert),
        key: asBuffer("key", credentials.key),
        ...(credentials.passphrase === undefined ? {} : { passphrase: credentials.passphrase }),
      });
    case "pkcs12":
      return checked({
        pfx: asBuffer("data", credentials.data),
        ...(credentials.passphrase === undefined ? {} : { passphrase: credentials.passphrase }),
      });
    default:
      throw new ApnsError("bad-option", 'credentials.kind must be "token", "certificate" or "pkcs12"');
  }
}

/**
 * What the certificate in some credentials says: topics, environments, team, validity. Undefined for a provider key.
 *
 * @throws ApnsError `bad-certificate` or `bad-key`, each with what to do
 */
export function certificateOf(credentials: Credentials): PushCertificate | undefined {
  return credentials.kind === "token" ? undefined : openCredentials(credentials, systemClock).certificate;
}

function asBuffer(name: string, content: string | Uint8Array): Buffer {
  if (typeof content === "string") return Buffer.from(content);
  if (content instanceof Uint8Array) return Buffer.from(content);
  throw new ApnsError("bad-option", `credentials.${name} must be the content of the file, as text or bytes`);
}

function checked(tls: SecureContextOptions): Identity {
  let context: SecureContext;
  try {
    context = createSecureContext(tls);
  } catch (error) {
    throw new ApnsError("bad-certificate", explain((error as Error).message));
  }
  const der = ownCertificate(context);
  return { tls, tokens: undefined, certificate: der && readPushCertificate(der), der };
}

/** The certificate that this context would show to a server. OpenSSL took it out of PEM or .p12; a socket gives it back. */
function ownCertificate(secureContext: SecureContext): Buffer | undefined {
  const nowhere = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const socket = new TLSSocket(nowhere, { secureContext });
  const certificate = socket.getX509Certificate();
  socket.destroy();
  return certificate?.raw;
}

function explain(message: string): string {
  if (/unsupported/i.test(message)) {
    return (
      `the .p12 file is encrypted in an old way (RC2) that OpenSSL 3 no longer reads (${message}): convert it with ` +
      "openssl pkcs12 -legacy -in old.p12 -nodes -out all.pem && openssl pkcs12 -export -in all.pem -out new.p12"
    );
  }
  if (/certificate from PFX/i.test(message)) {
    return `there is a key and no certificate in the .p12 file (${message}): export both together from the keychain`;
  }
  if (/mac verify|bad decrypt|passphrase|password/i.test(message)) {
    return `the passphrase does not open the certificate's key (${message})`;
  }
  if (/mismatch/i.test(message)) return `the key does not belong to the certificate (${message})`;
  return `the certificate or its key cannot be read (${message}): PEM text or the bytes of a .p12 file are expected`;
}
