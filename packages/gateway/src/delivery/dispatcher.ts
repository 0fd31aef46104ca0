import type { Clock, Timer } from "@carillon/apns";
import type { NodeId, QueueKey, Store } from "../store/index.ts";
import type { BatchRun } from "./batch-run.ts";
import type { DeliveryLogger } from "./delivery-logger.ts";
import { Departures } from "./departures.ts";
import type { LaneQueue, Turn } from "./lane-queue.ts";
import type { Flight, Ledger, Written } from "./ledger.ts";
import type { Environment, Lane } from "./notification-draft.ts";
import type { QueueTally } from "./queue-tally.ts";
import { Refill } from "./refill.ts";
import { Route, type RouteLimits } from "./route.ts";
import type { Sender } from "./sender.ts";
import type { RetryBudget } from "./settlement.ts";

/** How much of the queue is held in memory, bytes of batches. */
export interface MemoryLimits {
  /** In all. @default 64 MiB. A lane that has nothing in memory may go beyond, by one fetch. */
  readonly maxResidentBytes: number;
  /** In one lane of one route. @default 8 MiB */
  readonly maxLaneBytes: number;
}

export interface DispatcherOptions {
  readonly store: Store;
  readonly node: NodeId;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: DeliveryLogger;
  readonly tally: QueueTally;
  readonly budget: RetryBudget;
  readonly routeLimits: RouteLimits;
  readonly memory: MemoryLimits;
  senderFor(app: string, environment: Environment): Sender | undefined;
}

/** One route sends so many before the next has its turn. */
const turnsPerRoute = 32;
/** So many are sent before the event loop does something else. */
const turnsPerPump = 512;
/** Times on disk are looked at at least this often, whatever the clock does. */
const longestSleepMs = 1_000;

