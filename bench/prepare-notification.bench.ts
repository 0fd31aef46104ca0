/**
 * What checking and completing a notification costs: it happens once for each send, on the caller's thread.
 *
 *   node --import tsx bench/prepare-notification.bench.ts
 *
 * Several rounds over the same notifications, the forms in turn so that a slow minute hits all alike; the best round of each, in
 * nanoseconds. JSON.stringify and randomUUID stand beside it, because they are most of it.
 */
import { randomUUID } from "node:crypto";
import { type Notification, prepareNotification } from "@carillon/apns";
// As the client does it; not part of the package's door.
import { Preparer } from "../packages/apns/dist/notification/index.js";
import { machine, table } from "./support/report.ts";

const count = 200_000;
const rounds = 9;
const deviceToken = "a".repeat(64);
const payload = {
  aps: {
    alert: { title: "Your order has left", body: "It should be with you in 20 minutes" },
    sound: "default",
  },
  order: 12_345,
};
const text = JSON.stringify(payload);
const options = { topic: "com.example.demo", sender: { kind: "token" } } as const;
const preparer = new Preparer(options);

const forms: Readonly<Record<string, () => unknown>> = {
  "plain: payload as an object": () => prepare({ deviceToken, payload }),
  "plain: payload as a string": () => prepare({ deviceToken, payload: text }),
  "with every header": () =>
    prepare({ deviceToken, payload, priority: 10, expiration: 1_900_000_000, collapseId: "order-12345" }),
  background: () => prepare({ deviceToken, payload: { aps: { "content-available": 1 } } }),
  "prepareNotification alone: payload as an object": () =>
    prepareNotification({ deviceToken, payload }, options),
  "for comparison: JSON.stringify": () => JSON.stringify(payload),
  "for comparison: randomUUID": () => randomUUID(),
};

function prepare(notification: Notification): unknown {
  const prepared = preparer.prepare(notification);
  if (prepared.kind === "refused") throw new Error(JSON.stringify(prepared.problems));
  return prepared.notification;
}

function nanosecondsEach(run: () => unknown): number {
  const started = performance.now();
  for (let each = 0; each < count; each += 1) run();
  return ((performance.now() - started) * 1_000_000) / count;
}

const best = new Map<string, number>();
for (let round = 0; round < rounds; round += 1) {
  for (const [name, run] of Object.entries(forms)) {
    best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, nanosecondsEach(run)));
  }
}
console.log(`# prepareNotification\n\n${machine()}\n`);
console.log(
  table(
    ["form", "ns each"],
    [...best].map(([name, ns]) => [name, Math.round(ns)]),
  ),
);
