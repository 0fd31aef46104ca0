import type { ServerRequest } from "../http2/index.ts";

/** What a path about channels stands for, and which methods it has. */
export type ChannelResource = "channels" | "all-channels" | "broadcast";

/** A request about channels: its fields, sorted out and not judged. */
export interface ChannelRequest {
  readonly method: string;
  /** Undefined where the path stands for nothing. */
  readonly resource: ChannelResource | undefined;
  readonly bundleId: string;
  /** What stands behind a `?`. */
  readonly query: string | undefined;
  readonly authorization: string | undefined;
  readonly channelId: string | undefined;
  readonly requestId: string | undefined;
  readonly pushType: string | undefined;
  readonly expiration: string | undefined;
  readonly priority: string | undefined;
  /** A field of these that came more than once. */
  readonly duplicate: string | undefined;
  readonly body: Buffer;
  /** Bytes of the body that came, kept or not. */
  readonly bodyBytes: number;
}

const paths: readonly (readonly [resource: ChannelResource, path: RegExp])[] = [
  ["channels", /^\/1\/apps\/([^/]+)\/channels$/],
  ["all-channels", /^\/1\/apps\/([^/]+)\/all-channels$/],
  ["broadcast", /^\/4\/broadcasts\/apps\/([^/]+)$/],
];

/** Whether a path is about channels, right or wrong. */
export function isChannelPath(path: string): boolean {
  return path.startsWith("/1/apps/") || path.startsWith("/4/broadcasts/");
}

const names = {
  authorization: "authorization",
  channelId: "apns-channel-id",
  requestId: "apns-request-id",
  pushType: "apns-push-type",
  expiration: "apns-expiration",
  priority: "apns-priority",
} as const;

/** Sorts the fields of a well-formed request. Of a field that came twice the first value counts. */
export function readChannelRequest({ fields, body, bodyBytes }: ServerRequest): ChannelRequest {
  const values = new Map<string, string>();
  const known: readonly string[] = Object.values(names);
  let duplicate: string | undefined;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!;
    if (!values.has(name)) values.set(name, fields[i + 1]!);
    else if (known.includes(name)) duplicate = name;
  }
  const target = values.get(":path") ?? "";
  const end = target.indexOf("?");
  const path = end === -1 ? target : target.slice(0, end);
  const [resource, bundleId = ""] = findResource(path);
  return {
    method: values.get(":method") ?? "",
    ...{ resource, bundleId, duplicate, body, bodyBytes },
    query: end === -1 ? undefined : target.slice(end + 1),
    authorization: values.get(names.authorization),
    channelId: values.get(names.channelId),
    requestId: values.get(names.requestId),
    pushType: values.get(names.pushType),
    expiration: values.get(names.expiration),
    priority: values.get(names.priority),
  };
}

function findResource(path: string): readonly [ChannelResource | undefined, string?] {
  for (const [resource, pattern] of paths) {
    const bundleId = pattern.exec(path)?.[1];
    if (bundleId !== undefined) return [resource, bundleId];
  }
  return [undefined];
}
