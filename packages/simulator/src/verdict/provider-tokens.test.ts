import { createPrivateKey, sign } from "node:crypto";
import { loadProviderKey, signProviderToken } from "@carillon/apns";
import { expect, test } from "vitest";
import { makeProviderKey } from "../credentials/provider-key.ts";
import { ProviderTokens } from "./provider-tokens.ts";

const key = makeProviderKey();
const other = makeProviderKey();

function tokenOf(claims: Partial<typeof key> & { issuedAtSeconds?: number } = {}, signer = key): string {
  const { keyId, teamId } = { ...key, ...claims };
  return signProviderToken(loadProviderKey(signer.key), {
    keyId,
    teamId,
    issuedAtSeconds: claims.issuedAtSeconds ?? 5,
  });
}

test("a token of a known key is read", () => {
  expect(new ProviderTokens([other, key]).verify(tokenOf(), 1000)).toEqual({
    key,
    issuedAtMs: 5000,
    firstSeenMs: 1000,
  });
});

test("the first sight of a token is remembered over connections", () => {
  const tokens = new ProviderTokens([key]);
  const token = tokenOf();
  tokens.verify(token, 1000);
  expect(tokens.verify(token, 9000)?.firstSeenMs).toBe(1000);
});

test("a signature in DER, as Apple's own command-line recipe writes it, is taken too", () => {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${encode({ alg: "ES256", kid: key.keyId })}.${encode({ iss: key.teamId, iat: 5 })}`;
  const signature = sign("sha256", Buffer.from(signed), createPrivateKey(key.key));
  expect(new ProviderTokens([key]).verify(`${signed}.${signature.toString("base64url")}`, 0)).toBeDefined();
});

test.each([
  ["no token at all", "x"],
  ["another key's signature", tokenOf({}, other)],
  ["an unknown key id", tokenOf({ keyId: "AAAAAAAAAA" })],
  ["another team", tokenOf({ teamId: "AAAAAAAAAA" })],
  ["a cut signature", tokenOf().slice(0, -10)],
  ["changed claims", tokenOf().replace(/\.[^.]+\./, ".eyJpc3MiOiJBIiwiaWF0Ijo1fQ.")],
])("%s is refused", (_, token) => {
  expect(new ProviderTokens([key]).verify(token, 0)).toBeUndefined();
});

test("Apple's printed sample token, which breaks its own rules, is refused", () => {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = `${encode({ kid: "8YL3G3RRX7" })}.${encode({ iss: "C86NV9JX3D", iat: "1459143580650" })}.AAAA`;
  expect(new ProviderTokens([key]).verify(token, 0)).toBeUndefined();
});

test("1,024 tokens are remembered, and one that was forgotten begins anew", () => {
  const tokens = new ProviderTokens([key]);
  const first = tokenOf({ issuedAtSeconds: 1 });
  tokens.verify(first, 1);
  for (let seconds = 2; seconds <= 1024; seconds++) tokens.verify(tokenOf({ issuedAtSeconds: seconds }), 2);
  expect(tokens.verify(first, 3)?.firstSeenMs).toBe(1);
  tokens.verify(tokenOf({ issuedAtSeconds: 1025 }), 4);
  expect(tokens.verify(first, 5)?.firstSeenMs).toBe(5);
});
