/**
 * What the durable queue costs without HTTP: `submit` → disk (fsynced) → a sender → outcome on disk. The sender accepts at once,
 * or is the client with a sink behind it, which is a process of its own.
 *
 *   npm run bench -- delivery            200,000 notifications a round
 *   npm run bench -- delivery --quick    fewer, to see that it works
 *   npm run bench -- delivery events     what it costs that events are told, in paired rounds
 */
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { type Outcome, type PreparedNotification, systemClock } from "@carillon/apns";
import { Apps } from "../packages/gateway/dist/apps/index.js";
import { type NotificationDraft, startDelivery } from "../packages/gateway/dist/delivery/index.js";
import { Outcomes } from "../packages/gateway/dist/outcomes/index.js";
import { SqliteStore } from "../packages/gateway/dist/store/index.js";
import { startSink } from "./support/processes.ts";
import { machine, median, table } from "./support/report.ts";

const perSubmission = 500;
/** So many submissions wait for their answer at any time. */
const outstanding = 8;
const payloadBytes = 150;

type Kind = "a payload each" | "one payload for all";
type Sending = "accepts at once" | "the client, to a sink";
type Telling = "events" | "no events";

interface Round {
  readonly perSecond: number;
  /** Of the main thread. */
  readonly mainMicrosEach: number;
  /** All threads. */
  readonly cpuMicrosEach: number;
  readonly peakMib: number;
}

export async function benchDelivery(mode: "full" | "quick"): Promise<void> {
  const count = mode === "quick" ? 20_000 : 200_000;
  const rounds = mode === "quick" ? 1 : 3;
  console.log(`# Delivery\n\n${machine()}\n`);
  console.log(
    `${count.toLocaleString("en")} notifications in submissions of ${perSubmission}, ${outstanding} of them outstanding, ` +
      `payloads of ${payloadBytes} bytes, an embedded store on a local disk; from the first submission until the last outcome ` +
      `is on disk. Medians of ${rounds} rounds after one to warm up.\n`,
  );
  const rows: (string | number)[][] = [];
  const sendings = ["accepts at once", "the client, to a sink"] as const;
  const kinds = ["a payload each", "one payload for all"] as const;
  for (const [sending, kind] of sendings.flatMap((each) => kinds.map((kind) => [each, kind] as const))) {
    const results: Round[] = [];
    await measure(kind, sending, count);
    for (let round = 0; round < rounds; round += 1) results.push(await measure(kind, sending, count));
    const middle = (of: (round: Round) => number): number => median(results.map(of));
    rows.push([
      sending,
      kind,
      Math.round(middle(({ perSecond }) => perSecond)).toLocaleString("en"),
      middle(({ mainMicrosEach }) => mainMicrosEach).toFixed(2),
      Math.round(1e6 / middle(({ mainMicrosEach }) => mainMicrosEach)).toLocaleString("en"),
      middle(({ cpuMicrosEach }) => cpuMicrosEach).toFixed(2),
      Math.round(middle(({ peakMib }) => peakMib)),
    ]);
  }
  console.log(
    table(
      [
        "the sender",
        "recipients have",
        "per second",
        "main thread µs each",
        "main thread alone, per second",
        "CPU µs each",
        "RSS MiB",
      ],
      rows,
    ),
  );
}

/** Rounds with and without take turns, and so does which of them comes first. */
export async function benchEventsOfDelivery(mode: "full" | "quick"): Promise<void> {
  const count = mode === "quick" ? 20_000 : 200_000;
  const pairs = mode === "quick" ? 2 : Number(process.env.BENCH_ROUNDS ?? 6);
  console.log(`# What events cost the delivery\n\n${machine()}\n`);
  const rows: (string | number)[][] = [];
  const sendings = ["accepts at once", "the client, to a sink"] as const;
  const kinds = ["a payload each", "one payload for all"] as const;
  for (const [sending, kind] of sendings.flatMap((each) => kinds.map((kind) => [each, kind] as const))) {
    const micros: Record<Telling, number[]> = { "no events": [], events: [] };
    await measure(kind, sending, count, "events");
    for (let pair = 0; pair < pairs; pair += 1) {
      const order: Telling[] = pair % 2 === 0 ? ["events", "no events"] : ["no events", "events"];
      for (const telling of order) {
        const { cpuMicrosEach } = await measure(kind, sending, count, telling);
        micros[telling].push(cpuMicrosEach);
      }
    }
    const ratios = micros.events.map((each, pair) => each / (micros["no events"][pair] ?? Number.NaN));
    const percent = (ratio: number): string => `${((ratio - 1) * 100).toFixed(1)} %`;
    rows.push([
      ...[sending, kind],
      median(micros["no events"]).toFixed(2),
      median(micros.events).toFixed(2),
      percent(median(ratios)),
      percent(Math.min(...micros.events) / Math.min(...micros["no events"])),
    ]);
  }
  console.log(
    table(
      [
        ...["the sender", "recipients have", "CPU µs each without", "with"],
        ...["more, median of the pairs", "more, best of each"],
      ],
      rows,
    ),
  );
}

