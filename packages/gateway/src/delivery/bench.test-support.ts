import type { Clock, Outcome, PreparedNotification, Timer } from "@carillon/apns";
import { type Store, StoreFailedError, StoreFullError } from "../store/index.ts";
import { openMemoryDatabase, startMemoryStore } from "../store/memory-store.test-support.ts";
import { DurableDelivery, type DurableDeliveryOptions } from "./durable-delivery.ts";
import type { NotificationDraft } from "./notification-draft.ts";
import { defaults } from "./open-delivery.ts";
import type { Sender } from "./sender.ts";

/** A clock that stands still until it is told to go on. */
export class ManualClock implements Clock {
  #nowMs = 1_700_000_000_000;
  #passedMs = 0;
  #timers: { readonly atMs: number; readonly fire: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#passedMs;
  }

  setTimer(fire: () => void, ms: number): Timer {
    const timer = { atMs: this.#passedMs + Math.max(ms, 0), fire };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((each) => each !== timer);
      },
    };
  }

  /** The clock on the wall is set anew; nothing passes. */
  jump(ms: number): void {
    this.#nowMs += ms;
  }

  /** Lets time pass, timer by timer, with the event loop coming to rest after each. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#passedMs + ms;
    for (;;) {
      await rest();
      const [next] = [...this.#timers].sort((one, other) => one.atMs - other.atMs);
      if (next === undefined || next.atMs > endMs) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#goTo(next.atMs);
      next.fire();
    }
    this.#goTo(endMs);
    await rest();
  }

  #goTo(passedMs: number): void {
    const ms = Math.max(passedMs - this.#passedMs, 0);
    this.#passedMs += ms;
    this.#nowMs += ms;
  }
}

/** Resolves when the event loop has nothing of ours left to do. Stores in this thread take a turn or two for an answer. */
export async function rest(turns = 40): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
}

/** A way to Apple whose answers the test gives. */
export class FakeSender implements Sender {
  /** Everything that ever left, in order. */
  readonly sent: PreparedNotification[] = [];
  /** What is not answered yet, in order. */
  readonly open: {
    readonly notification: PreparedNotification;
    readonly answer: (outcome: Outcome) => void;
  }[] = [];
  /** Answers at once where it gives an outcome; may throw. */
  reply: (notification: PreparedNotification) => Outcome | undefined;

  constructor(reply: FakeSender["reply"] = () => undefined) {
    this.reply = reply;
  }

  sendPrepared<Given extends PreparedNotification>(
    notification: Given,
    settled: (outcome: Outcome, notification: Given) => void,
  ): void {
    this.sent.push(notification);
    const outcome = this.reply(notification);
    // As over a network: not before the sender's caller goes on.
    if (outcome !== undefined) queueMicrotask(() => settled(outcome, notification));
    else this.open.push({ notification, answer: (answer) => settled(answer, notification) });
  }

  /** Answers the first `count` of those that wait. */
  answer(outcomeOf: (notification: PreparedNotification) => Outcome, count = this.open.length): void {
    for (const { notification, answer } of this.open.splice(0, count)) answer(outcomeOf(notification));
  }
}

export function accepted({ apnsId }: PreparedNotification): Outcome {
  return { kind: "accepted", apnsId, attempts: 1 };
}

export function unavailable({ apnsId }: PreparedNotification): Outcome {
  return { kind: "rejected", apnsId, attempts: 1, status: 503, reason: "ServiceUnavailable" };
}

export function badToken({ apnsId }: PreparedNotification): Outcome {
  return { kind: "rejected", apnsId, attempts: 1, status: 400, reason: "BadDeviceToken" };
}

export function wrongKey({ apnsId }: PreparedNotification): Outcome {
  return { kind: "rejected", apnsId, attempts: 1, status: 403, reason: "InvalidProviderToken" };
}

export function noAnswer({ apnsId }: PreparedNotification): Outcome {
  return { kind: "indeterminate", apnsId, attempts: 1, cause: "timeout" };
}

