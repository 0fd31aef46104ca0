import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Webhook } from "standardwebhooks";
import { afterAll, expect, test } from "vitest";
import { seededRandom } from "../support/seeded-random.ts";

/** CARILLON_KILLS=1000 for a longer run, CARILLON_SEED to choose the moments of an earlier one. */
const kills = Number(process.env.CARILLON_KILLS ?? 25);
const seed = Number(process.env.CARILLON_SEED ?? Date.now() % 2 ** 31);
/** Killed so long after so many calls have come, at most; every fifth while it starts. */
const mostCalls = 12;
const longestAfterMs = 20;
const longestStartMs = 400;
const program = fileURLToPath(new URL("./support/webhook-program.js", import.meta.url));

const dataDir = mkdtempSync(join(tmpdir(), "carillon-webhook-kill-"));
const children: ChildProcess[] = [];
let server: Server | undefined;
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  server?.close();
  server?.closeAllConnections();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Somebody's server, which goes on when senders die. Verifies and counts; now and then it goes wrong. */
class Books {
  readonly bodies = new Map<string, string>();
  /** The message that brought each event first, by cursor. */
  readonly broughtBy = new Map<number, string>();
  readonly faults: string[] = [];
  secret = "";
  /** Every event up to here was taken. */
  takenUpTo = 0;
  repeats = 0;
  calls = 0;
  onCall: () => void = () => undefined;
  readonly #random: () => number;
  isReliable = false;

  constructor(random: () => number) {
    this.#random = random;
  }

  async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // the sender died in the middle
    }
    this.#note(request, Buffer.concat(chunks).toString());
    const chance = this.isReliable ? 1 : this.#random();
    if (chance < 0.05) response.writeHead(500).end();
    else if (chance < 0.1) request.socket.destroy();
    else if (chance < 0.12)
      return; // never answered
    else response.writeHead(204).end();
  }

  #note({ headers }: IncomingMessage, text: string): void {
    this.calls += 1;
    this.onCall();
    try {
      new Webhook(this.secret).verify(text, headers as Record<string, string>);
    } catch (error) {
      this.faults.push(String(error));
    }
    const id = String(headers["webhook-id"]);
    const known = this.bodies.get(id);
    if (known !== undefined) this.repeats += 1;
    if (known !== undefined && known !== text) this.faults.push(`${id} has brought something else before`);
    this.bodies.set(id, text);
    for (const { cursor } of JSON.parse(text).items as { cursor: string }[]) {
      const place = Number(cursor);
      const first = this.broughtBy.get(place);
      if (first === undefined && place !== this.takenUpTo + 1)
        this.faults.push(`event ${place} came when ${this.takenUpTo + 1} was due`);
      if (first !== undefined && first !== id) this.faults.push(`event ${place} came under two ids`);
      if (first !== undefined) continue;
      this.broughtBy.set(place, id);
      this.takenUpTo = place;
    }
  }
}

test("row 88: after kill -9 in the middle of deliveries no event is missing, what was told is on disk, and repeats carry the same webhook-id", {
  timeout: 60_000 + kills * 3_000,
}, async () => {
  const random = seededRandom(seed);
  const books = new Books(random);
  server = createServer((request, response) => void books.take(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  let latest = 0;
  const start = (isAppending: boolean): ChildProcess => {
    const child = fork(program, [JSON.stringify({ dataDir, url, isAppending })]);
    children.push(child);
    const toldBefore = books.takenUpTo;
    child.on("message", (told: { readonly latest?: number; readonly secret?: string }) => {
      if (told.secret !== undefined) books.secret = told.secret;
      if (told.latest === undefined) return;
      if (told.latest < toldBefore) books.faults.push(`event ${toldBefore} was told and is not on disk`);
      latest = Math.max(latest, told.latest);
    });
    return child;
  };

  for (let kill = 0; kill < kills; kill++) {
    const child = start(true);
    const gone = once(child, "exit");
    const killWithin = (ms: number): unknown => setTimeout(() => child.kill("SIGKILL"), random() * ms);
    if (kill % 5 === 4) killWithin(longestStartMs);
    else {
      let calls = 1 + Math.floor(random() * mostCalls);
      await new Promise<void>((resolve) => {
        books.onCall = () => {
          calls -= 1;
          if (calls === 0) resolve();
        };
      });
      killWithin(longestAfterMs);
    }
    await gone;
    books.onCall = () => undefined;
  }

  books.isReliable = true;
  const last = start(false);
  await once(last, "message");
  await new Promise<void>((resolve) => {
    const look = (): void => {
      if (books.takenUpTo >= latest) resolve();
    };
    books.onCall = () => setImmediate(look);
    look();
  });
  process.stdout.write(
    `kill -9 (seed ${seed}): webhooks, ${kills} kills, ${latest} events on disk, ${books.takenUpTo} taken, ` +
      `${books.calls} calls, ${books.repeats} of them repeats\n`,
  );
  expect(books.faults).toEqual([]);
  expect(books.takenUpTo).toBeGreaterThanOrEqual(latest);
  expect(latest).toBeGreaterThan(kills);
  expect(books.repeats).toBeGreaterThan(0);
});
