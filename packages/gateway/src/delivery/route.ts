import type { Clock } from "@carillon/apns";
import type { AppGate } from "./app-gate.ts";
import type { RouteStatus } from "./app-status.ts";
import { Awaited } from "./awaited.ts";
import { ConcurrencyLimit } from "./concurrency-limit.ts";
import { EnvironmentSuspicion } from "./environment-suspicion.ts";
import { LaneQueue } from "./lane-queue.ts";
import { LaneShares, lanes, type Waiting } from "./lane-shares.ts";
import type { Environment } from "./notification-draft.ts";
import type { Residency } from "./residency.ts";
import { RouteBreaker } from "./route-breaker.ts";
import type { Sender } from "./sender.ts";

/** How much of a route's room a lane may fill, so that a slow flood in one leaves some to those above it. */
const roomShare: Readonly<Record<Waiting, number>> = { urgent: 1, normal: 0.9, bulk: 0.75, unanswered: 0.25 };

/** While nothing was heard for so long what is overdue says something of the service, not of single devices. */
const silenceMs = 2_000;

/** A route with less in flight than that may send although all together have their fill. */
const ownBytes = 64 * 1024;

/** How much may be in flight. */
export interface RouteLimits {
  /**
   * Notifications on one route that Apple has not answered. Less while Apple is strained. Those that are overdue while others are
   * answered do not count: devices that are never answered take no room from the rest. @default 2,000
   */
  readonly maxUnanswered: number;
  /** Those and the answered ones whose outcome is not on disk: what a crash may send twice. @default 8,000 */
  readonly maxInFlight: number;
  /** Bytes of their payloads. @default 16 MiB */
  readonly maxInFlightBytes: number;
  /** Bytes of payloads on all routes; one with less than 64 KiB may go beyond. @default 64 MiB */
  readonly maxInFlightBytesInAll: number;
}

/** What routes share. */
export interface RouteSurroundings {
  /** The app's, the same for all its routes. */
  readonly gate: AppGate;
  readonly residency: Residency;
  /** Of all routes. */
  readonly inFlight: { bytes: number };
}

/** What may share a connection: one app in one environment, with its own lanes, limits and breaker. */
export class Route {
  readonly app: string;
  readonly environment: Environment;
  readonly lanes: Readonly<Record<Waiting, LaneQueue>>;
  readonly breaker = new RouteBreaker();
  readonly gate: AppGate;
  readonly concurrency: ConcurrencyLimit;
  readonly suspicion = new EnvironmentSuspicion();
  /** Its credentials are refused here, though not in the other environment: nothing is tried here for that one's sake. */
  isClosedToResolving = false;
  /** The sender last used: when another one takes its place the route begins anew. */
  sender: Sender | undefined;
  /** Left, and not settled on disk. */
  inFlight = 0;
  inFlightBytes = 0;
  /** Of those in flight: not answered. */
  readonly #awaited = new Awaited();
  /** When an answer came last, on the monotonic clock. */
  #heardAtMs = Number.NEGATIVE_INFINITY;
  readonly #limits: RouteLimits;
  readonly #inAll: RouteSurroundings["inFlight"];
  readonly #shares = new LaneShares();

  constructor(
    app: string,
    environment: Environment,
    limits: RouteLimits,
    { gate, residency, inFlight }: RouteSurroundings,
  ) {
    this.app = app;
    this.environment = environment;
    this.#limits = limits;
    this.#inAll = inFlight;
    this.gate = gate;
    this.concurrency = new ConcurrencyLimit(limits.maxUnanswered);
    const count = (bytes: number): void => residency.add(app, bytes);
    const queue = (lane: Waiting): LaneQueue => new LaneQueue({ app, environment, lane }, count);
    this.lanes = {
      urgent: queue("urgent"),
      normal: queue("normal"),
      bulk: queue("bulk"),
      unanswered: queue("unanswered"),
    };
  }

