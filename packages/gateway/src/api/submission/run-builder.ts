import { type DraftRun, runSpan, type SharedDraft } from "../../delivery/index.ts";

const firstRoom = 1;

/** Gathers what becomes a run: recipient by recipient, where its values stand. */
export class RunBuilder {
  readonly bytes: Buffer;
  #spans = new Uint32Array(firstRoom * runSpan.size);
  #recipients = 0;
  #payloadBytes = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get recipients(): number {
    return this.#recipients;
  }

  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** A further recipient; the rest is told by `describe`. */
  addToken(start: number, end: number): void {
    const at = this.#recipients * runSpan.size;
    if (at === this.#spans.length) this.#grow();
    this.#spans[at + runSpan.tokenStart] = start;
    this.#spans[at + runSpan.tokenEnd] = end;
    this.#recipients += 1;
  }

  /** What the recipients from `first` on get. */
  describe(
    first: number,
    payload: number,
    payloadEnd: number,
    reference: number,
    referenceEnd: number,
  ): void {
    const spans = this.#spans;
    this.#payloadBytes += payloadEnd - payload;
    for (let at = first * runSpan.size; at < this.#recipients * runSpan.size; at += runSpan.size) {
      spans[at + runSpan.payloadStart] = payload;
      spans[at + runSpan.payloadEnd] = payloadEnd;
      spans[at + runSpan.referenceStart] = reference;
      spans[at + runSpan.referenceEnd] = referenceEnd;
    }
  }

  /** Takes back the recipients from `first` on, which were not described yet. */
  takeBack(first: number): void {
    this.#recipients = first;
  }

  finish(shared: SharedDraft): DraftRun {
    return {
      shared,
      bytes: this.bytes,
      spans: this.#spans,
      recipients: this.#recipients,
      payloadBytes: this.#payloadBytes,
    };
  }

  #grow(): void {
    const grown = new Uint32Array(this.#spans.length * 4);
    grown.set(this.#spans);
    this.#spans = grown;
  }
}
