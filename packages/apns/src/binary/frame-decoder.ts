import {
  type BinaryCommand,
  type BinaryNotification,
  mostPayloadBytes,
  mostTokenBytes,
} from "./binary-notification.ts";
import { errorStatus } from "./error-status.ts";
import { readItems } from "./frame-items.ts";
import { UnitReader } from "./unit-reader.ts";

export interface BinaryFrameDecoderOptions {
  /** Longer payloads are refused at their length, before they are read; 1 to 65 535. @default 4096 */
  readonly mostPayloadBytes?: number;
}

/** What stands in a sender's stream. */
export type ReceivedFrame = ReceivedNotification | MalformedFrame;

export interface ReceivedNotification {
  readonly kind: "notification";
  readonly command: BinaryCommand;
  /** Its bytes are views of what was received, valid for as long as they are kept. */
  readonly notification: BinaryNotification & { readonly deviceToken: Buffer; readonly payload: Buffer };
}

/** A frame that no gateway takes. The stream ends with it: nothing behind it is read. */
export interface MalformedFrame {
  readonly kind: "malformed";
  /** The error response that it deserves, one of `errorStatus`. */
  readonly status: number;
  /** Undefined where the frame has none, or where it was not read as far as that. */
  readonly identifier: number | undefined;
  /** Undefined where it was not read, or is at fault itself. */
  readonly deviceToken: Buffer | undefined;
  /** What is wrong, for people. */
  readonly detail: string;
}

/** Bytes of a command-2 frame beside its payload, at most: five item heads, the longest token, and the numbers. */
const mostOtherBytes = 5 * 3 + mostTokenBytes + 4 + 4 + 1;

/** Frames of command 2 up to this length are read, so that one whose payload is too long can be named. */
const leastFrameLimitBytes = 8192;

/**
 * Reads what a sender writes: frames of commands 0, 1 and 2, mixed as they come, at any split of the bytes. Never throws. Holds
 * at most one unfinished frame: 8 KiB, or little more than the longest payload.
 *
 * Layouts, numbers big-endian. Command 0: `00`, token length u16, token, payload length u16, payload. Command 1: `01`, identifier
 * u32, expiration u32, then as 0. Command 2: `02`, length u32, items of id u8, length u16 and data, in any order.
 * Source: Apple, Local and Remote Notification Programming Guide, "Binary Provider API" and "Legacy Format".
 */
export class BinaryFrameDecoder {
  private readonly mostPayloadBytes: number;
  private readonly mostItemsBytes: number;
  private readonly units: UnitReader;
  private isBroken = false;

  constructor(options: BinaryFrameDecoderOptions = {}) {
    this.mostPayloadBytes = options.mostPayloadBytes ?? mostPayloadBytes;
    this.mostItemsBytes = Math.max(leastFrameLimitBytes, this.mostPayloadBytes + mostOtherBytes);
    this.units = new UnitReader((bytes, start, available) => this.measure(bytes, start, available));
  }

  /** Adds bytes of the stream; they are kept, not copied. Take what stands in them with `next`. */
  receive(chunk: Uint8Array): void {
    if (!this.isBroken) this.units.receive(chunk);
  }

  /** The next frame; undefined until more bytes come, and for ever after one that is malformed. */
  next(): ReceivedFrame | undefined {
    const unit = this.units.next();
    if (unit === undefined) return undefined;
    const frame = this.read(unit);
    if (frame.kind === "malformed") {
      this.isBroken = true;
      this.units.clear();
    }
    return frame;
  }

  /** Whether a frame has begun and not ended: what a sender must not leave so for long. */
  get isInFrame(): boolean {
    return this.units.isInUnit;
  }

