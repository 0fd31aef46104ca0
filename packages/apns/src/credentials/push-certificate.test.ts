import { X509Certificate } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { productionCert, universal } from "./certificates.test-support.ts";
import { readDer, readObjectIdentifier, readTime } from "./der-reader.ts";
import { readPushCertificate } from "./push-certificate.ts";

const der = new X509Certificate(universal.cert).raw;

test("topics and environments are read from Apple's extensions, team and main topic from the subject", () => {
  expect(readPushCertificate(der)).toMatchObject({
    mainTopic: "com.example.MyApp",
    topics: ["com.example.MyApp", "com.example.MyApp.voip", "com.example.MyApp.complication"],
    environments: ["sandbox", "production"],
    teamId: "DEF123GHIJ",
  });
  expect(readPushCertificate(new X509Certificate(productionCert).raw)).toMatchObject({
    mainTopic: "com.example.Other",
    topics: ["com.example.Other"],
    environments: ["production"],
  });
});

test("UTCTime and GeneralizedTime become epoch milliseconds; nothing else does", () => {
  const time = (tag: number, text: string) => readTime({ tag, content: Buffer.from(text) });
  expect(time(0x17, "261124151818Z")).toBe(Date.UTC(2026, 10, 24, 15, 18, 18));
  expect(time(0x17, "500101000000Z")).toBe(Date.UTC(1950, 0, 1));
  expect(time(0x17, "491231235959Z")).toBe(Date.UTC(2049, 11, 31, 23, 59, 59));
  expect(time(0x18, "20810827151818Z")).toBe(Date.UTC(2081, 7, 27, 15, 18, 18));
  for (const bad of ["", "2611241518Z", "261124151818", "269924151818Z", "20810827151818Z"])
    expect(time(0x17, bad)).toBeUndefined();
  expect(time(0x0c, "261124151818Z")).toBeUndefined();
});

test("object identifiers are read from their bytes", () => {
  // 1.2.840.113635.100.6.3.6, as OpenSSL writes it.
  expect(readObjectIdentifier(Buffer.from("2a864886f763640603" + "06", "hex"))).toBe(
    "1.2.840.113635.100.6.3.6",
  );
  expect(readObjectIdentifier(Buffer.from("0992268993f22c640101", "hex"))).toBe("0.9.2342.19200300.100.1.1");
  for (const bad of ["", "2a86", "ffffffffffffffffffff7f"])
    expect(readObjectIdentifier(Buffer.from(bad, "hex"))).toBeUndefined();
});

test("a certificate that is cut anywhere is no certificate", () => {
  for (let length = 0; length < der.length; length += 1)
    expect(readPushCertificate(der.subarray(0, length))).toBeUndefined();
  expect(readPushCertificate(Buffer.concat([der, Buffer.from([0])]))).toBeUndefined();
});

test("lengths in indefinite form, tags of several bytes and endless lists are refused", () => {
  for (const bad of ["3080", "1f8101", "30", "3085", "308500000000", "3003020101020101"])
    if (bad !== "3003020101020101") expect(readDer(Buffer.from(bad, "hex"))).toBeUndefined();
  expect(readDer(Buffer.from("3003020101020101", "hex"))).toHaveLength(2);
  expect(readDer(Buffer.alloc(2 * 4096))).toHaveLength(4096);
  expect(readDer(Buffer.alloc(2 * 4097))).toBeUndefined();
});

test("arbitrary changes of a certificate never throw", () => {
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
      const changed = Buffer.from(der);
      changed[at] = byte;
      const read = readPushCertificate(changed);
      if (read !== undefined) expect(Array.isArray(read.topics)).toBe(true);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readPushCertificate(Buffer.from(bytes))),
  );
});
