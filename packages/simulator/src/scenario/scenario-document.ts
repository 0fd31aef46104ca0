import type { errorCode, settingId } from "@carillon/apns/http2";
import type { Condition, FaultAnswer, Moment, TlsVariant } from "./scenario.ts";

/** A scenario as people write it, in YAML, JSON or TypeScript; `readScenario` checks it. */
export interface ScenarioDocument {
  /** Chance follows it: the same seed, the same course. @default 1 */
  readonly seed?: number;
  /** The first rule that applies decides. */
  readonly rules?: OneOrMore<RuleDocument>;
}

export interface RuleDocument {
  readonly name?: string;
  /** @default "request" */
  readonly on?: Moment;
  /** With "time": milliseconds after the connection was opened. */
  readonly atMs?: number;
  readonly when?: Condition;
  /** How often it applies at most. @default without end */
  readonly times?: number;
  readonly do: OneOrMore<ActionDocument>;
}

type OneOrMore<Value> = Value | readonly Value[];
type ErrorCode = number | keyof typeof errorCode;
type Fate = "processed" | "ignored";

interface Actions {
  readonly answer: FaultAnswer;
  readonly silence: { readonly request?: Fate };
  readonly reset: { readonly code?: ErrorCode; readonly request?: Fate; readonly times?: number };
  readonly goaway: {
    readonly code?: ErrorCode;
    readonly last?: number | "this" | "all";
    readonly debug?: string | object;
    readonly times?: number;
  };
  readonly settings: { readonly [Name in keyof typeof settingId]?: number };
  readonly window: { readonly stream?: "connection" | "this"; readonly increment?: number };
  readonly ping: { readonly count?: number };
  readonly errorResponse: {
    readonly status?: number;
    readonly identifier?: number | "this" | "last";
  };
  readonly bytes: { readonly hex: string };
  readonly close: { readonly how?: "fin" | "fin-without-close-notify" | "rst" | "half" };
  readonly stall: { readonly what?: "reads" | "writes" | "both"; readonly forMs?: number };
  readonly segment: { readonly bytes?: number };
  readonly withhold: {
    readonly what: OneOrMore<
      "settings" | "settings-acknowledgement" | "ping-acknowledgement" | "window-update"
    >;
    readonly forMs?: number;
  };
  readonly renegotiate: object;
  readonly refuse: object;
  readonly hang: object;
  readonly tls: { readonly variant?: TlsVariant };
}

/** One thing that happens: an object with one member that says what, or that name alone. */
export type ActionDocument =
  | keyof Actions
  | { [Kind in keyof Actions]: { readonly [Name in Kind]: Actions[Kind] } }[keyof Actions];
