import { setTimeout as pause } from "node:timers/promises";
import { CommandFailure } from "../command-failure.ts";
import { exitStatus } from "../exit-status.ts";
import type { GatewayClient } from "../gateway-client.ts";
import type { ShownEvent } from "./event-lines.ts";
import { EventStreamReader } from "./event-stream.ts";

export interface EventFilter {
  readonly app?: string;
  readonly types?: string;
}

const pageSize = 1_000;
const againAfterMs = 1_000;
/** A gateway gives a sign of life every 15 s. */
const mostSilentMs = 45_000;

/** Reads a gateway's log from a cursor on. */
export class EventFollower {
  /** Behind the last event that was heard; undefined while none was and none was named. */
  cursor: string | undefined;
  readonly #client: GatewayClient;
  readonly #filter: EventFilter;
  readonly #heard: (event: ShownEvent) => void;

  constructor(
    client: GatewayClient,
    filter: EventFilter & { readonly after?: string },
    heard: (event: ShownEvent) => void,
  ) {
    const { after, ...rest } = filter;
    this.#client = client;
    this.#filter = rest;
    this.#heard = heard;
    this.cursor = after;
  }

  /** All that there is, or until `signal` says so. @throws {CommandFailure} */
  async readPages(signal: AbortSignal): Promise<void> {
    let isMore = true;
    while (isMore && !signal.aborted) {
      const path = `/v1/events?${this.#query({ limit: String(pageSize) })}`;
      const page = await this.#client.call<{ items: ShownEvent[]; cursor: string }>("GET", path);
      for (const event of page.items) this.#heard(event);
      isMore = page.items.length > 0 || page.cursor !== this.cursor;
      this.cursor = page.cursor;
    }
  }

  /**
   * All that there is and all that comes, until `signal` says so. A connection that breaks or falls silent is made again.
   * @throws {CommandFailure} nobody is there at the start, or the gateway refuses
   */
  async follow(signal: AbortSignal, brokenOff: () => void): Promise<void> {
    await this.readPages(signal);
    for (let isWell = true; !signal.aborted; ) {
      try {
        await this.#listen(signal);
      } catch (error) {
        if (!(error instanceof CommandFailure) || error.status !== exitStatus.unknown) throw error;
        if (isWell && !signal.aborted) brokenOff();
        isWell = false;
        await pause(againAfterMs, undefined, { signal }).catch(() => undefined);
        continue;
      }
      isWell = true;
    }
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const reader = new EventStreamReader((data) => this.#heard(JSON.parse(data)), this.cursor);
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), mostSilentMs);
    const heard = (text: string): void => {
      timer.refresh();
      reader.read(text);
      this.cursor = reader.cursor;
    };
    const path = `/v1/events?${this.#query({})}`;
    const either = AbortSignal.any([signal, silence.signal]);
    try {
      await this.#client.listen(path, { accept: "text/event-stream" }, heard, either);
    } finally {
      clearTimeout(timer);
    }
  }

  #query(more: Readonly<Record<string, string>>): URLSearchParams {
    const { cursor } = this;
    return new URLSearchParams({
      ...this.#filter,
      ...more,
      ...(cursor === undefined ? {} : { after: cursor }),
    });
  }
}
