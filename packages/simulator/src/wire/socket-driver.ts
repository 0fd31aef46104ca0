import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Speaker, Wire } from "./speaker.ts";

const noBytes = Buffer.alloc(0);

/** How long a peer has to take our last bytes and close, before the socket is destroyed. */
export const lingerMs = 500;

/** A peer that takes none of our bytes for so long is given up: it may flood us, and is not read from meanwhile. */
const stuckMs = 10_000;

/** Drives one connection: owns its socket and its timer and decides nothing. Writes once per turn of the loop. */
export class SocketDriver implements Wire {
  private readonly socket: TLSSocket;
  private readonly tcp: Socket;
  private readonly speaker: Speaker;
  private isFlushScheduled = false;
  private lingerTimer: NodeJS.Timeout | undefined;
  private stuckTimer: NodeJS.Timeout | undefined;
  private stalled: "nothing" | "reads" | "writes" | "both" = "nothing";
  private segmentBytes = Number.POSITIVE_INFINITY;
  /** What waits because writes are cut into segments. */
  private unsent: Buffer = noBytes;

  constructor(socket: TLSSocket, tcp: Socket, speaker: Speaker) {
    this.socket = socket;
    this.tcp = tcp;
    this.speaker = speaker;
    socket.on("data", (chunk: Buffer) => {
      speaker.receive(chunk);
      this.flush();
    });
    socket.on("drain", () => {
      clearTimeout(this.stuckTimer);
      this.stuckTimer = undefined;
      this.writeOut();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(this.lingerTimer);
      clearTimeout(this.stuckTimer);
      speaker.closed();
    });
    speaker.opened(this);
    this.writeOut();
  }

  close(debug: Buffer): void {
    this.speaker.sayGoodbye(debug);
    this.end(lingerMs);
  }

  flush(): void {
    if (this.isFlushScheduled) return;
    this.isFlushScheduled = true;
    setImmediate(() => {
      this.isFlushScheduled = false;
      this.writeOut();
    });
  }

  cut(how: "fin" | "fin-without-close-notify" | "rst" | "half"): void {
    setImmediate(() => {
      this.writeOut();
      switch (how) {
        case "fin":
          this.end(this.speaker.lingerMs ?? lingerMs);
          break;
        case "half":
          this.socket.end();
          break;
        case "fin-without-close-notify":
          this.tcp.destroySoon();
          break;
        case "rst":
          this.tcp.resetAndDestroy();
          break;
      }
    });
  }

  stall(what: "reads" | "writes" | "both"): void {
    this.stalled = what;
    if (what !== "writes") this.socket.pause();
  }

  goOn(): void {
    this.stalled = "nothing";
    this.socket.resume();
    this.flush();
  }

  segment(bytes: number): void {
    this.segmentBytes = bytes;
  }

  renegotiate(): void {
    setImmediate(() => {
      this.writeOut();
      if (this.socket.destroyed || this.socket.getProtocol() === "TLSv1.3") return;
      // A client that refuses ends the connection, which "error" and "close" tell.
      this.socket.renegotiate({ requestCert: true, rejectUnauthorized: false }, () => {});
    });
  }

  /** Writes what is there, then FIN. What still comes is read, so that closing sends no RST that would overtake our bytes. */
  private end(patienceMs: number): void {
    if (this.lingerTimer !== undefined) {
      // A close cuts short the patience of an end that came before it.
      if (patienceMs <= lingerMs) this.lingerTimer = this.destroyIn(patienceMs);
      return;
    }
    this.lingerTimer = this.destroyIn(patienceMs);
    setImmediate(() => {
      if (this.socket.destroyed) return;
      this.socket.write(this.unsent);
      for (let output = this.speaker.takeOutput(); output !== undefined; output = this.speaker.takeOutput())
        this.socket.write(output);
      this.socket.end();
      this.socket.resume();
    });
  }

  private destroyIn(ms: number): NodeJS.Timeout {
    clearTimeout(this.lingerTimer);
    return setTimeout(() => this.socket.destroy(), ms);
  }

  /** A peer that does not read is not read from either: what waits for it stays bounded by what one turn reads. */
  private writeOut(): void {
    const { socket, speaker } = this;
    if (socket.destroyed || socket.writableEnded || this.lingerTimer !== undefined) return;
    while (this.mayWrite) {
      const output = speaker.takeOutput();
      if (output === undefined) break;
      this.write(output);
    }
    if (socket.writableNeedDrain) this.stuckTimer ??= setTimeout(() => socket.destroy(), stuckMs);
    if (speaker.hasSaidAll && this.unsent.length === 0) this.end(speaker.lingerMs ?? lingerMs);
    else if (socket.writableNeedDrain || this.stalled === "reads" || this.stalled === "both") socket.pause();
    else if (socket.isPaused()) socket.resume();
  }

  private get mayWrite(): boolean {
    const isStalled = this.stalled === "writes" || this.stalled === "both";
    return !isStalled && !this.socket.writableNeedDrain && this.unsent.length === 0;
  }

  private write(output: Buffer): void {
    if (output.length <= this.segmentBytes) {
      this.socket.write(output);
      return;
    }
    this.unsent = output;
    this.writeSegment();
  }

  /** One segment at a time, because writes that wait together leave together. */
  private writeSegment(): void {
    if (this.socket.destroyed || this.socket.writableEnded) return;
    const segment = this.unsent.subarray(0, this.segmentBytes);
    this.unsent = this.unsent.subarray(segment.length);
    this.socket.write(segment, () => (this.unsent.length > 0 ? this.writeSegment() : this.writeOut()));
  }
}
