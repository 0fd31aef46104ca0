import { UnitReader } from "./unit-reader.ts";

/** Why the gateway closes a connection. */
export interface ErrorResponse {
  /** One of `errorStatus`, or whatever stands there. */
  readonly status: number;
  /** The notification at fault, in the sender's 32 bits; for status 10 (shutdown) the last one that was sent on. 0 may mean: unknown. */
  readonly identifier: number;
}

const errorResponseBytes = 6;
const errorCommand = 8;

/**
 * One error-response packet.
 *
 * Layout, 6 bytes, big-endian: command u8 = 8 · status u8 · identifier u32.
 * Source: Apple, Local and Remote Notification Programming Guide, "Binary Provider API".
 */
export function encodeErrorResponse({ status, identifier }: ErrorResponse): Buffer {
  const packet = Buffer.allocUnsafe(errorResponseBytes);
  packet[0] = errorCommand;
  packet[1] = status;
  packet.writeUInt32BE(identifier >>> 0, 2);
  return packet;
}

export type ReceivedErrorResponse =
  | { readonly kind: "error-response"; readonly value: ErrorResponse }
  | { readonly kind: "malformed"; readonly detail: string };

/** Reads what the gateway writes, at any split of the bytes: nothing, or one error response. Never throws. */
export class ErrorResponseDecoder {
  private readonly units = new UnitReader((bytes, start) =>
    bytes[start] === errorCommand ? errorResponseBytes : 1,
  );
  private isBroken = false;

  receive(chunk: Uint8Array): void {
    if (!this.isBroken) this.units.receive(chunk);
  }

  /** The next packet; undefined until more bytes come, and for ever after something that is none. */
  next(): ReceivedErrorResponse | undefined {
    const unit = this.units.next();
    if (unit === undefined) return undefined;
    if (unit[0] === errorCommand) {
      return {
        kind: "error-response",
        value: { status: unit[1]!, identifier: unit.readUInt32BE(2) },
      };
    }
    this.isBroken = true;
    this.units.clear();
    return { kind: "malformed", detail: `command ${unit[0]}, expected ${errorCommand}` };
  }

  /** Whether the stream ended, or stopped, within a packet. */
  get isInPacket(): boolean {
    return this.units.isInUnit;
  }
}
