import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { Sealer } from "./sealer.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

test("opens what it sealed, each time in other bytes, and shows nothing of the secret", () => {
  const sealer = new Sealer(randomBytes(32));
  const [one, other] = [sealer.seal(secret, "a"), sealer.seal(secret, "a")];
  expect(one).toMatch(/^sealed:1:[\w-]+$/);
  expect(one).not.toBe(other);
  for (const sealed of [one, other]) {
    expect(sealed).not.toContain(secret.slice(6, 20));
    expect(sealer.unseal(sealed, "a")).toBe(secret);
  }
});

test("opens nothing with another key, under another name, changed, cut, or of another form", () => {
  const key = randomBytes(32);
  const sealer = new Sealer(key);
  const sealed = sealer.seal(secret, "a");
  expect(new Sealer(randomBytes(32)).unseal(sealed, "a")).toBeUndefined();
  expect(sealer.unseal(sealed, "b")).toBeUndefined();
  const bytes = Buffer.from(sealed.slice("sealed:1:".length), "base64url");
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(sealer.unseal(`sealed:1:${changed.toString("base64url")}`, "a"), `byte ${at}`).toBeUndefined();
    const cut = bytes.subarray(0, at).toString("base64url");
    expect(sealer.unseal(`sealed:1:${cut}`, "a"), `${at} bytes`).toBeUndefined();
  }
  for (const other of ["", secret, sealed.replace("sealed:1:", "sealed:2:")])
    expect(sealer.unseal(other, "a")).toBeUndefined();
  expect(new Sealer(Buffer.from(key)).unseal(sealed, "a")).toBe(secret);
});
