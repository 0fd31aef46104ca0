import type { NotificationDraft } from "../../delivery/index.ts";
import { type Gap, gap, NotificationTemplate } from "./notification-template.ts";

/** What a value is in a notification, as far as it says what may change in it without a rule being asked. */
type Place =
  /** Nothing in it. */
  | "fixed"
  | "notification"
  | "to"
  | "token"
  | "tokens"
  | "reference"
  | "payload"
  | "aps"
  /** Texts in it. */
  | "texts"
  /** Texts and numbers in it. */
  | "anything"
  | "count";

/** Of the keys that no rule looks into: other keys of `aps` stay as they are. Rules: `checkPayload` of @carillon/apns. */
const apsPlaces = {
  alert: "texts",
  badge: "count",
  sound: "texts",
  category: "texts",
  "thread-id": "texts",
  "target-content-id": "texts",
  "filter-criteria": "texts",
  "content-state": "anything",
  attributes: "anything",
} as const satisfies Record<string, Place>;

/** The fixed parts of a template may be so long. */
const mostFixedBytes = 8_192;
/** A form is not learned that is nested deeper: in a list it might be too deep. */
const mostDepth = 16;

/**
 * The form of a notification in Apple's own form, or undefined where none can be told.
 *
 * @param bytes the notification, which has been scanned
 * @param draft what it was read as
 */
export function learnTemplate(bytes: Buffer, draft: NotificationDraft): NotificationTemplate | undefined {
  const learner = new Learner(bytes);
  const { fixed, gaps, depth } = learner.learn();
  if (depth > mostDepth) return undefined;
  // Without a payload in Apple's form there is nothing to store as it stands. An id is for one notification.
  if (!gaps.includes(gap.payloadEnd) || draft.apnsId !== undefined) return undefined;
  if (fixed.reduce((sum, { length }) => sum + length, 0) > mostFixedBytes) return undefined;
  const { deviceTokens: _tokens, payload: _payload, reference: _reference, ...shared } = draft;
  return new NotificationTemplate(shared, fixed, gaps);
}

/** One pass over JSON that is known to be right. */
class Learner {
  readonly #bytes: Buffer;
  readonly #fixed: Buffer[] = [];
  readonly #gaps: Gap[] = [];
  #at = 0;
  #deepest = 0;
  /** Where the fixed part begins that is open. */
  #fixedStart = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  learn(): { readonly fixed: readonly Buffer[]; readonly gaps: readonly Gap[]; readonly depth: number } {
    this.#value("notification", 0);
    this.#fixed.push(this.#bytes.subarray(this.#fixedStart));
    return { fixed: this.#fixed, gaps: this.#gaps, depth: this.#deepest };
  }

  #value(place: Place, depth: number): void {
    this.#deepest = Math.max(this.#deepest, depth);
    this.#skipSpace();
    const start = this.#at;
    if (place === "payload") this.#gap(gap.payloadStart, start, start);
    switch (this.#bytes[start]) {
      case 0x7b:
        this.#object(place, depth + 1);
        break;
      case 0x5b:
        this.#array(place, depth + 1);
        break;
      case 0x22:
        this.#skipString();
        this.#text(place, start + 1, this.#at - 1);
        break;
      default:
        while (!endsWord(this.#bytes[this.#at])) this.#at += 1;
        this.#number(place, start, this.#at);
    }
    if (place === "payload") this.#gap(gap.payloadEnd, this.#at, this.#at);
  }

  #object(place: Place, depth: number): void {
    this.#at += 1;
    for (;;) {
      this.#skipSpace();
      const byte = this.#bytes[this.#at];
      if (byte === 0x7d) break;
      if (byte === 0x2c) {
        this.#at += 1;
        continue;
      }
      const start = this.#at;
      this.#skipString();
      const key: unknown = JSON.parse(this.#bytes.toString("utf8", start, this.#at));
      this.#skipSpace();
      this.#at += 1;
      this.#value(placeOf(place, String(key)), depth);
    }
    this.#at += 1;
  }

  #array(place: Place, depth: number): void {
    const start = this.#at;
    const inner = place === "tokens" ? "fixed" : place;
    const gapsBefore = this.#gaps.length;
    this.#at += 1;
    for (;;) {
      this.#skipSpace();
      const byte = this.#bytes[this.#at];
      if (byte === 0x5d) break;
      if (byte === 0x2c) this.#at += 1;
      else this.#value(inner, depth);
    }
    this.#at += 1;
    if (place === "tokens" && gapsBefore === this.#gaps.length) this.#gap(gap.tokens, start, this.#at);
  }

  #text(place: Place, start: number, end: number): void {
    switch (place) {
      case "token":
        this.#gap(gap.token, start, end);
        return;
      case "reference":
        this.#gap(gap.reference, start, end);
        return;
      case "texts":
      case "anything":
        this.#gap(gap.text, start, end);
    }
  }

  #number(place: Place, start: number, end: number): void {
    const isWhole = /^\d+$/.test(this.#bytes.toString("latin1", start, end));
    if (isWhole && (place === "count" || place === "anything")) this.#gap(gap.number, start, end);
  }

  /** What stands from `start` to `end` may change. */
  #gap(kind: Gap, start: number, end: number): void {
    this.#fixed.push(this.#bytes.subarray(this.#fixedStart, start));
    this.#gaps.push(kind);
    this.#fixedStart = end;
  }

  #skipString(): void {
    this.#at += 1;
    while (this.#bytes[this.#at] !== 0x22) this.#at += this.#bytes[this.#at] === 0x5c ? 2 : 1;
    this.#at += 1;
  }

  #skipSpace(): void {
    while (isSpace(this.#bytes[this.#at])) this.#at += 1;
  }
}

function placeOf(parent: Place, key: string): Place {
  switch (parent) {
    case "notification":
      return key === "to" || key === "reference" || key === "payload" ? key : "fixed";
    case "to":
      return key === "token" || key === "tokens" ? key : "fixed";
    case "payload":
      return key === "aps" ? "aps" : "anything";
    case "aps":
      return Object.hasOwn(apsPlaces, key) ? apsPlaces[key as keyof typeof apsPlaces] : "fixed";
    default:
      return parent;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Whether a number, true, false or null is over. */
function endsWord(byte: number | undefined): boolean {
  return byte === undefined || byte === 0x2c || byte === 0x7d || byte === 0x5d || isSpace(byte);
}
