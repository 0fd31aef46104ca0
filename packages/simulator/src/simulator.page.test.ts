import { ApnsClient } from "@carillon/apns";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { startBrowser } from "./page/browser.test-support.ts";
import { type Simulator, startSimulator } from "./simulator.ts";

const start = await startBrowser();
if (start.kind === "missing") test.skip(`the page in a browser: none could start (${start.why})`, () => {});
const inBrowser = test.skipIf(start.kind === "missing");

const deviceToken = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0";
let simulator: Simulator;
let client: ApnsClient;
let page: Page;
/** What the browser complained about: scripts that threw, and what the policy forbade. */
let complaints: string[];

beforeEach(async () => {
  if (start.kind === "missing") return;
  simulator = await startSimulator({ controlPort: 0 });
  const { endpoint, ca, credentials, topic } = simulator;
  client = new ApnsClient({ endpoint, ca, credentials: credentials.token, topic });
  complaints = [];
  page = await start.browser.newPage();
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(simulator.controlUrl!);
});
afterEach(async () => {
  if (start.kind === "missing") return;
  await page.close();
  await client.close();
  await simulator.close();
});
afterAll(async () => {
  if (start.kind === "started") await start.browser.close();
});

async function send(alert: string | object, more: object = {}): Promise<void> {
  await client.send({ deviceToken, payload: { aps: { alert } }, ...more });
}

/** A push with anything in it, also what no sender could bring over the wire. */
function record(topic: string, payload: object): void {
  simulator.history.record({
    ...{
      protocol: "http/2",
      atMs: Date.now(),
      apnsId: "EABEAE54-14A8-11E5-B60B-1697F925EC7B",
      deviceToken,
      topic,
      answer: "sent",
    },
    kind: "push",
    ...{ pushType: "alert", channelId: undefined, status: 200, reason: undefined, connection: 1, stream: 1 },
    fields: [":method", "POST", "apns-topic", topic],
    payload: Buffer.from(JSON.stringify(payload)),
  });
}

const textsOf = (selector: string): Promise<string[]> => page.locator(selector).allInnerTexts();

inBrowser("shows pushes as they arrive, the newest first, with app, words and badge", async () => {
  await page.getByText("Pushes appear here as they arrive.").waitFor();
  await send("Hello");
  await page.locator(".banner", { hasText: "Hello" }).waitFor();
  const alert = { title: "Parcel", subtitle: "Order 4711", body: "At the door" };
  await client.send({ deviceToken, payload: { aps: { alert, badge: 3 } } });
  const newest = page.locator("#banners > li:first-child .banner");
  await newest.getByText("Parcel", { exact: true }).waitFor();
  const words = ["3", "Demo", "now", "Parcel", "Order 4711", "At the door"];
  for (const each of words) expect(await newest.innerText()).toContain(each);
  expect(await textsOf(".banner .body")).toEqual(["At the door", "Hello"]);
  expect(complaints).toEqual([]);
});

inBrowser("a background push is a line, and a refused one has its reason in another colour", async () => {
  await send("Good");
  await client.send({ deviceToken, pushType: "background", payload: { aps: { "content-available": 1 } } });
  simulator.devices.unregister(deviceToken);
  await send("Gone");
  const refused = page.locator(".banner.refused");
  await refused.getByText("Refused: 410 Unregistered").waitFor();
  expect(await textsOf(".line .what")).toEqual(["background · wakes the app"]);
  const colourOf = (selector: string): Promise<string> =>
    page.evaluate(`getComputedStyle(document.querySelector("${selector}")).backgroundColor`);
  expect(await colourOf(".banner.refused")).not.toBe(await colourOf(".banner:not(.refused)"));
});

inBrowser("a push with the same collapse id takes the place of the earlier one", async () => {
  await send("1 : 0", { collapseId: "match" });
  await send("2 : 0", { collapseId: "match" });
  await send("Other");
  await page.locator(".banner", { hasText: "Other" }).waitFor();
  expect(await textsOf(".banner .body")).toEqual(["Other", "2 : 0"]);
  expect(await page.locator("#list > li").count()).toBe(3);
});

inBrowser("what a push says is text, whatever it says", async () => {
  const markup = '<img src=x onerror="window.planted = true">';
  const alert = { title: markup, subtitle: markup, body: markup };
  record(markup, {
    aps: { alert, "interruption-level": markup, sound: markup, event: markup },
    [markup]: markup,
  });
  record("com.example.demo", { aps: { alert: { title: { toString: markup }, body: ["x"] }, badge: markup } });
  record("com.example.demo", [markup]);
  await page.locator("#list > li").nth(2).waitFor();
  await page.locator(".row", { hasText: "onerror" }).first().click();
  await page.locator("dd", { hasText: "onerror" }).first().waitFor();
  expect(await textsOf(".banner .title")).toContain(markup);
  expect(await page.locator("main img, main script").count()).toBe(0);
  expect(await page.evaluate("window.planted")).toBeUndefined();
  expect(complaints).toEqual([]);
});

inBrowser(
  "the keyboard walks the list; the chosen push is shown in full, without its provider token",
  async () => {
    await send("First");
    await send("Second");
    await page.locator(".row", { hasText: "Second" }).focus();
    await page.keyboard.press("ArrowDown");
    await page.locator("#chosen pre", { hasText: '"alert": "First"' }).waitFor();
    expect(await page.locator(".row[aria-current=true]").innerText()).toContain("First");
    const chosen = await page.locator("#chosen").innerText();
    for (const each of ["200 accepted", deviceToken, "com.example.demo", ":path", "connection 1, stream 1"])
      expect(chosen).toContain(each);
    expect(chosen).toMatch(/bearer \w+… \(\d+ characters\)/i);
  },
);

inBrowser("shows connections, one device alone, a reset, and that the simulator went away", async () => {
  await send("For one");
  await client.send({ deviceToken: "aabbccdd", payload: { aps: { alert: "For another" } } });
  await page.locator("#connection-rows tr.open", { hasText: "token" }).waitFor();
  await page.locator(".banner", { hasText: "For another" }).waitFor();
  await page.getByLabel("Device").selectOption("aabbccdd");
  await page.locator(".banner", { hasText: "For one" }).waitFor({ state: "detached" });
  expect(await textsOf(".banner .body")).toEqual(["For another"]);
  await fetch(`${simulator.controlUrl}/reset`, { method: "POST" });
  await page.getByText("Pushes appear here as they arrive.").waitFor();
  await simulator.close();
  await page.getByText("The simulator does not answer").waitFor();
});

inBrowser("fits a phone, in the dark and in the light", async () => {
  const long = "x".repeat(900);
  await send({ title: long, body: long });
  await page.locator(".banner").waitFor();
  const backs = new Set<string>();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [320, 390, 1000, 1440]) {
      await page.setViewportSize({ width, height: 800 });
      const scrollWidth = await page.evaluate("document.documentElement.scrollWidth");
      expect([width, scrollWidth]).toEqual([width, width]);
    }
    backs.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
  }
  expect(backs.size).toBe(2);
});
