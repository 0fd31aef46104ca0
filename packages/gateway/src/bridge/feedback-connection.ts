import type { TLSSocket } from "node:tls";
import type { Clock, Timer } from "@carillon/apns";
import { encodeFeedback } from "@carillon/apns/binary";
import type { FeedbackSource, GoneToken } from "./feedback-source.ts";

export interface FeedbackConnectionOptions {
  readonly socket: TLSSocket;
  readonly app: string;
  readonly environment: string;
  readonly source: FeedbackSource;
  readonly clock: Clock;
  /** How long the reader may let us wait. */
  readonly stallMs: number;
}

export type FeedbackRead =
  /** The reader has had all of it. */
  | { readonly kind: "read"; readonly tokens: number }
  /** It has not, as far as we can know: the next one gets all of it again. */
  | { readonly kind: "broken-off"; readonly detail: string };

const pageSize = 1_000;

/**
 * Writes all that is unread and ends; then waits for the reader's own end. Only that counts: a reader whose system has to throw
 * away bytes it had not read resets the connection instead of ending it (RFC 2525, section 2.17), as does one that is
 * killed while bytes are on their way.
 */
export async function serveFeedback(options: FeedbackConnectionOptions): Promise<FeedbackRead> {
  const { app, environment, source, socket } = options;
  const reader = new Reader(options);
  const start = await source.readUpTo(app, environment);
  let cursor = start;
  let tokens = 0;
  while (!reader.isGone) {
    const page = await source.list(app, environment, cursor, pageSize);
    if (page.cursor === cursor) break;
    cursor = page.cursor;
    tokens += page.tokens.length;
    if (page.tokens.length > 0) await reader.write(encodeFeedback(page.tokens.map(tupleOf)));
  }
  if (reader.isGone) {
    socket.destroy();
    return { kind: "broken-off", detail: reader.detail };
  }
  if (!(await reader.finish())) return { kind: "broken-off", detail: reader.detail };
  if (cursor !== start) await source.markRead(app, environment, cursor);
  return { kind: "read", tokens };
}

function tupleOf({ deviceToken, goneSinceMs }: GoneToken): {
  goneSinceSeconds: number;
  deviceToken: Buffer;
} {
  const seconds = Math.min(Math.max(Math.floor(goneSinceMs / 1_000), 0), 0xffff_ffff);
  return { goneSinceSeconds: seconds, deviceToken: Buffer.from(deviceToken, "hex") };
}

/** The other side of a feedback connection: takes bytes, and ends in order or not. */
class Reader {
  readonly #options: FeedbackConnectionOptions;
  #state: "reading" | "handed-over" | "ended" | "gone" = "reading";
  #detail = "it closed before all was written";
  #timer: Timer | undefined;
  #wake: (() => void) | undefined;

  constructor(options: FeedbackConnectionOptions) {
    this.#options = options;
    const { socket } = options;
    if (socket.destroyed || socket.readableEnded) this.#state = "gone";
    socket.on("end", () => this.#to(this.#state === "handed-over" ? "ended" : "gone"));
    socket.on("finish", () => {
      if (this.#state === "reading") this.#state = "handed-over";
    });
    socket.on("error", (error) => {
      this.#detail = error.message;
    });
    socket.on("close", () => this.#to("gone"));
    socket.on("drain", () => this.#wake?.());
    socket.resume(); // it has nothing to say
  }

  get isGone(): boolean {
    return this.#state === "gone";
  }

  get detail(): string {
    return this.#detail;
  }

  async write(bytes: Buffer): Promise<void> {
    if (!this.#options.socket.write(bytes)) await this.#wait();
  }

  /** Ends our side; whether it ended its own after that, in order. */
  async finish(): Promise<boolean> {
    this.#options.socket.end();
    if (this.#state === "reading" || this.#state === "handed-over") await this.#wait();
    return this.#state === "ended";
  }

  #to(state: "ended" | "gone"): void {
    if (this.#state === "ended" || this.#state === "gone") return;
    this.#state = state;
    this.#wake?.();
  }

  #wait(): Promise<void> {
    const { clock, stallMs, socket } = this.#options;
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        this.#timer?.cancel();
        resolve();
      };
      this.#timer = clock.setTimer(() => {
        this.#detail = "it has stopped reading";
        socket.destroy();
        this.#to("gone");
      }, stallMs);
    });
  }
}
