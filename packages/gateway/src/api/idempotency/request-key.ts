import { ApiProblem } from "../problems/api-problem.ts";

/** On an answer: nothing was taken now, this is what a request with the same key and body was answered. */
export const replayedHeader = "idempotency-replayed";

const visible = /^[\x21-\x7e]{1,255}$/;

/**
 * The key under which a request is taken once.
 * @param header `Idempotency-Key` as it came; Node puts several into one text with commas and spaces
 * @throws {ApiProblem} it is no key
 */
export function readRequestKey(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === "string" && visible.test(header)) return header;
  const detail =
    "A key is 1 to 255 visible ASCII characters without spaces, such as a UUID: one for each thing that is to be sent once. " +
    "Mend it, or leave the header out.";
  throw new ApiProblem("invalid", "Nothing was stored.", [{ parameter: "Idempotency-Key", detail }]);
}

export function keyUsedForAnother(): ApiProblem {
  const detail =
    "A request with this Idempotency-Key and another body was taken in the last 24 hours. Nothing of this one was stored: " +
    "send it with a key of its own, or the first body as it was.";
  return new ApiProblem("key-used", detail);
}

function keyUnderWay(): ApiProblem {
  const detail =
    "A request with this Idempotency-Key is still under way. Nothing of this one was stored: send it again in 1 s, and " +
    "it is answered what the other was.";
  return new ApiProblem("key-under-way", detail, [], { "retry-after": "1" });
}

/** The keys of requests that are being taken at this moment. */
export class KeysUnderWay {
  readonly #keys = new Set<string>();

  /**
   * Does the work while nobody else does any under this key.
   * @throws {ApiProblem} somebody does
   */
  async alone<T>(app: string, key: string, work: () => Promise<T>): Promise<T> {
    const name = `${app}\n${key}`;
    if (this.#keys.has(name)) throw keyUnderWay();
    this.#keys.add(name);
    try {
      return await work();
    } finally {
      this.#keys.delete(name);
    }
  }
}
