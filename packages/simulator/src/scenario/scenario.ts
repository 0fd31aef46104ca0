/** A number, or any from one to another. */
export type Span = number | { readonly from?: number; readonly to?: number };

/**
 * When a rule is asked. "connect": a TCP connection came, before TLS. "open": TLS is done, before the first SETTINGS leave.
 * "request": a request came whole, or a frame of the binary protocol. "time": `atMs` have passed on an open connection.
 */
export type Moment = "connect" | "open" | "request" | "time";

/** What is spoken on a connection: HTTP/2, or the retired protocol's gateway ("binary") or feedback service. */
export type Protocol = "http/2" | "binary" | "feedback";

/** What must be so for a rule to apply; everything that is given. */
export interface Condition {
  /** Connections count from 1. */
  readonly connection?: Span;
  /** Not known yet at "connect". */
  readonly protocol?: Protocol;
  /** Requests of one connection count from 1. */
  readonly request?: Span;
  /** How often this device token was sent to, this time included. */
  readonly attempt?: Span;
  /** With `*` for any characters. */
  readonly deviceToken?: string;
  readonly topic?: string;
  readonly pushType?: string;
  /** Milliseconds since the scenario began. */
  readonly sinceMs?: Span;
  /** 0 to 1, by the scenario's seed. */
  readonly probability?: number;
}

/** What an answer looks like. Without status and reason it is the usual one. */
export interface FaultAnswer {
  readonly status?: number;
  /** Apple's reason; its status and body follow from it. */
  readonly reason?: string;
  /** The `timestamp` beside the reason, as it is to stand there. */
  readonly timestamp?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the JSON. */
  readonly body?: string;
  readonly delayMs?: Span;
  /** 103 goes first. */
  readonly earlyHints?: "sent" | "none";
  /** After the body. */
  readonly trailers?: Readonly<Record<string, string>>;
  /** Bytes of padding in HEADERS and DATA, 0 to 255. */
  readonly padding?: number;
  /** The header block goes out in pieces of so many bytes, over CONTINUATION. */
  readonly pieceBytes?: number;
}

/** One thing that happens. */
export type Action =
  /** The request is judged and answered, with these changes. */
  | { readonly kind: "answer"; readonly answer: FaultAnswer }
  /** The request gets no answer. "processed": it is judged, written down and delivered all the same. */
  | { readonly kind: "silence"; readonly request: "processed" | "ignored" }
  | {
      readonly kind: "reset";
      readonly code: number;
      readonly request: "processed" | "ignored";
      readonly times: number;
    }
  | {
      readonly kind: "goaway";
      readonly code: number;
      /** Requests of this connection up to this one are still answered. "this": up to the one at hand; "all": 2^31 - 1. */
      readonly last: number | "this" | "all";
      readonly debug: string;
      readonly times: number;
    }
  /** SETTINGS with these entries. */
  | { readonly kind: "settings"; readonly entries: readonly (readonly [id: number, value: number])[] }
  | { readonly kind: "window"; readonly stream: "connection" | "this"; readonly increment: number }
  | { readonly kind: "ping"; readonly count: number }
  /** Binary gateway: an error response, then the end. "this": the notification at hand; "last": the last one taken; either is 0 where there is none. */
  | {
      readonly kind: "errorResponse";
      readonly status: number;
      readonly identifier: number | "this" | "last";
    }
  /** Any bytes at all, such as frames that break the protocol. */
  | { readonly kind: "bytes"; readonly bytes: Buffer }
  | { readonly kind: "close"; readonly how: "fin" | "fin-without-close-notify" | "rst" | "half" }
  /** A peer that is alive on TCP and does not do these. Undefined: for ever. */
  | {
      readonly kind: "stall";
      readonly what: "reads" | "writes" | "both";
      readonly forMs: number | undefined;
    }
  /** From now on every write has so many bytes at most. */
  | { readonly kind: "segment"; readonly bytes: number }
  /** From now on these are not written; once the time is up, what was withheld is. Undefined: never. */
  | {
      readonly kind: "withhold";
      readonly what: readonly Withheld[];
      readonly forMs: number | undefined;
    }
  /** The server asks for a new TLS handshake, which RFC 9113 §9.2.1 forbids. TLS 1.3 has none: there nothing happens. */
  | { readonly kind: "renegotiate" }
  /** For "connect": closed at once, or never answered. */
  | { readonly kind: "refuse" }
  | { readonly kind: "hang" }
  /** For "connect": another TLS side. */
  | { readonly kind: "tls"; readonly variant: TlsVariant };

type Withheld = "settings" | "settings-acknowledgement" | "ping-acknowledgement" | "window-update";

export type TlsVariant =
  | "expired"
  | "wrong-host"
  | "other-authority"
  | "no-alpn"
  | "client-certificate-required"
  /** TLS 1.2 at most. */
  | "tls-1.2";

export interface ScenarioRule {
  readonly name: string;
  readonly on: Moment;
  /** For "time": milliseconds after the connection was opened. */
  readonly atMs: number;
  readonly when: Condition;
  /** How often the rule applies at most. */
  readonly times: number;
  readonly actions: readonly Action[];
}

/** What goes wrong, to whom and when. */
export interface Scenario {
  readonly seed: number;
  readonly rules: readonly ScenarioRule[];
}