  /** Whether one more notification may leave at this moment of the monotonic clock. */
  hasRoom(monotonicMs: number): boolean {
    const { maxInFlight, maxInFlightBytes, maxInFlightBytesInAll } = this.#limits;
    return (
      this.awaited(monotonicMs) < this.concurrency.current &&
      this.inFlight < maxInFlight &&
      this.inFlightBytes < maxInFlightBytes &&
      (this.#inAll.bytes < maxInFlightBytesInAll || this.inFlightBytes < ownBytes) &&
      this.breaker.admits(monotonicMs) &&
      this.gate.admits(monotonicMs)
    );
  }

  /** How many are not answered, without those that are overdue while others are answered. */
  awaited(monotonicMs: number): number {
    return this.#isHeard(monotonicMs)
      ? this.#awaited.fresh(monotonicMs) + this.lanes.unanswered.awaited.overdue(monotonicMs)
      : this.#awaited.count;
  }

  /** The same of a lane. In the lane of what was never answered before all count: it has little room. */
  #awaitedIn(lane: Waiting, monotonicMs: number): number {
    const { awaited } = this.lanes[lane];
    const isAll = lane === "unanswered" || !this.#isHeard(monotonicMs);
    return isAll ? awaited.count : awaited.fresh(monotonicMs);
  }

  #isHeard(monotonicMs: number): boolean {
    return monotonicMs - this.#heardAtMs < silenceMs;
  }

  /** What the route waits for, in a few words; undefined while it is well. */
  get detail(): string | undefined {
    return this.gate.detail ?? this.breaker.detail;
  }

  statusBy(clock: Clock): RouteStatus {
    const { environment, inFlight, breaker, detail } = this;
    const waitingSinceMs = this.#waitingSinceMs(clock);
    return {
      environment,
      inFlight,
      unanswered: this.#awaited.count,
      maxUnanswered: this.concurrency.current,
      breaker: breaker.state,
      ...(detail === undefined ? {} : { waitingFor: detail }),
      ...(waitingSinceMs === undefined ? {} : { waitingSinceMs }),
      isEnvironmentSuspect: this.suspicion.isSuspect,
    };
  }

  #waitingSinceMs(clock: Clock): number | undefined {
    const { sinceMs } = this.breaker;
    if (this.gate.pause !== undefined) return this.gate.pause.sinceMs;
    return sinceMs === undefined ? undefined : clock.now() - (clock.monotonic() - sinceMs);
  }

  /** Whether any lane has a notification in memory that waits. */
  get hasWork(): boolean {
    return lanes.some((lane) => this.lanes[lane].peek() !== undefined);
  }

  /** The lane whose turn it is; undefined when none has anything that may leave. */
  nextLane(monotonicMs: number): LaneQueue | undefined {
    const lane = this.#shares.next((each) => {
      const queue = this.lanes[each];
      const share = roomShare[each];
      return (
        queue.peek() !== undefined &&
        queue.inFlight < this.#limits.maxInFlight * share &&
        this.#awaitedIn(each, monotonicMs) < this.concurrency.current * share
      );
    });
    return lane === undefined ? undefined : this.lanes[lane];
  }

  get queues(): readonly LaneQueue[] {
    return lanes.map((lane) => this.lanes[lane]);
  }

  /** A notification's turn has come. */
  departed(lane: LaneQueue, bytes: number): void {
    this.inFlight += 1;
    this.inFlightBytes += bytes;
    this.#inAll.bytes += bytes;
    lane.inFlight += 1;
  }

  /** An answer is awaited for one that departed. */
  awaits(lane: LaneQueue, leftAtMs: number): void {
    this.#awaited.departed(leftAtMs);
    lane.awaited.departed(leftAtMs);
  }

  /** It came, or will not come. */
  answered(lane: LaneQueue, leftAtMs: number): void {
    this.#awaited.answered(leftAtMs);
    lane.awaited.answered(leftAtMs);
  }

  /** Apple has answered. */
  heard(monotonicMs: number): void {
    this.#heardAtMs = monotonicMs;
  }

  /** So many of them came back or are settled on disk. */
  arrived(lane: LaneQueue, count: number, bytes: number): void {
    this.inFlight -= count;
    this.inFlightBytes -= bytes;
    this.#inAll.bytes -= bytes;
    lane.inFlight -= count;
  }
}
