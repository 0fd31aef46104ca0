import type { ErrorResponse } from "@carillon/apns/binary";
import type { ReadFrame } from "./frame-reader.ts";

/** What is done with the frames of one connection, in the order in which they came. */
export interface FrameTaker {
  /** Takes what one read brought. Nothing is taken behind a frame that is refused. */
  take(frames: readonly ReadFrame[], bytes: number): void;
  /** Bytes that were taken and are not settled. */
  readonly unsettledBytes: number;
  /** Whether nothing goes on for now, perhaps for long, and little more should be read. */
  readonly isHeld: boolean;
  /** Resolves when all that was taken is settled, or a fault was told. */
  settled(): Promise<void>;
  /**
   * Begins nothing more, and resolves when what was begun is settled. With the error response that the sender must be given then:
   * shutdown, with the last one that was taken for good; or undefined where a fault was told before.
   */
  stop(): Promise<ErrorResponse | undefined>;
  /** The connection is closed: nobody hears any more of what was taken. */
  disconnect(): void;
}

/** Whom a taker tells. */
export interface TakerListener {
  /** The connection's first and last error response; all before it is settled, and nothing behind it will be. */
  fault(response: ErrorResponse, detail: string): void;
  /** Something was settled, and there is room again. */
  room(): void;
}
