import type { RejectionReason } from "../response/index.ts";

/** What a client's owner may want to know or count beside the outcomes. New kinds may be added: ignore unknown ones. */
export type ClientEvent =
  /** TLS and HTTP/2 stand. */
  | {
      readonly kind: "connection-opened";
      /** Counts the connections of this client, from 1. */
      readonly number: number;
      readonly remoteAddress: string | undefined;
      readonly streamLimit: number;
    }
  /**
   * A connection is gone, or could not be made. "retired": by agreement. "verification": the peer's certificate was not
   * believed; nothing can be sent until somebody acts. "failure": anything else.
   */
  | {
      readonly kind: "connection-ended";
      readonly number: number;
      readonly cause: "retired" | "failure" | "verification";
      readonly detail: string;
      readonly remoteAddress: string | undefined;
      readonly answers: number;
      readonly ageMs: number;
    }
  /** APNs will take no new requests on a connection. `reason` is the debug data it gave, at most 200 characters. */
  | { readonly kind: "goaway"; readonly code: number; readonly lastStreamId: number; readonly reason: string }
  /**
   * APNs refuses the credential itself, so every send will fail alike. Told once, and again after a send was accepted in
   * between.
   */
  | { readonly kind: "credential-refused"; readonly status: number; readonly reason: RejectionReason };
