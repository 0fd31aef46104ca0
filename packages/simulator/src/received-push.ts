import type { ReceivedNotification } from "@carillon/apns/binary";
import { asPushRequest, frameFields } from "./binary/index.ts";
import type { ServerRequest } from "./http2/index.ts";
import { type Assumptions, type PushRequest, readPushRequest } from "./verdict/index.ts";

/** A push as it came, in either protocol. */
export interface ReceivedPush {
  readonly protocol: "http/2" | "binary";
  readonly request: PushRequest;
  /** [name, value, ...] of what came. */
  readonly fields: readonly string[];
  /** The stream; for the binary protocol the ordinal of the frame on its connection. */
  readonly stream: number;
}

export function readHttp2Push(request: ServerRequest): ReceivedPush {
  const { fields, streamId } = request;
  return { protocol: "http/2", request: readPushRequest(request), fields, stream: streamId };
}

/** @param topic the certificate's: a frame has none */
export function readBinaryPush(
  { command, notification }: ReceivedNotification,
  topic: string | undefined,
  ordinal: number,
  { binaryWithoutExpiration }: Assumptions,
): ReceivedPush {
  const request = asPushRequest(notification, topic);
  const isTriedOnce = request.expiration === undefined && binaryWithoutExpiration === "not-stored";
  return {
    protocol: "binary",
    request: isTriedOnce ? { ...request, expiration: "0" } : request,
    fields: frameFields(command, notification),
    stream: ordinal,
  };
}
