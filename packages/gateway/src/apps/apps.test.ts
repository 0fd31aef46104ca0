import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import type { AppConfig } from "../config/index.ts";
import { Apps } from "./apps.ts";

const key = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ format: "pem", type: "pkcs8" })
  .toString();
const demo: AppConfig = {
  name: "demo",
  topic: "com.example.demo",
  environment: "sandbox",
  credentials: { kind: "token", key, keyId: "ABC123DEFG", teamId: "DEF123GHIJ" },
};
/** Nobody listens there. */
const nowhere = { ...demo, name: "nowhere", endpoint: "https://127.0.0.1:9" } as const;

function open(...configs: readonly AppConfig[]): { readonly apps: Apps; readonly lines: string[] } {
  const lines: string[] = [];
  const write = (fields: object, message: string): void =>
    void lines.push(`${JSON.stringify(fields)} ${message}`);
  return { apps: new Apps(configs, "/nowhere", { info: write, warn: write }), lines };
}

const notification = {
  deviceToken: "ab".repeat(32),
  payload: Buffer.from("{}"),
  topic: "com.example.demo",
  pushType: "alert",
  apnsId: "123e4567-e89b-12d3-a456-426614174000",
};

test("an app has a way to Apple in each environment, the same one every time", () => {
  const { apps } = open(demo);
  expect(apps.find("demo")?.environments).toEqual(["production", "sandbox"]);
  const sandbox = apps.senderFor("demo", "sandbox");
  expect(sandbox).toBeDefined();
  expect(apps.senderFor("demo", "sandbox")).toBe(sandbox);
  expect(apps.senderFor("demo", "production")).not.toBe(sandbox);
});

test("an app with an endpoint of its own has only its environment", () => {
  const { apps } = open(nowhere);
  expect(apps.find("nowhere")?.environments).toEqual(["sandbox"]);
  expect(apps.senderFor("nowhere", "production")).toBeUndefined();
});

test("an app that is not configured has no way to Apple, so that its queue waits", () => {
  const { apps } = open(demo);
  expect(apps.find("other")).toBeUndefined();
  expect(apps.senderFor("other", "sandbox")).toBeUndefined();
});

test("credentials that cannot work are refused at once", () => {
  expect(() => open({ ...demo, credentials: { ...demo.credentials, key: "none" } as never })).toThrow(/key/);
});

test("says what is waited for, and gives back what was not sent when it is closed", async () => {
  const { apps, lines } = open(nowhere);
  expect(apps.waitingFor("nowhere", "sandbox")).toBeUndefined();
  const sent = apps.senderFor("nowhere", "sandbox")?.send(notification);
  await expect.poll(() => apps.waitingFor("nowhere", "sandbox"), { timeout: 10_000 }).toMatch(/ECONNREFUSED/);
  await apps.close(0);
  expect(await sent).toMatchObject({ kind: "unprocessed", cause: "not-written" });
  expect(apps.waitingFor("nowhere", "sandbox")).toBeUndefined();
  expect(lines[0]).toMatch('{"app":"nowhere","environment":"sandbox"} connection ended');
  expect(lines.join("\n")).not.toMatch(notification.deviceToken);
});
