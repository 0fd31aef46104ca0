import { ApnsClient, type Notification, type Outcome } from "@carillon/apns";
import type { SendPlan } from "./send-plan.ts";

/** How long the last courtesies may take: the library's own deadline, then a good-bye to the server. */
const graceMs = 250;
const mostConnectMs = 10_000;

/**
 * Sends all at once and tells each outcome as it comes. Ends within `remainingMs` and a moment, whatever the server does.
 *
 * Connections that fail count as attempts: `attempts` of them in a row, with no answer between, end the waiting.
 */
export async function sendNotifications(
  plan: SendPlan,
  remainingMs: number,
  tell: (notification: Notification, outcome: Outcome) => void,
): Promise<void> {
  const giveUp = new AbortController();
  let failures = 0;
  let lastFailure: string | undefined;
  const client = new ApnsClient({
    ...plan.target,
    deadlineMs: remainingMs,
    connectTimeoutMs: Math.min(remainingMs, mostConnectMs),
    retry: { attempts: plan.attempts },
    onEvent(event) {
      if (event.kind !== "connection-ended" || event.cause === "retired") return;
      failures += 1;
      lastFailure = event.detail;
      if (failures >= plan.attempts) giveUp.abort();
    },
  });
  const timer = setTimeout(() => giveUp.abort(), remainingMs + graceMs);
  try {
    await Promise.all(
      plan.notifications.map(async (notification) => {
        const outcome = await client.send(notification, { signal: giveUp.signal });
        failures = 0;
        tell(notification, withReason(outcome, giveUp.signal.aborted ? lastFailure : undefined));
      }),
    );
  } finally {
    clearTimeout(timer);
  }
  await within(graceMs, client.close({ deadlineMs: graceMs }));
}

/** Given up by us, the connection's failure is why. */
function withReason(outcome: Outcome, failure: string | undefined): Outcome {
  const isOpen = outcome.kind === "unprocessed" || outcome.kind === "indeterminate";
  return isOpen && failure !== undefined ? { ...outcome, detail: failure } : outcome;
}

async function within(deadlineMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
