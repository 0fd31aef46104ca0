import type { Clock, Timer } from "@carillon/apns";
import { frameType, max31Bit } from "@carillon/apns/http2";
import type { ServerConnection } from "./http2/index.ts";
import type { Action, FaultAnswer, ScenarioEvent, ScenarioRun } from "./scenario/index.ts";
import { StreamIds } from "./stream-ids.ts";
import type { Wire } from "./wire/index.ts";

/** The request at hand, and what the push connection can do with it. */
export interface RequestAtHand {
  readonly streamId: number;
  /** Judges the request, writes it down and answers it, with these changes. */
  answer(changes: FaultAnswer | undefined): void;
  /** Judges the request and writes it down, and leaves it without an answer. */
  processOnly(): void;
}

/** A rule of a scenario that applied. */
export interface AppliedRule {
  /** Its name. */
  readonly rule: string;
  /** Milliseconds since 1970 by the simulator's clock. */
  readonly atMs: number;
  /** The request's stream; undefined for what happened to the connection as a whole. */
  readonly stream: number | undefined;
}

/** Rules that applied, remembered for each connection: the newest. */
const mostApplied = 100;

type RequestEvent = Extract<ScenarioEvent, { on: "request" }>;

/** Does on one connection what a scenario decides. */
export class ConnectionFaults {
  private readonly scenario: { readonly run: ScenarioRun | undefined };
  private readonly clock: Clock;
  private readonly connection: ServerConnection;
  private readonly wire: Wire;
  private readonly timers = new Set<Timer>();
  private readonly streamIds = new StreamIds();
  private readonly appliedRules: AppliedRule[] = [];

  /** @param scenario is looked at anew each time: it may change while the connection is open */
  constructor(
    scenario: { readonly run: ScenarioRun | undefined },
    clock: Clock,
    connection: ServerConnection,
    wire: Wire,
  ) {
    this.scenario = scenario;
    this.clock = clock;
    this.connection = connection;
    this.wire = wire;
  }

  /** The rules that applied on this connection, oldest first; the newest 100. */
  get applied(): readonly AppliedRule[] {
    return this.appliedRules;
  }

  /** The connection is open; nothing was written yet. */
  opened(connection: number): void {
    const { run } = this.scenario;
    if (run === undefined) return;
    this.decide(run, { on: "open", connection }, undefined);
    for (const rule of run.timed) {
      this.later(rule.atMs, () => {
        if (this.scenario.run === run) this.decide(run, { on: "time", connection, rule }, undefined);
        this.wire.flush();
      });
    }
  }

  /** A request came. Whether a scenario is under way, so that it is to be handed over to `request`. */
  count(streamId: number): boolean {
    this.streamIds.add(streamId);
    return this.scenario.run !== undefined;
  }

  /** Answers the request that was just counted: now, later or not at all. */
  request(about: Omit<RequestEvent, "on" | "request">, request: RequestAtHand): void {
    const { run } = this.scenario;
    if (run === undefined) request.answer(undefined);
    else this.decide(run, { on: "request", request: this.streamIds.count, ...about }, request);
  }

  closed(): void {
    for (const timer of this.timers) timer.cancel();
    this.timers.clear();
  }

  /** A request about which no action says anything is answered as usual, before the other actions. */
  private decide(run: ScenarioRun, event: ScenarioEvent, request: RequestAtHand | undefined): void {
    const rule = run.find(event, this.clock.monotonic());
    if (rule !== undefined) this.note(rule.name, request);
    const actions = rule?.actions ?? [];
    const isSpokenFor = actions.some(({ kind }) => ["answer", "silence", "reset"].includes(kind));
    if (!isSpokenFor) request?.answer(undefined);
    for (const action of actions) this.act(run, action, request);
  }

  private note(rule: string, request: RequestAtHand | undefined): void {
    this.appliedRules.push({ rule, atMs: this.clock.now(), stream: request?.streamId });
    if (this.appliedRules.length > mostApplied) this.appliedRules.shift();
  }

  private act(run: ScenarioRun, action: Action, request: RequestAtHand | undefined): void {
    const { connection, wire } = this;
    switch (action.kind) {
      case "answer":
        this.answer(run, action.answer, request);
        break;
      case "silence":
        if (action.request === "processed") request?.processOnly();
        break;
      case "reset":
        this.reset(action, request);
        break;
      case "goaway": {
        const last = this.lastStreamId(action.last, request);
        for (let i = 0; i < action.times; i++)
          connection.goaway(Buffer.from(action.debug), last, action.code);
        break;
      }
      case "settings":
        connection.writeSettings(action.entries);
        break;
      case "window":
        connection.writeRaw(
          frame(
            frameType.windowUpdate,
            action.stream === "this" ? (request?.streamId ?? 0) : 0,
            action.increment,
          ),
        );
        break;
      case "ping":
        for (let i = 0; i < action.count; i++) connection.writeRaw(frame(frameType.ping, 0, 0, 0));
        break;
      case "bytes":
        connection.writeRaw(action.bytes);
        break;
      case "close":
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
      case "withhold":
        connection.withhold(action.what);
        if (action.forMs !== undefined) {
          this.later(action.forMs, () => {
            connection.release(action.what);
            wire.flush();
          });
        }
        break;
      case "refuse":
      case "hang":
      case "tls":
        // For connections that are not open yet.
        break;
    }
  }

  private answer(run: ScenarioRun, answer: FaultAnswer, request: RequestAtHand | undefined): void {
    if (request === undefined) return;
    if (answer.delayMs === undefined) {
      request.answer(answer);
      return;
    }
    this.later(run.pick(answer.delayMs), () => {
      if (this.connection.isOpen(request.streamId)) request.answer(answer);
      this.wire.flush();
    });
  }

  private reset(action: Extract<Action, { kind: "reset" }>, request: RequestAtHand | undefined): void {
    if (request === undefined) return;
    if (action.request === "processed") request.processOnly();
    this.connection.reset(request.streamId, action.code);
    for (let i = 1; i < action.times; i++) {
      this.connection.writeRaw(frame(frameType.rstStream, request.streamId, action.code));
    }
  }

  private lastStreamId(last: number | "this" | "all", request: RequestAtHand | undefined): number {
    if (last === "all") return max31Bit;
    if (last === "this") return request?.streamId ?? this.streamIds.newest;
    return last === 0 ? 0 : (this.streamIds.at(last) ?? max31Bit);
  }

  private later(ms: number, act: () => void): void {
    const timer = this.clock.setTimer(() => {
      this.timers.delete(timer);
      act();
    }, ms);
    this.timers.add(timer);
  }
}

/** A frame without flags whose payload is these 32-bit numbers. */
function frame(type: number, streamId: number, ...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(9 + numbers.length * 4);
  bytes.writeUInt32BE(numbers.length * 4 * 256 + type, 0);
  bytes.writeUInt32BE(streamId, 5);
  for (const [at, number] of numbers.entries()) bytes.writeUInt32BE(number >>> 0, 9 + at * 4);
  return bytes;
}
