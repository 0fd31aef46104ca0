import type { Clock, Outcome } from "@carillon/apns";
import { writeAttempt } from "./attempt-line.ts";
import { signOf } from "./concurrency-limit.ts";
import type { DeliveryLogger } from "./delivery-logger.ts";
import type { EnvironmentResolver } from "./environment-resolver.ts";
import { isMismatch } from "./environment-suspicion.ts";
import { Flight } from "./flight.ts";
import { endingOf, foundAt, isKnownThere, unknownToken } from "./flight-ending.ts";
import type { LaneQueue, Turn } from "./lane-queue.ts";
import type { Waiting } from "./lane-shares.ts";
import type { Ledger } from "./ledger.ts";
import { parseNotificationId } from "./notification-id.ts";
import type { Route } from "./route.ts";
import { type RouteTeller, silentTeller } from "./route-teller.ts";
import type { Sender } from "./sender.ts";
import {
  badDeviceToken,
  isExpired,
  isOnlyForOther,
  type RetryBudget,
  settle,
  settleExpired,
  type Verdict,
} from "./settlement.ts";
import { TurnClock } from "./turn-clock.ts";

export interface DeparturesOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** From 0 to 1, exclusive. */
  readonly random: () => number;
  readonly budget: RetryBudget;
  readonly logger: DeliveryLogger;
  readonly resolver: EnvironmentResolver;
  /** The app's route in the other environment. */
  readonly otherRoute: (route: Route) => Route;
  /** Hears what happens on a route. @default nobody does */
  tellerFor?(app: string, environment: string): RouteTeller;
  /** Notifications came back that may leave again. */
  readonly wake: () => void;
}

/** At-most-once, and not written down yet. */
interface Guarded {
  readonly flight: Flight;
  readonly sender: Sender;
}

/** When a turn comes, by both clocks. */
export interface Moment {
  readonly nowMs: number;
  readonly monotonicMs: number;
}

/** Hands notifications to their sender, and what comes back to settlement and ledger. */
export class Departures {
  readonly #options: DeparturesOptions;
  readonly #clock: TurnClock;
  #isOver = false;
  #guarded: Guarded[] = [];
  readonly #tellers = new Map<Route, RouteTeller>();

  constructor(options: DeparturesOptions) {
    this.#options = options;
    this.#clock = new TurnClock(options.clock);
  }

  /** Sends this one unless it has expired; false when it has. If it is at-most-once it waits for `begin`. */
  depart(route: Route, lane: LaneQueue, turn: Turn, sender: Sender, moment: Moment): boolean {
    const flight = this.#board(route, lane, turn, moment.monotonicMs);
    if (isExpired(flight.expirationSeconds, moment.nowMs)) {
      this.#conclude(flight, settleExpired(flight.doubt), "");
      return false;
    }
    if (flight.isSecond && route.isClosedToResolving) {
      this.#conclude(flight, { kind: "rejected", reason: badDeviceToken }, "");
      return false;
    }
    route.breaker.leaves();
    route.awaits(lane, flight.leftAtMs);
    if (flight.delivery === "at-most-once") this.#guarded.push({ flight, sender });
    else this.#send(flight, sender);
    return true;
  }

  /** Writes down which of those that departed are at-most-once; they leave when that is on disk. */
  begin(): void {
    if (this.#guarded.length === 0) return;
    void this.#sendGuarded(this.#guarded);
    this.#guarded = [];
  }

  /** What is under way was handed back: what still becomes of it here is nobody's business. */
  end(): void {
    this.#isOver = true;
  }

  /** At-most-once, and begun by a process that is gone: nobody knows whether they left. */
  giveUp(route: Route, lane: LaneQueue, turns: readonly Turn[]): void {
    for (const turn of turns)
      this.#conclude(this.#board(route, lane, turn, 0), { kind: "unknown", reason: "gateway-stopped" }, "");
  }

  #board(route: Route, lane: LaneQueue, turn: Turn, leftAtMs: number): Flight {
    const flight = new Flight(route, lane, turn, leftAtMs);
    route.departed(lane, flight.payloadBytes);
    return flight;
  }

