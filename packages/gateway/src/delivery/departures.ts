import { ApnsError, type Clock, type Outcome } from "@carillon/apns";
import { writeAttempt } from "./attempt-line.ts";
import type { BatchEntry } from "./batch/format.ts";
import { signOf } from "./concurrency-limit.ts";
import type { DeliveryLogger } from "./delivery-logger.ts";
import { isMismatch } from "./environment-suspicion.ts";
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
  /** On the monotonic clock. */
  readonly leftAtMs: number;
}

/** When a turn comes, by both clocks. */
export interface Moment {
  readonly nowMs: number;
  readonly monotonicMs: number;
}

/** Hands notifications to their sender, and what comes back to settlement and ledger. */
export class Departures {
  readonly #options: DeparturesOptions;
  /** At-most-once, and not written down yet. */
  #guarded: { readonly departure: Departure; readonly sender: Sender }[] = [];

  constructor(options: DeparturesOptions) {
    this.#options = options;
  }

  /** Sends this one unless it has expired; false when it has. If it is at-most-once it waits for `begin`. */
  depart(route: Route, lane: LaneQueue, turn: Turn, sender: Sender, moment: Moment): boolean {
    const departure = this.#board(route, lane, turn, moment.monotonicMs);
    const { flight, entry } = departure;
    if (isExpired(entry.settings.expirationSeconds, moment.nowMs)) {
      this.#conclude(departure, settleExpired(entry.origin?.doubt ?? false), "");
      return false;
    }
    route.breaker.leaves();
    if (flight.run.delivery === "at-most-once") this.#guarded.push({ departure, sender });
    else this.#send(departure, sender);
    return true;
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
      this.#conclude(this.#board(route, lane, turn, 0), { kind: "unknown", reason: "gateway-stopped" }, "");
  }

  #board(route: Route, lane: LaneQueue, { run, place }: Turn, leftAtMs: number): Departure {
    const entry = run.reader.entry(place);
    const payloadBytes = entry.payload.byteLength;
    route.departed(lane, payloadBytes);
    const id = entry.origin?.id ?? notificationId(run.id, place);
    return { entry, leftAtMs, flight: { run, place, lane, route, id, payloadBytes } };
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
    const tookMs = clock.monotonic() - departure.leftAtMs;
    this.#tellRoute(flight.route, outcome, verdict, { epoch, tookMs });
    if (outcome.kind === "accepted" && entry.origin === undefined) this.#options.ledger.accepted(flight);
    else this.#conclude(departure, suspected(verdict, outcome, flight.route), writeAttempt(outcome, nowMs));
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

  #tellRoute(
    route: Route,
    outcome: Outcome,
    verdict: Verdict,
    { epoch, tookMs }: { readonly epoch: number; readonly tookMs: number },
  ): void {
    const { breaker, concurrency, suspicion, app, environment } = route;
    const { random, logger, clock } = this.#options;
    const wasSuspect = suspicion.isSuspect;
    suspicion.judge(outcome);
    if (suspicion.isSuspect && !wasSuspect)
      logger.warn(
        { app, environment },
        "nearly all device tokens are bad: environment or topic may be wrong",
      );
    const sign = signOf(outcome, tookMs);
    if (sign !== undefined) concurrency.answered(sign, route.inFlight);

    const nowMs = clock.monotonic();
    const before = breaker.detail;
    if (verdict.kind === "hold") breaker.failed(epoch, verdict.cause, verdict.detail, nowMs, random());
    else if (outcome.kind === "indeterminate") breaker.unanswered(epoch, nowMs, random());
    else if (sign === "strained" && concurrency.isLowest && "reason" in outcome)
      // One at a time is still too much: now and then one.
      breaker.failed(epoch, "unreachable", outcome.reason, nowMs, random());
    else breaker.answered(epoch);
    const after = breaker.detail;
    if (before === undefined && after !== undefined)
      logger.warn({ app, environment, cause: after }, "route paused; its notifications stay queued");
    if (before !== undefined && after === undefined) {
      concurrency.restart();
      logger.info({ app, environment }, "route is well again");
    }
  }
}

/** The same verdict, in words that tell a wrong environment from a dead device token. */
function suspected(verdict: Verdict, outcome: Outcome, { suspicion }: Route): Verdict {
  if (verdict.kind !== "rejected" || !isMismatch(outcome) || !suspicion.isSuspect) return verdict;
  return { kind: "rejected", reason: `environment-suspect: ${verdict.reason}` };
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
