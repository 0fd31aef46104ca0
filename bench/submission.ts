/**
 * What a notification costs from the body's bytes to the batch: reading, checking and encoding, without HTTP and disk. CPU of
 * one process that does nothing else; the collector's threads are in it.
 *
 *   npm run bench -- submission            300,000 to 800,000 notifications a round
 *   npm run bench -- submission --quick    a twentieth of it, to see that it works
 */
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { LineIntake } from "../packages/gateway/dist/api/submission/line-intake.js";
import { draftsIn, SubmissionReader } from "../packages/gateway/dist/api/submission/submission-reader.js";
import type { App } from "../packages/gateway/dist/apps/index.js";
import { BatchEncoder } from "../packages/gateway/dist/delivery/batch/encoder.js";
import {
  type DraftRun,
  type NotificationDraft,
  NotificationIds,
} from "../packages/gateway/dist/delivery/index.js";
import { machine, median, table } from "./support/report.ts";

type Drafts = readonly (NotificationDraft | DraftRun)[];

interface Form {
  readonly name: string;
  /** Notifications of one round. */
  readonly count: number;
  /** Reads that many and hands them on. */
  readonly read: (count: number, take: (drafts: Drafts) => void) => Promise<void>;
}

const app: App = {
  config: {
    name: "demo",
    topic: "com.example.demo",
    environment: "sandbox",
    credentials: { kind: "token", key: "", keyId: "ABC123DEFG", teamId: "DEF123GHIJ" },
  },
  environments: ["production", "sandbox"],
};

export async function benchSubmission(mode: "full" | "quick"): Promise<void> {
  console.log(`# Submission\n\n${machine()}. Medians of five rounds after a warm-up.\n`);
  const rows: (string | number)[][] = [];
  for (const { name, count, read } of forms()) {
    const size = mode === "quick" ? count / 20 : count;
    const costOf = async (take: () => (drafts: Drafts) => void): Promise<string> => {
      const rounds: number[] = [];
      for (let round = 0; round < 6; round += 1) {
        const before = process.cpuUsage();
        await read(size, take());
        const { user, system } = process.cpuUsage(before);
        if (round > 0) rounds.push((user + system) / size);
      }
      return median(rounds).toFixed(2);
    };
    rows.push([name, await costOf(() => () => undefined), await costOf(encoding)]);
  }
  console.log(table(["form", "read, CPU µs each", "read and encoded"], rows));
}

/** Puts what it is given into batches, and lets go of them. */
function encoding(): (drafts: Drafts) => void {
  let encoder = new BatchEncoder("at-least-once");
  const open = (): BatchEncoder => {
    if (!encoder.isFull) return encoder;
    encoder.finish();
    encoder = new BatchEncoder("at-least-once");
    return encoder;
  };
  return (drafts) => {
    for (const draft of drafts)
      if ("spans" in draft)
        for (let recipient = 0; recipient < draft.recipients; recipient += 1)
          open().addFromRun(draft, recipient);
      else {
        const entry = { payload: draft.payload, settings: draft };
        for (const deviceToken of draft.deviceTokens) open().add(deviceToken, entry);
      }
  };
}

function forms(): readonly Form[] {
  const lines = bodiesOf(40, (index) => `${listed(index * 200, 200).join("\n")}\n`);
  const manyLines = bodiesOf(20, (index) => `${many(index, 1_000)}\n`);
  const lists = bodiesOf(20, (index) => `{"notifications":[${listed(index * 500, 500).join(",")}]}`);
  const tokens = bodiesOf(5, (index) => many(index, 10_000));
  const singles = bodiesOf(2_000, one);
  return [
    { name: "NDJSON, 200 lines a chunk", count: 600_000, read: asLines(lines, 200) },
    { name: "NDJSON, 1,000 tokens a line", count: 800_000, read: asLines(manyLines, 1_000) },
    { name: "lists of 500", count: 600_000, read: asBodies(lists, 500) },
    { name: "10,000 tokens a body", count: 800_000, read: asBodies(tokens, 10_000) },
    { name: "one a body", count: 300_000, read: asBodies(singles, 1) },
  ];
}

function asLines(chunks: readonly Buffer[], perChunk: number): Form["read"] {
  const ids = new NotificationIds();
  return (count, take) => {
    const body = Array.from({ length: count / perChunk }, (_, index) => chunks[index % chunks.length]);
    const submit = async (drafts: Drafts): Promise<NotificationIds> => {
      take(drafts);
      return ids;
    };
    return new LineIntake({ app, submit, stored: () => undefined }).take(Readable.from(body));
  };
}

function asBodies(bodies: readonly Buffer[], perBody: number): Form["read"] {
  const reader = new SubmissionReader();
  return async (count, take) => {
    for (let index = 0; index < count / perBody; index += 1)
      take(draftsIn(reader.read(bodies[index % bodies.length] as Buffer, app, Date.now()).entries));
  };
}

function bodiesOf(count: number, make: (index: number) => string): Buffer[] {
  return Array.from({ length: count }, (_, index) => Buffer.from(make(index)));
}

function listed(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => one(first + index));
}

/** About 150 bytes of payload, different each time, to a device of its own. */
function one(ordinal: number): string {
  return `{"to":{"token":"${deviceToken()}"},"payload":${payload(ordinal)}}`;
}

function many(ordinal: number, count: number): string {
  const tokens = Array.from({ length: count }, () => `"${deviceToken()}"`);
  return `{"to":{"tokens":[${tokens.join(",")}]},"payload":${payload(ordinal)}}`;
}

function payload(ordinal: number): string {
  const body = `It should be with you in ${ordinal % 90} minutes, and no later`;
  return `{"aps":{"alert":{"title":"Your order has left","body":"${body}"},"sound":"default"},"order":${ordinal}}`;
}

function deviceToken(): string {
  return randomBytes(32).toString("hex");
}
