declare const deviceTokenBrand: unique symbol;

/** A device token as hexadecimal digits, checked. APNs takes either case. */
export type DeviceToken = string & { readonly [deviceTokenBrand]: true };

/** 0 for every hexadecimal digit. A table, because the pattern costs twice as much (bench/prepare-notification.bench.ts). */
const isOther = Uint8Array.from({ length: 256 }, (_, code) =>
  /[0-9a-fA-F]/.test(String.fromCharCode(code)) ? 0 : 1,
);

/**
 * The text as a device token, or undefined. 8 to 200 hexadecimal digits, an even number: 64 are usual, Live Activity tokens
 * have been seen with 160, and the binary protocol allowed 100 bytes.
 */
export function parseDeviceToken(text: string): DeviceToken | undefined {
  return isTextDeviceToken(text) ? (text as DeviceToken) : undefined;
}

/** Whether a value is a device token as text. Looks at all of it without a branch: nearly every one is right. */
export function isTextDeviceToken(text: unknown): text is string {
  if (typeof text !== "string") return false;
  const { length } = text;
  if (length < 8 || length > 200 || length % 2 === 1) return false;
  let others = 0;
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at);
    others |= (code >>> 8) | isOther[code & 0xff]!;
  }
  return others === 0;
}
