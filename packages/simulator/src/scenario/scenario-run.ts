import { matchesPattern } from "./pattern.ts";
import type { Action, Condition, Protocol, Scenario, ScenarioRule, Span } from "./scenario.ts";

/** What happens on a connection, as far as rules can tell. */
export type ScenarioEvent =
  | { readonly on: "connect"; readonly connection: number; readonly protocol?: undefined }
  | { readonly on: "open"; readonly connection: number; readonly protocol: Protocol }
  | {
      readonly on: "time";
      readonly connection: number;
      readonly protocol: Protocol;
      readonly rule: ScenarioRule;
    }
  | {
      readonly on: "request";
      readonly connection: number;
      readonly protocol: Protocol;
      /** Counts the connection's requests from 1. */
      readonly request: number;
      /** Lower case. */
      readonly deviceToken: string;
      readonly topic: string | undefined;
      readonly pushType: string | undefined;
    };

/** Device tokens whose attempts are counted at most; those seen first are forgotten first. */
const mostCounted = 1_000_000;

/** A scenario under way: events in, actions out. The same events and the same seed give the same actions. */
export class ScenarioRun {
  readonly scenario: Scenario;
  private readonly startedMs: number;
  private readonly applied = new Map<ScenarioRule, number>();
  private readonly attempts = new Map<string, number>();
  private readonly countsAttempts: boolean;
  private randomState: number;

  /** @param nowMs by a clock that never goes back */
  constructor(scenario: Scenario, nowMs: number) {
    this.scenario = scenario;
    this.startedMs = nowMs;
    this.randomState = scenario.seed;
    this.countsAttempts = scenario.rules.some(({ when }) => when.attempt !== undefined);
  }

  /** Rules that are due at a time on every connection. */
  get timed(): readonly ScenarioRule[] {
    return this.scenario.rules.filter(({ on }) => on === "time");
  }

  /** What happens now: the actions of the first rule that applies; none is the usual course. */
  decide(event: ScenarioEvent, nowMs: number): readonly Action[] {
    return this.find(event, nowMs)?.actions ?? [];
  }

  /** The first rule that applies now, which counts as applied by this. */
  find(event: ScenarioEvent, nowMs: number): ScenarioRule | undefined {
    const attempt = event.on === "request" && this.countsAttempts ? this.countAttempt(event.deviceToken) : 1;
    for (const rule of this.scenario.rules) {
      if (rule.on !== event.on || (event.on === "time" && event.rule !== rule)) continue;
      const before = this.applied.get(rule) ?? 0;
      if (before >= rule.times || !this.holds(rule.when, event, attempt, nowMs)) continue;
      this.applied.set(rule, before + 1);
      return rule;
    }
    return undefined;
  }

  /** How often each rule applied, by name. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.scenario.rules.map((rule) => [rule.name, this.applied.get(rule) ?? 0]));
  }

  /** A number from 0 to below 1, the next of the seed's (mulberry32). */
  random(): number {
    this.randomState = (this.randomState + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.randomState ^ (this.randomState >>> 15), 1 | this.randomState);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number out of a span. */
  pick(span: Span): number {
    if (typeof span === "number") return span;
    const { from = 0, to = from } = span;
    return from + Math.floor(this.random() * (to - from + 1));
  }

  private holds(when: Condition, event: ScenarioEvent, attempt: number, nowMs: number): boolean {
    if (!isIn(event.connection, when.connection) || !isIn(nowMs - this.startedMs, when.sinceMs)) return false;
    if (when.protocol !== undefined && when.protocol !== event.protocol) return false;
    if (event.on === "request") {
      if (!isIn(event.request, when.request) || !isIn(attempt, when.attempt)) return false;
      if (when.topic !== undefined && when.topic !== event.topic) return false;
      if (when.pushType !== undefined && when.pushType !== event.pushType) return false;
      if (when.deviceToken !== undefined && !matchesPattern(when.deviceToken, event.deviceToken))
        return false;
    }
    // Asked last, so that the seed's numbers go to requests that the rule is about.
    return when.probability === undefined || this.random() < when.probability;
  }

  private countAttempt(deviceToken: string): number {
    const attempt = (this.attempts.get(deviceToken) ?? 0) + 1;
    this.attempts.set(deviceToken, attempt);
    if (this.attempts.size > mostCounted) {
      for (const oldest of this.attempts.keys()) {
        this.attempts.delete(oldest);
        break;
      }
    }
    return attempt;
  }
}

function isIn(value: number, span: Span | undefined): boolean {
  if (span === undefined) return true;
  if (typeof span === "number") return value === span;
  return value >= (span.from ?? 0) && value <= (span.to ?? Number.POSITIVE_INFINITY);
}
