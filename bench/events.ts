/**
 * What it costs that many follow the events while 50,000 outcomes a second come from a delivery to a sink, and what becomes of
 * those who read slowly or not at all. Callers, gateway, sink and followers are processes of their own on the same machine.
 *
 *   npm run bench -- events            45 s of each kind of outcome, with and without followers
 *   npm run bench -- events --quick    10 s of each
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, request } from "node:http";
import type { FollowAnswer, FollowReport, FollowTask } from "./support/followers.ts";
import type { GatewayUsage } from "./support/gateway-process.ts";
import { startProcess, startSink } from "./support/processes.ts";
import { machine, table } from "./support/report.ts";
import { markedPayload } from "./support/sink-marks.ts";

const offeredPerSecond = 50_000;
const perCall = 500;
/** Callers wait when so many calls have no answer yet, or so much is queued: a gateway that is late is offered less. */
const outstanding = 16;
const mostQueued = 50_000;

const crowd = {
  fast: 80,
  slow: 10,
  slowBytesPerSecond: 100_000,
  stopped: 10,
  // Longer than a follower may take nothing.
  stoppedMs: 40_000,
} as const;
const nobody = { ...crowd, fast: 0, slow: 0, stopped: 0 };

interface Plan {
  readonly outcomes: string;
  /** As bench/support/sink-marks.ts knows it. */
  readonly label: string;
  readonly crowd: Omit<FollowTask, "url" | "key">;
  readonly seconds: number;
}

export async function benchEvents(mode: "full" | "quick"): Promise<void> {
  const seconds = mode === "quick" ? 10 : 45;
  console.log(`# Events\n\n${machine()}\n`);
  const rows = [];
  const fates: string[][] = [];
  for (const [outcomes, label] of [
    ["accepted", "accepted"],
    ["rejected", "refused"],
  ] as const)
    for (const who of [nobody, crowd]) {
      const { row, ends } = await follow({ outcomes, label, crowd: who, seconds });
      rows.push(row);
      fates.push(...ends);
    }
  console.log(
    `${table(
      [
        "outcomes",
        "followers",
        "outcomes/s",
        "events/s",
        "told to all, events/s",
        "MB/s",
        "gateway CPU s/s",
        "main thread busy",
        "after the load: CPU µs each told",
        "followers CPU s/s",
        "RSS MB at 1/3, 2/3, the end, at most",
      ],
      rows,
    )}\n`,
  );
  console.log(
    table(
      [
        "outcomes",
        "kind",
        "followers",
        "behind at the end of the load",
        "all had all after",
        "cut",
        "missing",
        "twice",
      ],
      fates,
    ),
  );
}

