import type { TLSSocket } from "node:tls";
import type { Clock, Timer } from "@carillon/apns";
import {
  BinaryFrameDecoder,
  describeErrorStatus,
  type ErrorResponse,
  encodeErrorResponse,
  errorStatus,
} from "@carillon/apns/binary";
import type { BridgeLimits, BridgeLogger } from "./bridge-limits.ts";
import type { FrameReader, ReadFrame } from "./frame-reader.ts";
import type { FrameTaker, TakerListener } from "./frame-taker.ts";

/** VoIP pushes have up to 5120 bytes; others are held against their own limit when they are read. */
const mostPayloadBytes = 5_120;

export interface PushConnectionOptions {
  readonly socket: TLSSocket;
  readonly reader: FrameReader;
  readonly limits: BridgeLimits;
  readonly clock: Clock;
  readonly logger: BridgeLogger;
  readonly fields: object;
  makeTaker(listener: TakerListener): FrameTaker;
}

/**
 * The socket of one sender: bytes become frames for its taker, and the taker's error becomes six bytes and the end. As the retired
 * gateway did, it answers nothing to what it takes.
 */
export class PushConnection {
  readonly #options: PushConnectionOptions;
  readonly #decoder = new BinaryFrameDecoder({ mostPayloadBytes });
  readonly #taker: FrameTaker;
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>;
  /** Told: it was given an error response or its end is answered, and what it still writes is thrown away. */
  #phase: "open" | "stopping" | "told" = "open";
  #frameBegunAtMs: number | undefined;
  #frameTimer: Timer | undefined;
  #lingerTimer: Timer | undefined;
  #isPaused = false;

  constructor(options: PushConnectionOptions) {
    this.#options = options;
    const { socket } = options;
    this.#taker = options.makeTaker({
      fault: (response, detail) => this.#tell(response, detail),
      room: () => this.#resume(),
    });
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("end", () => void this.#answerEnd());
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#forget();
        resolve();
      });
    });
  }

  /** Reads nothing more, and tells the sender of the shutdown when what was begun is settled. */
  async stop(): Promise<void> {
    if (this.#phase !== "open") return;
    this.#phase = "stopping";
    const shutdown = await this.#taker.stop();
    if (shutdown !== undefined) this.#tell(shutdown, "the gateway stops");
  }

  #receive(chunk: Buffer): void {
    if (this.#phase !== "open") return;
    this.#decoder.receive(chunk);
    const frames: ReadFrame[] = [];
    for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next())
      frames.push(this.#options.reader.read(frame));
    this.#watchFrame(frames.length > 0);
    if (frames.length === 0) return;
    this.#taker.take(frames, chunk.length);
    const { maxHeldBytes, maxUnsettledBytes } = this.#options.limits;
    if (this.#taker.unsettledBytes < (this.#taker.isHeld ? maxHeldBytes : maxUnsettledBytes)) return;
    this.#isPaused = true;
    this.#options.socket.pause();
  }

  #resume(): void {
    if (!this.#isPaused || this.#taker.isHeld) return;
    if (this.#taker.unsettledBytes * 2 > this.#options.limits.maxUnsettledBytes) return;
    this.#isPaused = false;
    if (this.#decoder.isInFrame) this.#frameBegunAtMs = this.#options.clock.now();
    this.#options.socket.resume();
  }

  /** A frame that has begun must end in time, however many bytes come meanwhile. One timer, armed only while a frame is open. */
  #watchFrame(isAnother: boolean): void {
    if (!this.#decoder.isInFrame) {
      this.#frameBegunAtMs = undefined;
      return;
    }
    const { clock, limits } = this.#options;
    if (isAnother || this.#frameBegunAtMs === undefined) this.#frameBegunAtMs = clock.now();
    this.#frameTimer ??= clock.setTimer(() => this.#checkFrame(), limits.frameMs);
  }

  #checkFrame(): void {
    this.#frameTimer = undefined;
    const { clock, limits } = this.#options;
    if (this.#phase !== "open" || this.#frameBegunAtMs === undefined) return;
    const leftMs = this.#isPaused ? limits.frameMs : this.#frameBegunAtMs + limits.frameMs - clock.now();
    if (leftMs > 0) this.#frameTimer = clock.setTimer(() => this.#checkFrame(), leftMs);
    else {
      const detail = "a frame has not ended in time";
      const status = errorStatus.protocolError;
      this.#taker.take([{ kind: "refused", status, identifier: 0, detail }], 0);
    }
  }

  /** Its end is answered with ours when all is settled: a sender that waits for that knows it. */
  async #answerEnd(): Promise<void> {
    await this.#taker.settled();
    if (this.#phase !== "open") return; // the fault, or the shutdown, is the answer
    this.#phase = "told";
    this.#options.socket.end();
    this.#linger();
  }

  /** One write, our end, and reading on: what lies unread when a socket closes makes it a reset, and the error would be lost. */
  #tell(response: ErrorResponse, detail: string): void {
    if (this.#phase === "told") return;
    this.#phase = "told";
    const { socket, logger, fields } = this.#options;
    const { status, identifier } = response;
    logger.info(
      { ...fields, status, identifier },
      `a sender's connection ends with "${describeErrorStatus(status)}": ${detail}`,
    );
    socket.end(encodeErrorResponse(response));
    socket.resume();
    this.#linger();
  }

  #linger(): void {
    const { clock, limits, socket } = this.#options;
    if (socket.destroyed) return;
    this.#lingerTimer ??= clock.setTimer(() => socket.destroy(), limits.lingerMs);
  }

  #forget(): void {
    this.#frameTimer?.cancel();
    this.#lingerTimer?.cancel();
    if (this.#phase === "open") this.#phase = "told";
    this.#taker.disconnect();
  }
}
