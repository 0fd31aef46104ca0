import { ApnsError, type Clock, type Outcome } from "@carillon/apns";
import { writeAttempt } from "./attempt-line.ts";
import type { BatchEntry } from "./batch/format.ts";
import type { DeliveryLogger } from "./delivery-logger.ts";
import type { LaneQueue, Turn } from "./lane-queue.ts";
import type { Flight, Ledger } from "./ledger.ts";
import { notificationId, parseNotificationId } from "./notification-id.ts";
import type { Route } from "./route.ts";
import type { Sender, SenderNotification } from "./sender.ts";
import { isExpired, type RetryBudget, settle, settleExpired, type Verdict } from "./settlement.ts";

export interface DeparturesOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** From 0 to 1, exclusive. */
  readonly random: () => number;
  readonly budget: RetryBudget;
  readonly logger: DeliveryLogger;
  /** Notifications came back that may leave again. */
  readonly wake: () => void;
}

interface Departure {
  readonly flight: Flight;
  readonly entry: BatchEntry;
}

/** Hands notifications to their sender, and what comes back to settlement and ledger. */
export class Departures {
  readonly #options: DeparturesOptions;
  /** At-most-once, and not written down yet. */
  #guarded: { readonly departure: Departure; readonly sender: Sender }[] = [];

  constructor(options: DeparturesOptions) {
    this.#options = options;
  }

  /** Sends this one unless it has expired. If it is at-most-once it waits for `begin`. */
  depart(route: Route, lane: LaneQueue, turn: Turn, sender: Sender, nowMs: number): void {
    const departure = this.#board(route, lane, turn);
    const { flight, entry } = departure;
    if (isExpired(entry.settings.expirationSeconds, nowMs)) {
      this.#conclude(departure, settleExpired(entry.origin?.doubt ?? false), "");
      return;
    }
    route.breaker.leaves();
    if (flight.run.delivery === "at-most-once") this.#guarded.push({ departure, sender });
    else this.#send(departure, sender);
  }

  /** Writes down which of those that departed are at-most-once; they leave when that is on disk. */
  begin(): void {
    if (this.#guarded.length === 0) return;
    void this.#sendGuarded(this.#guarded);
    this.#guarded = [];
  }

  /** At-most-once, and begun by a process that is gone: nobody knows whether they left. */
  giveUp(route: Route, lane: LaneQueue, turns: readonly Turn[]): void {
    for (const turn of turns)
      this.#conclude(this.#board(route, lane, turn), { kind: "unknown", reason: "gateway-stopped" }, "");
  }

  #board(route: Route, lane: LaneQueue, { run, place }: Turn): Departure {
    const entry = run.reader.entry(place);
    const payloadBytes = entry.payload.byteLength;
    route.departed(lane, payloadBytes);
    const id = entry.origin?.id ?? notificationId(run.id, place);
    return { entry, flight: { run, place, lane, route, id, payloadBytes } };
  }

  async #sendGuarded(guarded: readonly { departure: Departure; sender: Sender }[]): Promise<void> {
    const held = new Set(await this.#options.ledger.begin(guarded.map(({ departure }) => departure.flight)));
    for (const { departure, sender } of guarded) {
      const { flight } = departure;
      // Whoever holds the batch now may send it, and then nobody else may.
      if (held.has(flight) && flight.lane.holds(flight.run)) this.#send(departure, sender);
      else {
        flight.route.arrived(flight.lane, 1, flight.payloadBytes);
        flight.route.breaker.withdrawn(flight.route.breaker.epoch, this.#options.clock.monotonic());
      }
    }
    this.#options.wake();
  }

  #send(departure: Departure, sender: Sender): void {
    const { epoch } = departure.flight.route.breaker;
    const notification = senderNotification(departure);
    let sent: Promise<Outcome>;
    try {
      sent = sender.send(notification);
    } catch (error) {
      sent = Promise.reject(error);
    }
    sent.then(
      (outcome) => this.#arrive(departure, outcome, epoch),
      (error: unknown) => this.#refuse(departure, notification.apnsId, error, epoch),
    );
  }

  /** The sender sent nothing: because this notification is wrong, or for reasons of its own. */
  #refuse(departure: Departure, apnsId: string, error: unknown, epoch: number): void {
    if (error instanceof ApnsError && error.code === "bad-notification") {
      const fields = error.problems.map(({ field }) => field).join(", ");
      departure.flight.route.breaker.withdrawn(epoch, this.#options.clock.monotonic());
      this.#conclude(departure, { kind: "rejected", reason: `bad-notification: ${fields}` }, "");
    } else this.#arrive(departure, notSent(apnsId, error), epoch);
  }

