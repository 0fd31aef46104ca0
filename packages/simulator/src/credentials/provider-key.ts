import { createPrivateKey, generateKeyPairSync, randomInt } from "node:crypto";

/** What a developer downloads once from Apple, and the ids beside it. */
export interface ProviderKey {
  /** PEM PKCS#8, EC P-256: the content of an `AuthKey_<keyId>.p8`. */
  readonly key: string;
  /** 10 characters, A to Z and 0 to 9. */
  readonly keyId: string;
  /** 10 characters, A to Z and 0 to 9. */
  readonly teamId: string;
}

const idCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const idLength = 10;

export function makeProviderKey(): ProviderKey {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    keyId: makeId(),
    teamId: makeId(),
  };
}

/** Why these values are no provider key, or undefined where they are one. */
export function findProviderKeyFault(candidate: ProviderKey): string | undefined {
  const isId = (text: string): boolean => /^[A-Z0-9]{10}$/.test(text);
  if (!isId(candidate.keyId) || !isId(candidate.teamId)) return "its ids are not 10 characters each";
  try {
    const curve = createPrivateKey(candidate.key).asymmetricKeyDetails?.namedCurve;
    return curve === "prime256v1" ? undefined : "its key is not on the curve P-256";
  } catch {
    return "its key is unreadable";
  }
}

function makeId(): string {
  return Array.from({ length: idLength }, () => idCharacters[randomInt(idCharacters.length)]).join("");
}
