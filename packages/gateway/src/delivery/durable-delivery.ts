import { randomBytes } from "node:crypto";
import type { Clock } from "@carillon/apns";
import type { NodeId, Store } from "../store/index.ts";
import { AppPauses } from "./app-pauses.ts";
import type { AppStatus } from "./app-status.ts";
import { type Cancellation, Canceller } from "./canceller.ts";
import type { Delivery, DeliveryHealth } from "./delivery.ts";
import { QueueFullError } from "./delivery-errors.ts";
import type { DeliveryLogger } from "./delivery-logger.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { DraftRun } from "./draft-run.ts";
import { EnvironmentResolver, type KnownEnvironments } from "./environment-resolver.ts";
import { Finder } from "./finder.ts";
import { Housekeeping, type Retention } from "./housekeeping.ts";
import { type Inspection, Inspector } from "./inspector.ts";
import { Intake } from "./intake.ts";
import { finalsOf, Ledger } from "./ledger.ts";
import { Lister, type ListRequest, type NotificationPage } from "./lister.ts";
import type { Environment, NotificationDraft } from "./notification-draft.ts";
import { BatchIds } from "./notification-id.ts";
import type { NotificationIds } from "./notification-ids.ts";
import type { NotificationRecord } from "./notification-record.ts";
import { Passers } from "./passers.ts";
import { type QueueLimits, QueueTally } from "./queue-tally.ts";
import { tellRegistrations } from "./registrations.ts";
import type { Recalled, Remembering } from "./remembering.ts";
import type { MemoryLimits } from "./residency.ts";
import type { RouteLimits } from "./route.ts";
import type { RouteTeller } from "./route-teller.ts";
import type { Sender } from "./sender.ts";
import type { RetryBudget } from "./settlement.ts";
import { Waits } from "./waits.ts";

export interface DurableDeliveryOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** From 0 to 1, exclusive. */
  readonly random: () => number;
  readonly logger: DeliveryLogger;
  readonly queueLimits: QueueLimits;
  readonly routeLimits: RouteLimits;
  readonly memory: MemoryLimits;
  readonly budget: RetryBudget;
  readonly retention: Retention;
  /** How long this node's leases outlive its last sign of life, 3,000 to 600,000. */
  readonly leaseMs: number;
  senderFor(app: string, environment: Environment): Sender | undefined;
  /** Whether the other environment is tried for device tokens that one does not know. @default false for all */
  resolvesEnvironment?(app: string): boolean;
  /** Hears what happens on a route. @default nobody does */
  tellerFor?(app: string, environment: string): RouteTeller;
  rateOf(app: string): number | undefined;
}

/** Wires the queue's parts: intake → store → dispatcher → senders → ledger → store. */
export class DurableDelivery implements Delivery {
  readonly #store: Store;
  readonly #node: NodeId = randomBytes(8).toString("hex");
  readonly #clock: Clock;
  readonly #retention: Retention;
  readonly #tally: QueueTally;
  readonly #ledger: Ledger;
  readonly #dispatcher: Dispatcher;
  readonly #intake: Intake;
  readonly #finder: Finder;
  readonly #waits: Waits;
  readonly #canceller: Canceller;
  readonly #housekeeping: Housekeeping;
  readonly #pauses: AppPauses;
  readonly #passers: Passers;
  readonly #resolver: EnvironmentResolver;
  readonly #tellerFor: DurableDeliveryOptions["tellerFor"];
  #state: Pick<DeliveryHealth, "state" | "detail"> = { state: "ready" };
  #stopped: Promise<void> | undefined;