async function follow(plan: Plan): Promise<{ row: (string | number)[]; ends: string[][] }> {
  const sink = await startSink({ SINK_MARKS: "1" });
  const gateway = startProcess("./gateway-process.ts", { NODE_NO_WARNINGS: "1" }, []);
  gateway.send({ port: sink.port, ca: sink.ca });
  const [{ url, key }] = (await once(gateway, "message")) as [{ url: string; key: string }];
  const followers = startProcess("./followers.ts", {}, []);
  followers.send({ url, key, ...plan.crowd } satisfies FollowTask);
  await once(followers, "message");
  const ask = async <T>(whom: typeof gateway, what: string | number): Promise<T> => {
    whom.send(what);
    return (await once(whom, "message"))[0] as T;
  };
  const call = caller(url, key, plan.label);
  await offer(url, call, 2, () => undefined);
  await untilQueued(url, 0);

  const from = {
    atMs: performance.now(),
    cursor: await newest(url, key),
    gateway: await ask<GatewayUsage>(gateway, "usage"),
    followers: await ask<FollowAnswer>(followers, "report"),
  };
  const resident: number[] = [];
  const taken = await offer(url, call, plan.seconds, () => {
    void ask<GatewayUsage>(gateway, "usage").then(({ rssMb }) => resident.push(rssMb));
  });
  await untilQueued(url, 0);
  const seconds = (performance.now() - from.atMs) / 1_000;
  const to = {
    cursor: await newest(url, key),
    gateway: await ask<GatewayUsage>(gateway, "usage"),
    followers: await ask<FollowAnswer>(followers, "report"),
  };
  const endedMs = performance.now();
  const end = plan.crowd.fast > 0 ? await ask<FollowAnswer>(followers, to.cursor) : to.followers;
  const allHadMs = performance.now() - endedMs;
  const { peakRssMb, rssMb, cpuMs } = await ask<GatewayUsage>(gateway, "usage");

  followers.disconnect();
  gateway.disconnect();
  await once(gateway, "exit");
  sink.stop();
  const sum = ({ reports }: FollowAnswer, of: (report: FollowReport) => number): number =>
    reports.reduce((all, report) => all + of(report), 0);
  const perSecond = (of: (report: FollowReport) => number): number =>
    (sum(to.followers, of) - sum(from.followers, of)) / seconds;
  const at = (share: number): number => resident[Math.floor(resident.length * share)] ?? rssMb;
  const toldLater = sum(end, ({ events }) => events) - sum(to.followers, ({ events }) => events);
  return {
    row: [
      plan.outcomes,
      plan.crowd.fast + plan.crowd.slow + plan.crowd.stopped,
      Math.round(taken / seconds).toLocaleString("en"),
      Math.round((to.cursor - from.cursor) / seconds).toLocaleString("en"),
      Math.round(perSecond(({ events }) => events)).toLocaleString("en"),
      (perSecond(({ bytes }) => bytes) / 1e6).toFixed(1),
      ((to.gateway.cpuMs - from.gateway.cpuMs) / 1_000 / seconds).toFixed(2),
      `${Math.round((to.gateway.busyMs - from.gateway.busyMs) / seconds / 10)} %`,
      toldLater < 1_000_000 ? "" : (((cpuMs - to.gateway.cpuMs) * 1_000) / toldLater).toFixed(2),
      ((to.followers.cpuMs - from.followers.cpuMs) / 1_000 / seconds).toFixed(2),
      `${at(1 / 3)}, ${at(2 / 3)}, ${rssMb}, ${peakRssMb}`,
    ],
    ends: end.reports
      .filter(({ followers: count }) => count > 0)
      .map(({ kind, followers: count, cuts, missing, repeated }) => {
        const hindmost = to.followers.reports.find((report) => report.kind === kind)?.hindmost ?? 0;
        return [
          plan.outcomes,
          kind,
          String(count),
          `${(to.cursor - hindmost).toLocaleString("en")} events at most`,
          `${(allHadMs / 1_000).toFixed(1)} s`,
          ...[cuts, missing, repeated].map(String),
        ];
      }),
  };
}

/** Calls at the offered rate; resolves with how many notifications were taken. */
async function offer(
  url: string,
  call: () => Promise<void>,
  seconds: number,
  eachSecond: () => void,
): Promise<number> {
  const startMs = performance.now();
  const timer = setInterval(eachSecond, 1_000);
  const waiting = new Set<Promise<void>>();
  let calls = 0;
  let lookedAtMs = startMs;
  for (;;) {
    const nowMs = performance.now();
    if (nowMs - startMs >= seconds * 1_000) break;
    if (nowMs - lookedAtMs >= 200) {
      await untilQueued(url, mostQueued);
      lookedAtMs = performance.now();
    }
    if (waiting.size < outstanding && calls < ((nowMs - startMs) * offeredPerSecond) / perCall / 1_000) {
      calls += 1;
      const answer = call().finally(() => waiting.delete(answer));
      waiting.add(answer);
    } else await new Promise((resolve) => setTimeout(resolve, 1));
  }
  clearInterval(timer);
  await Promise.all(waiting);
  return calls * perCall;
}

/** Submits one payload to 500 device tokens at each call. */
function caller(url: string, key: string, label: string): () => Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: outstanding });
  const bodies = Array.from({ length: 40 }, () => {
    const tokens = Array.from({ length: perCall }, () => `"${randomBytes(32).toString("hex")}"`);
    return Buffer.from(`{"to":{"tokens":[${tokens.join(",")}]},"payload":${markedPayload(label, 0)}}`);
  });
  let next = 0;
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  return () =>
    new Promise((resolve, reject) => {
      const body = bodies[next++ % bodies.length];
      const sent = request(`${url}/v1/apps/demo/notifications`, { method: "POST", agent, headers });
      sent.once("error", reject);
      sent.once("response", (response) => {
        response.resume();
        response.once("end", () =>
          response.statusCode === 202 ? resolve() : reject(new Error(`answered ${response.statusCode}`)),
        );
      });
      sent.end(body);
    });
}

async function newest(url: string, key: string): Promise<number> {
  const response = await fetch(`${url}/v1/events?after=latest`, {
    headers: { authorization: `Bearer ${key}` },
  });
  return Number(((await response.json()) as { cursor: string }).cursor);
}

/** Until no more than so many have no outcome on disk, as `/readyz` tells. */
async function untilQueued(url: string, most: number): Promise<void> {
  for (;;) {
    const { queued } = (await (await fetch(`${url}/readyz`)).json()) as { queued: number };
    if (queued <= most) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
