import type { Clock } from "@carillon/apns";
import { systemClock } from "@carillon/apns";
import type { Store } from "../../store/index.ts";
import { openMemoryStore } from "../../store/memory-store.test-support.ts";
import type { EventType, OutcomeEvent } from "../event.ts";
import { CursorError, type EventPage, type EventQuery, type WrittenPage } from "../event-log.ts";
import { defaultWebhookLimits } from "./open-webhooks.ts";
import type { TestReceiver } from "./receiver.test-support.ts";
import { defaultCallLimits } from "./receiver.ts";
import { defaultSchedule } from "./retry-schedule.ts";
import { Webhooks } from "./webhooks.ts";
import type { WebhookEvents, WebhooksOptions } from "./webhooks-options.ts";

/** An event log in memory. Cursors are 1, 2, 3 …; `0` is where all begins. */
export class MemoryEvents implements WebhookEvents {
  #events: OutcomeEvent[] = [];
  #forgotten = 0;
  readonly #listeners = new Set<() => void>();
  /** How often it was read. */
  reads = 0;

  append(type: EventType, data: Record<string, unknown> = {}, app = "demo"): void {
    const cursor = String(this.#forgotten + this.#events.length + 1);
    this.#events.push({ cursor, at: "2026-01-01T00:00:00.000Z", app, type, data });
    for (const tell of this.#listeners) tell();
  }

  /** So many events at once, and one word that they are there. */
  appendMany(count: number, write: (index: number) => Record<string, unknown> = (n) => ({ n })): void {
    const first = this.#forgotten + this.#events.length + 1;
    for (let index = 0; index < count; index++)
      this.#events.push({
        cursor: String(first + index),
        at: "2026-01-01T00:00:00.000Z",
        app: "demo",
        type: "notification.rejected",
        data: write(index),
      });
    for (const tell of this.#listeners) tell();
  }

  forget(count: number): void {
    this.#events = this.#events.slice(count);
    this.#forgotten += count;
  }

  async read({ after, app, types, limit }: EventQuery): Promise<EventPage> {
    this.reads += 1;
    const start = Number(after ?? this.#forgotten);
    const newest = this.#forgotten + this.#events.length;
    if (start < this.#forgotten) throw new CursorError("too-old", String(this.#forgotten));
    if (!(start <= newest)) throw new CursorError("unknown", String(this.#forgotten));
    const items: OutcomeEvent[] = [];
    let cursor = start;
    for (const event of this.#events.slice(start - this.#forgotten)) {
      if (items.length === limit) break;
      cursor = Number(event.cursor);
      if ((app === undefined || event.app === app) && (types === undefined || types.includes(event.type)))
        items.push(event);
    }
    return { items, cursor: String(cursor) };
  }

  async readWritten(query: EventQuery): Promise<WrittenPage> {
    const { items, cursor } = await this.read(query);
    const written = items.map((event) => ({
      cursor: event.cursor,
      type: event.type,
      text: JSON.stringify(event),
    }));
    return { items: written, cursor };
  }

  async ends() {
    return { oldest: String(this.#forgotten), latest: String(this.#forgotten + this.#events.length) };
  }

  onAppended(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export interface TestWebhooks {
  webhooks: Webhooks;
  readonly events: MemoryEvents;
  readonly store: Store;
  /** As after kill -9 and a new start: nothing more is stored by the one before. */
  restart(sealer?: WebhooksOptions["sealer"]): Promise<void>;
}

export type TestOptions = Partial<
  Pick<WebhooksOptions, "schedule" | "receivers" | "resolve" | "callLimits" | "sealer"> & {
    readonly limits: Partial<WebhooksOptions["limits"]>;
    readonly clock: Clock;
  }
>;

/** Retries come at once, and news is not gathered. */
const quickSchedule = { ...defaultSchedule, pausesMs: [1], longPauseMs: 1 };

/** Allowed to send to 127.0.0.1, where every name leads. */
export const webhookTestOptions = {
  receivers: { allowHttp: true, allowPorts: "any", allowNetworks: ["127.0.0.0/8"] },
  resolve: async () => ["127.0.0.1"],
  sealer: { seal: (secret) => `sealed ${secret}`, unseal: (sealed) => sealed.replace("sealed ", "") },
  clock: systemClock,
  random: Math.random,
  logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
  version: "0.0.0",
  callLimits: defaultCallLimits,
  schedule: quickSchedule,
  limits: { ...defaultWebhookLimits, gatherMs: 0 },
} as const satisfies Partial<WebhooksOptions>;

/** Webhooks over an event log and a store in memory. */
export async function openTestWebhooks(options: TestOptions = {}): Promise<TestWebhooks> {
  const { clock = systemClock } = options;
  const { batchBytes } = options.limits ?? {};
  // Who names a size means it.
  const steady = batchBytes === undefined ? {} : { mostBatchBytes: batchBytes };
  const events = new MemoryEvents();
  const store = openMemoryStore(() => clock.now());
  const start = (through: Store, sealer = options.sealer ?? webhookTestOptions.sealer): Promise<Webhooks> =>
    Webhooks.start({
      ...webhookTestOptions,
      ...options,
      sealer,
      store: through,
      events,
      clock,
      limits: { ...webhookTestOptions.limits, ...steady, ...options.limits },
    });
  let current = mortal(store);
  const subject: TestWebhooks = {
    webhooks: await start(current.store),
    events,
    store,
    async restart(sealer) {
      const before = subject.webhooks;
      current.kill();
      await before.stop(0);
      current = mortal(store);
      subject.webhooks = await start(current.store, sealer);
    },
  };
  return subject;
}

/** The store as seen by a process that may be killed: from then on its changes are lost. */
function mortal(store: Store): { readonly store: Store; kill(): void } {
  let isDead = false;
  const seen: Store = Object.create(store, {
    changeWebhook: {
      value: (change: Parameters<Store["changeWebhook"]>[0]) =>
        isDead ? Promise.resolve(true) : store.changeWebhook(change),
    },
  });
  return {
    store: seen,
    kill() {
      isDead = true;
    },
  };
}

/** The `n` of each event that a receiver has got, call by call. */
export function numbersOf(receiver: TestReceiver): number[][] {
  return receiver.calls.map(({ text }) =>
    (JSON.parse(text) as { items: { data: { n: number } }[] }).items.map(({ data }) => data.n),
  );
}
