import { createHmac } from "node:crypto";
import fc from "fast-check";
import { Webhook as StandardVerifier } from "standardwebhooks";
import { Webhook as SvixVerifier } from "svix";
import { expect, test } from "vitest";
import { makeSecret, signMessage } from "./signature.ts";

const verifiers = [
  ["standardwebhooks", (secret: string) => new StandardVerifier(secret)],
  ["svix", (secret: string) => new SvixVerifier(secret)],
] as const;

test("the signature is the one of the scheme's own example", () => {
  // Standard Webhooks, "Signature scheme": the HMAC of `id.timestamp.body` with the secret's bytes.
  const secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
  const key = Buffer.from("C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "base64");
  const expected = createHmac("sha256", key).update('msg_1.1700000000.{"a":1}').digest("base64");
  expect(signMessage([secret], { id: "msg_1", body: Buffer.from('{"a":1}') }, 1_700_000_000_999)).toEqual({
    "webhook-id": "msg_1",
    "webhook-timestamp": "1700000000",
    "webhook-signature": `v1,${expected}`,
  });
});

test("a secret is whsec_ and 32 bytes in base64, and never the same twice", () => {
  const secrets = Array.from({ length: 100 }, makeSecret);
  expect(new Set(secrets).size).toBe(100);
  for (const secret of secrets) {
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(Buffer.from(secret.slice(6), "base64")).toHaveLength(32);
  }
});

test.each(verifiers)("%s takes what is signed, whatever the body, and nothing else", (_name, verifierFor) => {
  fc.assert(
    fc.property(fc.json(), fc.stringMatching(/^[\w-]{1,40}$/), (body, id) => {
      const secret = makeSecret();
      const headers = { ...signMessage([secret], { id, body: Buffer.from(body) }, Date.now()) };
      verifierFor(secret).verify(body, headers);
      expect(() => verifierFor(secret).verify(`${body} `, headers)).toThrow();
      expect(() => verifierFor(makeSecret()).verify(body, headers)).toThrow();
      expect(() => verifierFor(secret).verify(body, { ...headers, "webhook-id": `${id}x` })).toThrow();
    }),
    { numRuns: 50 },
  );
});

test.each(verifiers)("during a rotation %s takes it with either secret", (_name, verifierFor) => {
  const secrets = [makeSecret(), makeSecret()];
  const headers = { ...signMessage(secrets, { id: "msg_1", body: Buffer.from("{}") }, Date.now()) };
  expect(headers["webhook-signature"].split(" ")).toHaveLength(2);
  for (const secret of secrets) verifierFor(secret).verify("{}", headers);
});

test.each(verifiers)("%s refuses a message that is replayed ten minutes later", (_name, verifierFor) => {
  const secret = makeSecret();
  const headers = {
    ...signMessage([secret], { id: "msg_1", body: Buffer.from("{}") }, Date.now() - 600_000),
  };
  expect(() => verifierFor(secret).verify("{}", headers)).toThrow();
});
