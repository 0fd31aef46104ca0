import { isUtf8 } from "node:buffer";

/** Bytes [start, end) of a value in the body. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Why a body is not taken. `pointer` is a JSON pointer; empty where the body as a whole is meant. */
interface JsonFault {
  readonly pointer: string;
  /** What is wrong, where (line and column from 1), and what to do about it. */
  readonly detail: string;
}

/** Where the payloads stand in a well-formed body. */
export interface ScannedJson {
  /** `/payload` */
  readonly payload: Span | undefined;
  /** `/notifications/N/payload`, by N. */
  readonly payloads: readonly (Span | undefined)[];
  /** `/notifications/N`, by N. */
  readonly notifications: readonly Span[];
}

export type JsonScan =
  | { readonly kind: "scanned"; readonly json: ScannedJson }
  | { readonly kind: "refused"; readonly fault: JsonFault };

/** Objects and lists inside each other. */
const mostDepth = 32;
/** Keys of one object: far more than a notification has, and few enough that no choice of keys makes hashing slow. */
const mostKeys = 1_000;

/**
 * Checks that `bytes` are JSON which every reader understands alike, and finds the payloads in it as they were written.
 *
 * Strict RFC 8259, and of what that leaves open: UTF-8 without byte order mark, no key twice in an object, no lone
 * surrogates, no number that overflows a double, at most 32 levels, nothing that could change an object's prototype.
 * Runs before JSON.parse, which then gives the same values to us as it would to anyone. Linear in the size.
 */
export function scanJson(bytes: Buffer): JsonScan {
  const scanner = new Scanner(bytes);
  const fault = scanner.scan();
  if (fault !== undefined) return { kind: "refused", fault };
  const { payload, payloads, notifications } = scanner;
  return { kind: "scanned", json: { payload, payloads, notifications } };
}

/** What a value is to the search for payloads: the body, its list of notifications, one of them, or nothing of the kind. */
type Place = "body" | "notifications" | "notification" | "elsewhere";