  /** What cannot be right ends where that shows, so that nobody waits for the rest of it. */
  private measure(bytes: Buffer, start: number, available: number): number {
    const command = bytes[start]!;
    if (command === 2) {
      if (available < 5) return 5;
      const length = bytes.readUInt32BE(start + 1);
      return length > this.mostItemsBytes ? 5 : 5 + length;
    }
    if (command > 2) return 1;
    const tokenAt = command === 0 ? 3 : 11;
    if (available < tokenAt) return tokenAt;
    const tokenBytes = bytes.readUInt16BE(start + tokenAt - 2);
    if (tokenBytes > mostTokenBytes) return tokenAt;
    const payloadAt = tokenAt + tokenBytes + 2;
    if (available < payloadAt) return payloadAt;
    const payloadBytes = bytes.readUInt16BE(start + payloadAt - 2);
    return payloadBytes > this.mostPayloadBytes ? payloadAt : payloadAt + payloadBytes;
  }

  private read(unit: Buffer): ReceivedFrame {
    switch (unit[0]) {
      case 0:
        return this.readContent(0, unit, 1, undefined, undefined);
      case 1:
        return this.readContent(1, unit, 9, unit.readUInt32BE(1), unit.readUInt32BE(5));
      case 2:
        return this.readItems(unit);
      default:
        return protocolError(`command ${unit[0]}, expected 0, 1 or 2`);
    }
  }

  private readContent(
    command: 0 | 1,
    unit: Buffer,
    at: number,
    identifier: number | undefined,
    expirationSeconds: number | undefined,
  ): ReceivedFrame {
    const tokenBytes = unit.readUInt16BE(at);
    const payloadAt = at + 4 + tokenBytes;
    // Where the token is too long the unit ends before it.
    if (tokenBytes > mostTokenBytes) return { ...tokenTooLong(tokenBytes), identifier };
    const deviceToken = unit.subarray(at + 2, payloadAt - 2);
    const refused = this.findFault(deviceToken, unit.readUInt16BE(payloadAt - 2));
    if (refused !== undefined) return { ...refused, identifier };
    const payload = unit.subarray(payloadAt);
    return {
      kind: "notification",
      command,
      notification: { deviceToken, payload, identifier, expirationSeconds, priority: undefined },
    };
  }

  private readItems(unit: Buffer): ReceivedFrame {
    const length = unit.readUInt32BE(1);
    if (length > unit.length - 5) {
      const detail = `a frame of ${length} bytes, at most ${this.mostItemsBytes}`;
      return { ...protocolError(detail), status: errorStatus.invalidPayloadSize };
    }
    const items = readItems(unit, 5);
    if (typeof items === "string") return protocolError(items);
    const { deviceToken, payload, identifier } = items;
    const refused = this.findFault(deviceToken, payload?.length ?? 0);
    if (refused !== undefined) return { ...refused, identifier };
    return {
      kind: "notification",
      command: 2,
      notification: { ...items, deviceToken: deviceToken!, payload: payload! },
    };
  }

  /** The first thing that is wrong, the device token before the payload. */
  private findFault(deviceToken: Buffer | undefined, payloadBytes: number): MalformedFrame | undefined {
    const tokenBytes = deviceToken?.length ?? 0;
    if (tokenBytes === 0) return fault(errorStatus.missingDeviceToken, "no device token");
    if (tokenBytes > mostTokenBytes) return tokenTooLong(tokenBytes);
    if (payloadBytes === 0) return { ...fault(errorStatus.missingPayload, "no payload"), deviceToken };
    if (payloadBytes <= this.mostPayloadBytes) return undefined;
    const detail = `a payload of ${payloadBytes} bytes, at most ${this.mostPayloadBytes}`;
    return { ...fault(errorStatus.invalidPayloadSize, detail), deviceToken };
  }
}

/** A frame that could not be parsed: nobody can say whose it was. */
function protocolError(detail: string): MalformedFrame {
  return fault(errorStatus.protocolError, detail);
}

function tokenTooLong(bytes: number): MalformedFrame {
  return fault(errorStatus.invalidTokenSize, `a device token of ${bytes} bytes, at most ${mostTokenBytes}`);
}

function fault(status: number, detail: string): MalformedFrame {
  return { kind: "malformed", status, identifier: undefined, deviceToken: undefined, detail };
}
