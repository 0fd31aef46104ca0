import type { Readable } from "node:stream";
import { ApiProblem } from "../problems/api-problem.ts";

export interface BodyLimits {
  /** Bytes of one body, unfolded if it came compressed. */
  readonly bodyBytes: number;
  /** Bytes of all bodies that are in memory at one time. */
  readonly allBodiesBytes: number;
}

/** 10,000 notifications of Apple's full size fit, and eight such bodies at a time. */
const defaultBodyLimits: BodyLimits = {
  bodyBytes: 48 * 1024 * 1024,
  allBodiesBytes: 384 * 1024 * 1024,
};

/** Reads bodies into memory, and never more of them than it was allowed to. */
export class BodyReader {
  readonly #limits: BodyLimits;
  #heldBytes = 0;

  constructor(limits: BodyLimits = defaultBodyLimits) {
    this.#limits = limits;
  }

  /**
   * Reads a whole body and hands it to `use`; the memory counts as held until that is done.
   * @throws {ApiProblem} too large, or too much is held already
   */
  async read<T>(
    stream: Readable | undefined,
    announcedBytes: number,
    use: (body: Buffer) => Promise<T> | T,
  ): Promise<T> {
    let bytes = 0;
    const hold = (more: number): void => {
      bytes += more;
      this.#heldBytes += more;
    };
    try {
      if (announcedBytes > this.#limits.bodyBytes) throw this.#tooLarge();
      const chunks: Buffer[] = [];
      // Left early, the stream must live on: the answer goes out through the same socket.
      for await (const chunk of stream?.iterator({ destroyOnReturn: false }) ?? []) {
        hold((chunk as Buffer).length);
        if (bytes > this.#limits.bodyBytes) throw this.#tooLarge();
        if (this.#heldBytes > this.#limits.allBodiesBytes) throw tooMuch();
        chunks.push(chunk as Buffer);
      }
      return await use(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    } finally {
      this.#heldBytes -= bytes;
    }
  }

  #tooLarge(): ApiProblem {
    const detail = `A body may be ${this.#limits.bodyBytes} bytes. Send it in several requests; nothing was stored.`;
    return new ApiProblem("body-too-large", detail, [], { connection: "close" });
  }
}

function tooMuch(): ApiProblem {
  const detail =
    "Too many large bodies arrive at the same time. Send this one again in a second; nothing was stored.";
  return new ApiProblem("queue-full", detail, [], { "retry-after": "1", connection: "close" });
}
