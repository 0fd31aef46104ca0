/**
 * What one sender's trouble costs the others, and how long a call takes to Apple. Callers, gateway and Apple's side are processes
 * of their own on the same machine; a payload carries when its call was due, and the sink tells how long ago that was.
 *
 *   npm run bench -- gateway isolation            everything
 *   npm run bench -- gateway isolation --quick    short rounds, to see that it works
 */
import { once } from "node:events";
import type { OfferedReport, OfferedTask } from "./support/offered-load.ts";
import { type SinkProcess, startProcess, startSink } from "./support/processes.ts";
import { machine, median, table } from "./support/report.ts";
import { type MarkReport, markedPayload, warmUpLabel } from "./support/sink-marks.ts";

interface Scale {
  readonly rounds: number;
  readonly seconds: number;
  /** Before the times of singles count: code is cold in the first seconds of a process, here in callers and sink as well. */
  readonly warmUpSeconds: number;
  readonly backlog: number;
  readonly perApp: number;
}

const full: Scale = {
  rounds: Number(process.env.BENCH_ROUNDS ?? 3),
  seconds: 8,
  warmUpSeconds: 4,
  backlog: 1_000_000,
  perApp: 4_000,
};
const quick: Scale = { rounds: 1, seconds: 3, warmUpSeconds: 1, backlog: 50_000, perApp: 500 };
/** So many a second are offered where a tenth of the devices is out of order. */
const offeredPerSecond = 500;
const apps = 50;

export async function benchIsolation(mode: "full" | "quick"): Promise<void> {
  const scale = mode === "full" ? full : quick;
  const { rounds, seconds, warmUpSeconds, backlog, perApp } = scale;
  console.log(`# Isolation\n\n${machine()}, medians of ${rounds} rounds that take turns\n`);
  const single: Offered[] = [];
  const quiet: Times[] = [];
  const unavailable: Times[] = [];
  const silent: Times[] = [];
  const urgent: Times[] = [];
  const bulkRates: number[] = [];
  const allWell: number[] = [];
  const oneWrong: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    single.push(await offer({ perSecond: 2_000, seconds, warmUpSeconds }));
    const some = { perSecond: offeredPerSecond, seconds, warmUpSeconds };
    const singles = [
      async () => quiet.push(await offer(some)),
      async () => unavailable.push(await offer({ ...some, tenth: "unavailable" })),
      async () => silent.push(await offer({ ...some, tenth: "silent" })),
    ];
    // In turns, so that none always comes first.
    for (const each of [...singles.slice(round % 3), ...singles.slice(0, round % 3)]) await each();
    const overtaken = await overtake(scale);
    urgent.push(overtaken.urgent);
    bulkRates.push(overtaken.bulkPerSecond);
    // In turns, so that neither always comes second.
    const kinds = round % 2 === 0 ? [allWell, oneWrong] : [oneWrong, allWell];
    for (const kind of kinds) kind.push(await flood(perApp, kind === oneWrong ? "wrong-key" : "well"));
  }
  const row = (name: string, times: readonly Times[], against?: readonly Times[]): (string | number)[] => [
    name,
    middle(times, "p50Ms").toFixed(1),
    middle(times, "p99Ms").toFixed(1),
    against === undefined ? "" : ratio(middle(times, "p99Ms"), middle(against, "p99Ms")),
  ];
  const head = ["call to Apple", "p50 ms", "p99 ms", "p99 against quiet"];
  console.log(
    table(head, [
      row(`single POSTs, 2,000/s for ${seconds} s`, single),
      row(
        `the ${warmUpSeconds} s before, from a cold start`,
        single.map(({ cold }) => cold),
      ),
      row(`single POSTs, ${offeredPerSecond}/s: quiet`, quiet),
      row("… a tenth of the devices always answers 503, the others", unavailable, quiet),
      row("… a tenth of the devices never answers, the others", silent, quiet),
      row(`urgent, 200/s, while ${backlog.toLocaleString("en")} of bulk are sent`, urgent),
    ]),
  );
  console.log(`\nMeanwhile bulk went at ${thousands(median(bulkRates))}/s.\n`);
  console.log(
    table(
      [`${apps} apps, ${perApp.toLocaleString("en")} each`, "49 of them, per second", "against all well"],
      [
        ["all well", thousands(median(allWell)), ""],
        ["the key of one is refused", thousands(median(oneWrong)), ratio(median(oneWrong), median(allWell))],
      ],
    ),
  );
}

type Times = Pick<MarkReport, "p50Ms" | "p99Ms">;

interface Offered extends Times {
  /** Of the time to warm up. */
  readonly cold: Times;
}

/** Singles at a rate; the times of those that are well. */
async function offer(
  plan: Pick<OfferedTask, "perSecond" | "seconds" | "warmUpSeconds" | "tenth">,
): Promise<Offered> {
  const site = await openSite(1);
  await site.offer({ ...plan, app: "demo", lane: "normal", label: "well" });
  const marks = await site.marks();
  await site.close();
  const timesOf = (label: string): Times => marks.get(label) ?? { p50Ms: Number.NaN, p99Ms: Number.NaN };
  return { ...timesOf("well"), cold: timesOf(warmUpLabel) };
}

