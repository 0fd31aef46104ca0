import {
  checkSize,
  explainEpochSeconds,
  parseDeviceToken,
  toEpochSeconds,
  writePayload,
} from "../notification/index.ts";
import { ApnsError } from "../runtime/index.ts";
import type { BinaryNotification } from "./binary-notification.ts";

/** One push to one device, as a caller of `BinaryClient` hands it over. The topic is the client certificate's. */
export interface BinaryPush {
  /** 8 to 200 hexadecimal digits, an even number, either case. */
  readonly deviceToken: string;
  /** An object is written as JSON; a string or bytes go out as they are. */
  readonly payload: object | string | Uint8Array;
  /** A Date or epoch seconds. 0: one attempt, not stored. */
  readonly expiration?: Date | number;
  /** @default 10, by leaving it out */
  readonly priority?: 10 | 5;
}

const latestSeconds = 0xffff_ffff;

/** @throws ApnsError `bad-notification` with every problem */
export function prepareBinaryPush(push: BinaryPush, mostPayloadBytes: number): BinaryNotification {
  const problems: { field: string; detail: string }[] = [];
  const refuse = (field: string, detail: string): void => void problems.push({ field, detail });
  const deviceToken = typeof push.deviceToken === "string" ? parseDeviceToken(push.deviceToken) : undefined;
  if (deviceToken === undefined) refuse("deviceToken", "must be 8 to 200 hexadecimal digits, an even number");
  const payload = writePayload(push.payload, refuse);
  if (payload !== undefined) checkSize(payload.bytes, mostPayloadBytes, refuse);
  const expirationSeconds = push.expiration === undefined ? undefined : toEpochSeconds(push.expiration);
  if (expirationSeconds !== undefined) {
    const late = `is beyond ${latestSeconds}, the last second that fits into 32 bits`;
    const detail =
      explainEpochSeconds(expirationSeconds) ?? (expirationSeconds > latestSeconds ? late : undefined);
    if (detail !== undefined) refuse("expiration", detail);
  }
  if (push.priority !== undefined && push.priority !== 10 && push.priority !== 5)
    refuse("priority", "must be 10 (now) or 5 (as power allows)");
  if (problems.length > 0 || deviceToken === undefined || payload === undefined) {
    const all = problems.map(({ field, detail }) => `${field} ${detail}`).join("; ");
    throw new ApnsError("bad-notification", all, problems);
  }
  return {
    deviceToken: Buffer.from(deviceToken, "hex"),
    payload: typeof payload.content === "string" ? Buffer.from(payload.content) : payload.content,
    expirationSeconds,
    priority: push.priority,
  };
}
