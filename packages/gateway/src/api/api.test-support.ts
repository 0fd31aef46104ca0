import { generateKeyPairSync, randomUUID } from "node:crypto";
import { Writable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { Apps } from "../apps/index.ts";
import type { AppConfig } from "../config/index.ts";
import { ManualClock } from "../delivery/bench.test-support.ts";
import { draftsOf } from "../delivery/draft-run.test-support.ts";
import {
  type AppStatus,
  type Cancellation,
  type Delivery,
  type DeliveryHealth,
  type DraftRun,
  type ListRequest,
  type NotificationDraft,
  NotificationIds,
  type NotificationPage,
  type NotificationRecord,
  type Recalled,
  type Remembering,
  type TooLate,
} from "../delivery/index.ts";
import { Outcomes, Webhooks } from "../outcomes/index.ts";
import { webhookTestOptions } from "../outcomes/webhooks/webhooks.test-support.ts";
import type { Store } from "../store/index.ts";
import { openMemoryStore } from "../store/memory-store.test-support.ts";
import { createApi } from "./api.ts";
import type { BodyLimits } from "./submission/body-reader.ts";

export const adminKey = "ck_test_key_that_nobody_else_has";
export const deviceToken = "ab".repeat(32);

const providerKey = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ format: "pem", type: "pkcs8" })
  .toString();

export const demoConfig: AppConfig = {
  name: "demo",
  topic: "com.example.demo",
  environment: "sandbox",
  credentials: { kind: "token", key: providerKey, keyId: "ABC123DEFG", teamId: "DEF123GHIJ" },
};

