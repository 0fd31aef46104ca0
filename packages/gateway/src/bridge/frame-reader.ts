import { type Priority, prepareNotification } from "@carillon/apns";
import { errorStatus, type ReceivedFrame } from "@carillon/apns/binary";
import { PayloadForms } from "./payload-forms.ts";

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

/**
 * Reads the frames of senders with one topic: what the library derives from topic and payload, and the faults that show without
 * asking Apple. A payload of a form that was read before is not parsed.
 */
export class FrameReader {
  readonly #topic: string;
  readonly #ownTopic: string | undefined;
  readonly #forms = new PayloadForms<Kind>();

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
    const { topic, pushType } = kind;
    // No object is spread into it: that costs a microsecond.
    return {
      kind: "push",
      identifier: identifier ?? 0,
      deviceToken,
      payload,
      topic,
      pushType,
      expirationSeconds,
      priority: pushType === "background" ? 5 : priority,
    };
  }

  #kindOf(deviceToken: Buffer, payload: Buffer): Kind | { readonly status: number; readonly detail: string } {
    const known = this.#forms.find(payload);
    if (known !== undefined) return known;
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
    const kind = {
      topic: prepared.notification.topic ?? this.#topic,
      pushType: prepared.notification.pushType,
    };
    this.#forms.learn(payload, kind);
    return kind;
  }
}

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
