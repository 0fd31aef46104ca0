import { LaneQueue } from "./lane-queue.ts";
import { LaneShares, lanes } from "./lane-shares.ts";
import type { Environment, Lane } from "./notification-draft.ts";
import { RouteBreaker } from "./route-breaker.ts";
import type { Sender } from "./sender.ts";

/** How much of a route's room a lane may fill, so that a slow flood in one leaves some to those above it. */
const roomShare: Readonly<Record<Lane, number>> = { urgent: 1, normal: 0.9, bulk: 0.75 };

/** How much may be in flight on one route. */
export interface RouteLimits {
  /** Notifications. @default 2,000 */
  readonly maxInFlight: number;
  /** Bytes of their payloads. @default 16 MiB */
  readonly maxInFlightBytes: number;
}

/** What may share a connection: one app in one environment, with its own lanes, limits and breaker. */
export class Route {
  readonly app: string;
  readonly environment: Environment;
  readonly lanes: Readonly<Record<Lane, LaneQueue>>;
  readonly breaker = new RouteBreaker();
  /** The sender last used: when another one takes its place the route begins anew. */
  sender: Sender | undefined;
  inFlight = 0;
  inFlightBytes = 0;
  readonly #limits: RouteLimits;
  readonly #shares = new LaneShares();

  constructor(app: string, environment: Environment, limits: RouteLimits) {
    this.app = app;
    this.environment = environment;
    this.#limits = limits;
    const queue = (lane: Lane): LaneQueue => new LaneQueue({ app, environment, lane });
    this.lanes = { urgent: queue("urgent"), normal: queue("normal"), bulk: queue("bulk") };
  }

  /** Whether one more notification may leave at this moment of the monotonic clock. */
  hasRoom(monotonicMs: number): boolean {
    return (
      this.inFlight < this.#limits.maxInFlight &&
      this.inFlightBytes < this.#limits.maxInFlightBytes &&
      this.breaker.admits(monotonicMs)
    );
  }

  /** Whether any lane has a notification in memory that waits. */
  get hasWork(): boolean {
    return lanes.some((lane) => this.lanes[lane].peek() !== undefined);
  }

  /** The lane whose turn it is; undefined when none has anything that may leave. */
  nextLane(): LaneQueue | undefined {
    const lane = this.#shares.next((each) => {
      const queue = this.lanes[each];
      return queue.inFlight < this.#limits.maxInFlight * roomShare[each] && queue.peek() !== undefined;
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
    lane.inFlight += 1;
  }

  /** So many of them came back or are settled on disk. */
  arrived(lane: LaneQueue, count: number, bytes: number): void {
    this.inFlight -= count;
    this.inFlightBytes -= bytes;
    lane.inFlight -= count;
  }
}
