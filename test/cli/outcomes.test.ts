/** `carillon events` and `carillon feedback` against a gateway that runs. */

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Simulator, startSimulator } from "@carillon/simulator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Gateway, startGateway } from "../../packages/gateway/dist/index.js";
import { carillon, cleanUp, makeFolder, start } from "../support/command-line.ts";
import { appFor, call, configFor, demoPath } from "../support/gateways.ts";
import { deviceToken } from "../support/sending.ts";

let apple: Simulator;
let gateway: Gateway;
const gone = deviceToken(0xdead);
const good = deviceToken(1);

beforeAll(async () => {
  apple = await startSimulator();
  const answer = { reason: "Unregistered", timestamp: Date.now() };
  apple.setScenario({ rules: { when: { deviceToken: gone }, do: { answer } } });
  gateway = await startGateway({ config: configFor(makeFolder(), appFor(apple)) });
  await push(good);
  await push(gone);
});
afterAll(async () => {
  await gateway?.close({ deadlineMs: 0 });
  await apple?.close();
  await cleanUp();
});

const push = (token: string) => call(gateway, `${demoPath}?wait=20`, { to: { token }, alert: "Hello" });
const environment = () => ({ CARILLON_URL: gateway.url, CARILLON_API_KEY: gateway.adminKey });
const run = (...words: string[]) => carillon(words, { environment: environment() });

test("events are read from the oldest to the newest, and the cursor is told", async () => {
  const { status, stdout, stderr } = await run("events");
  expect(status).toBe(0);
  const [accepted = "", rejected = "", verdict = ""] = stdout.split("\n");
  expect(accepted).toMatch(/^\S+Z {2}demo {2}notification\.accepted {2}batch \S+ · count 1$/);
  expect(rejected).toContain(`token ${gone} · reason Unregistered`);
  expect(verdict).toMatch(/ {2}token\.gone {2}/);
  const [, cursor = ""] = /^Go on with --after (\d+)\n$/.exec(stderr) ?? [];
  expect(await run("events", "--after", cursor)).toMatchObject({ stdout: "", stderr });
  const json = await run("events", "--json", "--types", "token.gone", "--app", "demo");
  expect(
    json.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toMatchObject([{ app: "demo", type: "token.gone", data: { token: gone } }]);
});

test("events --follow goes on with what comes, and Ctrl-C ends it with its cursor", async () => {
  const following = start(["events", "--follow", "--json"], { environment: environment() });
  await following.untilPrinted(/token\.gone/);
  const { body } = await push(good);
  const [batch] = body.results[0].id.match(/^.*(?=....$)/) ?? [];
  await following.untilPrinted(new RegExp(`"batch":"${batch}"`));
  following.signal("SIGINT");
  const { status, stdout, stderr } = await following.ended();
  const last = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  expect({ status, stderr }).toEqual({ status: 0, stderr: `Go on with --after ${last.cursor}\n` });
});

test("events --follow connects again by itself, behind the last event that it heard", async () => {
  const asked: string[] = [];
  const block = (cursor: number): string =>
    `id: ${cursor}\nevent: token.gone\ndata: ${JSON.stringify({ cursor: String(cursor), at: "x", app: "demo", type: "token.gone", data: {} })}\n\n`;
  const flaky: Server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const isStream = request.headers.accept === "text/event-stream";
    if (!isStream) response.end(JSON.stringify({ items: [], cursor: "4" }));
    else if (asked.length === 2) {
      response.write(block(5));
      response.write(block(6).slice(0, 12), () => response.destroy());
    } else if (asked.length === 3) request.socket.destroy();
    else response.write(block(6));
  });
  flaky.listen(0, "127.0.0.1");
  await once(flaky, "listening");
  const { port } = flaky.address() as AddressInfo;
  const flags = ["--url", `http://127.0.0.1:${port}`, "--after", "4", "--json"];
  const following = start(["events", "--follow", ...flags], { environment: environment() });
  await following.untilPrinted(/"cursor":"6"/);
  following.signal("SIGTERM");
  const { status, stdout, stderr } = await following.ended();
  flaky.close();
  flaky.closeAllConnections();
  expect(stdout.match(/"cursor":"\d"/g)).toEqual(['"cursor":"5"', '"cursor":"6"']);
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: "The connection broke off; trying again.\nGo on with --after 6\n",
  });
  expect(asked.slice(1)).toEqual(["/v1/events?after=4", "/v1/events?after=5", "/v1/events?after=5"]);
});

test("feedback lists the device tokens, and restore takes a verdict back", async () => {
  const listed = await run("feedback", "--app", "demo");
  expect(listed).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(
      new RegExp(`^\\S+Z {2}gone {5}${gone} {2}Unregistered · sandbox · since \\S+Z\\n$`),
    ),
    stderr: expect.stringMatching(/^Go on with --after \d+\n$/),
  });
  const json = await run("feedback", "--app", "demo", "--limit", "1", "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({ token: gone, verdict: "gone" });
  expect(await run("feedback", "restore", "--app", "demo", gone)).toMatchObject({
    status: 0,
    stdout: "It is taken back.\n",
  });
  expect(await run("feedback", "restore", "--app", "demo", gone, "--json")).toMatchObject({
    status: 0,
    stdout: '{"restored":false}\n',
  });
  expect(await run("feedback", "--app", "demo")).toMatchObject({ status: 0, stdout: "" });
});

test.each([
  [["events", "--types", "nonsense"], 1, "There are no events of the type nonsense"],
  [["events", "--after", "999999999"], 1, "No page of this log had this cursor"],
  [["events", "--follow", "--url", "http://127.0.0.1:1"], 3, "there is no answer"],
  [["events", "--api-key", "ck_wrong_wrong_wrong"], 2, "This key is not known here"],
  [["feedback"], 2, "--app"],
  [["feedback", "--app", "nobody"], 1, "app"],
  [["feedback", "--app", "demo", "--limit", "many"], 1, "limit"],
  [["feedback", "restore", "--app", "demo", "xyz"], 1, "no device token"],
])("%j ends with status %i and what to do", async (words, expected, text) => {
  const ended = await run(...words);
  expect(ended).toMatchObject({ status: expected, stdout: "" });
  expect(ended.stderr).toContain(text);
});
