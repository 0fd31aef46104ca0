/** What is wrong with a payload, seen from its push type. */
export type PayloadFault = "no-json-object" | "contrary";

/**
 * Looks into a payload: whether it is a JSON object in UTF-8, and whether it is what its push type asks for
 * (`apns-protocol` §1.3, §6.1). Undefined where it is.
 */
export function findPayloadFault(payload: Buffer, pushType: string | undefined): PayloadFault | undefined {
  const body = parseObject(payload);
  if (body === undefined) return "no-json-object";
  const aps = isObject(body.aps) ? body.aps : {};
  return isFit(body, aps, pushType) ? undefined : "contrary";
}

type Json = Readonly<Record<string, unknown>>;

const visibleKeys = ["alert", "badge", "sound"] as const;

function isFit(body: Json, aps: Json, pushType: string | undefined): boolean {
  switch (pushType) {
    case "alert":
      return visibleKeys.some((key) => aps[key] !== undefined);
    case "background":
      return aps["content-available"] === 1 && visibleKeys.every((key) => aps[key] === undefined);
    case "controls":
      return aps["content-changed"] === true;
    case "widgets":
      return aps["content-changed"] === true && visibleKeys.every((key) => aps[key] === undefined);
    case "liveactivity":
      return isLiveActivity(aps);
    case "mdm":
      return typeof body.mdm === "string" && Object.keys(body).length === 1;
    default:
      return true;
  }
}

function isLiveActivity(aps: Json): boolean {
  if (typeof aps.timestamp !== "number") return false;
  switch (aps.event) {
    case "start":
      return (
        typeof aps["attributes-type"] === "string" &&
        isObject(aps.attributes) &&
        isObject(aps["content-state"]) &&
        aps.alert !== undefined
      );
    case "update":
      return isObject(aps["content-state"]);
    case "end":
      return true;
    default:
      return false;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function parseObject(payload: Buffer): Json | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(payload));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
