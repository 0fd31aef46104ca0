import type { Outcome } from "@carillon/apns";
import { type ErrorResponse, errorStatus } from "@carillon/apns/binary";
import { readVerdict, type WireVerdict } from "./answer-to-error.ts";
import type { ReadFrame, WantedPush } from "./frame-reader.ts";
import type { FrameTaker, TakerListener } from "./frame-taker.ts";
import type { PassThroughRoute } from "./pass-through-route.ts";

export interface PassThroughTakerOptions {
  readonly route: PassThroughRoute;
  /** Frames that may be sent and not answered. */
  readonly window: number;
  /** Hears of each answer. A push counts as taken only when this is resolved: a device token that is gone must be told of. */
  answered(push: WantedPush, outcome: Outcome): Promise<void>;
}

interface Failure {
  readonly kind: "rejected" | "later";
  /** Of a rejected one. */
  readonly status: number;
  readonly detail: string;
}

interface Entry {
  readonly frame: ReadFrame;
  readonly bytes: number;
  state: "waiting" | "sent" | "done" | Failure;
}

/** What an entry costs beside its payload, roughly. */
const entryBytes = 200;

/**
 * Sends frames to Apple in order, a window of them at a time, and waits for the answers. The first one that fails ends it: the
 * answers to those that had left behind it are awaited, what Apple took of them is remembered for when it is sent again, and then
 * the error names the first.
 */
export class PassThroughTaker implements FrameTaker {
  readonly #options: PassThroughTakerOptions;
  readonly #listener: TakerListener;
  /** From the first that is not settled. */
  #entries: Entry[] = [];
  /** Of the first that was not sent. */
  #next = 0;
  #inFlight = 0;
  #bytes = 0;
  #hasFailed = false;
  #isHeld = false;
  #isDisconnected = false;
  #lastTaken = 0;
  #state: "open" | "stopping" | "ended" = "open";
  #whenSettled: (() => void)[] = [];
  readonly #pumpAgain = (): void => this.#pump();

  constructor(options: PassThroughTakerOptions, listener: TakerListener) {
    this.#options = options;
    this.#listener = listener;
  }

  get unsettledBytes(): number {
    return this.#bytes;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  take(frames: readonly ReadFrame[]): void {
    if (this.#state !== "open" || this.#hasFailed) return;
    for (const frame of frames) {
      const bytes = entryBytes + (frame.kind === "push" ? frame.payload.length : 0);
      this.#entries.push({ frame, bytes, state: "waiting" });
      this.#bytes += bytes;
    }
    this.#pump();
  }

  settled(): Promise<void> {
    if (this.#entries.length === 0 || this.#state === "ended") return Promise.resolve();
    return new Promise((resolve) => this.#whenSettled.push(resolve));
  }

  async stop(): Promise<ErrorResponse | undefined> {
    if (this.#state === "open") this.#state = "stopping";
    this.#advance();
    if (this.#inFlight > 0) await this.settled();
    if (this.#hasFailed) return undefined;
    this.#state = "ended";
    return { status: errorStatus.shutdown, identifier: this.#lastTaken };
  }

  /** What was read is sent all the same, unless its app is held: that may be for hours, and the memory is others'. */
  disconnect(): void {
    this.#isDisconnected = true;
    if (!this.#isHeld) return;
    this.#letGo();
    this.#advance();
  }

  #letGo(): void {
    this.#options.route.leave(this.#pumpAgain);
    this.#entries.length = this.#next;
    this.#isHeld = false;
    this.#bytes = this.#entries.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #pump(): void {
    const { route, window } = this.#options;
    this.#isHeld = false;
    while (this.#state === "open" && !this.#hasFailed && this.#inFlight < window) {
      const entry = this.#entries[this.#next];
      if (entry === undefined) break;
      const { frame } = entry;
      if (frame.kind === "refused") this.#fail(entry, { ...frame, kind: "rejected" });
      else if (route.resent.take(frame)) entry.state = "done";
      else {
        const admission = route.admits(this.#pumpAgain);
        if (admission !== "yes") {
          this.#isHeld = admission === "held";
          break;
        }
        entry.state = "sent";
        this.#inFlight += 1;
        void this.#send(entry, frame);
      }
      this.#next += 1;
    }
    if (this.#isHeld && this.#isDisconnected) this.#letGo();
    this.#advance();
  }

  async #send(entry: Entry, push: WantedPush): Promise<void> {
    const verdict = await this.#verdictOn(push);
    this.#inFlight -= 1;
    if (verdict.kind === "taken" || verdict.kind === "gone") entry.state = "done";
    else
      this.#fail(entry, {
        kind: verdict.kind,
        status: verdict.kind === "rejected" ? verdict.status : errorStatus.shutdown,
        detail: verdict.detail,
      });
    this.#pump();
  }

  async #verdictOn(push: WantedPush): Promise<WireVerdict> {
    const { route, answered } = this.#options;
    try {
      const outcome = await route.send(push);
      await answered(push, outcome);
      return readVerdict(outcome);
    } catch (error) {
      // The way to Apple is closed, or the store has failed: what was read is valid.
      return { kind: "later", detail: (error as Error).message };
    }
  }

  #fail(entry: Entry, failure: Failure): void {
    entry.state = failure;
    this.#hasFailed = true;
  }

  /** Lets go of what is done at the front, and ends when nothing more can come. */
  #advance(): void {
    if (this.#state === "ended") return;
    let done = 0;
    while (this.#entries[done]?.state === "done") {
      const { frame, bytes } = this.#entries[done]!;
      this.#lastTaken = frame.identifier;
      this.#bytes -= bytes;
      done += 1;
    }
    if (done > 0) {
      this.#entries = this.#entries.slice(done);
      this.#next -= done;
    }
    const isOver = this.#inFlight === 0 && (this.#hasFailed || this.#state === "stopping");
    if (isOver && this.#hasFailed) this.#conclude();
    if (done > 0) this.#listener.room();
    if (isOver || this.#entries.length === 0) for (const resolve of this.#whenSettled.splice(0)) resolve();
  }

  /** Everything in front of the first entry was taken, and that one failed. */
  #conclude(): void {
    this.#state = "ended";
    const [first, ...behind] = this.#entries;
    this.#entries = [];
    this.#bytes = 0;
    for (const { frame, state } of behind)
      if (state === "done" && frame.kind === "push") this.#options.route.resent.remember(frame);
    if (first === undefined || typeof first.state === "string") return;
    const { kind, status, detail } = first.state;
    const identifier = kind === "rejected" ? first.frame.identifier : this.#lastTaken;
    this.#listener.fault({ status, identifier }, detail);
  }
}
