import { expect, test } from "vitest";
import { type CertificateUse, findCertificateFaults } from "./certificate-faults.ts";
import type { PushCertificate } from "./push-certificate.ts";

const certificate: PushCertificate = {
  mainTopic: "com.example.app",
  topics: ["com.example.app", "com.example.app.voip"],
  environments: ["production"],
  teamId: "DEF123GHIJ",
  validFromMs: Date.UTC(2026, 0, 1),
  validUntilMs: Date.UTC(2027, 0, 31),
};
const use: CertificateUse = {
  environment: "production",
  topic: "com.example.app",
  nowMs: Date.UTC(2026, 5, 1),
};

test("a certificate that fits is found without fault", () => {
  expect(findCertificateFaults(certificate, use)).toEqual({ faults: [], warnings: [] });
  const open = { environment: undefined, topic: undefined, nowMs: use.nowMs };
  expect(findCertificateFaults(certificate, open)).toEqual({ faults: [], warnings: [] });
  expect(
    findCertificateFaults(certificate, { ...use, topic: "com.example.app.location-query" }).faults,
  ).toEqual([]);
});

test.each<[string, Partial<CertificateUse>, RegExp]>([
  ["the other environment", { environment: "sandbox" }, /is for production and not for sandbox/],
  [
    "another app's topic",
    { topic: "com.example.apple" },
    /for com\.example\.app, com\.example\.app\.voip and not/,
  ],
  ["a day after its end", { nowMs: Date.UTC(2027, 1, 1) }, /expired on 2027-01-31: make a new one/],
  [
    "a day before its start",
    { nowMs: Date.UTC(2025, 11, 31) },
    /valid only from 2026-01-01 on: this machine's clock/,
  ],
])("%s is a fault", (_, change, fault) => {
  const { faults, warnings } = findCertificateFaults(certificate, { ...use, ...change });
  expect(faults.map(({ what, remedy }) => `${what}: ${remedy}`)).toEqual([expect.stringMatching(fault)]);
  expect(warnings).toEqual([]);
});

test("the last thirty days and a missing main topic are warnings", () => {
  const late = findCertificateFaults(certificate, { ...use, nowMs: Date.UTC(2027, 0, 21) });
  expect(late).toEqual({
    faults: [],
    warnings: [{ what: "expires on 2027-01-31, in 10 days", remedy: expect.stringContaining("new one") }],
  });
  const bare: PushCertificate = { ...certificate, mainTopic: undefined, topics: [], environments: [] };
  const found = findCertificateFaults(bare, { ...use, environment: "sandbox" });
  expect(found).toMatchObject({ faults: [], warnings: [{ what: expect.stringMatching(/names no topic/) }] });
});

test("a certificate whose times cannot be read is taken at its word", () => {
  const timeless = { ...certificate, validFromMs: undefined, validUntilMs: undefined };
  expect(findCertificateFaults(timeless, { ...use, nowMs: 0 })).toEqual({ faults: [], warnings: [] });
});
