import type { Clock, Notification, Outcome } from "@carillon/apns";
import type { WantedPush } from "./frame-reader.ts";
import { ResentMemory } from "./resent-memory.ts";

/** The way to Apple; `ApnsClient` is one. */
export interface PassThroughSender {
  send(notification: Notification, options: { readonly attempts: number }): Promise<Outcome>;
}

/** What holds back an app's pushes: a pause, or its rate. */
export interface PassThroughGate {
  /** Whether one may leave now, which is then counted. Otherwise `again` is called once, when it is worth asking again. */
  mayPass(again: () => void): boolean;
  /** `again` will not be called any more. */
  leave(again: () => void): void;
}

export interface PassThroughRouteOptions {
  readonly sender: PassThroughSender;
  readonly gate: PassThroughGate;
  readonly clock: Clock;
  /** Times that one is tried. */
  readonly attempts: number;
}

/** Pushes of one app in flight, of all its connections. Half of what its client holds at most; the queue has the rest. */
const mostInFlight = 4_000;

/** What all connections of one app share in pass-through mode. */
export class PassThroughRoute {
  readonly resent: ResentMemory;
  readonly #options: PassThroughRouteOptions;
  #inFlight = 0;
  readonly #waiting = new Set<() => void>();

  constructor(options: PassThroughRouteOptions) {
    this.resent = new ResentMemory(options.clock);
    this.#options = options;
  }

  /**
   * Whether one may be sent now. Otherwise `again` is called when it is worth asking again: soon where there is only no room, and
   * whenever that may be where the app is held.
   */
  admits(again: () => void): "yes" | "full" | "held" {
    if (this.#inFlight >= mostInFlight) {
      this.#waiting.add(again);
      return "full";
    }
    return this.#options.gate.mayPass(again) ? "yes" : "held";
  }

  /** `again` will not be called any more. */
  leave(again: () => void): void {
    this.#waiting.delete(again);
    this.#options.gate.leave(again);
  }

  async send(push: WantedPush): Promise<Outcome> {
    this.#inFlight += 1;
    const { deviceToken, payload, topic, pushType, priority, expirationSeconds } = push;
    try {
      return await this.#options.sender.send(
        {
          ...{ deviceToken: deviceToken.toString("hex"), payload, topic },
          ...(pushType === undefined ? {} : { pushType }),
          ...(priority === undefined ? {} : { priority }),
          ...(expirationSeconds === undefined ? {} : { expiration: expirationSeconds }),
        },
        { attempts: this.#options.attempts },
      );
    } finally {
      this.#inFlight -= 1;
      const [next] = this.#waiting;
      if (next !== undefined) {
        this.#waiting.delete(next);
        next();
      }
    }
  }
}
