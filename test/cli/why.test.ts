/** `carillon why` against a gateway that runs. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Simulator, startSimulator } from "@carillon/simulator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Gateway, startGateway } from "../../packages/gateway/dist/index.js";
import { carillon, cleanUp, makeFolder } from "../support/command-line.ts";
import { appFor, call, configFor, demoPath } from "../support/gateways.ts";
import { deviceToken } from "../support/sending.ts";

let apple: Simulator;
let gateway: Gateway;
let receiver: Server;
const gone = deviceToken(0xdead);
const busy = deviceToken(0xb5);
const good = deviceToken(1);

beforeAll(async () => {
  apple = await startSimulator();
  const answer = { reason: "Unregistered", timestamp: Date.now() };
  apple.setScenario({
    rules: [
      { when: { deviceToken: gone }, do: { answer } },
      { when: { deviceToken: busy, attempt: 1 }, do: { answer: { reason: "ServiceUnavailable" } } },
    ],
  });
  receiver = createServer((request, response) => {
    request.resume().once("end", () => response.writeHead(request.url === "/good" ? 204 : 500).end());
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  gateway = await startGateway({
    config: {
      ...configFor(makeFolder(), appFor(apple)),
      webhooks: { allowHttp: true, allowPorts: "any", allowNetworks: ["127.0.0.0/8"] },
    },
  });
});
afterAll(async () => {
  await gateway?.close({ deadlineMs: 0 });
  await apple?.close();
  receiver?.close();
  receiver?.closeAllConnections();
  await cleanUp();
});

const run = (...words: string[]) =>
  carillon(["why", "--app", "demo", ...words], {
    environment: { CARILLON_URL: gateway.url, CARILLON_API_KEY: gateway.adminKey },
  });

async function push(token: string, more: object = {}): Promise<string> {
  const { body } = await call(gateway, `${demoPath}?wait=20`, { to: { token }, alert: "Hello", ...more });
  return body.results[0].id;
}

/** However it was broken. */
function inOneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

/** The kinds of the steps, in their order. */
function kindsIn(stdout: string): string[] {
  return [...stdout.matchAll(/^(?:\S+Z| {24}) {2}([a-z]+) /gm)].map(([, kind = ""]) => kind);
}

test("an accepted one: its steps, and what to check by its own headers", async () => {
  const apnsId = "01234567-89ab-4def-8123-456789abcdef";
  const id = await push(good, { priority: 5, collapseId: "score", apnsId });
  const { status, stdout, stderr } = await run(id);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(new RegExp(`^${id} {2}accepted {2}demo · sandbox · normal · apns-id ${apnsId}\n`));
  expect(kindsIn(stdout)).toEqual(["stored", "attempt", "ended", "event"]);
  expect(inOneLine(stdout)).toContain("That does not mean that it rang");
  expect(stdout).toMatch(/^- Its priority is 5: /m);
  expect(stdout).toMatch(/^- It has a collapse id: /m);
  expect(stdout).not.toContain(good);
  const json = await run(apnsId, "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({ id, deviceToken: good, status: "accepted" });
});

test("one that was tried again after 503: both attempts", { timeout: 60_000 }, async () => {
  const { status, stdout } = await run(await push(busy));
  expect(status).toBe(0);
  expect(kindsIn(stdout)).toEqual(["stored", "attempt", "attempt", "ended", "event"]);
  expect(stdout).toMatch(/Apple has it, after 2 attempts\./);
  expect(inOneLine(stdout)).toMatch(/Sent over connection 1 to \S+; Apple answered 503 ServiceUnavailable\./);
});

test("a rejected one: Apple's words, the verdict, and which webhook was posted it", async () => {
  const { port } = receiver.address() as AddressInfo;
  const hook = async (path: string): Promise<string> =>
    (await call(gateway, "/v1/webhooks", { url: `http://127.0.0.1:${port}/${path}` })).body.id;
  const [taker, failer] = [await hook("good"), await hook("bad")];
  const id = await push(gone);
  let stdout = "";
  // Both are posted behind the answer.
  while (!/was posted token\.gone and took it/.test(stdout) || !/failed since/.test(stdout))
    stdout = inOneLine((await run(id)).stdout);
  expect(stdout).toMatch(/Apple answered 410 Unregistered; the device token is gone since \S+Z\. /);
  expect(stdout).toMatch(/The device token is gone by this answer/);
  expect(stdout).toContain(
    `The webhook ${taker} (127.0.0.1:${port}) was posted notification.rejected and took it.`,
  );
  expect(stdout).toMatch(new RegExp(`The webhook ${failer} .* has not taken .* It answered 500`));
  expect(stdout).not.toContain(gone);
});

test("a device token: what is held against it, the newest to it, and the way of the newest", async () => {
  const first = await push(gone, { reference: "order 7" });
  const second = await push(gone);
  const { status, stdout } = await run(gone.toUpperCase());
  expect(status).toBe(0);
  const lines = stdout.split("\n");
  expect(lines[0]).toMatch(
    /^The device token is gone in sandbox: Unregistered, since \S+Z; \d answers, the last one at/,
  );
  expect(lines[2]).toBe("The newest to it:");
  expect(lines[3]).toContain(`rejected   ${second} · Unregistered`);
  expect(lines[4]).toContain(`rejected   ${first} · Unregistered · reference order 7`);
  expect(stdout).toMatch(new RegExp(`\n\n${second}  rejected`));
  const json = JSON.parse((await run(gone, "--json")).stdout);
  expect(json).toMatchObject({ verdicts: [{ verdict: "gone" }], trace: { id: second }, mayHaveOlder: false });
  expect((await run(good)).stdout).toMatch(/^Nothing is held against this device token\.\n/);
});

test("one that waits for a paused app, and one for its time", async () => {
  await call(gateway, "/v1/apps/demo/pause", { reason: "wrong texts" });
  try {
    const { body } = await call(gateway, demoPath, {
      notifications: [
        { to: { token: good }, alert: "Hello" },
        { to: { token: good }, alert: "Hello", sendAt: new Date(Date.now() + 3_600_000).toISOString() },
      ],
    });
    const [paused, later] = body.results;
    const waiting = await run(paused.id);
    expect(inOneLine(waiting.stdout)).toContain(": wrong texts. Nothing of it is sent until carillon");
    expect(kindsIn(waiting.stdout)).toEqual(["stored", "waiting"]);
    expect(kindsIn((await run(later.id)).stdout)).toEqual(["stored", "scheduled"]);
  } finally {
    await fetch(`${gateway.url}/v1/apps/demo/resume`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.adminKey}` },
    });
  }
});

test.each([
  [["01234567-89ab-7def-8123-000000000000"], 1, "kept for 7 days after its end"],
  [[deviceToken(0x404)], 1, "nothing is known of this device token"],
  [["xyz"], 2, "neither the id of a notification nor a device token"],
  [[], 2, "missing required argument"],
  [[good, "--url", "http://127.0.0.1:1"], 3, "there is no answer"],
  [[good, "--api-key", "ck_wrong_wrong_wrong"], 2, "This key is not known here"],
  [[good, "--app", "nobody"], 1, "no app of this name"],
])("%j ends with status %i and what to do", async (words, expected, text) => {
  const ended = await run(...words);
  expect(ended).toMatchObject({ status: expected, stdout: "" });
  expect(ended.stderr).toContain(text);
});

test("without an app it says where to look", async () => {
  const ended = await carillon(["why", good], { environment: { CARILLON_API_KEY: "x" } });
  expect(ended).toMatchObject({ status: 2, stderr: expect.stringContaining("Name it with --app") });
});
