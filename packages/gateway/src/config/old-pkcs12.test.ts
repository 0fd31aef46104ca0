import { createPrivateKey, X509Certificate } from "node:crypto";
import { createRequire } from "node:module";
import { ApnsClient } from "@carillon/apns";
import { expect, test } from "vitest";
import {
  oldEcPkcs12File,
  oldPkcs12Passphrase,
  oldRsaPkcs12File,
} from "../../../../test/support/old-pkcs12-file.ts";
import { pkcs12File, pkcs12Passphrase } from "../../../../test/support/pkcs12-file.ts";
import { openOldPkcs12 } from "./old-pkcs12.ts";

const isForgeLoaded = () =>
  Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes("node-forge"));
const open = (data: Uint8Array, passphrase?: string) =>
  openOldPkcs12({ kind: "pkcs12", data, ...(passphrase === undefined ? {} : { passphrase }) });

// First, because what is loaded stays loaded.
test("a modern file, a wrong passphrase and what is no .p12 file are left to the client; node-forge is not even loaded", () => {
  expect(open(pkcs12File, pkcs12Passphrase)).toBeUndefined();
  expect(open(pkcs12File, "melon")).toBeUndefined();
  expect(open(oldRsaPkcs12File, "melon")).toBeUndefined();
  expect(open(oldRsaPkcs12File)).toBeUndefined();
  expect(open(Buffer.from("no such file"))).toBeUndefined();
  expect(open(Buffer.alloc(0))).toBeUndefined();
  expect(isForgeLoaded()).toBe(false);
  expect(open(oldRsaPkcs12File, oldPkcs12Passphrase)).toBeDefined();
  expect(isForgeLoaded()).toBe(true);
});

test.each([
  ["RSA", "rsa", oldRsaPkcs12File, oldPkcs12Passphrase, 1],
  ["P-256, with another certificate and no passphrase", "ec", oldEcPkcs12File, undefined, 2],
])("an old file becomes a certificate and its key: %s", (_, keyType, file, passphrase, certificates) => {
  const credentials = open(file, passphrase);
  const cert = String(credentials?.cert);
  const key = createPrivateKey(String(credentials?.key));
  expect(key.asymmetricKeyType).toBe(keyType);
  const own = new X509Certificate(cert);
  expect(own.subject).toContain("com.example.demo");
  expect(own.checkPrivateKey(key)).toBe(true);
  // Signed by its own key: a byte that got lost on the way would show.
  expect(own.verify(own.publicKey)).toBe(true);
  expect(cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(certificates);
  expect(() => new ApnsClient({ environment: "sandbox", credentials: credentials! })).not.toThrow();
});

test("an old file that is cut or damaged is left to the client", () => {
  for (let length = 0; length < oldEcPkcs12File.length; length += 37)
    expect(open(oldEcPkcs12File.subarray(0, length))).toBeUndefined();
  for (let at = 60; at < 400; at += 17) {
    const damaged = Buffer.from(oldEcPkcs12File);
    damaged[at]! ^= 0x55;
    expect(open(damaged)).toBeUndefined();
  }
});
