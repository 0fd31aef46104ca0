import type { Readable } from "node:stream";
import { ApiProblem } from "../problems/api-problem.ts";
import { brokenBody } from "./body-stream.ts";

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
    if (announcedBytes > this.#limits.bodyBytes) throw this.#tooLarge();
    const arriving = new ArrivingBody((more) => {
      this.#heldBytes += more;
      if (arriving.bytes > this.#limits.bodyBytes) return this.#tooLarge();
      return this.#heldBytes > this.#limits.allBodiesBytes ? tooMuch() : undefined;
    });
    try {
      return await use(stream === undefined ? nothing : await arriving.read(stream, this.#limits.bodyMs));
    } finally {
      this.#heldBytes -= arriving.bytes;
    }
  }

  #tooLarge(): ApiProblem {
    const detail = `A body may be ${this.#limits.bodyBytes} bytes. Send it in several requests; nothing was stored.`;
    return new ApiProblem("body-too-large", detail, [], { connection: "close" });
  }
}

const nothing = Buffer.alloc(0);

/** One body while it comes in. By events: an iterator costs a small body more than everything else that is done to read it. */
class ArrivingBody {
  bytes = 0;
  readonly #chunks: Buffer[] = [];
  readonly #refuse: (more: number) => ApiProblem | undefined;

  /** @param refuse is told of each chunk's bytes, and says why the body is not taken any further */
  constructor(refuse: (more: number) => ApiProblem | undefined) {
    this.#refuse = refuse;
  }

  /** Given up early, the stream lives on: the answer goes out through the same socket. */
  read(stream: Readable, mostMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        stream.off("data", take).off("end", finish).off("close", fail).pause();
      };
      const fail = (error: Error = brokenBody()): void => {
        leave();
        reject(error);
      };
      const take = (chunk: Buffer): void => {
        this.bytes += chunk.length;
        this.#chunks.push(chunk);
        const refusal = this.#refuse(chunk.length);
        if (refusal !== undefined) fail(refusal);
      };
      const finish = (): void => {
        leave();
        const [first] = this.#chunks;
        resolve(this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks));
      };
      const timer = setTimeout(() => fail(tooSlow()), mostMs);
      // The listener for errors stays: one that comes after all must not end the process.
      stream.on("data", take).on("end", finish).on("close", fail).on("error", fail);
      if (stream.destroyed) fail(stream.errored ?? undefined);
    });
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
