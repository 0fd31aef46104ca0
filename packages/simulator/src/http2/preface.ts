import { connectionPreface } from "@carillon/apns/http2";

export type PrefaceResult =
  | { readonly kind: "need-more" }
  /** `bytesRead` counts in the chunk at hand. */
  | { readonly kind: "decoded"; readonly bytesRead: number }
  | { readonly kind: "malformed"; readonly detail: string };

/** Bytes of a wrong preface that are shown. */
const mostShownBytes = 1024;

/**
 * Reads the client's preface (RFC 9113 §3.4) at any split point. The words about a wrong one are Netty's, which Apple's front
 * end is built on (`apns-protocol` §1.1).
 */
export class Preface {
  private matched = 0;

  receive(chunk: Buffer): PrefaceResult {
    for (let at = 0; at < chunk.length; at++) {
      if (chunk[at] !== connectionPreface.charCodeAt(this.matched)) return this.refuse(chunk);
      this.matched += 1;
      if (this.matched === connectionPreface.length) return { kind: "decoded", bytesRead: at + 1 };
    }
    return { kind: "need-more" };
  }

  private refuse(chunk: Buffer): PrefaceResult {
    const text = chunk.toString("latin1", 0, mostShownBytes);
    const version = text.indexOf("HTTP/1.");
    if (version > 0)
      return { kind: "malformed", detail: `Unexpected HTTP/1.x request: ${text.slice(0, version)}` };
    const shown = chunk.toString("hex", 0, connectionPreface.length);
    return {
      kind: "malformed",
      detail: `HTTP/2 client preface string missing or corrupt. Hex dump for received bytes: ${shown}`,
    };
  }
}
