/** `carillon apps` against a running gateway, and what it does there. */
import { startSimulator } from "@carillon/simulator";
import type { Config, Gateway } from "carillon";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { carillon, cleanUp } from "../support/command-line.ts";
import { appFor, call, configFor, demoPath, openGateway, temporaryFolder } from "../support/gateways.ts";
import { deviceToken as tokenOf } from "../support/sending.ts";

afterEach(cleanUp);

async function open(changes: Partial<Config> = {}) {
  const simulator = await startSimulator();
  onTestFinished(() => simulator.close());
  const app = appFor(simulator);
  const config = { ...configFor(temporaryFolder(), app, { ...app, name: "news" }), ...changes };
  return { simulator, config, gateway: await openGateway(config) };
}

function apps(gateway: Gateway, ...words: readonly string[]) {
  const environment = { CARILLON_URL: gateway.url, CARILLON_API_KEY: gateway.adminKey };
  return carillon(["apps", ...words], { environment });
}

const deviceToken = tokenOf(1);
const hello = { to: { token: deviceToken }, alert: "Hello" };

test("pauses an app over a new start, shows it everywhere, and resumes it", async () => {
  const { simulator, config, gateway: first } = await open();
  const paused = await apps(first, "pause", "demo", "--reason", "wrong texts went out");
  expect(paused).toMatchObject({ status: 0, stderr: "" });
  expect(paused.stdout).toMatch(/^demo {2}paused since \S+Z: wrong texts went out; 0 queued\n$/);
  expect((await call(first, demoPath, hello)).status).toBe(202);
  await first.close();

  const second = await openGateway(config);
  const listed = await apps(second, "list");
  expect(listed.stdout.split("\n").map((line) => line.replace(/\d{4}-\S+Z/, "…"))).toEqual([
    "APP   QUEUED  IN FLIGHT  STATE",
    "demo       1          0  paused since …: wrong texts went out",
    "news       0          0  sends",
    "",
  ]);
  const ready = (await (await fetch(`${second.url}/readyz`)).json()) as { waiting: unknown[] };
  expect(ready.waiting).toMatchObject([{ app: "demo", for: expect.stringMatching(/^paused since .*texts/) }]);
  expect(simulator.history.pushes).toEqual([]);

  const resumed = await apps(second, "resume", "demo", "--json");
  expect(JSON.parse(resumed.stdout)).toMatchObject({ name: "demo", queued: 1 });
  await simulator.expectPush({ deviceToken });
});

test("an app that fills its bound while it is paused gets 503 with Retry-After, and others go on", async () => {
  const { simulator, gateway } = await open({ limits: { maxQueued: 100, maxQueuedPerApp: 5 } });
  await apps(gateway, "pause", "demo");
  const five = { notifications: Array.from({ length: 5 }, () => hello) };
  expect((await call(gateway, demoPath, five)).status).toBe(202);
  const refused = await fetch(`${gateway.url}${demoPath}`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.adminKey}`, "content-type": "application/json" },
    body: JSON.stringify(hello),
  });
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("10");
  expect(await refused.json()).toMatchObject({ detail: expect.stringContaining("Nothing was stored") });
  expect((await call(gateway, "/v1/apps/demo")).body.queued).toBe(5);
  expect((await call(gateway, "/v1/apps/news/notifications?wait=20", hello)).body.results[0].status).toBe(
    "accepted",
  );
  await simulator.expectPush({ deviceToken });
});

test("says what is wrong: no key, a wrong one, no such app, no gateway", async () => {
  const { gateway } = await open();
  expect(await carillon(["apps", "list", "--url", gateway.url])).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^error: a key is needed\.\nSet CARILLON_API_KEY/),
  });
  const wrong = await carillon(["apps", "list", "--url", gateway.url, "--api-key", "ck_wrong"]);
  expect(wrong).toMatchObject({ status: 2, stdout: "" });
  expect(wrong.stderr).toMatch(/^error: This key is not known here/);
  expect(wrong.stderr).not.toContain("ck_wrong");
  expect(await apps(gateway, "pause", "nobody")).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^error: The configuration has no app of this name/),
  });
  const nowhere = ["--url", "http://127.0.0.1:9", "--api-key", "x"];
  expect(await carillon(["apps", "list", ...nowhere])).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/^error: there is no answer from http:\/\/127\.0\.0\.1:9 /),
  });
  expect(await carillon(["apps", "list", "--url", "gateway", "--api-key", "x"])).toMatchObject({ status: 2 });
});
