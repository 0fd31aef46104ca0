import type { TLSSocket } from "node:tls";
import type { Timer } from "../runtime/index.ts";
import type { BinarySettings } from "./binary-client-options.ts";
import type { BinaryJob } from "./binary-job.ts";
import { type ErrorResponse, ErrorResponseDecoder } from "./error-response.ts";
import { encodeFrame, frameBytes, writeFrame } from "./frame-encoder.ts";
import { explainSocket, openTls } from "./open-tls.ts";
import { SentWindow, type Settlement } from "./sent-window.ts";

/** What a connection has to tell, each at most once but for `ready`. */
export interface GatewaySocketListener {
  /** It can be written on: it was opened, or has taken what was written. */
  ready(): void;
  /** Nothing was heard of these for `silenceMs`. */
  unheard(jobs: readonly BinaryJob[]): void;
  /** It is over; what was written is settled by the error response, or by nothing. */
  ended(end: GatewayEnd): void;
}

export interface GatewayEnd {
  readonly settlement: Settlement<BinaryJob>;
  readonly response: ErrorResponse | undefined;
  /** Whether it was ever open: after a failure of this kind the next attempt waits. */
  readonly wasOpen: boolean;
  readonly cause: "socket-closed" | "timeout" | "protocol";
  readonly detail: string;
}

/** A certificate of the wrong environment got through TLS and was closed right after: only then a connection counts as open. */
const settleMs = 100;

/** An empty device token is what no gateway takes. */
const probe = { deviceToken: Buffer.alloc(0), payload: Buffer.from("{}") };

/** One connection to a gateway: writes frames, reads the one error response that may come. */
export class GatewaySocket {
  private readonly settings: BinarySettings;
  private readonly listener: GatewaySocketListener;
  private readonly socket: TLSSocket;
  private readonly decoder = new ErrorResponseDecoder();
  private readonly window = new SentWindow<BinaryJob>();
  private phase: "opening" | "open" | "confirming" | "over" = "opening";
  private timer: Timer | undefined;
  private lastWriteMs: number;
  /** When each job in the window was written, with "silence". */
  private readonly writtenMs: number[] = [];
  private detail: string | undefined;

  constructor(settings: BinarySettings, listener: GatewaySocketListener) {
    this.settings = settings;
    this.listener = listener;
    this.lastWriteMs = settings.clock.monotonic();
    this.socket = openTls(settings.peer);
    this.socket.setNoDelay(true);
    this.socket.once("secureConnect", () => {
      this.timer = settings.clock.setTimer(() => this.open(), settleMs);
    });
    this.socket.on("data", (chunk: Buffer) => this.read(chunk));
    this.socket.on("drain", () => this.listener.ready());
    this.socket.on("error", (error) => {
      this.detail ??= explainSocket(error, settings.peer);
    });
    this.socket.once("close", () => this.end(undefined, "socket-closed", this.explainClose()));
  }

  /** How many more may be written now. 0 also where it was idle for so long that it may have died in silence. */
  get room(): number {
    if (this.phase !== "open" || this.socket.writableNeedDrain || this.socket.readableEnded) return 0;
    return this.settings.windowSize - this.window.size;
  }

  /** Nothing is written on it any more, and nothing waits: it was idle for too long. */
  get isStale(): boolean {
    const { clock, mostIdleMs } = this.settings;
    return (
      this.phase === "open" && this.window.size === 0 && clock.monotonic() - this.lastWriteMs >= mostIdleMs
    );
  }

  /** Nothing more is written on it; it waits for what it will hear. */
  get isConfirming(): boolean {
    return this.phase === "confirming";
  }

  /** Whether nothing more can be written on it until it is settled. */
  get isFull(): boolean {
    return this.phase === "open" && this.window.size >= this.settings.windowSize;
  }

