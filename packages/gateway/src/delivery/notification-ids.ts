import type { BatchId } from "../store/index.ts";
import { notificationId } from "./notification-id.ts";

/** The ids that a submission was given, in order. They become text when somebody asks for them: most callers only count. */
export class NotificationIds {
  /** Places in a row of one batch. */
  readonly #ranges: { readonly batch: BatchId; readonly first: number; count: number }[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(batch: BatchId, place: number): void {
    this.#length += 1;
    const last = this.#ranges.at(-1);
    if (last !== undefined && last.batch === batch && last.first + last.count === place) last.count += 1;
    else this.#ranges.push({ batch, first: place, count: 1 });
  }

  list(): readonly string[] {
    const ids: string[] = [];
    for (const { batch, first, count } of this.#ranges)
      for (let place = first; place < first + count; place += 1) ids.push(notificationId(batch, place));
    return ids;
  }
}