/** A backlog of bulk is let loose, and urgent ones come while it is sent. */
async function overtake({ backlog, seconds }: Scale): Promise<{ urgent: Times; bulkPerSecond: number }> {
  const site = await openSite(1);
  await site.offer({ app: "demo", lane: "urgent", label: "urgent", perSecond: 200, seconds: 2 });
  await site.post("/v1/apps/demo/pause", "");
  const payload = markedPayload("bulk", 0);
  for (let sent = 0; sent < backlog; sent += 10_000) {
    const tokens = Array.from({ length: 10_000 }, (_, index) =>
      (sent + index).toString(16).padStart(64, "0"),
    );
    await site.post(
      "/v1/apps/demo/notifications",
      `{"to":{"tokens":${JSON.stringify(tokens)}},"lane":"bulk","payload":${payload}}`,
    );
  }
  await site.marks();
  await site.post("/v1/apps/demo/resume", "");
  // Until the backlog is gone, so that no urgent one is timed in the quiet after it.
  let isGone = false;
  const gone = site.settled().then(() => {
    isGone = true;
  });
  const urgent: MarkReport[] = [];
  let bulk: MarkReport | undefined;
  while (!isGone) {
    await site.offer({
      app: "demo",
      lane: "urgent",
      label: "urgent",
      perSecond: 200,
      seconds: Math.min(seconds, 2),
    });
    const seen = await site.marks();
    const [one, other] = [seen.get("urgent"), seen.get("bulk")];
    if (one !== undefined && other !== undefined) urgent.push(one);
    if (other !== undefined) bulk = bulk === undefined ? other : joined(bulk, other);
  }
  await gone;
  await site.close();
  const spanMs = bulk === undefined ? Number.NaN : bulk.lastAtMs - bulk.firstAtMs;
  return {
    urgent: {
      p50Ms: median(urgent.map(({ p50Ms }) => p50Ms)),
      p99Ms: median(urgent.map(({ p99Ms }) => p99Ms)),
    },
    bulkPerSecond: ((bulk?.count ?? 0) * 1_000) / spanMs,
  };
}

/** All apps get the same at once; the rate of all but the first, whose notifications go under `label`. */
async function flood(perApp: number, label: "well" | "wrong-key"): Promise<number> {
  const site = await openSite(apps);
  const names = Array.from({ length: apps }, (_, index) => (index === 0 ? "demo" : `demo-${index}`));
  const bodyFor = (mark: string): string => {
    const tokens = Array.from({ length: 500 }, (_, index) => index.toString(16).padStart(64, "0"));
    return `{"to":{"tokens":${JSON.stringify(tokens)}},"payload":${markedPayload(mark, 0)}}`;
  };
  // Connections open and code is warm before anything counts.
  await Promise.all(names.map((name) => site.post(`/v1/apps/${name}/notifications`, bodyFor("warm"))));
  await site.settled();
  await site.marks();
  const [first, others] = [bodyFor(label === "well" ? "first" : label), bodyFor("others")];
  const startMs = performance.timeOrigin + performance.now();
  for (let sent = 0; sent < perApp; sent += 500)
    await Promise.all(
      names.map((name) => site.post(`/v1/apps/${name}/notifications`, name === "demo" ? first : others)),
    );
  const wanted = perApp * (apps - 1);
  let [count, lastAtMs] = [0, startMs];
  while (count < wanted) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const seen = (await site.marks()).get("others");
    if (seen !== undefined) [count, lastAtMs] = [count + seen.count, seen.lastAtMs];
  }
  await site.close();
  return (wanted * 1_000) / (lastAtMs - startMs);
}

interface Site {
  offer(task: Omit<OfferedTask, "url" | "key">): Promise<void>;
  post(path: string, body: string): Promise<void>;
  /** What came to the sink since this was asked last, by label. */
  marks(): Promise<ReadonlyMap<string, MarkReport>>;
  /** Resolves when nothing is queued any more. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** A sink and a gateway of their own. */
async function openSite(appCount: number): Promise<Site> {
  const sink = await startSink({ SINK_MARKS: "1" });
  const gateway = startProcess("./gateway-process.ts", { NODE_NO_WARNINGS: "1" }, []);
  gateway.send({ port: sink.port, ca: sink.ca, apps: appCount });
  const [{ url, key }] = (await once(gateway, "message")) as [{ url: string; key: string }];
  return {
    async offer(task) {
      const child = startProcess("./offered-load.ts", {}, []);
      child.send({ ...task, url, key } satisfies OfferedTask);
      const [{ failed }] = (await once(child, "message")) as [OfferedReport];
      if (failed > 0) console.error(`${task.label}: ${failed} calls failed`);
    },
    async post(path, body) {
      const answer = await fetch(`${url}${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body,
      });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      await answer.arrayBuffer();
    },
    marks: async () => marksOf(await sink.usage()),
    async settled() {
      for (;;) {
        const { queued } = (await (await fetch(`${url}/readyz`)).json()) as { queued: number };
        if (queued === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async close() {
      gateway.disconnect();
      await once(gateway, "exit");
      sink.stop();
    },
  };
}

function marksOf(usage: Awaited<ReturnType<SinkProcess["usage"]>>): ReadonlyMap<string, MarkReport> {
  return new Map((usage.marks ?? []).map((report) => [report.label, report]));
}

function joined(one: MarkReport, other: MarkReport): MarkReport {
  return { ...one, count: one.count + other.count, lastAtMs: other.lastAtMs };
}

function middle(times: readonly Times[], what: keyof Times): number {
  return median(times.map((each) => each[what]));
}

function ratio(one: number, other: number): string {
  return `${((one / other - 1) * 100).toFixed(0)} %`;
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString("en");
}
