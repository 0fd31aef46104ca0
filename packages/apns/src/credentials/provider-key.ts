import { createPrivateKey, type KeyObject } from "node:crypto";
import { ApnsError } from "../runtime/index.ts";

/**
 * Reads a provider key: the `.p8` file that Apple's developer account gives, PEM PKCS#8, an EC key on P-256.
 *
 * @throws ApnsError `bad-key`, saying what the text is instead
 */
export function loadProviderKey(pem: string | Uint8Array): KeyObject {
  const text = typeof pem === "string" ? pem : Buffer.from(pem).toString("latin1");
  if (!text.includes("-----BEGIN ")) {
    throw badKey(
      "is not PEM: hand over the text of the AuthKey_….p8 file, not its path or its bytes in another form",
    );
  }
  if (text.includes("BEGIN CERTIFICATE"))
    throw badKey("is a certificate: the provider key is the AuthKey_….p8 file");
  if (text.includes("BEGIN PUBLIC KEY"))
    throw badKey("is a public key: the private one is in the AuthKey_….p8 file");
  if (text.includes("ENCRYPTED")) throw badKey("is encrypted: Apple's .p8 files are not; decrypt it first");
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch (error) {
    throw badKey(`cannot be read (${(error as Error).message}): the file may be cut off`);
  }
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType !== "ec" || curve !== "prime256v1") {
    throw badKey(
      `is ${curve ?? key.asymmetricKeyType}, not an EC key on P-256: it did not come from Apple as a .p8 file`,
    );
  }
  return key;
}

function badKey(what: string): ApnsError {
  return new ApnsError("bad-key", `the provider key ${what}`);
}
