import type { BatchId, Note } from "../store.ts";
import type { Events } from "./events.ts";

/** Endings of which nothing is told but the ids. */
const toldAsRuns: Readonly<Record<string, string>> = {
  accepted: "notification.accepted",
  cancelled: "notification.cancelled",
  queued: "notification.retrying",
};

interface Run {
  readonly type: string;
  readonly batch: BatchId;
  /** Where it happened; undefined: in the environment of the batch. */
  readonly environment: string | undefined;
  readonly places: number[];
}

/** Gathers what one settlement has to tell. */
export class SettlementEvents {
  readonly #runs = new Map<string, Run>();
  readonly #notes: Note[] = [];
  #latest: Run | undefined;

  /** Plainly, at the first attempt. */
  accepted(batch: BatchId, place: number): void {
    // Batches come one after the other, so most belong to the run of the one before.
    if (this.#latest?.batch !== batch) this.#latest = this.#run("notification.accepted", batch);
    this.#latest.places.push(place);
  }

  noted(note: Note): void {
    const type = toldAsRuns[note.status];
    if (type === undefined) this.#notes.push(note);
    else this.#run(type, note.batch, note.found?.environment).places.push(note.place);
  }

  appendTo(events: Events, atMs: number): void {
    for (const { type, batch, environment, places } of this.#runs.values())
      events.appendRun(type, batch, places, atMs, environment);
    for (const note of this.#notes) {
      if (note.events === undefined) events.appendNote(note, atMs);
      else events.append(note.events, atMs);
    }
  }

  #run(type: string, batch: BatchId, environment?: string): Run {
    const name = `${type} ${batch} ${environment ?? ""}`;
    let run = this.#runs.get(name);
    if (run === undefined) {
      run = { type, batch, environment, places: [] };
      this.#runs.set(name, run);
    }
    return run;
  }
}
