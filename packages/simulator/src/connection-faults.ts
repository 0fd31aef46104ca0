import type { Clock, Timer } from "@carillon/apns";
import type { Action, FaultAnswer, Protocol, ScenarioEvent, ScenarioRun } from "./scenario/index.ts";
import type { Wire } from "./wire/index.ts";

/** A rule of a scenario that applied. */
export interface AppliedRule {
  /** Its name. */
  readonly rule: string;
  /** Milliseconds since 1970 by the simulator's clock. */
  readonly atMs: number;
  /** The request's stream, or its frame's ordinal; undefined for what happened to the connection as a whole. */
  readonly stream: number | undefined;
}

/** Rules that applied, remembered for each connection: the newest. */
const mostApplied = 100;

/** The request at hand, and what its connection can do with it. */
export interface RequestAtHand {
  /** Its stream; of a binary frame the ordinal. */
  readonly stream: number;
  /** Whether it can still be answered. */
  readonly isOpen: boolean;
  /** The answer, with these changes, will come later. */
  delayed?(changes: FaultAnswer): void;
  /** Judges the request, writes it down and answers it, with these changes. */
  answer(changes: FaultAnswer | undefined): void;
  /** Judges the request and writes it down, and leaves it without an answer. */
  processOnly(): void;
}

/** Actions that are about a protocol's own words; what is left is the same for every protocol. */
export type ProtocolAction = Exclude<
  Action,
  { kind: "answer" | "silence" | "close" | "stall" | "segment" | "renegotiate" | "refuse" | "hang" | "tls" }
>;

/** What one protocol can do of a scenario's actions, on one connection. */
export interface FaultyProtocol<Request extends RequestAtHand> {
  readonly name: Protocol;
  /** The connection is about to be cut: nothing behind the request at hand is acted on, though it has come. */
  stop?(): void;
  /** Without effect where the protocol has no such thing. @param later does something when the time has come */
  perform(
    action: ProtocolAction,
    request: Request | undefined,
    later: (ms: number, act: () => void) => void,
  ): void;
}

type RequestEvent = Extract<ScenarioEvent, { on: "request" }>;

export interface FaultSurroundings {
  /** Is looked at anew each time: it may change while the connection is open. */
  readonly scenario: { readonly run: ScenarioRun | undefined };
  readonly clock: Clock;
}

/** Does on one connection what a scenario decides. */
export class ConnectionFaults<Request extends RequestAtHand> {
  private readonly scenario: FaultSurroundings["scenario"];
  private readonly clock: Clock;
  private readonly connection: number;
  private readonly wire: Wire;
  private readonly protocol: FaultyProtocol<Request>;
  private readonly timers = new Set<Timer>();
  private requests = 0;
  private readonly appliedRules: AppliedRule[] = [];

  /** @param connection its number */
  constructor(
    { scenario, clock }: FaultSurroundings,
    connection: number,
    wire: Wire,
    protocol: FaultyProtocol<Request>,
  ) {
    this.scenario = scenario;
    this.clock = clock;
    this.connection = connection;
    this.wire = wire;
    this.protocol = protocol;
  }

  /** The rules that applied on this connection, oldest first; the newest 100. */
  get applied(): readonly AppliedRule[] {
    return this.appliedRules;
  }

  /** The connection is open; nothing was written yet. */
  opened(): void {
    const { run } = this.scenario;
    if (run === undefined) return;
    const where = { connection: this.connection, protocol: this.protocol.name };
    this.decide(run, { on: "open", ...where }, undefined);
    for (const rule of run.timed) {
      this.later(rule.atMs, () => {
        if (this.scenario.run === run) this.decide(run, { on: "time", ...where, rule }, undefined);
      });
    }
  }

  /** A request came. Whether a scenario is under way, so that it is to be handed over to `request`. */
  count(): boolean {
    this.requests += 1;
    return this.scenario.run !== undefined;
  }

  /** Answers the request that was just counted: now, later or not at all. */
  request(about: Pick<RequestEvent, "deviceToken" | "topic" | "pushType">, request: Request): void {
    const { run } = this.scenario;
    if (run === undefined) {
      request.answer(undefined);
      return;
    }
    const { deviceToken, topic, pushType } = about;
    const where = { connection: this.connection, protocol: this.protocol.name, request: this.requests };
    this.decide(run, { on: "request", ...where, deviceToken, topic, pushType }, request);
  }

  closed(): void {
    for (const timer of this.timers) timer.cancel();
    this.timers.clear();
  }

  /** Does something when the time has come, if the connection is still there. */
  private readonly later = (ms: number, act: () => void): void => {
    const timer = this.clock.setTimer(() => {
      this.timers.delete(timer);
      act();
      this.wire.flush();
    }, ms);
    this.timers.add(timer);
  };

  /** A request about which no action says anything is answered as usual, before the other actions. */
  private decide(run: ScenarioRun, event: ScenarioEvent, request: Request | undefined): void {
    const rule = run.find(event, this.clock.monotonic());
    if (rule !== undefined) this.note(rule.name, request);
    const actions = rule?.actions ?? [];
    const isSpokenFor = actions.some(({ kind }) => ["answer", "silence", "reset"].includes(kind));
    if (!isSpokenFor) request?.answer(undefined);
    for (const action of actions) this.act(run, action, request);
  }

  private note(rule: string, request: Request | undefined): void {
    this.appliedRules.push({ rule, atMs: this.clock.now(), stream: request?.stream });
    if (this.appliedRules.length > mostApplied) this.appliedRules.shift();
  }

  private act(run: ScenarioRun, action: Action, request: Request | undefined): void {
    const { wire } = this;
    switch (action.kind) {
      case "answer":
        this.answer(run, action.answer, request);
        break;
      case "silence":
        if (action.request === "processed") request?.processOnly();
        break;
      case "close":
        this.protocol.stop?.();
        wire.cut(action.how);
        break;
      case "stall":
        wire.stall(action.what);
        if (action.forMs !== undefined) this.later(action.forMs, () => wire.goOn());
        break;
      case "segment":
        wire.segment(action.bytes);
        break;
      case "renegotiate":
        wire.renegotiate();
        break;
      case "refuse":
      case "hang":
      case "tls":
        // For connections that are not open yet.
        break;
      default:
        this.protocol.perform(action, request, this.later);
    }
  }

  private answer(run: ScenarioRun, answer: FaultAnswer, request: Request | undefined): void {
    if (request === undefined) return;
    if (answer.delayMs === undefined) {
      request.answer(answer);
      return;
    }
    request.delayed?.(answer);
    this.later(run.pick(answer.delayMs), () => {
      if (request.isOpen) request.answer(answer);
    });
  }
}