  private constructor(options: DurableDeliveryOptions, tally: QueueTally) {
    const { store, clock, queueLimits } = options;
    const node = this.#node;
    const ids = new BatchIds(() => clock.now());
    this.#store = store;
    this.#tellerFor = options.tellerFor;
    this.#clock = clock;
    this.#retention = options.retention;
    this.#tally = tally;
    this.#resolver = new EnvironmentResolver(options);
    this.#ledger = new Ledger({
      store,
      node,
      ids,
      clock,
      written: (written) => {
        this.#dispatcher.written(written);
        if (this.#waits.isAnyone) this.#waits.finished(finalsOf(written));
      },
    });
    this.#dispatcher = new Dispatcher({
      ...options,
      ...{ node, tally, ledger: this.#ledger, resolver: this.#resolver },
    });
    this.#intake = new Intake({
      ...options,
      node,
      ids,
      tally,
      limits: queueLimits,
      dispatcher: this.#dispatcher,
    });
    this.#finder = new Finder({
      store,
      clock,
      waitingFor: (app, environment) => this.#dispatcher.waitingFor(app, environment),
    });
    this.#passers = new Passers(clock, (app) => this.#dispatcher.gateOf(app));
    this.#pauses = new AppPauses(store, clock, {
      setPauses: (pauses) => {
        this.#dispatcher.setPauses(pauses);
        this.#passers.look();
      },
    });
    this.#waits = new Waits(this.#finder, clock);
    this.#canceller = new Canceller({
      ...{ store, node, clock, tally, finder: this.#finder, dispatcher: this.#dispatcher },
      finished: (id) => this.#waits.finished([id]),
    });
    this.#housekeeping = new Housekeeping({
      ...options,
      node,
      inherited: () => this.#takeUp(),
      look: () => this.#pauses.read(),
      lost: () => this.#dispatcher.dropEverything(),
      clockWentBack: () => this.#dispatcher.lookAtDisk(),
    });
  }

  /** Takes up what the store holds, and begins to send. */
  static async start(options: DurableDeliveryOptions): Promise<DurableDelivery> {
    const tally = new QueueTally();
    const delivery = new DurableDelivery(options, tally);
    await delivery.#housekeeping.start();
    await delivery.#pauses.read();
    await delivery.#takeUp();
    void options.store.failed.then(({ message }) => {
      delivery.#state = { state: "failed", detail: message };
      void delivery.#halt();
      options.logger.error({ detail: message }, "the store has failed; nothing is taken or sent any more");
    });
    return delivery;
  }

  get health(): DeliveryHealth {
    return { ...this.#state, queued: this.#tally.notifications, inFlight: this.#dispatcher.inFlight };
  }

  get failed(): Promise<Error> {
    return this.#store.failed;
  }

  waitingFor(app: string, environment: Environment): string | undefined {
    return this.#dispatcher.waitingFor(app, environment);
  }

  status(app: string): AppStatus {
    const pause = this.#dispatcher.pauseOf(app);
    const { notifications, bytes } = this.#tally.of(app);
    const routes = this.#dispatcher.routesOf(app);
    return {
      ...(pause === undefined ? {} : { pause }),
      queued: notifications,
      queuedBytes: bytes,
      inFlight: routes.reduce((sum, { inFlight }) => sum + inFlight, 0),
      routes,
    };
  }

  pause(app: string, reason?: string): Promise<void> {
    return this.#pauses.pause(app, reason);
  }

  resume(app: string): Promise<void> {
    return this.#pauses.resume(app);
  }

  async submit(
    app: string,
    drafts: readonly NotificationDraft[],
    remembering?: Remembering,
  ): Promise<readonly string[]> {
    return (await this.take(app, drafts, remembering)).list();
  }

  take(
    app: string,
    drafts: readonly (NotificationDraft | DraftRun)[],
    remembering?: Remembering,
  ): Promise<NotificationIds> {
    if (!this.#resolver.concerns(drafts)) return this.#take(app, drafts, remembering);
    return this.#resolver.lookUp(app, drafts).then((known) => this.#take(app, drafts, remembering, known));
  }

  #take(
    app: string,
    drafts: readonly (NotificationDraft | DraftRun)[],
    remembering?: Remembering,
    known?: KnownEnvironments,
  ): Promise<NotificationIds> {
    if (this.#state.state === "stopping")
      return Promise.reject(new QueueFullError("The gateway is stopping.", restartSeconds));
    const tellerFor = this.#tellerFor;
    if (tellerFor !== undefined)
      tellRegistrations(drafts, (environment) => tellerFor(app, environment), known);
    return this.#intake.take(app, drafts, remembering, known);
  }

  mayPass(app: string, again: () => void): boolean {
    return this.#passers.mayPass(app, again);
  }

  leavePassing(app: string, again: () => void): void {
    this.#passers.leave(app, again);
  }

  async recall(app: string, key: string): Promise<Recalled | undefined> {
    const found = await this.#store.findRequestKey(app, key);
    if (found === undefined) return undefined;
    const isOld = found.atMs < this.#clock.now() - this.#retention.requestKeysMs;
    return { record: isOld ? undefined : found.record, revision: found.revision };
  }

  async find(app: string, id: string): Promise<NotificationRecord | undefined> {
    const [record] = await this.#finder.find(app, [id]);
    return record;
  }

  inspect(app: string, id: string): Promise<Inspection | undefined> {
    return new Inspector(this.#store, this.#finder).inspect(app, id);
  }

  list(app: string, request: ListRequest): Promise<NotificationPage> {
    return new Lister(this.#store, this.#finder).list(app, request);
  }

  cancel(app: string, id: string): Promise<Cancellation | undefined> {
    return this.#canceller.cancel(app, id);
  }

  waitUntilFinal(
    app: string,
    ids: readonly string[],
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<readonly NotificationRecord[]> {
    return this.#waits.untilFinal(app, ids, timeoutMs, signal);
  }

  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  async #stop(deadlineMs: number): Promise<void> {
    if (this.#state.state === "ready") {
      this.#state = { state: "stopping" };
      await this.#intake.idle();
      await this.#within(deadlineMs, this.#dispatcher.stop());
      await this.#within(diskDeadlineMs, this.#ledger.idle());
      await this.#within(diskDeadlineMs, this.#halt());
      await this.#store.release(this.#node, this.#dispatcher.underWay()).catch(() => undefined);
    }
    this.#dispatcher.end();
    await this.#store.close();
  }

  /** Looks what the store holds: everything at the start, and later what another node has left. */
  async #takeUp(): Promise<void> {
    const summaries = await this.#store.summarize();
    this.#tally.raise(summaries);
    for (const { queue, nextDueAtMs } of summaries)
      if (nextDueAtMs !== undefined) this.#dispatcher.storedOnDisk(queue, nextDueAtMs);
  }

  /** Nothing leaves any more, and nobody waits. Resolves when those who did have been told. */
  #halt(): Promise<void> {
    void this.#dispatcher.stop();
    this.#passers.stop();
    this.#housekeeping.stop();
    return this.#waits.end();
  }

  #within(deadlineMs: number, work: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(resolve, deadlineMs);
      void work.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}

/** When a caller may find the gateway running again. */
const restartSeconds = 5;
/** How long outcomes that are known may take to reach the disk, and what is asked of it to be answered. */
const diskDeadlineMs = 5_000;