async function measure(
  kind: Kind,
  sending: Sending,
  count: number,
  telling: Telling = "no events",
): Promise<Round> {
  const dataDir = mkdtempSync(join(tmpdir(), "carillon-bench-"));
  const { sender, close } = sending === "accepts at once" ? acceptsAtOnce : await openClient(dataDir);
  const store = await SqliteStore.open({ dataDir });
  const outcomes = new Outcomes({ store, clock: systemClock, logger: silent });
  const delivery = await startDelivery({
    ...{ store, senderFor: () => sender, logger: silent },
    ...(telling === "events"
      ? { tellerFor: (app, environment) => outcomes.tellerFor(app, environment) }
      : {}),
  });
  const submissions = Array.from({ length: 40 }, (_, index) => submission(kind, index));

  const cpu = process.cpuUsage();
  const main = mainThreadMs();
  const start = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: outstanding }, async () => {
      while (next < count / perSubmission) {
        next += 1;
        await delivery.submit("demo", submissions[next % submissions.length] ?? []);
      }
    }),
  );
  while (delivery.health.queued > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const wallMs = performance.now() - start;
  const mainMs = mainThreadMs() - main;
  const { user, system } = process.cpuUsage(cpu);
  const peakMib = process.memoryUsage().rss / 1024 / 1024;

  outcomes.close();
  await delivery.stop(1_000);
  await close();
  rmSync(dataDir, { recursive: true, force: true });
  return {
    perSecond: (count * 1_000) / wallMs,
    mainMicrosEach: (mainMs * 1_000) / count,
    cpuMicrosEach: (user + system) / count,
    peakMib,
  };
}

const silent = { info: () => {}, warn: () => {}, error: console.error };

const acceptsAtOnce = {
  sender: {
    sendPrepared<Given extends PreparedNotification>(
      notification: Given,
      settled: (outcome: Outcome, notification: Given) => void,
    ): void {
      settled({ kind: "accepted", apnsId: notification.apnsId, attempts: 1 }, notification);
    },
  },
  close: () => Promise.resolve(),
};

async function openClient(dataDir: string) {
  const sink = await startSink();
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  const app = {
    name: "demo",
    topic: "com.example.demo",
    environment: "sandbox" as const,
    credentials: { kind: "token" as const, key, keyId: "ABC123DEFG", teamId: "DEF123GHIJ" },
    endpoint: `https://localhost:${sink.port}`,
    ca: sink.ca,
  };
  const apps = new Apps([app], dataDir, silent);
  const close = async (): Promise<void> => {
    await apps.close(1_000);
    sink.stop();
  };
  return { sender: apps.senderFor("demo", "sandbox"), close };
}

/** CPU time of the main thread. Where the system does not tell, how long it was busy. */
function mainThreadMs(): number {
  try {
    return Number(readFileSync("/proc/self/schedstat", "utf8").split(" ")[0]) / 1e6;
  } catch {
    return performance.eventLoopUtilization().active;
  }
}

function submission(kind: Kind, index: number): NotificationDraft[] {
  const tokens = Array.from({ length: perSubmission }, (_, place) =>
    (index * perSubmission + place).toString(16).padStart(64, "0"),
  );
  const of = (deviceTokens: readonly string[], name: number): NotificationDraft => ({
    deviceTokens,
    payload: Buffer.from(`{"aps":{"alert":"${String(name).padEnd(payloadBytes - 19, "x")}"}}`),
    topic: "com.example.demo",
    pushType: "alert",
    priority: 10,
    lane: "normal",
    delivery: "at-least-once",
    environment: "sandbox",
  });
  return kind === "a payload each" ? tokens.map((token, place) => of([token], place)) : [of(tokens, index)];
}
