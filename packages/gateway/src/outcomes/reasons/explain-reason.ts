import { parseRejectionReason, rejectionReasons } from "@carillon/apns";
import { type Explanation, ownReasons } from "./own-reasons.ts";

/** Who must act, by what is at fault. */
export const whoActs: Readonly<Record<Explanation["fault"], string>> = {
  request: "whoever writes the notification",
  "device-token": "whoever keeps the device tokens",
  credential: "whoever holds the app's key or certificate",
  pace: "nobody; it takes time",
  service: "nobody; Apple or the network",
  operator: "whoever runs the gateway",
};

/**
 * Explains Apple's reasons and Carillon's own. What stands before or behind a colon is looked up apart:
 * `bad-notification: topic`, `environment-suspect: BadDeviceToken`. Undefined for words that nobody knows.
 */
export function explainReason(reason: string): Explanation | undefined {
  const parts = [reason, ...reason.split(":").map((part) => part.trim())];
  for (const part of parts) {
    const known = parseRejectionReason(part);
    if (known !== undefined) {
      const { fault, means, remedy } = rejectionReasons[known];
      return { fault, means, remedy };
    }
    if (Object.hasOwn(ownReasons, part)) return ownReasons[part as keyof typeof ownReasons];
  }
  return undefined;
}
