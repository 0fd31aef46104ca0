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

/** What a key is for. Without any of it: all topics of its team in both environments, as keys made before 2025-02-17 are. */
export interface ProviderKeyScope {
  readonly environment?: "sandbox" | "production";
  /** Bundle ids, 400 at most. */
  readonly topics?: readonly string[];
  /** The id of the one key that may be used on the same connection, for a change of keys. */
  readonly relatedTo?: string;
}

const idCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const idLength = 10;

/** A new key, by default of a new team. */
export function makeProviderKey(teamId: string = makeId()): ProviderKey {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    keyId: makeId(),
    teamId,
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