  /** Writes all of them at once; no more than there is room for. */
  write(jobs: readonly BinaryJob[]): void {
    const { clock, confirmation } = this.settings;
    const bytes = Buffer.allocUnsafe(
      jobs.reduce((sum, { notification }) => sum + frameBytes(2, { ...notification, identifier: 0 }), 0),
    );
    let end = 0;
    this.lastWriteMs = clock.monotonic();
    for (const job of jobs) {
      job.attempts += 1;
      const identifier = this.window.add(job);
      end = writeFrame(bytes, end, 2, { ...job.notification, identifier });
      if (confirmation === "silence") this.writtenMs.push(this.lastWriteMs);
    }
    this.socket.write(bytes);
    if (confirmation === "silence") this.watchSilence();
    else this.setTimer(() => this.confirm(), this.settings.confirmAfterMs);
  }

  /** Nothing more is written: with "proof" it is asked for, and the answer ends the connection. */
  confirm(): void {
    if (this.phase !== "open") return;
    const { confirmation, answerTimeoutMs, silenceMs } = this.settings;
    this.phase = "confirming";
    if (this.window.size === 0) {
      this.close();
      return;
    }
    if (confirmation === "silence") {
      // Errors come late: linger before closing.
      this.setTimer(() => this.endUnheard(), silenceMs);
      return;
    }
    this.socket.write(encodeFrame(2, { ...probe, identifier: this.window.addProbe() }));
    const detail = `the gateway neither proved nor refused anything within ${answerTimeoutMs} ms`;
    this.setTimer(() => this.end(undefined, "timeout", detail), answerTimeoutMs);
  }

  /** Ends now. */
  close(): void {
    this.end(undefined, "socket-closed", "the client was closed");
  }

  private open(): void {
    this.timer = undefined;
    if (this.phase !== "opening") return;
    this.phase = "open";
    this.lastWriteMs = this.settings.clock.monotonic();
    this.listener.ready();
  }

  private read(chunk: Buffer): void {
    this.decoder.receive(chunk);
    const read = this.decoder.next();
    if (read === undefined) return;
    if (read.kind === "malformed") {
      this.end(undefined, "protocol", `what came is no error response: ${read.detail}`);
      return;
    }
    const { status, identifier } = read.value;
    this.end(
      read.value,
      "protocol",
      `status ${status} for identifier ${identifier}, which says nothing of this one`,
    );
  }

  private end(response: ErrorResponse | undefined, cause: GatewayEnd["cause"], detail: string): void {
    if (this.phase === "over") return;
    const wasOpen = this.phase !== "opening";
    this.phase = "over";
    this.timer?.cancel();
    const settlement = response === undefined ? this.window.end() : this.window.settle(response);
    if (wasOpen) this.socket.destroySoon();
    else this.socket.destroy();
    this.listener.ended({ settlement, response, wasOpen, cause, detail });
  }

  private explainClose(): string {
    if (this.detail !== undefined) return this.detail;
    const where = `${this.settings.peer.host}:${this.settings.peer.port}`;
    if (this.phase === "opening")
      return `${where}: closed right after the handshake: is the certificate one for this environment?`;
    return this.decoder.isInPacket
      ? `${where}: closed within an error response`
      : `${where}: closed without an error response`;
  }

  /** What was written long enough ago leaves the window, oldest first. */
  private watchSilence(): void {
    const [oldest] = this.writtenMs;
    if (oldest === undefined || this.timer !== undefined || this.phase !== "open") return;
    const { clock, silenceMs } = this.settings;
    this.timer = clock.setTimer(
      () => {
        this.timer = undefined;
        if (this.phase !== "open") return;
        const nowMs = clock.monotonic();
        const first = this.writtenMs.findIndex((atMs) => atMs + silenceMs > nowMs);
        const count = first === -1 ? this.writtenMs.length : first;
        this.writtenMs.splice(0, count);
        this.listener.unheard(this.window.leave(count));
        this.watchSilence();
        this.listener.ready();
      },
      Math.max(0, oldest + silenceMs - clock.monotonic()),
    );
  }

  private endUnheard(): void {
    this.listener.unheard(this.window.leave(this.window.size));
    this.close();
  }

  private setTimer(fire: () => void, ms: number): void {
    this.timer?.cancel();
    this.timer = this.settings.clock.setTimer(() => {
      this.timer = undefined;
      fire();
    }, ms);
  }
}
