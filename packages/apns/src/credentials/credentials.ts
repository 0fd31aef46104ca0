import { createSecureContext, type SecureContextOptions } from "node:tls";
import { ApnsError, type Clock } from "../runtime/index.ts";
import { loadProviderKey } from "./provider-key.ts";
import { type ProviderTokenSource, providerTokenSource } from "./provider-token-source.ts";

/** Who the sender is: a provider key, or a certificate with its key in one of two forms. */
export type Credentials =
  | {
      readonly kind: "token";
      /** The text of the AuthKey_….p8 file. */
      readonly key: string | Uint8Array;
      /** 10 characters, from the developer account. */
      readonly keyId: string;
      /** 10 characters. */
      readonly teamId: string;
    }
  | {
      readonly kind: "certificate";
      /** PEM, the client certificate and any intermediate ones. */
      readonly cert: string | Uint8Array;
      readonly key: string | Uint8Array;
      readonly passphrase?: string;
    }
  | {
      readonly kind: "pkcs12" /** The bytes of a .p12 file. */;
      readonly data: Uint8Array;
      readonly passphrase?: string;
    };

/** Credentials, read: what goes into the TLS handshake, and where provider tokens come from. */
export interface Identity {
  readonly tls: SecureContextOptions;
  readonly tokens: ProviderTokenSource | undefined;
}

const tenCharacters = /^[A-Za-z0-9]{10}$/;

/** @throws ApnsError `bad-option`, `bad-key` or `bad-certificate`, each with what to do */
export function openCredentials(credentials: Credentials, clock: Clock): Identity {
  switch (credentials.kind) {
    case "token": {
      for (const name of ["keyId", "teamId"] as const) {
        if (!tenCharacters.test(credentials[name])) {
          throw new ApnsError(
            "bad-option",
            `credentials.${name} must be 10 letters and digits, from the developer account`,
          );
        }
      }
      const key = loadProviderKey(credentials.key);
      return { tls: {}, tokens: providerTokenSource(key, credentials.keyId, credentials.teamId, clock) };
    }
    case "certificate":
      return checked({
        cert: asBuffer(credentials.cert),
        key: asBuffer(credentials.key),
        ...(credentials.passphrase === undefined ? {} : { passphrase: credentials.passphrase }),
      });
    case "pkcs12":
      return checked({
        pfx: asBuffer(credentials.data),
        ...(credentials.passphrase === undefined ? {} : { passphrase: credentials.passphrase }),
      });
    default:
      throw new ApnsError("bad-option", 'credentials.kind must be "token", "certificate" or "pkcs12"');
  }
}

function asBuffer(content: string | Uint8Array): Buffer {
  return typeof content === "string" ? Buffer.from(content) : Buffer.from(content);
}

function checked(tls: SecureContextOptions): Identity {
  try {
    createSecureContext(tls);
  } catch (error) {
    throw new ApnsError("bad-certificate", explain((error as Error).message));
  }
  return { tls, tokens: undefined };
}

function explain(message: string): string {
  if (/unsupported/i.test(message)) {
    return (
      `the .p12 file is encrypted in an old way (RC2 or 3DES) that OpenSSL 3 no longer reads (${message}): convert it with ` +
      "openssl pkcs12 -legacy -in old.p12 -nodes -out all.pem && openssl pkcs12 -export -in all.pem -out new.p12"
    );
  }
  if (/mac verify|bad decrypt|passphrase|password/i.test(message)) {
    return `the passphrase does not open the certificate's key (${message})`;
  }
  if (/mismatch/i.test(message)) return `the key does not belong to the certificate (${message})`;
  return `the certificate or its key cannot be read (${message}): PEM text or the bytes of a .p12 file are expected`;
}
