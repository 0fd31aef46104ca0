/** `carillon webhooks …` against a gateway that runs. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Gateway, startGateway } from "../../packages/gateway/dist/index.js";
import { carillon, cleanUp, makeFolder } from "../support/command-line.ts";
import { providerKey } from "../support/sending.ts";

let gateway: Gateway;
let receiver: Server;
let status = 204;
const calls: { readonly headers: IncomingHttpHeaders; readonly text: string }[] = [];

beforeAll(async () => {
  receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    calls.push({ headers: request.headers, text: Buffer.concat(chunks).toString() });
    response.writeHead(status).end();
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  gateway = await startGateway({
    config: {
      listen: { host: "127.0.0.1", port: 0 },
      dataDir: makeFolder(),
      logLevel: "silent",
      webhooks: { allowHttp: true, allowPorts: "any", allowNetworks: ["127.0.0.0/8"] },
      apps: [
        {
          name: "demo",
          topic: "com.example.demo",
          environment: "sandbox",
          credentials: { kind: "token", key: providerKey, keyId: "ABC123DEFG", teamId: "DEF123GHIJ" },
        },
      ],
    },
  });
});
afterAll(async () => {
  await gateway?.close({ deadlineMs: 0 });
  receiver.close();
  receiver.closeAllConnections();
  await cleanUp();
});

const address = () => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
const run = (...words: string[]) =>
  carillon(["webhooks", ...words], {
    environment: { CARILLON_URL: gateway.url, CARILLON_API_KEY: gateway.adminKey },
  });

test("a webhook is made, looked at, changed, pinged, replayed and deleted", { timeout: 60_000 }, async () => {
  const made = await run(
    "create",
    address(),
    "--app",
    "demo",
    "--types",
    "token.gone, token.suspect",
    "--json",
  );
  expect(made).toMatchObject({ status: 0, stderr: "" });
  const { id, secret, types } = JSON.parse(made.stdout);
  expect(types).toEqual(["token.gone", "token.suspect"]);

  const ping = await run("ping", id);
  expect(ping).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\S+Z {2}delivered {2}ping · 204 · \d+ ms\n$/),
  });
  const [call] = calls;
  new Webhook(secret).verify(call?.text ?? "", call?.headers as Record<string, string>);
  status = 500;
  expect(await run("ping", id, "--json")).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('"delivered":false'),
  });
  status = 204;

  const deliveries = await run("deliveries", id, "--limit", "1");
  expect(deliveries.stdout).toMatch(
    /^\S+Z {2}failed {5}ping · 500 · \d+ ms · It answered 500; only 2xx is a delivery\.\n$/,
  );
  expect((await run("update", id, "--all-types", "--disable", "--description", "ours")).stdout).toMatch(
    /^wh_\S+ {2}disabled {2}http:.*\n {2}ours · app demo · all events · by an update · nothing delivered yet · cursor 0\n$/,
  );
  expect((await run("update", id, "--enable", "--json")).stdout).toContain('"status":"enabled"');

  const rotated = await run("rotate", id, "--overlap", "60");
  expect(rotated.stdout).toMatch(/secret whsec_\S+\n.*shown this once/);
  expect(rotated.stdout).toContain("two secrets until");
  expect(rotated.stdout).not.toContain(secret);
  expect((await run("replay", id)).status).toBe(0);
  expect(
    (await run("list", "--json")).stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).id),
  ).toEqual([id]);
  expect(await run("delete", id)).toMatchObject({ status: 0, stdout: `${id} is deleted\n` });
  expect(await run("list")).toMatchObject({
    status: 0,
    stdout: "",
    stderr: expect.stringContaining("There are none"),
  });
});

test("what is refused is said in the gateway's words, with status 1", async () => {
  const refused = await run("create", "https://10.0.0.1/hook", "--json");
  expect(refused).toMatchObject({ status: 1, stdout: "" });
  expect(refused.stderr).toMatch(
    /^error: Nothing was changed\.\n {2}\/url {2}10\.0\.0\.1 is a private network/,
  );
  expect(await run("ping", "wh_nobody")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("There is no webhook of this id"),
  });
});

test.each([
  [["list", "--api-key", "ck_wrong_wrong_wrong"], 2, "This key is not known here"],
  [["list", "--url", "nonsense"], 2, "--url"],
  [["list", "--url", "http://127.0.0.1:1"], 3, "there is no answer"],
  [["update", "wh_x"], 2, "Say what is to change"],
  [["update", "wh_x", "--app", "demo", "--all-apps"], 2, "cannot stand together"],
  [["rotate", "wh_x", "--overlap", "soon"], 2, "whole number"],
  [["create"], 2, "missing required argument"],
  [["lsit"], 2, "Did you mean list?"],
])("webhooks %j ends with status %i and what to do", async (words, expected, text) => {
  const ended = await run(...words);
  expect(ended).toMatchObject({ status: expected, stdout: "" });
  expect(ended.stderr).toContain(text);
});

test("without a key it says where the key is", async () => {
  const ended = await carillon(["webhooks", "list"], { environment: { CARILLON_URL: gateway.url } });
  expect(ended).toMatchObject({ status: 2, stderr: expect.stringContaining("admin.key") });
});
