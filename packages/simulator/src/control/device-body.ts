import type { UnregisteredDevice } from "../devices/index.ts";

/** What `PUT /devices/{deviceToken}` says about a device. */
export type DeviceBody =
  | {
      readonly kind: "valid";
      readonly reason: UnregisteredDevice["reason"] | undefined;
      readonly sinceMs: number | undefined;
    }
  | { readonly kind: "malformed"; readonly detail: string };

/** Reads the body: nothing, or `{"reason": "Unregistered" | "ExpiredToken", "sinceMs": milliseconds since 1970}`. */
export function readDeviceBody(text: string): DeviceBody {
  if (text.trim() === "") return { kind: "valid", reason: undefined, sinceMs: undefined };
  const body = parseObject(text);
  if (body === undefined) return malformed("the body must be a JSON object, or empty");
  const unknown = Object.keys(body).find((key) => key !== "reason" && key !== "sinceMs");
  if (unknown !== undefined) {
    return malformed(`"${unknown.slice(0, 40)}" is not known: give "reason" and "sinceMs", or nothing`);
  }
  const { reason, sinceMs } = body;
  if (reason !== undefined && reason !== "Unregistered" && reason !== "ExpiredToken") {
    return malformed('"reason" must be "Unregistered" or "ExpiredToken"');
  }
  if (sinceMs !== undefined && !(Number.isSafeInteger(sinceMs) && Number(sinceMs) >= 0)) {
    return malformed('"sinceMs" must be milliseconds since 1970');
  }
  return { kind: "valid", reason, sinceMs: sinceMs === undefined ? undefined : Number(sinceMs) };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function malformed(detail: string): DeviceBody {
  return { kind: "malformed", detail };
}
