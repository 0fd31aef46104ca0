import { expect, test } from "vitest";
import type { NotificationContent } from "../delivery/index.ts";
import { checksOf } from "./checks.ts";
import type { TraceFacts } from "./trace-facts.ts";

const nowMs = 1_700_000_000_000;
const hello = { alert: "Hello", sound: "default" };

/** What is to be checked of an accepted one with these headers and this `aps`, by what each is about. */
function checks(
  settings: Partial<NotificationContent["settings"]>,
  aps: unknown = hello,
): Readonly<Record<string, string>> {
  const content = {
    ...{ deviceToken: "ab", delivery: "at-least-once" },
    payload: Buffer.from(JSON.stringify({ aps })),
    settings: { topic: "t", pushType: "alert", ...settings },
  };
  const record = { status: "accepted", environment: "sandbox", attempts: [] };
  const facts = { nowMs, inspection: { record, content } } as unknown as TraceFacts;
  return Object.fromEntries(checksOf(facts).map(({ about, text }) => [about, text]));
}

test("an ordinary alert: expiration, the device, its settings and the app, and nothing else", () => {
  expect(Object.keys(checks({})).sort()).toEqual(["app", "device", "expiration", "settings"]);
  expect(checks({}).expiration).toContain("30 days");
});

test.each([
  ["expiration 0", { expirationSeconds: 0 }, "expiration", "Apple tried once"],
  ["an expiration that is over", { expirationSeconds: nowMs / 1_000 - 1 }, "expiration", "was over at 2023-"],
  ["an expiration to come", { expirationSeconds: nowMs / 1_000 + 9 }, "expiration", "may still come"],
  ["priority 5", { priority: 5 }, "priority", "save power"],
  ["priority 1", { priority: 1 }, "priority", "never wakes"],
  ["a collapse id", { collapseId: "score" }, "collapse-id", "takes its place"],
  ["background", { pushType: "background", priority: 5 }, "push-type", "two or three an hour"],
  ["voip", { pushType: "voip" }, "push-type", "reported call"],
  ["a Live Activity", { pushType: "liveactivity" }, "push-type", "has ended"],
  ["widgets", { pushType: "widgets" }, "push-type", "budgeted"],
] as const)("%s is told", (_name, settings, about, text) => {
  expect(checks(settings)[about]).toContain(text);
});

test.each([
  ["no sound", { alert: "Hello" }, "payload", "no sound"],
  ["nothing to show", {}, "payload", "nothing to show or to hear"],
  ["another interruption level", { ...hello, "interruption-level": "passive" }, "payload", "is passive"],
  ["a service extension", { ...hello, "mutable-content": 1 }, "payload", "service extension"],
  ["a Focus filter", { ...hello, "filter-criteria": "work" }, "payload", "Focus filter"],
  ["no aps at all", undefined, "payload", "nothing to show"],
] as const)("%s is told", (_name, aps, about, text) => {
  expect(checks({}, aps ?? null)[about]).toContain(text);
});

test("what cannot be is not told", () => {
  expect(checks({ expirationSeconds: 0 })).not.toHaveProperty("device");
  expect(checks({ pushType: "background", priority: 5 })).not.toHaveProperty("priority");
  expect(checks({ pushType: "background" })).not.toHaveProperty("settings");
  expect(checks({ pushType: "unheard-of" })).not.toHaveProperty("push-type");
  expect(checks({ pushType: "constructor" })).not.toHaveProperty("push-type");
});

test("a start of a Live Activity and a Wallet pass are told apart", () => {
  expect(checks({ pushType: "liveactivity" }, { event: "start" })["push-type"]).toContain("push-to-start");
  expect(checks({ pushType: undefined as never }, {})["push-type"]).toContain("Wallet");
});
