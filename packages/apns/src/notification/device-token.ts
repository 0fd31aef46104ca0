declare const deviceTokenBrand: unique symbol;

/** A device token as hexadecimal digits, checked. APNs takes either case. */
export type DeviceToken = string & { readonly [deviceTokenBrand]: true };

/** 1 for every hexadecimal digit. A table, because the pattern costs four times as much (bench/client.ts). */
const isDigit = Uint8Array.from({ length: 128 }, (_, code) =>
  /[0-9a-fA-F]/.test(String.fromCharCode(code)) ? 1 : 0,
);

/**
 * The text as a device token, or undefined. 8 to 200 hexadecimal digits, an even number: 64 are usual, Live Activity tokens
 * have been seen with 160, and the binary protocol allowed 100 bytes.
 */
export function parseDeviceToken(text: string): DeviceToken | undefined {
  const { length } = text;
  if (length < 8 || length > 200 || length % 2 === 1) return undefined;
  for (let at = 0; at < length; at += 1) if (isDigit[text.charCodeAt(at)] !== 1) return undefined;
  return text as DeviceToken;
}