  async #sendGuarded(guarded: readonly Guarded[]): Promise<void> {
    const held = new Set(await this.#options.ledger.begin(guarded.map(({ flight }) => flight)));
    for (const { flight, sender } of guarded) {
      const { route, lane } = flight;
      // Whoever holds the batch now may send it, and then nobody else may.
      if (held.has(flight) && lane.holds(flight.run)) this.#send(flight, sender);
      else {
        route.answered(lane, flight.leftAtMs);
        route.arrived(lane, 1, flight.payloadBytes);
        route.breaker.withdrawn(route.breaker.epoch, this.#options.clock.monotonic());
      }
    }
    this.#options.wake();
  }

  #send(flight: Flight, sender: Sender): void {
    flight.epoch = flight.route.breaker.epoch;
    try {
      sender.sendPrepared(flight, this.#arrive);
    } catch (error) {
      this.#arrive(notSent(flight.apnsId, error), flight);
    }
  }

  readonly #arrive = (outcome: Outcome, flight: Flight): void => {
    if (this.#isOver) return;
    // The short way of nearly all (bench/delivery.ts).
    if (outcome.kind === "accepted" && flight.origin === undefined) {
      this.#tellRoute(flight, outcome, { kind: "accepted" });
      this.#tellerOf(flight.route).accepted(flight.deviceToken, this.#clock.now(), true);
      this.#options.ledger.accepted(flight);
      return;
    }
    const { random, budget, resolver, otherRoute } = this.#options;
    const nowMs = this.#clock.now();
    const { expirationSeconds, isSecond, route } = flight;
    const choice = flight.run.reader.environmentChoice;
    const otherEnvironment = resolver.otherOf(choice, () => otherRoute(route));
    const situation = {
      attempts: flight.earlierAttempts + 1,
      doubt: flight.doubt,
      sinceMs: flight.sinceMs,
      nowMs,
      delivery: flight.delivery,
      ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
      ...(otherEnvironment === undefined ? {} : { otherEnvironment }),
    };
    const verdict = settle(outcome, situation, budget, random());
    if (isSecond && isOnlyForOther(outcome)) resolver.refusedOn(route);
    this.#tellRoute(flight, outcome, verdict);
    if (outcome.kind === "accepted") this.#tellerOf(route).accepted(flight.deviceToken, nowMs, false);
    const attempt = writeAttempt(outcome, nowMs, isSecond ? route.environment : undefined);
    this.#conclude(flight, isSecond ? verdict : suspected(verdict, outcome, route), attempt, outcome);
  };

  #conclude(flight: Flight, verdict: Verdict, attempts: string, outcome?: Outcome): void {
    const { ledger, wake, clock, otherRoute } = this.#options;
    const { run, route, lane } = flight;
    const origin = parseNotificationId(flight.id);
    const found = flight.isSecond && isKnownThere(outcome) ? foundAt(flight) : undefined;
    const note = {
      ...{ batch: origin?.batch ?? run.id, place: origin?.place ?? flight.place, attempts },
      ...(found === undefined ? {} : { found }),
    };
    if (found !== undefined) this.#tellerOf(otherRoute(route)).foundElsewhere();
    const isKnownNowhere =
      flight.isSecond && verdict.kind === "rejected" && verdict.reason === badDeviceToken;
    // Then it is as if the first environment alone had been asked.
    const teller = this.#tellerOf(isKnownNowhere ? otherRoute(route) : route);
    switch (verdict.kind) {
      case "accepted":
        ledger.ended(flight, { ...note, status: "accepted" });
        break;
      case "expired":
      case "rejected":
      case "unknown": {
        const ending = endingOf(flight, verdict, isKnownNowhere ? unknownToken(flight) : outcome);
        const { status, reason } = ending;
        const told = teller.ended(ending);
        ledger.ended(flight, { ...note, status, ...(reason === undefined ? {} : { reason }), ...told });
        break;
      }
      case "retry": {
        if (outcome !== undefined) teller.retrying(outcome, flight.earlierAttempts === 0);
        const retry = {
          entry: flight.again(verdict.doubt),
          delivery: run.delivery,
          environmentChoice: run.reader.environmentChoice,
          lane: outcome?.kind === "indeterminate" ? route.lanes.unanswered : lane,
          atMs: verdict.atMs,
        };
        ledger.retried(flight, { ...note, status: "queued" }, retry);
        break;
      }
      case "elsewhere": {
        const retry = {
          entry: flight.again(flight.doubt),
          delivery: run.delivery,
          environmentChoice: "second" as const,
          lane: otherRoute(route).lanes[lane.key.lane as Waiting],
          atMs: clock.now(),
        };
        ledger.retried(flight, { ...note, status: "queued" }, retry);
        break;
      }
      case "hold":
        if (run.delivery === "at-most-once") ledger.returned(flight);
        route.arrived(lane, 1, flight.payloadBytes);
        lane.putBack(flight);
        wake();
        break;
    }
  }

