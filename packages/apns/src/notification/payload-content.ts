import type { Notification } from "./notification.ts";

/** The payload as it goes out, with its length in bytes: an object as JSON, text and bytes as they are. */
export function writePayload(
  payload: Notification["payload"],
  refuse: (field: "payload", detail: string) => void,
): { content: string | Uint8Array; bytes: number } | undefined {
  if (payload instanceof Uint8Array) return { content: payload, bytes: payload.length };
  if (typeof payload === "string") return { content: payload, bytes: Buffer.byteLength(payload) };
  if (!isWritable(payload)) {
    refuse("payload", 'must be an object such as {"aps": {"alert": "Hello"}}, a string of JSON, or bytes');
    return undefined;
  }
  try {
    const content = JSON.stringify(payload);
    if (typeof content === "string") return { content, bytes: Buffer.byteLength(content) };
    refuse("payload", "has a toJSON that gives nothing; hand over an object that can be written as JSON");
  } catch (error) {
    refuse("payload", `cannot be written as JSON (${(error as Error).message}); hand over plain data`);
  }
  return undefined;
}

/** Whether a payload is one that is written as JSON here; strings and bytes are never looked into. */
export function isWritable(payload: unknown): payload is object {
  return (
    typeof payload === "object" &&
    payload !== null &&
    !(payload instanceof Uint8Array) &&
    !Array.isArray(payload)
  );
}

/** Holds a payload's length against APNs' limit. */
export function checkSize(
  bytes: number,
  limitBytes: number,
  refuse: (field: "payload", detail: string) => void,
): void {
  if (bytes === 0) refuse("payload", "is empty; the smallest payload is {}");
  else if (bytes > limitBytes)
    refuse(
      "payload",
      `is ${bytes} bytes; APNs takes ${limitBytes}: shorten it, or let the app fetch the rest`,
    );
}
