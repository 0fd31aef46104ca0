declare const deviceTokenBrand: unique symbol;

/** A device token as hexadecimal digits, checked. APNs takes either case. */
export type DeviceToken = string & { readonly [deviceTokenBrand]: true };

const shape = /^(?:[0-9a-fA-F]{2}){4,100}$/;

/**
 * The text as a device token, or undefined. 8 to 200 hexadecimal digits, an even number: 64 are usual, Live Activity tokens
 * have been seen with 160, and the binary protocol allowed 100 bytes.
 */
export function parseDeviceToken(text: string): DeviceToken | undefined {
  return shape.test(text) ? (text as DeviceToken) : undefined;
}
