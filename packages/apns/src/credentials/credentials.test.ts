import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { ApnsError, systemClock } from "../runtime/index.ts";
import {
  keyOnlyP12,
  modernP12,
  productionCert,
  rc2P12,
  tripleDesP12,
  universal,
} from "./certificates.test-support.ts";
import { type Credentials, certificateOf, openCredentials } from "./credentials.ts";

const { cert, key, encryptedKey } = universal;
const passphrase = "secret";
const topics = ["com.example.MyApp", "com.example.MyApp.voip", "com.example.MyApp.complication"];

test.each<[string, Credentials]>([
  ["PEM", { kind: "certificate", cert, key }],
  ["PEM as bytes", { kind: "certificate", cert: Buffer.from(cert), key: Buffer.from(key) }],
  [
    "PEM with the key in the same file",
    { kind: "certificate", cert: `${key}\n${cert}`, key: `${key}\n${cert}` },
  ],
  ["PEM with an encrypted key", { kind: "certificate", cert, key: encryptedKey, passphrase }],
  ["a .p12 of today", { kind: "pkcs12", data: modernP12, passphrase }],
  ["a .p12 with 3DES", { kind: "pkcs12", data: tripleDesP12, passphrase }],
])("a certificate is read from %s, with what it says", (_, credentials) => {
  expect(certificateOf(credentials)).toEqual({
    mainTopic: "com.example.MyApp",
    topics,
    environments: ["sandbox", "production"],
    teamId: "DEF123GHIJ",
    validFromMs: Date.parse(new X509Certificate(cert).validFrom),
    validUntilMs: Date.parse(new X509Certificate(cert).validTo),
  });
  expect(openCredentials(credentials, systemClock).tokens).toBeUndefined();
});

const asIs = (value: unknown): Credentials => value as Credentials;

test.each<[string, Credentials, string, RegExp]>([
  [
    "an old .p12",
    { kind: "pkcs12", data: rc2P12, passphrase },
    "bad-certificate",
    /RC2.*openssl pkcs12 -legacy/,
  ],
  [
    "a wrong passphrase",
    { kind: "pkcs12", data: modernP12, passphrase: "x" },
    "bad-certificate",
    /passphrase/,
  ],
  ["no passphrase", { kind: "pkcs12", data: modernP12 }, "bad-certificate", /passphrase/],
  [
    "a .p12 without a certificate",
    { kind: "pkcs12", data: keyOnlyP12, passphrase },
    "bad-certificate",
    /no certificate/,
  ],
  ["PEM as a .p12", { kind: "pkcs12", data: Buffer.from(cert) }, "bad-certificate", /\.p12 file/],
  [
    "a .p12 cut off",
    { kind: "pkcs12", data: modernP12.subarray(0, 500), passphrase },
    "bad-certificate",
    /cannot be read/,
  ],
  [
    "an encrypted key and no passphrase",
    { kind: "certificate", cert, key: encryptedKey },
    "bad-certificate",
    /passphrase/,
  ],
  ["a path", { kind: "certificate", cert: "cert.pem", key: "key.pem" }, "bad-certificate", /PEM text/],
  ["no file", asIs({ kind: "certificate", cert }), "bad-option", /credentials\.key must be the content/],
  ["no data", asIs({ kind: "pkcs12" }), "bad-option", /credentials\.data must be the content/],
  [
    "no key",
    asIs({ kind: "token", keyId: "ABC123DEFG", teamId: "DEF123GHIJ" }),
    "bad-option",
    /credentials\.key/,
  ],
  [
    "a short key id",
    { kind: "token", key, keyId: "ABC", teamId: "DEF123GHIJ" },
    "bad-option",
    /keyId.*10 letters/,
  ],
  ["another kind", asIs({ kind: "password" }), "bad-option", /"token", "certificate" or "pkcs12"/],
  ["nothing", asIs(undefined), "bad-option", /"token", "certificate" or "pkcs12"/],
])("%s is told with its cure", (_, credentials, code, message) => {
  const open = () => openCredentials(credentials, systemClock);
  expect(open).toThrow(ApnsError);
  expect(open).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
});

test("a certificate that does not belong to the key is told so", () => {
  const other = { kind: "certificate", cert: productionCert, key: encryptedKey, passphrase } as const;
  expect(certificateOf(other)?.mainTopic).toBe("com.example.Other");
  expect(certificateOf({ kind: "token", key, keyId: "ABC123DEFG", teamId: "DEF123GHIJ" })).toBeUndefined();
});
