/** A sender of the binary protocol that writes what it is told and keeps what comes back. */
import { once } from "node:events";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import {
  type BinaryNotification,
  ErrorResponseDecoder,
  encodeFrame,
  FeedbackDecoder,
} from "@carillon/apns/binary";
import type { Simulator } from "./simulator.ts";

export const deviceToken = (ordinal: number): string => ordinal.toString(16).padStart(64, "0");

/** A frame of command 2 to a device token that shows the identifier. */
export function frame(identifier: number, more: Partial<BinaryNotification> = {}): Buffer {
  return encodeFrame(2, { ...notification(identifier), ...more });
}

export function notification(identifier: number): BinaryNotification {
  return {
    deviceToken: Buffer.from(deviceToken(identifier), "hex"),
    payload: Buffer.from(`{"aps":{"alert":"Hello ${identifier}"}}`),
    identifier,
  };
}

export class BinarySender {
  readonly socket: TLSSocket;
  readonly chunks: Buffer[] = [];

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.chunks.push(chunk));
    socket.on("error", () => {});
  }

  /** Resolves when TLS is done. @param port by default the one that HTTP/2 shares */
  static async open(
    simulator: Simulator,
    port: number = simulator.port,
    tls: ConnectionOptions = {},
  ): Promise<BinarySender> {
    const { cert, key } = simulator.credentials.certificate;
    const options = { host: "localhost", port, ca: simulator.ca, cert, key, ...tls };
    const sender = new BinarySender(connect(options));
    await Promise.race([once(sender.socket, "secureConnect"), sender.untilClosed()]);
    return sender;
  }

  write(...frames: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  async untilClosed(): Promise<void> {
    if (!this.socket.closed) await new Promise((resolve) => this.socket.once("close", resolve));
  }

  /** What came as error responses. */
  get errors(): readonly unknown[] {
    const decoder = new ErrorResponseDecoder();
    decoder.receive(Buffer.concat(this.chunks));
    const found: unknown[] = [];
    for (let each = decoder.next(); each !== undefined; each = decoder.next())
      found.push(each.kind === "error-response" ? each.value : each);
    return found;
  }

  /** What came as feedback. */
  get feedback(): readonly { readonly goneSinceSeconds: number; readonly deviceToken: string }[] {
    const decoder = new FeedbackDecoder();
    decoder.receive(Buffer.concat(this.chunks));
    const found: { goneSinceSeconds: number; deviceToken: string }[] = [];
    for (let each = decoder.next(); each !== undefined; each = decoder.next()) {
      if (each.kind === "malformed") throw new Error(each.detail);
      const { goneSinceSeconds, deviceToken } = each.value;
      found.push({ goneSinceSeconds, deviceToken: deviceToken.toString("hex") });
    }
    return found;
  }
}
