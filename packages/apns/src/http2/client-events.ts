import type { ConnectionError } from "./frame-types.ts";
import type { Goaway } from "./goaway.ts";

/** A final answer from the peer. */
export interface ReceivedResponse {
  /** 200 to 999. */
  readonly status: number;
  /** [name, value, name, value, ...] as received, `:status` first; trailers are checked and dropped. */
  readonly fields: readonly string[];
  /** The front of the content, at most `mostBodyBytes`: 4096 unless the connection was told otherwise. */
  readonly body: Buffer;
  /**
   * False where content is missing: cut at our limit, or the stream was reset or the socket closed after the status
   * came.
   */
  readonly isComplete: boolean;
}

/** A request that will get no answer. */
export type RequestFailure =
  /** The peer provably did not act on it (RFC 9113 §8.7): sending it again cannot duplicate. */
  | { readonly kind: "unprocessed"; readonly cause: "goaway" | "refused-stream" | "not-written" }
  /** It was written. `code` is the RST_STREAM or GOAWAY error code that ended it. */
  | {
      readonly kind: "indeterminate";
      readonly cause: "reset" | "socket-closed" | "protocol";
      readonly code?: number;
    };

/**
 * What a client connection tells its owner. Calls come from within `receive` and `socketClosed` only, never from
 * `open` or `cancel`. A listener may call the connection back (open, cancel, ping, goaway, socketClosed); it must
 * not throw.
 */
export interface ClientConnectionListener<Tag> {
  /**
   * SETTINGS arrived, or streams or window were freed: capacity may have grown or shrunk. At most once per
   * `receive`, at its end.
   */
  capacityChanged(): void;
  /**
   * The answer to the request that was opened with `tag`. Each tag gets one `response` or one `failed`, unless it
   * was cancelled.
   */
  response(tag: Tag, response: ReceivedResponse): void;
  /** In place of `response`, where it is there: status 200, one `apns-id` and nothing else. Not every such answer comes so. */
  accepted?(tag: Tag): void;
  failed(tag: Tag, failure: RequestFailure): void;
  /** A GOAWAY as it came; the streams above its last id have been failed. `lastGoaway` sums up several. */
  goaway(goaway: Goaway): void;
  /** The answer to a PING of ours, with its 8 bytes. */
  pong(opaque: Buffer): void;
  /**
   * The peer broke the protocol: GOAWAY is in the output; flush it and destroy the socket. All streams have been
   * failed.
   */
  broken(error: ConnectionError): void;
}
