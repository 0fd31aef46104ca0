/** One side of a conversation in some protocol: bytes in, bytes out. It owns no socket. */
export interface Speaker {
  /** How long the peer has to take the last bytes and close, in milliseconds. @default 500 */
  readonly lingerMs?: number | undefined;
  /** Called once, before the first byte is read. */
  opened(wire: Wire): void;
  receive(chunk: Buffer): void;
  /** What must be written now, or undefined. Asked again until it is, as long as the socket takes more. */
  takeOutput(): Buffer | undefined;
  /** Nothing more will be said: what is left of the output goes out, then the socket ends. */
  readonly hasSaidAll: boolean;
  /** The listener closes: puts good-bye into the output, in words that suit the protocol. */
  sayGoodbye(debug: Buffer): void;
  /** The socket is gone. */
  closed(): void;
}

/** What a speaker may do with the socket itself, at any time. */
export interface Wire {
  /** Ends gracefully: good-bye with this debug data, what is written is delivered, the socket closes. */
  close(debug: Buffer): void;
  /** Writes what the speaker has to say, at the end of this turn: for what happens without bytes from the peer. */
  flush(): void;
  /** For faults: ends the socket in one of several ways, after what is written. */
  cut(how: "fin" | "fin-without-close-notify" | "rst" | "half"): void;
  /** For faults: stops reading, writing or both. The connection stays as it is. */
  stall(what: "reads" | "writes" | "both"): void;
  /** For faults: goes on after a stall. */
  goOn(): void;
  /** For faults: from now on every write has so many bytes at most. */
  segment(bytes: number): void;
  /** For faults: asks for a new TLS handshake, after what is written; TLS 1.3 has none. */
  renegotiate(): void;
}

/** Waits for the peer's first byte and lets it choose who speaks: for clients that do not say by ALPN what they speak. */
export class SpeakerByFirstByte implements Speaker {
  private readonly choose: (firstByte: number) => Speaker;
  private chosen: Speaker | undefined;
  private wire: Wire | undefined;
  private isOver = false;

  constructor(choose: (firstByte: number) => Speaker) {
    this.choose = choose;
  }

  get lingerMs(): number | undefined {
    return this.chosen?.lingerMs;
  }

  get hasSaidAll(): boolean {
    return this.chosen?.hasSaidAll ?? this.isOver;
  }

  opened(wire: Wire): void {
    this.wire = wire;
  }

  receive(chunk: Buffer): void {
    const [firstByte] = chunk;
    if (firstByte === undefined || this.isOver || this.wire === undefined) return;
    if (this.chosen === undefined) {
      this.chosen = this.choose(firstByte);
      this.chosen.opened(this.wire);
    }
    this.chosen.receive(chunk);
  }

  takeOutput(): Buffer | undefined {
    return this.chosen?.takeOutput();
  }

  sayGoodbye(debug: Buffer): void {
    this.chosen?.sayGoodbye(debug);
    this.isOver = this.chosen === undefined;
  }

  closed(): void {
    this.chosen?.closed();
  }
}