class Scanner {
  payload: Span | undefined;
  readonly payloads: (Span | undefined)[] = [];
  readonly notifications: Span[] = [];
  readonly #bytes: Buffer;
  #at = 0;
  #depth = 0;
  /** Set by the innermost call that fails; each call above puts its own step before the pointer. */
  #fault: { pointer: string; detail: string } | undefined;
  #keyStart = 0;
  #keyEnd = 0;
  #keyHasEscape = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  scan(): JsonFault | undefined {
    if (this.#bytes[0] === 0xef && this.#bytes[1] === 0xbb && this.#bytes[2] === 0xbf) {
      return { pointer: "", detail: "The body begins with a byte order mark. Send the JSON without it." };
    }
    if (!isUtf8(this.#bytes)) {
      return { pointer: "", detail: "The body is not UTF-8. Send the text in that encoding." };
    }
    if (!this.#value("body", "")) return this.#fault;
    this.#skipSpace();
    if (this.#at < this.#bytes.length) this.#malformed("nothing more is expected here; remove what follows");
    return this.#fault;
  }

  #value(place: Place, parentKey: string): boolean {
    this.#skipSpace();
    const byte = this.#bytes[this.#at];
    switch (byte) {
      case 0x7b:
        return this.#nested(() => this.#object(place, parentKey));
      case 0x5b:
        return this.#nested(() => this.#array(place));
      case 0x22:
        return this.#string();
      case 0x74:
        return this.#word("true");
      case 0x66:
        return this.#word("false");
      case 0x6e:
        return this.#word("null");
      case undefined:
        return this.#malformed(
          this.#bytes.length === 0 ? "the body is empty; send an object" : "the text ends too early",
        );
      case 0x27:
        return this.#malformed('strings stand in double quotes ("), not in single ones');
      case 0x2f:
        return this.#malformed("JSON has no comments; remove it");
      default:
        if (byte === 0x2d || isDigit(byte)) return this.#number();
        return this.#malformed(
          'a value is expected: an object, a list, a "string", a number, true, false or null',
        );
    }
  }

  #nested(read: () => boolean): boolean {
    this.#depth += 1;
    if (this.#depth > mostDepth) {
      return this.#refused(`Objects and lists may be nested ${mostDepth} deep. Make it flatter.`);
    }
    const done = read();
    this.#depth -= 1;
    return done;
  }

  #object(place: Place, parentKey: string): boolean {
    const bytes = this.#bytes;
    const keys = new Set<string>();
    this.#at += 1;
    this.#skipSpace();
    if (bytes[this.#at] === 0x7d) {
      this.#at += 1;
      return true;
    }
    for (;;) {
      this.#skipSpace();
      if (bytes[this.#at] !== 0x22) return this.#malformed(describeBadKey(bytes[this.#at]));
      if (!this.#string()) return false;
      const key = this.#readKey();
      if (!this.#admit(key, keys, parentKey)) return this.#within(key);
      this.#skipSpace();
      if (bytes[this.#at] !== 0x3a) return this.#malformed("a colon (:) is expected after the key");
      this.#at += 1;
      this.#skipSpace();
      const start = this.#at;
      if (!this.#value(placeOf(place, key), key)) return this.#within(key);
      if (key === "payload") this.#note(place, { start, end: this.#at });
      this.#skipSpace();
      const byte = bytes[this.#at];
      this.#at += 1;
      if (byte === 0x7d) return true;
      if (byte !== 0x2c) {
        this.#at -= 1;
        return this.#malformed("a comma (,) or the closing brace (}) is expected");
      }
    }
  }

  #array(place: Place): boolean {
    const bytes = this.#bytes;
    this.#at += 1;
    this.#skipSpace();
    if (bytes[this.#at] === 0x5d) {
      this.#at += 1;
      return true;
    }
    const inner = place === "notifications" ? "notification" : "elsewhere";
    for (let index = 0; ; index++) {
      this.#skipSpace();
      const start = this.#at;
      if (inner === "notification") this.payloads.push(undefined);
      if (!this.#value(inner, "")) return this.#within(String(index));
      if (inner === "notification") this.notifications.push({ start, end: this.#at });
      this.#skipSpace();
      const byte = bytes[this.#at];
      this.#at += 1;
      if (byte === 0x5d) return true;
      if (byte !== 0x2c) {
        this.#at -= 1;
        return this.#malformed("a comma (,) or the closing bracket (]) is expected");
      }
    }
  }

  #note(place: Place, span: Span): void {
    if (place === "body") this.payload = span;
    else if (place === "notification") this.payloads[this.payloads.length - 1] = span;
  }

  /** Refuses keys that readers of JSON treat differently, or that can change an object's prototype. */
  #admit(key: string, keys: Set<string>, parentKey: string): boolean {
    if (key === "__proto__" || (key === "prototype" && parentKey === "constructor")) {
      return this.#refused("This key can change objects in programs that read it. Give it another name.");
    }
    if (keys.has(key)) {
      return this.#refused("This key stands twice in the same object. Remove one of them.");
    }
    if (keys.size >= mostKeys) {
      return this.#refused(`An object may have ${mostKeys} keys. Take some out.`);
    }
    keys.add(key);
    return true;
  }

  /** From the opening quote to behind the closing one. */
  #string(): boolean {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    let at = start;
    let hasEscape = false;
    for (;;) {
      const byte = bytes[at];
      if (byte === 0x22) break;
      if (byte === undefined) {
        this.#at = start - 1;
        return this.#malformed('the string that begins here has no closing quote (")');
      }
      if (byte < 0x20) {
        this.#at = at;
        return this.#malformed("a control character stands in a string; write it as an escape, such as \\n");
      }
      if (byte !== 0x5c) {
        at += 1;
        continue;
      }
      hasEscape = true;
      const next = this.#escape(at);
      if (next === undefined) return false;
      at = next;
    }
    this.#keyStart = start;
    this.#keyEnd = at;
    this.#keyHasEscape = hasEscape;
    this.#at = at + 1;
    return true;
  }

  /** The offset behind the escape that begins at `at`, or undefined after a fault. */
  #escape(at: number): number | undefined {
    const letter = this.#bytes[at + 1];
    if (letter !== undefined && simpleEscapes.has(letter)) return at + 2;
    this.#at = at;
    const unit = letter === 0x75 ? this.#hexUnit(at + 2) : undefined;
    if (unit === undefined) {
      this.#malformed('this escape does not exist; there are \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX');
      return undefined;
    }
    if (unit < 0xd800 || unit > 0xdfff) return at + 6;
    const paired = this.#bytes[at + 6] === 0x5c && this.#bytes[at + 7] === 0x75;
    const low = unit < 0xdc00 && paired ? this.#hexUnit(at + 8) : undefined;
    if (low !== undefined && low >= 0xdc00 && low <= 0xdfff) return at + 12;
    this.#refused(
      `Half a surrogate pair stands ${this.#position()}: no text can hold it. Send the character whole.`,
    );
    return undefined;
  }

  #hexUnit(at: number): number | undefined {
    const digits = this.#bytes.toString("latin1", at, at + 4);
    return /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : undefined;
  }

  #number(): boolean {
    const bytes = this.#bytes;
    const start = this.#at;
    let at = start;
    const digits = (): boolean => {
      const first = at;
      while (isDigit(bytes[at])) at += 1;
      return at > first;
    };
    if (bytes[at] === 0x2d) at += 1;
    const leadingZero = bytes[at] === 0x30;
    let good = digits() && !(leadingZero && at > start + (bytes[start] === 0x2d ? 2 : 1));
    if (good && bytes[at] === 0x2e) {
      at += 1;
      good = digits();
    }
    if (good && (bytes[at] === 0x65 || bytes[at] === 0x45)) {
      at += 1;
      if (bytes[at] === 0x2b || bytes[at] === 0x2d) at += 1;
      good = digits();
    }
    if (!good) return this.#malformed("this number is not written as JSON asks, such as 0, -1, 2.5 or 1e3");
    if (at - start > 300 || bytes.subarray(start, at).some((byte) => byte === 0x65 || byte === 0x45)) {
      const value = Number(bytes.toString("latin1", start, at));
      if (!Number.isFinite(value))
        return this.#refused("This number is too large for most programs. Shorten it.");
    }
    this.#at = at;
    return true;
  }

  #word(word: string): boolean {
    if (this.#bytes.toString("latin1", this.#at, this.#at + word.length) !== word) {
      return this.#malformed(
        'a value is expected: an object, a list, a "string", a number, true, false or null',
      );
    }
    this.#at += word.length;
    return true;
  }

  #readKey(): string {
    const text = this.#bytes.toString("utf8", this.#keyStart, this.#keyEnd);
    return this.#keyHasEscape ? (JSON.parse(`"${text}"`) as string) : text;
  }

  #skipSpace(): void {
    const bytes = this.#bytes;
    let byte = bytes[this.#at];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.#at += 1;
      byte = bytes[this.#at];
    }
  }

  #malformed(what: string): false {
    this.#fault = { pointer: "", detail: `This is not JSON: ${this.#position()}, ${what}.` };
    return false;
  }

  #refused(detail: string): false {
    this.#fault = { pointer: "", detail };
    return false;
  }

  #within(step: string): false {
    const fault = this.#fault;
    if (fault !== undefined) fault.pointer = `/${escapePointerStep(step)}${fault.pointer}`;
    return false;
  }

  #position(): string {
    const before = this.#bytes.toString("utf8", 0, this.#at);
    const lastBreak = before.lastIndexOf("\n");
    const line = before.split("\n").length;
    return `at line ${line}, column ${[...before.slice(lastBreak + 1)].length + 1}`;
  }
}

/** `~` and `/` in a step of a JSON pointer (RFC 6901, section 3); cut where a key is absurdly long. */
export function escapePointerStep(step: string): string {
  return step.slice(0, 200).replaceAll("~", "~0").replaceAll("/", "~1");
}

const simpleEscapes = new Set([...'"\\/bfnrt'].map((letter) => letter.charCodeAt(0)));

function placeOf(place: Place, key: string): Place {
  return place === "body" && key === "notifications" ? "notifications" : "elsewhere";
}

function describeBadKey(byte: number | undefined): string {
  if (byte === 0x7d) return "a comma stands before the closing brace (}); remove it";
  if (byte === undefined) return "the text ends inside an object";
  return 'a key in double quotes (") is expected';
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
