/**
 * The callers of a gateway, as a process of their own that costs as little as it can: requests are put together beforehand
 * and written to bare sockets. `fork`ed, it gets a task and sends when its first byte went out and its last answer was in.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export type Form = "single" | "list" | "ndjson" | "tokens" | "ndjson-tokens";

export interface LoadTask {
  readonly url: string;
  readonly key: string;
  readonly form: Form;
  /** Notifications in all. */
  readonly count: number;
  readonly connections: number;
}

export interface LoadReport {
  /** Epoch milliseconds, with fractions. */
  readonly startedAtMs: number;
  readonly answeredAtMs: number;
  readonly cpuMs: number;
  /** Answers other than 200 and 202. */
  readonly failed: number;
  /** How long single calls took, milliseconds, sorted; for `single` only. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** How many notifications one request, or one line of NDJSON, holds. */
const perRequest = { single: 1, list: 500, tokens: 10_000 } as const;
const linesPerChunk = 200;
const tokensPerLine = 1_000;

process.once("message", (task: LoadTask) => {
  void run(task).then((report) => {
    process.send?.(report);
    process.disconnect();
  });
});

async function run(task: LoadTask): Promise<LoadReport> {
  const { hostname, port } = new URL(task.url);
  const sockets = Array.from({ length: task.connections }, () => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.setNoDelay(true);
    return socket;
  });
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  const isStream = task.form === "ndjson" || task.form === "ndjson-tokens";
  const parts = isStream ? makeChunks(task.form) : makeRequests(task);
  const cpu = process.cpuUsage();
  const startedAtMs = performance.timeOrigin + performance.now();
  const { failed, latencies } = isStream
    ? await streamAll(task, sockets, parts)
    : await callAll(task, sockets, parts);
  const { user, system } = process.cpuUsage(cpu);
  const answeredAtMs = performance.timeOrigin + performance.now();
  for (const socket of sockets) socket.destroy();
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  const report = { startedAtMs, answeredAtMs, cpuMs: (user + system) / 1000, failed };
  return { ...report, p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** About 150 bytes of payload, different each time, to a device of its own. */
function notification(ordinal: number): string {
  return `{"to":{"token":"${randomBytes(32).toString("hex")}"},"payload":${payload(ordinal)}}`;
}

function payload(ordinal: number): string {
  const body = `It should be with you in ${ordinal % 90} minutes, and no later`;
  return `{"aps":{"alert":{"title":"Your order has left","body":"${body}"},"sound":"default"},"order":${ordinal}}`;
}

function manyTokens(ordinal: number, count: number): string {
  const tokens = Array.from({ length: count }, () => `"${randomBytes(32).toString("hex")}"`);
  return `{"to":{"tokens":[${tokens.join(",")}]},"payload":${payload(ordinal)}}`;
}

function makeRequests({ form, key }: LoadTask): Buffer[] {
  const bodyOf = (ordinal: number): string => {
    if (form === "single") return notification(ordinal);
    if (form === "tokens") return manyTokens(ordinal, perRequest.tokens);
    const list = Array.from({ length: perRequest.list }, (_, place) => notification(ordinal * 500 + place));
    return `{"notifications":[${list.join(",")}]}`;
  };
  const different = form === "single" ? 2_000 : form === "list" ? 40 : 10;
  return Array.from({ length: different }, (_, ordinal) => {
    const body = bodyOf(ordinal);
    const head = requestHead(key, "application/json", `content-length: ${Buffer.byteLength(body)}`);
    return Buffer.from(`${head}${body}`);
  });
}

/** Chunks of the chunked transfer coding, whole lines in each. */
function makeChunks(form: Form): Buffer[] {
  return Array.from({ length: 100 }, (_, index) => {
    const lines =
      form === "ndjson"
        ? Array.from({ length: linesPerChunk }, (_, place) => notification(index * linesPerChunk + place))
        : [manyTokens(index, tokensPerLine)];
    const text = `${lines.join("\n")}\n`;
    return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  });
}

function requestHead(key: string, type: string, length: string): string {
  return (
    "POST /v1/apps/demo/notifications HTTP/1.1\r\nhost: localhost\r\n" +
    `authorization: Bearer ${key}\r\ncontent-type: ${type}\r\n${length}\r\n\r\n`
  );
}

interface Answers {
  readonly failed: number;
  readonly latencies: number[];
}

/** Each connection sends its next request when the answer to the one before is there. */
async function callAll(task: LoadTask, sockets: Socket[], requests: Buffer[]): Promise<Answers> {
  const calls = task.count / perRequest[task.form as keyof typeof perRequest];
  let next = 0;
  let failed = 0;
  const latencies: number[] = [];
  await Promise.all(
    sockets.map(async (socket) => {
      const answers = new AnswerReader(socket);
      while (next < calls) {
        const request = requests[next % requests.length] as Buffer;
        next += 1;
        const started = performance.now();
        socket.write(request);
        const status = await answers.next();
        latencies.push(performance.now() - started);
        if (status !== 202) failed += 1;
      }
    }),
  );
  return { failed, latencies };
}

/** Each connection is one request that goes on until its share is written. */
async function streamAll(task: LoadTask, sockets: Socket[], chunks: Buffer[]): Promise<Answers> {
  const perChunk = task.form === "ndjson" ? linesPerChunk : tokensPerLine;
  let left = Math.ceil(task.count / perChunk);
  let failed = 0;
  await Promise.all(
    sockets.map(async (socket) => {
      const answers = new AnswerReader(socket);
      const answer = answers.next();
      socket.write(requestHead(task.key, "application/x-ndjson", "transfer-encoding: chunked"));
      while (left > 0) {
        left -= 1;
        if (!socket.write(chunks[left % chunks.length] as Buffer)) await once(socket, "drain");
      }
      socket.write("0\r\n\r\n");
      if ((await answer) !== 202) failed += 1;
      if (process.env.BENCH_SHOW !== undefined) console.error(answers.body);
    }),
  );
  return { failed, latencies: [] };
}

/** Reads the answers of one connection, one after the other. */
class AnswerReader {
  body = "";
  #bytes: Buffer = Buffer.alloc(0);
  #tell: ((status: number) => void) | undefined;

  constructor(socket: Socket) {
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
      this.#look();
    });
  }

  next(): Promise<number> {
    return new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  #look(): void {
    const headEnd = this.#bytes.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#bytes.toString("latin1", 0, headEnd);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const end = headEnd + 4 + length;
    if (this.#bytes.length < end) return;
    if (length < 1_000) this.body = this.#bytes.toString("utf8", headEnd + 4, end);
    this.#bytes = this.#bytes.subarray(end);
    this.#tell?.(Number(head.slice(9, 12)));
  }
}