export function unreachable({ apnsId }: PreparedNotification): Outcome {
  return { kind: "unprocessed", apnsId, attempts: 0, cause: "not-written", detail: "connect ECONNREFUSED" };
}

let devices = 0;

/** One notification to a device of its own, or to several. */
export function draft(
  fields: Partial<NotificationDraft> & { readonly devices?: number } = {},
): NotificationDraft {
  const { devices: count = 1, ...rest } = fields;
  return {
    deviceTokens: Array.from({ length: count }, () => (devices++).toString(16).padStart(64, "0")),
    payload: Buffer.from('{"aps":{}}'),
    topic: "com.example",
    pushType: "alert",
    lane: "urgent",
    delivery: "at-least-once",
    environment: "sandbox",
    ...rest,
  };
}

/** A store whose disk the test holds. */
class HeldStore {
  readonly store: Store;
  /** Settlements, adds and claims are refused with this while it is set. */
  fault: "full" | "failed" | undefined;
  /** This method alone finds the disk full. */
  refuses: keyof Store | undefined;
  /** Closing does nothing, so that a test can look at what a stop has left. */
  keepsOpen = false;
  /** Names of the methods that were called, in order. */
  readonly calls: string[] = [];
  /** Those that showed themselves. */
  readonly nodes = new Set<string>();
  #gate: { readonly method: string; readonly opened: Promise<void>; readonly open: () => void } | undefined;

  constructor(store: Store) {
    this.store = new Proxy(store, {
      get: (target, name: keyof Store) => {
        const member = target[name];
        if (typeof member !== "function") return member;
        return async (...args: never[]) => {
          this.calls.push(name);
          if (name === "heartbeat") this.nodes.add(args[0] ?? "");
          if (name === "close" && this.keepsOpen) return undefined;
          if (this.#gate?.method === name) await this.#gate.opened;
          const isFull = this.fault === "full" || this.refuses === name;
          if (isFull && name !== "close") throw new StoreFullError("The disk is full.");
          if (this.fault === "failed" && name !== "close") throw new StoreFailedError("disk I/O error");
          return (member as (...args: never[]) => unknown).apply(target, args);
        };
      },
    });
  }

  /** Calls of this method wait until the returned function is called. */
  hold(method: keyof Store): () => void {
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#gate = { method, opened, open };
    return () => {
      this.#gate = undefined;
      open();
    };
  }
}

export interface Bench {
  readonly delivery: DurableDelivery;
  readonly clock: ManualClock;
  readonly held: HeldStore;
  /** The store itself, which answers whatever `held` does. */
  readonly store: Store;
  readonly log: string[];
  /** Takes the delivery away as a kill would, and begins another one on the same store. */
  restart(): Promise<DurableDelivery>;
}

/** A delivery on a store in memory, with a clock that the test holds. */
export async function openBench({
  senderFor = () => undefined,
  ...options
}: Partial<DurableDeliveryOptions>): Promise<Bench> {
  const clock = new ManualClock();
  const database = openMemoryDatabase();
  const open = (): Store => startMemoryStore(database, () => clock.now());
  const store = open();
  const log: string[] = [];
  const note = (_fields: object, message: string): void => void log.push(message);
  let lives = 0;
  const start = (held: HeldStore): Promise<DurableDelivery> => {
    lives += 1;
    const life = lives;
    return DurableDelivery.start({
      ...defaults,
      ...{ clock, random: () => 0.5, logger: { info: note, warn: note, error: note } },
      rateOf: () => undefined,
      ...options,
      store: held.store,
      senderFor: (app, environment) => (life === lives ? senderFor(app, environment) : undefined),
    });
  };
  const held = new HeldStore(store);
  let current = held;
  return {
    ...{ clock, held, store, log },
    delivery: await start(held),
    async restart() {
      current.fault = "failed";
      await rest();
      current = new HeldStore(open());
      return start(current);
    },
  };
}
