import type { DeviceTraits, UnregisteredDevice } from "../devices/index.ts";

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

/** What `PATCH /devices/{deviceToken}` says about a device. */
export type TraitsBody =
  | { readonly kind: "valid"; readonly traits: DeviceTraits }
  | { readonly kind: "malformed"; readonly detail: string };

const traitChecks: Readonly<Record<keyof DeviceTraits, readonly [(value: unknown) => boolean, string]>> = {
  topic: [(value) => typeof value === "string" && /^[\w.-]{1,255}$/.test(value), "a bundle id"],
  environment: [(value) => value === "sandbox" || value === "production", '"sandbox" or "production"'],
  reach: [(value) => value === "online" || value === "offline", '"online" or "offline"'],
  answers: [(value) => value === "usual" || value === "never", '"usual" or "never"'],
  pace: [isPace, '{"most": 0 to 1000, "withinMs": milliseconds}'],
};

/** Reads a body with any of the traits. */
export function readTraitsBody(text: string): TraitsBody {
  const body = parseObject(text);
  if (body === undefined) return malformed("the body must be a JSON object");
  for (const [name, value] of Object.entries(body)) {
    if (!Object.hasOwn(traitChecks, name)) {
      const known = Object.keys(traitChecks).join(", ");
      return malformed(`"${name.slice(0, 40)}" is not known: there are ${known}`);
    }
    const [isRight, expected] = traitChecks[name as keyof DeviceTraits];
    if (!isRight(value)) return malformed(`"${name}" must be ${expected}`);
  }
  return { kind: "valid", traits: body };
}

function isPace(value: unknown): boolean {
  const { most, withinMs } = (value ?? {}) as Record<string, unknown>;
  const isWhole = (number: unknown, largest: number): boolean =>
    Number.isSafeInteger(number) && Number(number) >= 0 && Number(number) <= largest;
  return isWhole(most, 1000) && isWhole(withinMs, Number.MAX_SAFE_INTEGER);
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

function malformed(detail: string): { readonly kind: "malformed"; readonly detail: string } {
  return { kind: "malformed", detail };
}
