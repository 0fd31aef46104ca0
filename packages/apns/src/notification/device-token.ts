declare const deviceTokenBrand: unique symbol;

/** A device token as hexadecimal digits, checked. APNs takes either case. */
export type DeviceToken = string & { readonly [deviceTokenBrand]: true };

const hexadecimal = /^[0-9a-fA-F]+$/;

/**
 * The text as a device token, or undefined. 8 to 200 hexadecimal digits, an even number: 64 are usual, Live Activity tokens
 * have been seen with 160, and the binary protocol allowed 100 bytes.
 */
export function parseDeviceToken(text: string): DeviceToken | undefined {
  const { length } = text;
  const isRight = length >= 8 && length <= 200 && length % 2 === 0 && hexadecimal.test(text);
  return isRight ? (text as DeviceToken) : undefined;
}
