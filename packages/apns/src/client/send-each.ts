import type { Notification } from "../notification/index.ts";
import type { Outcome } from "../response/index.ts";
import { ApnsError } from "../runtime/index.ts";

/** Taken from the iterable and not yielded yet, at most. */
const mostAtOnce = 10_000;

export interface Sent {
  readonly notification: Notification;
  readonly outcome: Outcome | ApnsError;
}

/** Sends with back-pressure: the source is asked for more only while fewer than `mostAtOnce` are taken and not yielded. */
export async function* sendEach(
  source: Iterable<Notification> | AsyncIterable<Notification>,
  send: (notification: Notification) => Promise<Outcome>,
): AsyncGenerator<Sent, void> {
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const done: Sent[] = [];
  let underWay = 0;
  let wake: (() => void) | undefined;
  const finished = (notification: Notification, outcome: Outcome | ApnsError): void => {
    underWay -= 1;
    done.push({ notification, outcome });
    wake?.();
  };
  let hasMore = true;
  try {
    while (hasMore || underWay > 0 || done.length > 0) {
      while (hasMore && underWay + done.length < mostAtOnce) {
        const next = await iterator.next();
        if (next.done === true) {
          hasMore = false;
          break;
        }
        const notification = next.value;
        underWay += 1;
        send(notification).then(
          (outcome) => finished(notification, outcome),
          (error: unknown) => finished(notification, asApnsError(error)),
        );
        if (done.length > 0) break;
      }
      if (done.length === 0 && underWay > 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = undefined;
      }
      yield* done.splice(0);
    }
  } finally {
    if (hasMore) await iterator.return?.();
  }
}

function asApnsError(error: unknown): ApnsError {
  if (error instanceof ApnsError) return error;
  throw error;
}
