/**
 * Callers who do not wait: single notifications at a given rate, whether or not the ones before were answered, as a process of
 * its own. `fork`ed, it gets a task and says when its time is over and everything was answered.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { markedPayload, warmUpLabel } from "./sink-marks.ts";

export interface OfferedTask {
  readonly url: string;
  readonly key: string;
  readonly app: string;
  readonly lane: "urgent" | "normal" | "bulk";
  /** What the sink is to know it by. */
  readonly label: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** So long before that the same goes under `warmUpLabel`. @default 0 */
  readonly warmUpSeconds?: number;
  /** One in ten goes under this label instead. */
  readonly tenth?: string;
}

export interface OfferedReport {
  readonly offered: number;
  /** Answers other than 202. */
  readonly failed: number;
}

const connections = 64;

process.once("message", (task: OfferedTask) => {
  void offer(task).then((report) => {
    process.send?.(report);
    process.disconnect();
  });
});

async function offer(task: OfferedTask): Promise<OfferedReport> {
  const { hostname, port } = new URL(task.url);
  const callers = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ host: hostname, port: Number(port) });
      socket.setNoDelay(true);
      await once(socket, "connect");
      return socket;
    }),
  );
  const free = [...callers];
  const waiting: Buffer[] = [];
  let [offered, answered, failed] = [0, 0, 0];
  const send = (socket: Socket, request: Buffer): void => {
    socket.write(request);
  };
  for (const socket of callers)
    onAnswer(socket, (status) => {
      answered += 1;
      if (status !== 202) failed += 1;
      const next = waiting.shift();
      if (next === undefined) free.push(socket);
      else send(socket, next);
    });

  const startMs = performance.timeOrigin + performance.now();
  const all = task.perSecond * ((task.warmUpSeconds ?? 0) + task.seconds);
  while (offered < all || answered < offered) {
    const nowMs = performance.timeOrigin + performance.now();
    const due = Math.min(Math.floor(((nowMs - startMs) * task.perSecond) / 1_000), all);
    for (; offered < due; offered += 1) {
      // Timed from when it was due, so that a generator that is late hides nothing.
      const request = requestFor(task, offered, startMs + ((offered + 1) * 1_000) / task.perSecond);
      const socket = free.pop();
      if (socket === undefined) waiting.push(request);
      else send(socket, request);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  for (const socket of callers) socket.destroy();
  return { offered, failed };
}

function requestFor(task: OfferedTask, ordinal: number, dueAtMs: number): Buffer {
  const { app, key, lane, tenth } = task;
  const token = randomBytes(32).toString("hex");
  const isWarmUp = ordinal < task.perSecond * (task.warmUpSeconds ?? 0);
  const label = isWarmUp ? warmUpLabel : task.label;
  const payload = markedPayload(tenth !== undefined && ordinal % 10 === 0 ? tenth : label, dueAtMs);
  const body = `{"to":{"token":"${token}"},"lane":"${lane}","payload":${payload}}`;
  return Buffer.from(
    `POST /v1/apps/${app}/notifications HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n` +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
}

/** One answer comes for each request; bodies are short and come with their head or soon after. */
function onAnswer(socket: Socket, tell: (status: number) => void): void {
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    const headEnd = text.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (text.length < headEnd + 4 + length) return;
    const status = Number(text.slice(9, 12));
    text = text.slice(headEnd + 4 + length);
    tell(status);
  });
}
