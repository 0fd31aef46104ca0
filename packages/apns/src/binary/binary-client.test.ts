import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { modernP12 } from "../credentials/certificates.test-support.ts";
import { BinaryClient } from "./binary-client.ts";
import type { BinaryClientOptions } from "./binary-client-options.ts";
import { readFeedback } from "./feedback-reader.ts";

const credentials = { kind: "pkcs12", data: modernP12, passphrase: "secret" } as const;
const usual: BinaryClientOptions = { host: "localhost", credentials };
const push = { deviceToken: "ab".repeat(32), payload: { aps: {} } };
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function connect(more: Partial<BinaryClientOptions> = {}): BinaryClient {
  const client = new BinaryClient({ ...usual, ...more });
  closers.push(() => client.close({ deadlineMs: 0 }));
  return client;
}

test("names every option that is wrong, and takes no provider token", () => {
  const wrong = { ...usual, host: "not a host", windowSize: 0, minTls: "SSLv3" as never, port: 99_999 };
  expect(() => new BinaryClient(wrong)).toThrow(/port .*host .*minTls .*windowSize /);
  const token = { kind: "token", key: "", keyId: "ABC123DEFG", teamId: "DEF123GHIJ" } as const;
  expect(() => new BinaryClient({ ...usual, credentials: token })).toThrow(/no provider tokens/);
  const secret = { ...credentials, passphrase: "wrong" };
  expect(() => new BinaryClient({ ...usual, credentials: secret })).toThrow(/passphrase/);
});

test("names everything that is wrong with a notification, which is then not sent", async () => {
  const client = connect({ mostPayloadBytes: 256 });
  const wrong = { deviceToken: "xyz", payload: "x".repeat(257), expiration: -1, priority: 7 as never };
  await expect(client.send(wrong)).rejects.toMatchObject({
    code: "bad-notification",
    problems: ["deviceToken", "payload", "expiration", "priority"].map((field) => ({ field })),
  });
  const late = { ...push, expiration: 2 ** 32 };
  await expect(client.send(late)).rejects.toThrow(/expiration .*32 bits/);
});

test("a gateway that cannot be reached is told, with the address, after as many attempts as were asked for", async () => {
  const port = await freePort();
  const warnings: string[] = [];
  const logger = { info: () => {}, warn: (message: string) => warnings.push(message) };
  const client = connect({ host: "127.0.0.1", port, connectAttempts: 2, logger });
  expect(await client.send(push)).toMatchObject({
    ...{ kind: "unprocessed", cause: "not-written", attempts: 0 },
    detail: expect.stringContaining(`127.0.0.1:${port}`),
  });
  expect(warnings).toHaveLength(2);
  const options = { host: "127.0.0.1", port, credentials };
  expect(await readFeedback(options, () => {})).toMatchObject({ kind: "unreachable" });
});

test("more sends than may be outstanding are answered at once; what waits at the end of close is given back", async () => {
  const client = connect({ host: "127.0.0.1", port: await freePort(), maxOutstanding: 1 });
  const first = client.send(push);
  expect(await client.send(push)).toMatchObject({ kind: "unprocessed", attempts: 0 });
  await client.close({ deadlineMs: 0 });
  expect(await first).toMatchObject({ kind: "unprocessed" });
});
