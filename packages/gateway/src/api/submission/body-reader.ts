import type { Readable } from "node:stream";
import { ApiProblem } from "../problems/api-problem.ts";

export interface BodyLimits {
  /** Bytes of one body, unfolded if it came compressed. */
  readonly bodyBytes: number;
  /** Bytes of all bodies that are in memory at one time. */
  readonly allBodiesBytes: number;
  /** How long one body may take to arrive. */
  readonly bodyMs: number;
}

/** 10,000 notifications of Apple's full size fit, and eight such bodies at a time. */
const defaultBodyLimits: BodyLimits = {
  bodyBytes: 48 * 1024 * 1024,
  allBodiesBytes: 384 * 1024 * 1024,
  bodyMs: 60_000,
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
    const late = new Deadline(this.#limits.bodyMs);
    try {
      if (announcedBytes > this.#limits.bodyBytes) throw this.#tooLarge();
      const chunks: Buffer[] = [];
      // Left early, the stream must live on: the answer goes out through the same socket.
      const parts = stream?.iterator({ destroyOnReturn: false });
      for (
        let part = await late.or(parts?.next());
        part?.done === false;
        part = await late.or(parts?.next())
      ) {
        const chunk: unknown = part.value;
        hold((chunk as Buffer).length);
        if (bytes > this.#limits.bodyBytes) throw this.#tooLarge();
        if (this.#heldBytes > this.#limits.allBodiesBytes) throw tooMuch();
        chunks.push(chunk as Buffer);
      }
      late.cancel();
      return await use(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    } finally {
      late.cancel();
      this.#heldBytes -= bytes;
    }
  }

  #tooLarge(): ApiProblem {
    const detail = `A body may be ${this.#limits.bodyBytes} bytes. Send it in several requests; nothing was stored.`;
    return new ApiProblem("body-too-large", detail, [], { connection: "close" });
  }
}

/** Ends waiting for what does not come in time. */
class Deadline {
  readonly #over: Promise<never>;
  #cancel: () => void = () => {};

  constructor(ms: number) {
    this.#over = new Promise((_, reject) => {
      const timer = setTimeout(() => reject(tooSlow()), ms);
      this.#cancel = () => clearTimeout(timer);
    });
    this.#over.catch(() => undefined);
  }

  or<T>(work: Promise<T> | undefined): Promise<T | undefined> {
    return Promise.race([work, this.#over]);
  }

  cancel(): void {
    this.#cancel();
  }
}

function tooSlow(): ApiProblem {
  const detail = "The request did not arrive whole in time. Send it again, in smaller parts if need be.";
  return new ApiProblem("request-timeout", detail, [], { connection: "close" });
}

function tooMuch(): ApiProblem {
  const detail =
    "Too many large bodies arrive at the same time. Send this one again in a second; nothing was stored.";
  return new ApiProblem("queue-full", detail, [], { "retry-after": "1", connection: "close" });
}