  #tellRoute(flight: Flight, outcome: Outcome, verdict: Verdict): void {
    const { route, lane, leftAtMs, epoch } = flight;
    const { breaker, concurrency, suspicion, app, environment } = route;
    const { random, logger } = this.#options;
    const nowMs = this.#clock.monotonic();
    const wasSuspect = suspicion.isSuspect;
    // What the other environment did not know either says nothing of this one.
    if (!isMismatch(outcome) || !flight.isSecond) suspicion.judge(outcome);
    if (suspicion.isSuspect && !wasSuspect)
      logger.warn(
        { app, environment },
        "nearly all device tokens are bad: environment or topic may be wrong",
      );
    const sign = signOf(outcome, nowMs - leftAtMs);
    if (sign !== undefined)
      concurrency.answered(sign, route.inFlight, route.awaited(nowMs), flight.earlierAttempts);
    route.answered(lane, leftAtMs);
    if (outcome.kind !== "indeterminate" && outcome.kind !== "unprocessed") route.heard(nowMs);
    // There is room for another one before this one's outcome is on disk.
    if (route.hasWork) this.#options.wake();

    const before = breaker.detail;
    if (verdict.kind === "hold") {
      breaker.failed(epoch, verdict.cause, verdict.detail, nowMs, random());
      this.#tellerOf(route).held(verdict.cause, verdict.detail);
    } else if (outcome.kind === "indeterminate") breaker.unanswered(epoch, nowMs, random());
    else if (sign === "strained" && concurrency.isLowest && "reason" in outcome)
      // One at a time is still too much: now and then one.
      breaker.failed(epoch, "unreachable", outcome.reason, nowMs, random());
    else breaker.answered(epoch);
    const after = breaker.detail;
    if (before === undefined && after !== undefined)
      logger.warn({ app, environment, cause: after }, "route paused; its notifications stay queued");
    if (before !== undefined && after === undefined) {
      concurrency.restart(route.inFlight - 1);
      logger.info({ app, environment }, "route is well again");
      this.#tellerOf(route).released();
    }
  }

  #tellerOf(route: Route): RouteTeller {
    let teller = this.#tellers.get(route);
    if (teller === undefined) {
      teller = this.#options.tellerFor?.(route.app, route.environment) ?? silentTeller;
      this.#tellers.set(route, teller);
    }
    return teller;
  }
}

/** The same verdict, in words that tell a wrong environment from a dead device token. */
function suspected(verdict: Verdict, outcome: Outcome, { suspicion }: Route): Verdict {
  if (verdict.kind !== "rejected" || !isMismatch(outcome) || !suspicion.isSuspect) return verdict;
  return { kind: "rejected", reason: `environment-suspect: ${verdict.reason}` };
}

function notSent(apnsId: string, error: unknown): Outcome {
  const detail = error instanceof Error ? error.message : String(error);
  return { kind: "unprocessed", apnsId, cause: "not-written", detail, attempts: 1 };
}
