import { type Priority, prepareNotification } from "@carillon/apns";
import { errorStatus, type ReceivedFrame } from "@carillon/apns/binary";

/** A frame as what it asks for, in today's words. */
export type ReadFrame = WantedPush | RefusedFrame;

export interface WantedPush {
  readonly kind: "push";
  /** The sender's 32 bits; 0 where the frame has none. */
  readonly identifier: number;
  readonly deviceToken: Buffer;
  readonly payload: Buffer;
  readonly topic: string;
  /** Undefined for Wallet passes. */
  readonly pushType: string | undefined;
  readonly priority: Priority | undefined;
  /** 0: one attempt, not stored. Undefined: nothing was said. */
  readonly expirationSeconds: number | undefined;
}

/** A frame that deserves an error response at once. */
export interface RefusedFrame {
  readonly kind: "refused";
  readonly status: number;
  readonly identifier: number;
  /** For the log; holds no device token. */
  readonly detail: string;
}

/** Shorter ones are none: HTTP/2 takes 4 bytes and more. */
const leastTokenBytes = 4;

/** What a payload is sent as. */
interface Kind {
  readonly topic: string;
  readonly pushType: string | undefined;
}

/** Reads one sender's frames: what the library derives from topic and payload, and the faults that show without asking Apple. */
export class FrameReader {
  readonly #topic: string;
  readonly #ownTopic: string | undefined;
  /** A copy: a view would keep all that was read with it. */
  #lastPayload = Buffer.alloc(0);
  #lastPayloadBytes = 0;
  #lastKind: Kind | undefined;

  /**
   * @param topic the app's
   * @param ownTopic the certificate's, where it is one of a push type of its own
   */
  constructor(topic: string, ownTopic: string | undefined) {
    this.#topic = topic;
    this.#ownTopic = ownTopic;
  }

  read(frame: ReceivedFrame): ReadFrame {
    if (frame.kind === "malformed") return refusal(frame.status, frame.identifier, frame.detail);
    const { deviceToken, payload, identifier, expirationSeconds, priority } = frame.notification;
    if (deviceToken.length < leastTokenBytes)
      return refusal(
        errorStatus.invalidTokenSize,
        identifier,
        `a device token of ${deviceToken.length} bytes`,
      );
    if (priority !== undefined && priority !== 10 && priority !== 5)
      return refusal(errorStatus.processingError, identifier, `priority ${priority}, expected 10 or 5`);
    const kind = this.#kindOf(deviceToken, payload);
    if ("detail" in kind) return refusal(kind.status, identifier, kind.detail);
    return {
      kind: "push",
      identifier: identifier ?? 0,
      ...{ deviceToken, payload, topic: kind.topic, pushType: kind.pushType, expirationSeconds },
      priority: kind.pushType === "background" ? 5 : priority,
    };
  }

  /** A payload often goes to many in a row. */
  #kindOf(deviceToken: Buffer, payload: Buffer): Kind | { readonly status: number; readonly detail: string } {
    if (this.#lastKind !== undefined && this.#isLast(payload)) return this.#lastKind;
    const content = readObject(payload);
    if (content === undefined)
      return { status: errorStatus.processingError, detail: "the payload is no JSON object in UTF-8" };
    const prepared = prepareNotification(
      {
        deviceToken: deviceToken.toString("hex"),
        payload,
        ...(this.#ownTopic === undefined ? {} : { topic: this.#ownTopic }),
      },
      { topic: this.#topic, mode: "lenient", content },
    );
    if (prepared.kind === "refused") {
      const [first] = prepared.problems;
      const status =
        first?.field === "payload" ? errorStatus.invalidPayloadSize : errorStatus.processingError;
      return { status, detail: `${first?.field} ${first?.detail}` };
    }
    this.#keep(payload);
    this.#lastKind = {
      topic: prepared.notification.topic ?? this.#topic,
      pushType: prepared.notification.pushType,
    };
    return this.#lastKind;
  }

  #isLast(payload: Buffer): boolean {
    const bytes = this.#lastPayloadBytes;
    return payload.length === bytes && payload.compare(this.#lastPayload, 0, bytes) === 0;
  }

  #keep(payload: Buffer): void {
    if (this.#lastPayload.length < payload.length)
      this.#lastPayload = Buffer.allocUnsafeSlow(payload.length + keptRoomBytes);
    this.#lastPayloadBytes = payload.copy(this.#lastPayload);
  }
}

/** So that payloads of about the same length need no new room. */
const keptRoomBytes = 64;

function readObject(payload: Buffer): object | undefined {
  try {
    const content: unknown = JSON.parse(payload.toString("utf8"));
    return typeof content === "object" && content !== null && !Array.isArray(content) ? content : undefined;
  } catch {
    return undefined;
  }
}

function refusal(status: number, identifier: number | undefined, detail: string): RefusedFrame {
  return { kind: "refused", status, identifier: identifier ?? 0, detail };
}
