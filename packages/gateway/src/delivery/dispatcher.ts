import type { Clock, Timer } from "@carillon/apns";
import type { BatchId, NodeId, QueueKey, Store, StoredPause } from "../store/index.ts";
import { AppGate, type AppPause } from "./app-gate.ts";
import type { RouteStatus } from "./app-status.ts";
import type { BatchRun } from "./batch-run.ts";
import type { DeliveryLogger } from "./delivery-logger.ts";
import { Departures, type Moment } from "./departures.ts";
import type { EnvironmentResolver } from "./environment-resolver.ts";
import type { LaneQueue } from "./lane-queue.ts";
import type { Waiting } from "./lane-shares.ts";
import type { Ledger, Written } from "./ledger.ts";
import { type Environment, otherEnvironment } from "./notification-draft.ts";
import type { QueueTally } from "./queue-tally.ts";
import { Refill } from "./refill.ts";
import { type MemoryLimits, Residency } from "./residency.ts";
import { Route, type RouteLimits } from "./route.ts";
import type { RouteTeller } from "./route-teller.ts";
import type { Sender } from "./sender.ts";
import type { RetryBudget } from "./settlement.ts";

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
  readonly resolver: EnvironmentResolver;
  senderFor(app: string, environment: Environment): Sender | undefined;
  /** Hears what happens on a route. @default nobody does */
  tellerFor?(app: string, environment: string): RouteTeller;
  /** Notifications a second that an app may send; undefined for as many as go. */
  rateOf(app: string): number | undefined;
}

/** One route sends so many before the next has its turn. */
const turnsPerRoute = 32;
/** So many are sent before the event loop does something else. */
const turnsPerPump = 512;
/** A rate is looked after so often at most; what that is late is made good. */
const shortestSleepMs = 5;
/** Times on disk are looked at at least this often, whatever the clock does. */
const longestSleepMs = 1_000;

