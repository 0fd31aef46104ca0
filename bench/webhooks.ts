/**
 * How fast a receiver catches up that was away: events on disk (SQLite), read, written as pages, signed, posted in order, one call
 * at a time, and noted as delivered. Sender and receiver are processes of their own on the same machine; the receiver holds the
 * order of all cursors against its own count.
 *
 *   npm run bench -- webhooks            2,000,000 events for each latency
 *   npm run bench -- webhooks --quick    200,000
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@carillon/apns";
import { Sealer } from "../packages/gateway/dist/apps/index.js";
import { openWebhooks } from "../packages/gateway/dist/outcomes/index.js";
import { EventLog } from "../packages/gateway/dist/outcomes/stored-event-log.js";
import { SqliteStore } from "../packages/gateway/dist/store/index.js";
import { startProcess } from "./support/processes.ts";
import { machine, table } from "./support/report.ts";
import type { ReceiverUsage } from "./support/webhook-receiver.ts";

/** As long as a run of accepted notifications is told in. */
const data = JSON.stringify({
  batch: "019a7b1c-0000-7000-8000-00000000",
  ids: ["0000-01f3"],
  count: 500,
  environment: "production",
});
const logger = { info: () => undefined, warn: console.error, error: console.error };
/** Of the hour at 5,000 events a second that must be caught up with in five minutes. */
const hourOfEvents = 18_000_000;

export async function benchWebhooks(mode: "full" | "quick"): Promise<void> {
  const events = mode === "quick" ? 200_000 : 2_000_000;
  console.log(`# Webhooks\n\n${machine()}\n`);
  const rows = [];
  for (const answerAfterMs of [0, 50, 100]) rows.push(await catchUp(events, answerAfterMs));
  console.log(
    `${table(
      [
        "answer after",
        "events",
        "events/s",
        "CPU µs each",
        "calls",
        "events a call",
        "peak RSS",
        "out of order or missing",
        "log on disk, bytes an event",
        "an hour at 5,000/s",
      ],
      rows,
    )}\n`,
  );
}

async function catchUp(events: number, answerAfterMs: number): Promise<(string | number)[]> {
  const receiver = startProcess("./webhook-receiver.ts", { ANSWER_AFTER_MS: String(answerAfterMs) }, []);
  const [{ port }] = (await once(receiver, "message")) as [{ port: number }];
  const dataDir = mkdtempSync(join(tmpdir(), "carillon-bench-"));
  const store = await SqliteStore.open({ dataDir });
  try {
    await append(store, events);
    const diskBytes = sizeOf(dataDir);
    // All of it is kept, also where it is more than the usual.
    const log = new EventLog({ store, clock: systemClock, logger, retention: { keepBytes: 64 * 2 ** 30 } });
    const receivers = { allowHttp: true, allowPorts: "any", allowNetworks: ["127.0.0.0/8"] } as const;
    const webhooks = await openWebhooks({
      sealer: new Sealer(randomBytes(32)),
      store,
      events: log,
      receivers,
      logger,
      version: "0.0.0",
    });
    const before = process.cpuUsage();
    const startedMs = performance.now();
    const { webhook } = await webhooks.create({ url: `http://127.0.0.1:${port}/`, after: "0" });
    let peakBytes = 0;
    while (webhooks.find(webhook.id).cursor !== String(events)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
    }
    const seconds = (performance.now() - startedMs) / 1_000;
    const { user, system } = process.cpuUsage(before);
    receiver.send("usage");
    const [seen] = (await once(receiver, "message")) as [ReceiverUsage];
    await webhooks.stop(0);
    log.close();
    return [
      `${answerAfterMs} ms`,
      events.toLocaleString("en"),
      Math.round(events / seconds).toLocaleString("en"),
      ((user + system) / events).toFixed(1),
      seen.calls,
      Math.round(events / seen.calls),
      `${Math.round(peakBytes / 2 ** 20)} MB`,
      seen.outOfOrder + Math.abs(events - seen.events),
      Math.round(diskBytes / events),
      `${Math.round((hourOfEvents / events) * seconds)} s`,
    ];
  } finally {
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
    receiver.disconnect();
  }
}

function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((bytes, name) => bytes + statSync(join(folder, name)).size, 0);
}

async function append(store: SqliteStore, events: number): Promise<void> {
  for (let left = events; left > 0; left -= 1_000) {
    const count = Math.min(left, 1_000);
    const many = Array.from({ length: count }, () => ({ app: "demo", type: "notification.accepted", data }));
    await store.appendEvents(many, Date.now());
  }
}