/** Sends what is due: route after route, in each the lanes by their shares, as far as there is room. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #departures: Departures;
  readonly #refill: Refill;
  readonly #routes = new Map<string, Route>();
  readonly #ring: Route[] = [];
  #isPumpDue = false;
  #isStopped = false;
  #timer: Timer | undefined;
  #whenEmpty: () => void = () => {};

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const wake = (): void => this.wake();
    this.#departures = new Departures({ ...options, wake });
    this.#refill = new Refill({
      ...options,
      wake,
      admits: (lane) => this.#admits(lane),
      adopt: (lane, run) => this.#adopt(lane, run),
    });
  }

  /** Sent, and not settled on disk. */
  get inFlight(): number {
    return this.#ring.reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  /** Whether a batch that is about to be stored should stay in memory: due now, nothing before it on disk, and room. */
  keeps(queue: QueueKey, dueAtMs: number): boolean {
    const lane = this.#lane(queue);
    const isDue = dueAtMs <= this.#options.clock.now();
    return !this.#isStopped && isDue && lane.diskDueAtMs === undefined && this.#admits(lane);
  }

  /** A batch was stored, leased to this node, and is kept in memory. */
  adopt(queue: QueueKey, run: BatchRun): void {
    this.#adopt(this.#lane(queue), run);
    this.wake();
  }

  /** A batch was stored that is only on disk. */
  storedOnDisk(queue: QueueKey, dueAtMs: number): void {
    this.#lane(queue).storedOnDisk(dueAtMs);
    this.wake();
  }

  /** Outcomes are on disk, and so are the batches that carry some notifications on. */
  written({ finals, retried, retries }: Written): void {
    const { tally } = this.#options;
    for (const flight of finals) {
      tally.add(flight.route.app, -1, 0);
      this.#land(flight);
    }
    for (const flight of retried) this.#land(flight);
    for (const { queue, dueAtMs, body } of retries) {
      tally.add(queue.app, 0, body.byteLength);
      this.#lane(queue).storedOnDisk(dueAtMs);
    }
    this.wake();
  }

  /** What a route waits for, in a few words; undefined while it is well. */
  waitingFor(app: string, environment: string): string | undefined {
    return this.#routes.get(routeName(app, environment))?.breaker.detail;
  }

  /** Looks, as soon as the event loop has a moment, whether anything may leave. */
  wake(): void {
    if (this.#isStopped) this.#checkEmpty();
    else if (!this.#isPumpDue) {
      this.#isPumpDue = true;
      setImmediate(() => this.#pump());
    }
  }

  /** This node was found dead and holds nothing any more: all that waits is fetched anew. */
  dropEverything(): void {
    const now = this.#options.clock.now();
    for (const lane of this.#ring.flatMap(({ queues }) => queues)) {
      lane.drop();
      lane.storedOnDisk(now);
    }
    this.wake();
  }

  /** Nothing more leaves. Resolves when nothing is in flight any more. */
  stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
      this.#checkEmpty();
    });
  }

  #checkEmpty(): void {
    if (this.inFlight === 0) this.#whenEmpty();
  }

  #pump(): void {
    this.#isPumpDue = false;
    if (this.#isStopped) return;
    const now = this.#options.clock.now();
    let left = turnsPerPump;
    let hasMore = true;
    while (hasMore && left > 0) {
      hasMore = false;
      for (const route of this.#ring) {
        const sent = this.#serve(route, now, Math.min(turnsPerRoute, left));
        left -= sent;
        hasMore ||= sent === turnsPerRoute;
      }
      this.#rotate();
    }
    for (const route of this.#ring) for (const lane of route.queues) this.#refill.consider(lane, now);
    if (hasMore) this.wake();
    this.#sleep(now);
  }

  /** Sends up to `most` of one route and returns how many. */
  #serve(route: Route, nowMs: number, most: number): number {
    const room = Math.min(most, route.room(nowMs));
    if (room <= 0 || !route.hasWork) return 0;
    const sender = this.#senderOf(route, nowMs);
    if (sender === undefined) return 0;
    const turns: (Turn & { readonly lane: LaneQueue })[] = [];
    while (turns.length < room) {
      const lane = route.nextLane();
      const turn = lane?.peek();
      if (lane === undefined || turn === undefined) break;
      lane.take();
      turns.push({ ...turn, lane });
    }
    this.#departures.depart(route, sender, turns);
    return turns.length;
  }

  /** A new sender means new credentials or a new address: the route begins anew. Without one it pauses. */
  #senderOf(route: Route, nowMs: number): Sender | undefined {
    const sender = this.#options.senderFor(route.app, route.environment);
    if (sender === undefined)
      route.breaker.failed(route.breaker.epoch, "unreachable", "no sender", nowMs, this.#options.random());
    else if (route.sender !== sender && route.sender !== undefined) route.breaker.reset();
    route.sender = sender ?? route.sender;
    return sender;
  }

  #land({ run, route, lane, payloadBytes }: Flight): void {
    route.arrived(lane, 1, payloadBytes);
    run.settled();
    if (run.open > 0) return;
    lane.forget(run);
    this.#options.tally.add(route.app, 0, -run.reader.byteLength);
  }

  #adopt(lane: LaneQueue, run: BatchRun): void {
    lane.push(run);
    if (run.begun.length === 0) return;
    const route = this.#route(lane.key.app, lane.key.environment);
    this.#departures.giveUp(
      route,
      lane,
      run.begun.map((place) => ({ run, place })),
    );
  }

  #admits(lane: LaneQueue): boolean {
    const { maxResidentBytes, maxLaneBytes } = this.#options.memory;
    if (lane.residentBytes === 0) return true;
    const inAll = this.#ring.reduce((sum, { queues }) => sum + sumOf(queues), 0);
    return lane.residentBytes < maxLaneBytes && inAll < maxResidentBytes;
  }

  #lane({ app, environment, lane }: QueueKey): LaneQueue {
    return this.#route(app, environment).lanes[lane as Lane];
  }

  #route(app: string, environment: string): Route {
    const name = routeName(app, environment);
    let route = this.#routes.get(name);
    if (route === undefined) {
      route = new Route(app, environment as Environment, this.#options.routeLimits);
      this.#routes.set(name, route);
      this.#ring.push(route);
    }
    return route;
  }

  /** Another route is the first next time. */
  #rotate(): void {
    const first = this.#ring.shift();
    if (first !== undefined) this.#ring.push(first);
  }

  /** Until a pause ends or something on disk is due. */
  #sleep(nowMs: number): void {
    this.#timer?.cancel();
    const times = this.#ring.flatMap(({ breaker, hasWork, queues }) => [
      hasWork ? breaker.untilMs : undefined,
      ...queues.map(({ diskDueAtMs, isClaiming }) => (isClaiming ? undefined : diskDueAtMs)),
    ]);
    const next = Math.min(...times.filter((time) => time !== undefined && time > nowMs).map(Number));
    if (next === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.min(next - nowMs, longestSleepMs);
    this.#timer = this.#options.clock.setTimer(() => this.wake(), delayMs);
  }
}

function routeName(app: string, environment: string): string {
  return `${environment} ${app}`;
}

function sumOf(queues: readonly LaneQueue[]): number {
  return queues.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
}
