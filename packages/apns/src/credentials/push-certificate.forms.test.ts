import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { Extension, X509CertificateGenerator } from "@peculiar/x509";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readPushCertificate } from "./push-certificate.ts";

/** The value of the topics extension for three topics, from `apns-protocol` §10. */
const topicsValue =
  "306a0c11636f6d2e6578616d706c652e4d7941707030050c036170700c16636f6d2e6578616d706c652e4d794170702e766f697030060c04" +
  "766f69700c1e636f6d2e6578616d706c652e4d794170702e636f6d706c69636174696f6e300e0c0c636f6d706c69636174696f6e";

const arc = "1.2.840.113635.100.6.3";
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** A certificate made by another library: subject, and extensions as [number in Apple's arc, value in hex]. */
async function makeCertificate(
  name: string,
  extensions: readonly (readonly [number, string])[],
): Promise<Buffer> {
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name,
    signingAlgorithm: algorithm,
    keys: await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]),
    extensions: extensions.map(
      ([number, hex]) => new Extension(`${arc}.${number}`, number === 2, Buffer.from(hex, "hex")),
    ),
  });
  return Buffer.from(certificate.rawData);
}

const uid = "0.9.2342.19200300.100.1.1=com.example.MyApp";

test("a universal certificate names its topics and both environments", async () => {
  expect(topicsValue.length / 2).toBe(108);
  const der = await makeCertificate(`${uid}, CN=Apple Push Services: com.example.MyApp, OU=DEF123GHIJ`, [
    [1, "0500"],
    [2, "0500"],
    [6, topicsValue],
  ]);
  expect(readPushCertificate(der)).toMatchObject({
    teamId: "DEF123GHIJ",
    mainTopic: "com.example.MyApp",
    topics: ["com.example.MyApp", "com.example.MyApp.voip", "com.example.MyApp.complication"],
    environments: ["sandbox", "production"],
  });
});

test("an older certificate is for its main topic in one environment", async () => {
  const sandbox = await makeCertificate(`CN=Apple Development IOS Push Services, ${uid}`, [[1, "0500"]]);
  expect(readPushCertificate(sandbox)).toMatchObject({
    topics: ["com.example.MyApp"],
    environments: ["sandbox"],
  });
  const production = await makeCertificate(`CN=Apple Production IOS Push Services, ${uid}`, [[2, "0500"]]);
  expect(readPushCertificate(production)).toMatchObject({ environments: ["production"] });
});

test("a VoIP certificate lists its topics in an extension of its own", async () => {
  const der = await makeCertificate(`CN=VoIP Services, ${uid}.voip`, [[4, topicsValue]]);
  expect(readPushCertificate(der)?.topics).toEqual([
    "com.example.MyApp.voip",
    "com.example.MyApp",
    "com.example.MyApp.complication",
  ]);
});

test("a certificate that is not for pushing has no topics", async () => {
  const der = await makeCertificate("CN=someone else", []);
  expect(readPushCertificate(der)).toMatchObject({ mainTopic: undefined, topics: [], environments: [] });
});

test("a certificate of version 1, which has no version field, is read as well", () => {
  // SEQUENCE { SEQUENCE { serial 1, algorithm, issuer and validity empty, subject with a UID } }
  const der =
    "3030302e02010130003000300030233121301f060a0992268993f22c6401010c11636f6d2e6578616d706c652e4d79417070";
  expect(readPushCertificate(Buffer.from(der, "hex"))?.mainTopic).toBe("com.example.MyApp");
});

test("a topics extension that is no DER is no topics", async () => {
  const der = await makeCertificate(`CN=x, ${uid}`, [[6, "30ff"]]);
  expect(readPushCertificate(der)?.topics).toEqual(["com.example.MyApp"]);
});

test("bytes that are no certificate are data; cut and changed ones never throw", async () => {
  const der = await makeCertificate(`CN=x, ${uid}`, [[6, topicsValue]]);
  expect(readPushCertificate(Buffer.alloc(0))).toBeUndefined();
  expect(readPushCertificate(Buffer.from("0500", "hex"))).toBeUndefined();
  for (let length = 0; length < der.length; length++) {
    expect(readPushCertificate(der.subarray(0, length))).toBeUndefined();
  }
  fc.assert(
    fc.property(fc.nat({ max: der.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(der);
      changed[at] = changed[at]! ^ change;
      readPushCertificate(changed);
    }),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void readPushCertificate(Buffer.from(bytes))),
  );
});
