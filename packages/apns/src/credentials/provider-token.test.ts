import { generateKeyPairSync, sign, verify } from "node:crypto";
import { expect, test } from "vitest";
import { ApnsError } from "../runtime/index.ts";
import { loadProviderKey } from "./provider-key.ts";
import { readProviderToken, signProviderToken, verifyProviderToken } from "./provider-token.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const claims = { keyId: "ABC123DEFG", teamId: "DEF123GHIJ", issuedAtSeconds: 1_437_179_036 };

test("a provider token has Apple's header and claims, and a raw signature that node:crypto verifies", () => {
  const [head = "", body = "", signature = ""] = signProviderToken(privateKey, claims).split(".");
  expect(JSON.parse(Buffer.from(head, "base64url").toString())).toEqual({ alg: "ES256", kid: "ABC123DEFG" });
  expect(JSON.parse(Buffer.from(body, "base64url").toString())).toEqual({
    iss: "DEF123GHIJ",
    iat: 1_437_179_036,
  });
  const raw = Buffer.from(signature, "base64url");
  expect(raw).toHaveLength(64);
  expect(
    verify("sha256", Buffer.from(`${head}.${body}`), { key: publicKey, dsaEncoding: "ieee-p1363" }, raw),
  ).toBe(true);
});

test("raw and DER signatures are verified; others are not", () => {
  const read = readProviderToken(signProviderToken(privateKey, claims));
  if (read.kind !== "read") throw new Error(read.detail);
  expect(read.claims).toEqual(claims);
  expect(verifyProviderToken(publicKey, read.signed, read.signature)).toBe(true);
  expect(
    verifyProviderToken(publicKey, read.signed, sign("sha256", Buffer.from(read.signed), privateKey)),
  ).toBe(true);
  expect(verifyProviderToken(publicKey, `${read.signed}x`, read.signature)).toBe(false);
  expect(verifyProviderToken(publicKey, read.signed, Buffer.alloc(64))).toBe(false);
  expect(verifyProviderToken(publicKey, read.signed, Buffer.from("no signature"))).toBe(false);
});

test("tokens that are none are data", () => {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = encode({ iss: "T", iat: 1 });
  for (const bad of [
    "",
    "a.b",
    "a.b.c",
    "....",
    `${encode({ alg: "none", kid: "K" })}.${body}.`,
    `${encode({ alg: "ES256" })}.${body}.x`,
  ]) {
    expect(readProviderToken(bad).kind).toBe("malformed");
  }
  const head = encode({ alg: "ES256", kid: "K" });
  for (const claim of [{ iat: 1 }, { iss: "T" }, { iss: "T", iat: "1459143580650" }, null, 5]) {
    expect(readProviderToken(`${head}.${encode(claim)}.x`).kind).toBe("malformed");
  }
});

const pem = (key: typeof privateKey): string => key.export({ format: "pem", type: "pkcs8" }).toString();

test.each([
  ["a path", "AuthKey_ABC123DEFG.p8", /not PEM/],
  ["a public key", publicKey.export({ format: "pem", type: "spki" }).toString(), /public key/],
  ["another curve", pem(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey), /secp384r1/],
  ["an RSA key", pem(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey), /rsa/],
  ["a cut file", pem(privateKey).slice(0, 80), /cut off/],
  [
    "an encrypted key",
    privateKey.export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "x" }).toString(),
    /encrypted/,
  ],
])("%s in place of a provider key is named", (_, text, message) => {
  expect(() => loadProviderKey(text)).toThrow(message);
  expect(() => loadProviderKey(text)).toThrow(ApnsError);
});

test("a provider key is read from text and from bytes", () => {
  expect(loadProviderKey(pem(privateKey)).equals(privateKey)).toBe(true);
  expect(loadProviderKey(Buffer.from(pem(privateKey))).equals(privateKey)).toBe(true);
});