/** A delivery that keeps everything in memory and sends nothing. */
class MemoryDelivery implements Delivery {
  readonly submissions: { readonly app: string; readonly drafts: readonly NotificationDraft[] }[] = [];
  readonly records = new Map<string, NotificationRecord>();
  readonly failed = new Promise<Error>(() => undefined);
  health: DeliveryHealth = { state: "ready", queued: 0, inFlight: 0 };
  /** What `submit` waits for. */
  disk: Promise<void> | undefined;
  /** What `submit` and `find` reject with. */
  refusal: Error | undefined;
  /** What `waitUntilFinal` makes of each record. */
  finish: (record: NotificationRecord) => NotificationRecord = (record) => record;
  /** The last wait: how long, and whether the caller is gone. */
  lastWait: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined } | undefined;
  /** `waitUntilFinal` ends only when the caller is gone. */
  waitsForever = false;
  waiting: string | undefined;
  readonly pauses = new Map<string, NonNullable<AppStatus["pause"]>>();
  /** The last request to `list`, and where its page ends. */
  lastList: ListRequest | undefined;
  next: NotificationPage["next"];
  /** Why `cancel` comes too late. */
  tooLate: TooLate | undefined;

  mayPass(): boolean {
    return true;
  }

  leavePassing(): void {}

  async submit(app: string, drafts: readonly NotificationDraft[]): Promise<readonly string[]> {
    await this.disk;
    if (this.refusal !== undefined) throw this.refusal;
    this.submissions.push({ app, drafts });
    return drafts.flatMap((draft) => draft.deviceTokens.map(() => this.#store(app, draft)));
  }

  readonly #remembered = new Map<string, Recalled>();

  async take(
    app: string,
    given: readonly (NotificationDraft | DraftRun)[],
    remembering?: Remembering,
  ): Promise<NotificationIds> {
    const drafts = given.flatMap((each) => ("spans" in each ? draftsOf(each) : [each]));
    const ids = await this.submit(app, drafts);
    const taken = new NotificationIds();
    taken.list = () => ids;
    for (const place of ids.keys()) taken.add("", place);
    if (remembering !== undefined) {
      const { key, replaces, record } = remembering;
      if (this.#remembered.get(`${app} ${key}`)?.revision !== replaces) throw new Error("a wrong revision");
      this.#remembered.set(`${app} ${key}`, { record: record(taken), revision: (replaces ?? -1) + 1 });
    }
    return taken;
  }

  async recall(app: string, key: string): Promise<Recalled | undefined> {
    return this.#remembered.get(`${app} ${key}`);
  }

  /** As if a day had gone by. */
  forget(): void {
    for (const [name, { revision }] of this.#remembered)
      this.#remembered.set(name, { record: undefined, revision });
  }

  async find(app: string, id: string): Promise<NotificationRecord | undefined> {
    if (this.refusal !== undefined) throw this.refusal;
    const wanted = id.toLowerCase();
    return [...this.records.values()].find(
      (record) => record.app === app && (record.id === wanted || record.apnsId === wanted),
    );
  }

  async inspect(app: string, id: string): ReturnType<Delivery["inspect"]> {
    const record = await this.find(app, id);
    const storedAtMs = Date.parse(record?.storedAt ?? "");
    return record && { record, storedAtMs, isInDoubt: false, dueAtMs: storedAtMs };
  }

  async list(app: string, request: ListRequest): Promise<NotificationPage> {
    this.lastList = request;
    const records = [...this.records.values()].filter((record) => record.app === app);
    return { records, next: this.next };
  }

  async cancel(app: string, id: string): Promise<Cancellation | undefined> {
    const record = await this.find(app, id);
    if (record === undefined) return undefined;
    if (this.tooLate !== undefined) return { kind: "too-late", cause: this.tooLate, record };
    const cancelled: NotificationRecord = { ...record, status: "cancelled" };
    this.records.set(record.id, cancelled);
    return { kind: "cancelled", record: cancelled };
  }

  async waitUntilFinal(
    _app: string,
    ids: readonly string[],
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<readonly NotificationRecord[]> {
    this.lastWait = { timeoutMs, signal };
    if (this.waitsForever)
      await new Promise<void>((resolve) => signal?.addEventListener("abort", () => resolve()));
    return ids.flatMap((id) => {
      const record = this.records.get(id);
      return record === undefined ? [] : [this.finish(record)];
    });
  }

  waitingFor(): string | undefined {
    return this.waiting;
  }

  status(): AppStatus {
    const { queued, inFlight } = this.health;
    const pause = this.pauses.get("demo");
    return {
      ...(pause === undefined ? {} : { pause }),
      queued,
      queuedBytes: queued * 100,
      inFlight,
      routes: [],
    };
  }

  async pause(app: string, reason?: string): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal;
    this.pauses.set(app, { sinceMs: 1_700_000_000_000, ...(reason === undefined ? {} : { reason }) });
  }

  async resume(app: string): Promise<void> {
    this.pauses.delete(app);
  }

  async stop(): Promise<void> {}

  #store(app: string, { environment, lane, reference, apnsId }: NotificationDraft): string {
    const id = randomUUID();
    this.records.set(id, {
      id,
      app,
      environment,
      lane,
      status: "queued",
      storedAt: new Date().toISOString(),
      attempts: [],
      ...(reference === undefined ? {} : { reference }),
      ...(apnsId === undefined ? {} : { apnsId }),
    });
    return id;
  }
}

export interface TestApi {
  readonly server: FastifyInstance;
  readonly delivery: MemoryDelivery;
  /** Where events and verdicts come from; the delivery above knows nothing of it. */
  readonly store: Store;
  readonly outcomes: Outcomes;
  readonly clock: ManualClock;
  readonly webhooks: Webhooks;
  /** Everything that was logged, at every level. */
  readonly log: () => string;
  post(body: unknown, query?: string): Promise<TestAnswer>;
  get(path: string, headers?: Record<string, string>): Promise<TestAnswer>;
}

interface TestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  readonly body: any;
}

export const notificationsPath = "/v1/apps/demo/notifications";

/** The API over a delivery in memory. A string or bytes are posted as they are, anything else as JSON. */
export async function openTestApi(
  options: { readonly app?: Partial<AppConfig>; readonly bodyLimits?: BodyLimits } = {},
): Promise<TestApi> {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const logger = pino({ level: "trace" }, sink);
  const delivery = new MemoryDelivery();
  const clock = new ManualClock();
  const store = openMemoryStore(() => clock.now());
  const outcomes = new Outcomes({ store, clock, logger, feedLimits: { maxFollowers: 2 } });
  const webhooks = await Webhooks.start({ ...webhookTestOptions, store, events: outcomes.log, logger });
  const { bodyLimits } = options;
  const server = await createApi({
    apps: new Apps([{ ...demoConfig, ...options.app }], "/nowhere", logger),
    delivery,
    outcomes,
    webhooks,
    adminKey,
    logger,
    version: "0.0.0",
    ...(bodyLimits === undefined ? {} : { bodyLimits }),
  });
  const authorization = `Bearer ${adminKey}`;
  return {
    server,
    delivery,
    store,
    outcomes,
    clock,
    webhooks,
    log: () => lines.join(""),
    async post(body, query = "") {
      const isRaw = typeof body === "string" || Buffer.isBuffer(body);
      const { statusCode, headers, payload } = await server.inject({
        method: "POST",
        url: `${notificationsPath}${query}`,
        headers: { authorization, "content-type": "application/json" },
        payload: isRaw ? body : JSON.stringify(body),
      });
      return { status: statusCode, headers, body: JSON.parse(payload) };
    },
    async get(url, extra = {}) {
      const { statusCode, headers, payload } = await server.inject({
        url,
        headers: { authorization, ...extra },
      });
      return { status: statusCode, headers, body: JSON.parse(payload) };
    },
  };
}
