import type { Clock } from "@carillon/apns";
import { type FoundBatch, outcomeCode, type Store } from "../store/index.ts";
import { parseAttempts } from "./attempt-line.ts";
import { decodeBatch } from "./batch/decoder.ts";
import type { Environment, Lane } from "./notification-draft.ts";
import { type NotificationPlace, notificationId, parseNotificationId } from "./notification-id.ts";
import type { NotificationRecord, NotificationStatus } from "./notification-record.ts";

export interface FinderOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** What a route waits for, in a few words. */
  readonly waitingFor: (app: string, environment: string) => string | undefined;
}

/** Puts together what the store knows of a notification. */
export class Finder {
  readonly #options: FinderOptions;

  constructor(options: FinderOptions) {
    this.#options = options;
  }

  /** By our id or the caller's own, in the order asked; what nobody knows is undefined. */
  async find(app: string, ids: readonly string[]): Promise<readonly (NotificationRecord | undefined)[]> {
    const records = await this.#findPlaces(app, ids.map(parseNotificationId));
    return Promise.all(records.map((record, index) => record ?? this.#findOwnId(app, ids[index] ?? "")));
  }

  async #findOwnId(app: string, apnsId: string): Promise<NotificationRecord | undefined> {
    const place = await this.#options.store.findOwnId(app, apnsId.toLowerCase());
    return place && (await this.#findPlaces(app, [place]))[0];
  }

  async #findPlaces(
    app: string,
    places: readonly (NotificationPlace | undefined)[],
  ): Promise<readonly (NotificationRecord | undefined)[]> {
    const byBatch = new Map<string, number[]>();
    for (const each of places) {
      if (each === undefined) continue;
      const known = byBatch.get(each.batch);
      if (known === undefined) byBatch.set(each.batch, [each.place]);
      else known.push(each.place);
    }
    const records = new Map<string, NotificationRecord>();
    const look = async ([batch, wanted]: [string, number[]]): Promise<void> => {
      const found = await this.#options.store.find(batch, wanted);
      if (found === undefined || found.queue.app !== app) return;
      for (const record of this.recordsOf(batch, found, wanted)) records.set(record.id, record);
    };
    await Promise.all([...byBatch].map(look));
    return places.map((each) => each && records.get(notificationId(each.batch, each.place)));
  }

  /** The records of some places of a batch, in the order asked. */
  recordsOf(batch: string, found: FoundBatch, places: readonly number[]): readonly NotificationRecord[] {
    const decoded = found.body === undefined ? undefined : decodeBatch(found.body);
    return places
      .filter((place) => place < found.count)
      .map((place) => {
        const { reference, apnsId } = decoded?.kind === "decoded" ? decoded.batch.entry(place) : {};
        return {
          id: notificationId(batch, place),
          app: found.queue.app,
          environment: found.queue.environment as Environment,
          lane: found.queue.lane as Lane,
          ...this.#progressOf(found, place),
          ...(reference === undefined ? {} : { reference }),
          ...(apnsId === undefined ? {} : { apnsId }),
          storedAt: isoOf(found.storedAtMs),
        };
      });
  }

  #progressOf(found: FoundBatch, place: number): Progress {
    const code = found.outcomes?.[place] ?? outcomeCode.open;
    if (code === outcomeCode.accepted) {
      const at = isoOf(found.settledAtMs ?? found.storedAtMs);
      return { status: "accepted", attempts: [{ at, outcome: "accepted" }] };
    }
    const note = found.notes.get(place);
    if (code === outcomeCode.noted && note !== undefined) {
      const status = note.status as NotificationStatus;
      const reason = note.reason ?? (status === "queued" ? this.#waitsFor(found) : undefined);
      return { status, attempts: parseAttempts(note.attempts), ...(reason === undefined ? {} : { reason }) };
    }
    const wasForLater = found.dueAtMs > found.storedAtMs;
    if (wasForLater && found.dueAtMs > this.#options.clock.now())
      return { status: "scheduled", sendAt: isoOf(found.dueAtMs), attempts: [] };
    const reason = this.#waitsFor(found);
    return { status: "queued", attempts: [], ...(reason === undefined ? {} : { reason }) };
  }

  #waitsFor({ queue }: FoundBatch): string | undefined {
    return this.#options.waitingFor(queue.app, queue.environment);
  }
}

type Progress = Pick<NotificationRecord, "status" | "attempts" | "reason" | "sendAt">;

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
