import type { Clock, Notification, Outcome } from "@carillon/apns";
import type { WantedPush } from "./frame-reader.ts";
import { ResentMemory } from "./resent-memory.ts";

/** The way to Apple; `ApnsClient` is one. */
export interface PassThroughSender {
  send(notification: Notification, options: { readonly attempts: number }): Promise<Outcome>;
}

/** Pushes of one app in flight, of all its connections. Half of what its client holds at most; the queue has the rest. */
const mostInFlight = 4_000;

/** What all connections of one app share in pass-through mode. */
export class PassThroughRoute {
  readonly resent: ResentMemory;
  readonly #sender: PassThroughSender;
  readonly #attempts: number;
  readonly #most: number;
  #inFlight = 0;
  readonly #waiting = new Set<() => void>();

  constructor(sender: PassThroughSender, clock: Clock, attempts: number, most = mostInFlight) {
    this.resent = new ResentMemory(clock);
    this.#sender = sender;
    this.#attempts = attempts;
    this.#most = most;
  }

  /** Whether there is room for one more; otherwise `again` is called when there is. */
  hasRoom(again: () => void): boolean {
    if (this.#inFlight < this.#most) return true;
    this.#waiting.add(again);
    return false;
  }

  async send(push: WantedPush): Promise<Outcome> {
    this.#inFlight += 1;
    const { deviceToken, payload, topic, pushType, priority, expirationSeconds } = push;
    try {
      return await this.#sender.send(
        {
          ...{ deviceToken: deviceToken.toString("hex"), payload, topic },
          ...(pushType === undefined ? {} : { pushType }),
          ...(priority === undefined ? {} : { priority }),
          ...(expirationSeconds === undefined ? {} : { expiration: expirationSeconds }),
        },
        { attempts: this.#attempts },
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
