import { ApnsError } from "../runtime/index.ts";
import { mostTokenBytes } from "./binary-notification.ts";
import { UnitReader } from "./unit-reader.ts";

/** A device on which the app is no more. */
export interface FeedbackTuple {
  /** When APNs found that out, in epoch seconds. It counts only if the device did not register again since. */
  readonly goneSinceSeconds: number;
  /** Raw bytes. */
  readonly deviceToken: Uint8Array;
}

const headBytes = 6;

/**
 * Tuples in the feedback service's form, one after another.
 *
 * Layout, big-endian: time u32 · token length u16 · token. Source: Apple, Local and Remote Notification Programming Guide,
 * "The Feedback Service".
 *
 * @throws ApnsError `bad-notification` for a time or a token that does not fit
 */
export function encodeFeedback(tuples: readonly FeedbackTuple[]): Buffer {
  const target = Buffer.allocUnsafe(
    tuples.reduce((sum, { deviceToken }) => sum + headBytes + deviceToken.length, 0),
  );
  let at = 0;
  for (const { goneSinceSeconds, deviceToken } of tuples) {
    const isTime =
      Number.isInteger(goneSinceSeconds) && goneSinceSeconds >= 0 && goneSinceSeconds <= 0xffff_ffff;
    if (!isTime || deviceToken.length > 0xffff) {
      throw new ApnsError("bad-notification", "a feedback tuple's time must be epoch seconds of 32 bits");
    }
    target.writeUInt32BE(goneSinceSeconds, at);
    target.writeUInt16BE(deviceToken.length, at + 4);
    target.set(deviceToken, at + headBytes);
    at += headBytes + deviceToken.length;
  }
  return target;
}

export type ReceivedFeedback =
  | {
      readonly kind: "tuple";
      readonly value: FeedbackTuple & { readonly deviceToken: Buffer };
    }
  | { readonly kind: "malformed"; readonly detail: string };

/** Reads what the feedback service writes, at any split of the bytes. Never throws. */
export class FeedbackDecoder {
  private readonly units = new UnitReader((bytes, start, available) => {
    if (available < headBytes) return headBytes;
    const tokenBytes = bytes.readUInt16BE(start + 4);
    return tokenBytes > mostTokenBytes ? headBytes : headBytes + tokenBytes;
  });
  private isBroken = false;

  receive(chunk: Uint8Array): void {
    if (!this.isBroken) this.units.receive(chunk);
  }

  /** The next tuple; undefined until more bytes come, and for ever after something that is none. */
  next(): ReceivedFeedback | undefined {
    const unit = this.units.next();
    if (unit === undefined) return undefined;
    const tokenBytes = unit.readUInt16BE(4);
    if (tokenBytes > 0 && tokenBytes <= mostTokenBytes) {
      const value = { goneSinceSeconds: unit.readUInt32BE(0), deviceToken: unit.subarray(headBytes) };
      return { kind: "tuple", value };
    }
    this.isBroken = true;
    this.units.clear();
    return {
      kind: "malformed",
      detail: `a device token of ${tokenBytes} bytes, expected 1 to ${mostTokenBytes}`,
    };
  }

  /** Whether the stream ended, or stopped, within a tuple. */
  get isInTuple(): boolean {
    return this.units.isInUnit;
  }
}
