import { generateKeyPairSync } from "node:crypto";
import { loadProviderKey } from "@carillon/apns";
import { expect, test } from "vitest";
import { findProviderKeyFault, makeProviderKey } from "./provider-key.ts";

test("a new key is one that the client library takes", () => {
  const made = makeProviderKey();
  expect(findProviderKeyFault(made)).toBeUndefined();
  expect(loadProviderKey(made.key).asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
  expect(made.keyId).not.toBe(makeProviderKey().keyId);
});

test("says what is wrong with one that is none", () => {
  const made = makeProviderKey();
  const pem = (curve: string): string =>
    generateKeyPairSync("ec", { namedCurve: curve })
      .privateKey.export({ type: "pkcs8", format: "pem" })
      .toString();
  expect(findProviderKeyFault({ ...made, key: "" })).toMatch(/unreadable/);
  expect(findProviderKeyFault({ ...made, key: pem("P-384") })).toMatch(/P-256/);
  expect(findProviderKeyFault({ ...made, keyId: "short" })).toMatch(/10 characters/);
  expect(findProviderKeyFault({ ...made, teamId: "../../../x" })).toMatch(/10 characters/);
});