/** Sends what is due: route after route, in each the lanes by their shares, as far as there is room. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #departures: Departures;
  readonly #refill: Refill;
  readonly #routes = new Map<string, Route>();
  readonly #ring: Route[] = [];
  readonly #gates = new Map<string, AppGate>();
  readonly #residency: Residency;
  readonly #inFlightInAll = { bytes: 0 };
  #isPumpDue = false;
  #isStopped = false;
  #timer: Timer | undefined;
  #whenEmpty: () => void = () => {};

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#residency = new Residency(options.memory);
    const wake = (): void => this.wake();
    this.#departures = new Departures({
      ...options,
      wake,
      otherRoute: ({ app, environment }) => this.#route(app, otherEnvironment(environment)),
    });
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

  /** Whether a batch that is about to be stored should stay in memory: due now, nothing due on disk, and room. */
  keeps(queue: QueueKey, dueAtMs: number): boolean {
    if (this.#isStopped) return false;
    const lane = this.#lane(queue);
    const now = this.#options.clock.now();
    const isBehindOthers = lane.isClaiming || (lane.diskDueAtMs !== undefined && lane.diskDueAtMs <= now);
    return dueAtMs <= now && !isBehindOthers && this.#admits(lane);
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
  written({ batches, retries }: Written): void {
    const { tally } = this.#options;
    for (const { run, lane, route, landed, landedBytes, settled, open } of batches) {
      // Counted by what the store says: others may have settled some of them before.
      tally.add(route.app, -settled, settled > 0 && open === 0 ? -run.reader.byteLength : 0);
      route.arrived(lane, landed, landedBytes);
      run.settled(landed);
      if (run.open === 0) lane.forget(run);
    }
    for (const { queue, count, dueAtMs, body } of retries) {
      tally.add(queue.app, count, body.byteLength);
      this.#lane(queue).storedOnDisk(dueAtMs);
    }
    this.wake();
  }

  /** Takes one out that waits in memory, so that it does not leave while it is cancelled. */
  withdraw(queue: QueueKey, batch: BatchId, place: number): BatchRun | "under-way" | "elsewhere" {
    return this.#lane(queue).withdraw(batch, place);
  }

  /** One that was taken out goes in again. */
  putBack(queue: QueueKey, run: BatchRun, place: number): void {
    this.#lane(queue).putBack({ run, place });
    this.wake();
  }

  /** One that was taken out stays out: it is settled on disk, or no longer this node's. */
  leaveOut(queue: QueueKey, run: BatchRun): void {
    run.settled(1);
    if (run.open === 0) this.#lane(queue).forget(run);
    this.wake();
  }

  /** What a route waits for, in a few words; undefined while it is well. */
  waitingFor(app: string, environment: string): string | undefined {
    return this.#routes.get(routeName(app, environment))?.detail ?? this.#gate(app).detail;
  }

  /** These apps send nothing, all others may. What is in flight stays so. */
  setPauses(pauses: readonly StoredPause[]): void {
    for (const gate of this.#gates.values()) gate.pause = undefined;
    for (const { app, ...pause } of pauses) this.#gate(app).pause = pause;
    this.wake();
  }

  /** What holds for the app, whoever sends for it. */
  gateOf(app: string): AppGate {
    return this.#gate(app);
  }

  /** The app's pause; undefined while it may send. */
  pauseOf(app: string): AppPause | undefined {
    return this.#gate(app).pause;
  }

  /** In the order of their names. */
  routesOf(app: string): readonly RouteStatus[] {
    return this.#ring
      .filter((route) => route.app === app)
      .map((route) => route.statusBy(this.#options.clock))
      .sort((one, other) => one.environment.localeCompare(other.environment));
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
    for (const { queues } of this.#ring) for (const lane of queues) lane.drop();
    this.lookAtDisk();
  }

  /** There may be more on disk that is due than was known. */
  lookAtDisk(): void {
    const nowMs = this.#options.clock.now();
    for (const { queues } of this.#ring) for (const lane of queues) lane.storedOnDisk(nowMs);
    this.wake();
  }

  /** The batches of which something has left whose outcome is not on disk. */
  underWay(): readonly BatchId[] {
    if (this.inFlight === 0) return [];
    return this.#ring.flatMap(({ queues }) => queues.flatMap((lane) => lane.underWay()));
  }

  /** After `stop`, when what is under way was handed back: what comes of it here is not told any more. */
  end(): void {
    this.#departures.end();
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
    const { clock } = this.#options;
    const nowMs = clock.now();
    const monotonicMs = clock.monotonic();
    const moment = { nowMs, monotonicMs };
    let left = turnsPerPump;
    let hasMore = true;
    while (hasMore && left > 0) {
      hasMore = false;
      for (const route of this.#ring) {
        const sent = this.#serve(route, Math.min(turnsPerRoute, left), moment);
        left -= sent;
        hasMore ||= sent === turnsPerRoute;
      }
      this.#rotate();
    }
    this.#departures.begin();
    for (const route of this.#ring) for (const lane of route.queues) this.#refill.consider(lane, nowMs);
    // With nothing left some routes had less than their turn.
    if (left <= 0) this.wake();
    this.#sleep(nowMs, monotonicMs);
  }

  /** Sends up to `most` of one route and returns how many. */
  #serve(route: Route, most: number, moment: Moment): number {
    const { monotonicMs } = moment;
    if (!route.hasWork) return 0;
    const sender = this.#senderOf(route);
    let sent = 0;
    while (sent < most && route.hasRoom(monotonicMs)) {
      if (sender === undefined) {
        const { breaker } = route;
        breaker.failed(breaker.epoch, "unreachable", "no sender", monotonicMs, this.#options.random());
        break;
      }
      const lane = route.nextLane(monotonicMs);
      const turn = lane?.peek();
      if (lane === undefined || turn === undefined) break;
      lane.take();
      if (this.#departures.depart(route, lane, turn, sender, moment)) route.gate.rate?.take(monotonicMs);
      sent += 1;
    }
    return sent;
  }

  /** A new sender means new credentials or a new address: the route begins anew. */
  #senderOf(route: Route): Sender | undefined {
    const sender = this.#options.senderFor(route.app, route.environment);
    if (sender !== undefined && route.sender !== sender) {
      route.breaker.reset();
      route.concurrency.restart(route.inFlight);
      route.isClosedToResolving = false;
      route.sender = sender;
    }
    return sender;
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
    return this.#residency.admits(lane.key.app, lane.residentBytes);
  }

  #lane({ app, environment, lane }: QueueKey): LaneQueue {
    return this.#route(app, environment).lanes[lane as Waiting];
  }

  #route(app: string, environment: string): Route {
    const name = routeName(app, environment);
    let route = this.#routes.get(name);
    if (route === undefined) {
      route = new Route(app, environment as Environment, this.#options.routeLimits, {
        gate: this.#gate(app),
        residency: this.#residency,
        inFlight: this.#inFlightInAll,
      });
      this.#routes.set(name, route);
      this.#ring.push(route);
    }
    return route;
  }

  #gate(app: string): AppGate {
    let gate = this.#gates.get(app);
    if (gate === undefined) {
      gate = new AppGate(this.#options.rateOf(app));
      this.#gates.set(app, gate);
    }
    return gate;
  }

  /** Another route is the first next time. */
  #rotate(): void {
    const first = this.#ring.shift();
    if (first !== undefined) this.#ring.push(first);
  }

  /** Until a pause ends or something on disk is due. A route that is not well is looked at now and then. */
  #sleep(nowMs: number, monotonicMs: number): void {
    this.#timer?.cancel();
    let delayMs = Number.POSITIVE_INFINITY;
    for (const route of this.#ring) {
      const { breaker, gate, queues } = route;
      if (gate.pause !== undefined) continue;
      if (breaker.detail !== undefined && route.hasWork) {
        const pauseMs = (breaker.untilMs ?? Number.POSITIVE_INFINITY) - monotonicMs;
        delayMs = Math.min(delayMs, pauseMs > 0 ? pauseMs : longestSleepMs, longestSleepMs);
      }
      const rateMs = (gate.rate?.opensAtMs ?? monotonicMs) - monotonicMs;
      if (rateMs > 0 && route.hasWork) delayMs = Math.min(delayMs, Math.max(rateMs, shortestSleepMs));
      for (const { diskDueAtMs, isClaiming } of queues)
        if (diskDueAtMs !== undefined && diskDueAtMs > nowMs && !isClaiming)
          delayMs = Math.min(delayMs, diskDueAtMs - nowMs, longestSleepMs);
    }
    if (delayMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#options.clock.setTimer(() => this.wake(), delayMs);
  }
}

function routeName(app: string, environment: string): string {
  return `${environment} ${app}`;
}