  #arrive(departure: Departure, outcome: Outcome, epoch: number): void {
    const { entry, flight } = departure;
    const { clock, random, budget } = this.#options;
    const nowMs = clock.now();
    const { expirationSeconds } = entry.settings;
    const verdict = settle(
      outcome,
      {
        attempts: (entry.origin?.attempts ?? 0) + 1,
        doubt: entry.origin?.doubt ?? false,
        sinceMs: sinceOf(departure),
        nowMs,
        delivery: flight.run.delivery,
        ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
      },
      budget,
      random(),
    );
    this.#tellBreaker(flight.route, outcome, verdict, epoch);
    if (outcome.kind === "accepted" && entry.origin === undefined) this.#options.ledger.accepted(flight);
    else this.#conclude(departure, verdict, writeAttempt(outcome, nowMs));
  }

  #conclude(departure: Departure, verdict: Verdict, attempts: string): void {
    const { ledger, wake } = this.#options;
    const { flight } = departure;
    const origin = parseNotificationId(flight.id);
    const note = { batch: origin?.batch ?? flight.run.id, place: origin?.place ?? flight.place, attempts };
    switch (verdict.kind) {
      case "accepted":
      case "expired":
        ledger.ended(flight, { ...note, status: verdict.kind });
        break;
      case "rejected":
      case "unknown":
        ledger.ended(flight, { ...note, status: verdict.kind, reason: verdict.reason });
        break;
      case "retry": {
        const entry = entryAgain(departure, verdict.doubt);
        const { delivery } = flight.run;
        ledger.retried(flight, { ...note, status: "queued" }, { entry, delivery, atMs: verdict.atMs });
        break;
      }
      case "hold":
        if (flight.run.delivery === "at-most-once") ledger.returned(flight);
        flight.route.arrived(flight.lane, 1, flight.payloadBytes);
        flight.lane.putBack(flight);
        wake();
        break;
    }
  }

  #tellBreaker(route: Route, outcome: Outcome, verdict: Verdict, epoch: number): void {
    const { breaker, app, environment } = route;
    const { random, logger, clock } = this.#options;
    const nowMs = clock.monotonic();
    const before = breaker.detail;
    if (verdict.kind === "hold") breaker.failed(epoch, verdict.cause, verdict.detail, nowMs, random());
    else if (outcome.kind === "indeterminate") breaker.unanswered(epoch, nowMs, random());
    else breaker.answered(epoch);
    const after = breaker.detail;
    if (before === undefined && after !== undefined)
      logger.warn({ app, environment, cause: after }, "route paused; its notifications stay queued");
    if (before !== undefined && after === undefined) logger.info({ app, environment }, "route is well again");
  }
}

function senderNotification({ entry, flight }: Departure): SenderNotification {
  const { topic, pushType, priority, expirationSeconds, collapseId } = entry.settings;
  const notification: { -readonly [K in keyof SenderNotification]: SenderNotification[K] } = {
    deviceToken: entry.deviceToken,
    payload: entry.payload,
    topic,
    apnsId: entry.apnsId ?? flight.id,
  };
  if (pushType !== undefined) notification.pushType = pushType;
  if (priority !== undefined) notification.priority = priority;
  if (expirationSeconds !== undefined) notification.expiration = expirationSeconds;
  if (collapseId !== undefined) notification.collapseId = collapseId;
  return notification;
}

/** The notification for a later batch. Its record, and so its reference, stays where it was first stored. */
function entryAgain(departure: Departure, doubt: boolean): BatchEntry {
  const { entry, flight } = departure;
  const { reference: _stays, ...rest } = entry;
  const attempts = (entry.origin?.attempts ?? 0) + 1;
  return { ...rest, origin: { id: flight.id, attempts, doubt, sinceMs: sinceOf(departure) } };
}

function sinceOf({ entry, flight }: Departure): number {
  return entry.origin?.sinceMs ?? flight.run.dueAtMs;
}

function notSent(apnsId: string, error: unknown): Outcome {
  const detail = error instanceof Error ? error.message : String(error);
  return { kind: "unprocessed", apnsId, cause: "not-written", detail, attempts: 1 };
}
