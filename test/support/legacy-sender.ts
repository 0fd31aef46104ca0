import { connect, type TLSSocket } from "node:tls";
import type { BinaryNotification } from "@carillon/apns/binary";
import { type ErrorResponse, ErrorResponseDecoder, encodeFrame } from "@carillon/apns/binary";
import { onTestFinished } from "vitest";
import { deviceToken } from "./sending.ts";

export interface SenderIdentity {
  readonly port: number;
  /** The authority of the server's certificate. */
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

/** What a connection had to say when it ended. */
export interface LastWords {
  readonly response: ErrorResponse | undefined;
  /** All bytes that came. */
  readonly bytes: Buffer;
  /** The system's word where it did not end in order. */
  readonly code: string | undefined;
}

/** A sender of the binary protocol, reduced to a socket: it writes what it is told to and keeps what comes. */
export class LegacySender {
  readonly socket: TLSSocket;
  /** Resolves when the connection is closed on both sides. */
  readonly ended: Promise<LastWords>;
  readonly #chunks: Buffer[] = [];

  constructor({ port, ca, cert, key }: SenderIdentity) {
    this.socket = connect({
      ...{ host: "127.0.0.1", servername: "localhost", port, ca, noDelay: true },
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    });
    let code: string | undefined;
    this.socket.on("error", (error: NodeJS.ErrnoException) => {
      code = error.code;
    });
    this.socket.on("data", (chunk: Buffer) => void this.#chunks.push(chunk));
    this.ended = new Promise((resolve) => {
      this.socket.once("close", () => {
        const bytes = Buffer.concat(this.#chunks);
        const decoder = new ErrorResponseDecoder();
        decoder.receive(bytes);
        const read = decoder.next();
        const response = read?.kind === "error-response" ? read.value : undefined;
        resolve({ response, bytes, code });
      });
    });
    onTestFinished(() => void this.socket.destroy());
  }

  async connected(): Promise<this> {
    if (this.socket.authorized) return this;
    await new Promise((resolve) => this.socket.once("secureConnect", resolve));
    return this;
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** Says that it has no more to send, and waits for the other side. */
  finish(): Promise<LastWords> {
    this.socket.end();
    return this.ended;
  }
}

/** A command-2 frame to the `ordinal`th device token, with that as its identifier. */
export function frame(ordinal: number, more: Partial<BinaryNotification> = {}): Buffer {
  return encodeFrame(2, {
    deviceToken: Buffer.from(deviceToken(ordinal), "hex"),
    payload: Buffer.from('{"aps":{"alert":"Hello"}}'),
    identifier: ordinal,
    expirationSeconds: 4_000_000_000,
    priority: 10,
    ...more,
  });
}
