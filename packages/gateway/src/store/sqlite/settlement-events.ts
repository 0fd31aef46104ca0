import type { BatchId, Note } from "../store.ts";
import type { Events } from "./events.ts";

/** Endings of which nothing is told but the ids. */
const toldAsRuns: Readonly<Record<string, string>> = {
  accepted: "notification.accepted",
  cancelled: "notification.cancelled",
  queued: "notification.retrying",
};

/** Gathers what one settlement has to tell. */
export class SettlementEvents {
  readonly #runs = new Map<string, { readonly type: string; readonly batch: BatchId; places: number[] }>();
  readonly #notes: Note[] = [];
  #latest: { readonly batch: BatchId; readonly places: number[] } | undefined;

  /** Plainly, at the first attempt. */
  accepted(batch: BatchId, place: number): void {
    // Batches come one after the other, so most belong to the run of the one before.
    if (this.#latest?.batch !== batch) this.#latest = this.#run("notification.accepted", batch);
    this.#latest.places.push(place);
  }

  noted(note: Note): void {
    const run = toldAsRuns[note.status];
    if (run === undefined) this.#notes.push(note);
    else this.#run(run, note.batch).places.push(note.place);
  }

  appendTo(events: Events, atMs: number): void {
    for (const { type, batch, places } of this.#runs.values()) events.appendRun(type, batch, places, atMs);
    for (const note of this.#notes) {
      if (note.events === undefined) events.appendNote(note, atMs);
      else events.append(note.events, atMs);
    }
  }

  #run(type: string, batch: BatchId): { readonly batch: BatchId; readonly places: number[] } {
    const name = `${type} ${batch}`;
    let run = this.#runs.get(name);
    if (run === undefined) {
      run = { type, batch, places: [] };
      this.#runs.set(name, run);
    }
    return run;
  }
}
