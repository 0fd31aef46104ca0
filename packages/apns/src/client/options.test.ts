import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { ApnsError } from "../runtime/index.ts";
import { ApnsClient } from "./client.ts";
import type { ApnsClientOptions } from "./options.ts";

const key = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ format: "pem", type: "pkcs8" })
  .toString();
const credentials = { kind: "token", key, keyId: "ABC123DEFG", teamId: "DEF123GHIJ" } as const;

function open(options: object): ApnsClient {
  return new ApnsClient({ environment: "sandbox", credentials, ...options } as ApnsClientOptions);
}

test.each([
  "deadlineMs",
  "requestTimeoutMs",
  "connectTimeoutMs",
  "pingAfterMs",
  "pingTimeoutMs",
  "idlePingMs",
  "maxConnections",
  "maxOutstanding",
])("row 50: %s is a number in its range or absent", (name) => {
  for (const bad of [0, -1, Number.NaN, 1.5, 1e12, "5", null]) {
    expect(() => open({ [name]: bad })).toThrow(new RegExp(`${name} must be a whole number`));
  }
  expect(() => open({ [name]: undefined })).not.toThrow();
});

test("all wrong options are named at once", () => {
  expect(() =>
    open({ deadlineMs: 0, retry: { attempts: 0, baseDelayMs: -1 }, endpoint: "x", validation: "loose" }),
  ).toThrow(/endpoint .*validation .*deadlineMs .*retry\.attempts .*retry\.baseDelayMs /s);
});

test("credentials are read when the client is made", () => {
  expect(() => open({ credentials: { ...credentials, keyId: "short" } })).toThrow(/keyId must be 10/);
  expect(() => open({ credentials: { ...credentials, key: "nonsense" } })).toThrow(ApnsError);
  expect(() => open({ credentials: { kind: "certificate", cert: "x", key: "y" } })).toThrow(/certificate/);
  expect(() => open({ credentials: { kind: "pkcs12", data: Buffer.from("x") } })).toThrow(
    /\.p12|certificate/,
  );
  expect(() => open({ credentials: { kind: "password" } })).toThrow(/credentials\.kind/);
});

test("a refused notification rejects with every problem; a closed client says so", async () => {
  const client = open({});
  await expect(
    client.send({ deviceToken: "x", payload: "", topic: "com.example.app" }),
  ).rejects.toMatchObject({
    code: "bad-notification",
    problems: [{ field: "deviceToken" }, { field: "payload" }],
  });
  await client.close();
  await expect(client.send({ deviceToken: "abcd1234", payload: "{}" })).rejects.toMatchObject({
    code: "closed",
  });
});
