import {
  BinaryFrameDecoder,
  type ErrorResponse,
  encodeErrorResponse,
  type MalformedFrame,
  type ReceivedNotification,
} from "@carillon/apns/binary";

/** Called for each frame that is still read. */
export interface GatewayListener {
  notification(received: ReceivedNotification): void;
  malformed(frame: MalformedFrame): void;
}

/**
 * Apple's half of one connection of the binary protocol: frames in, silence or one error response out. No socket, no timer.
 *
 * "open": frames are read. "refusing": one was at fault; all that comes behind it is discarded. "over": the last word is said.
 */
export class GatewayConnection {
  private readonly listener: GatewayListener;
  private readonly decoder: BinaryFrameDecoder;
  private readonly output: Buffer[] = [];
  private phase: "open" | "refusing" | "over" = "open";

  constructor(listener: GatewayListener, mostPayloadBytes: number) {
    this.listener = listener;
    this.decoder = new BinaryFrameDecoder({ mostPayloadBytes });
  }

  get isOpen(): boolean {
    return this.phase === "open";
  }

  get hasSaidAll(): boolean {
    return this.phase === "over";
  }

  /** Takes bytes of the sender; never throws. */
  receive(chunk: Buffer): void {
    if (this.phase !== "open") return;
    this.decoder.receive(chunk);
    while (this.phase === "open") {
      const frame = this.decoder.next();
      if (frame === undefined) return;
      if (frame.kind === "malformed") this.listener.malformed(frame);
      else this.listener.notification(frame);
    }
  }

  /** A notification is at fault: nothing behind it is read any more. The error response may follow later. */
  refuse(): void {
    if (this.phase === "open") this.phase = "refusing";
  }

  /** Says in one write what was wrong, and that this is the end. */
  fail(response: ErrorResponse): void {
    if (this.phase === "over") return;
    this.output.push(encodeErrorResponse(response));
    this.phase = "over";
  }

  /** Ends without a word. */
  end(): void {
    this.phase = "over";
  }

  /** For faults: any bytes at all. */
  writeRaw(bytes: Buffer): void {
    if (this.phase !== "over") this.output.push(bytes);
  }

  takeOutput(): Buffer | undefined {
    if (this.output.length === 0) return undefined;
    return Buffer.concat(this.output.splice(0));
  }
}
