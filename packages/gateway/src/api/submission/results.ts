import type { NotificationRecord } from "../../delivery/index.ts";
import { explainReason } from "../../outcomes/index.ts";
import type { NotificationAnswer, Problem } from "../contract/answers.ts";
import { problemOf } from "../problems/api-problem.ts";
import type { SubmittedEntry } from "./submission-reader.ts";

/** Places in the answer: those of one notification, valid or not, or of several valid ones. Holds nothing of what was sent. */
export type Slot =
  | { readonly kind: "valid"; readonly recipients: number; readonly status: "queued" | "scheduled" }
  | { readonly kind: "invalid"; readonly recipients: number; readonly error: Problem };

type ValidSlot = Extract<Slot, { kind: "valid" }>;

/** The answer to a submission: one result for each recipient, in the order of the request. */
export class Results {
  readonly #slots: readonly Slot[];

  constructor(slots: readonly Slot[]) {
    this.#slots = slots;
  }

  static of(entries: readonly SubmittedEntry[], nowMs: number): Results {
    return new Results(entries.map((entry) => slotOf(entry, nowMs)));
  }

  /** What the answer is made of, besides the ids. Valid ones of the same status that follow each other are one. */
  get slots(): readonly Slot[] {
    const slots: Slot[] = [];
    for (const slot of this.#slots) {
      const last = slots.at(-1);
      if (last?.kind === "valid" && slot.kind === "valid" && last.status === slot.status)
        slots[slots.length - 1] = { ...last, recipients: last.recipients + slot.recipients };
      else slots.push(slot);
    }
    return slots;
  }

  /** Nothing was stored. */
  validated(): object[] {
    return this.#fill(() => ({ status: "valid" }));
  }

  /** All is on disk, under these ids. */
  queued(ids: readonly string[]): object[] {
    const next = ids[Symbol.iterator]();
    return this.#fill(({ status }) => ({ id: next.next().value, status }));
  }

  /** What is known of each. */
  final(ids: readonly string[], records: readonly NotificationRecord[]): object[] {
    const byId = new Map(records.map((record) => [record.id, record]));
    const next = ids[Symbol.iterator]();
    return this.#fill(({ status }) => {
      const id = next.next().value ?? "";
      const record = byId.get(id);
      return record === undefined ? { id, status } : answerOf(record);
    });
  }

  #fill(valid: (slot: ValidSlot) => object): object[] {
    return this.#slots.flatMap((slot) =>
      Array.from({ length: slot.recipients }, () =>
        slot.kind === "valid" ? valid(slot) : { error: slot.error },
      ),
    );
  }
}

/** A notification as the API tells of it. */
export function answerOf(record: NotificationRecord): NotificationAnswer {
  const { apnsId = record.id, attempts, reason } = record;
  const explanation = reason === undefined ? undefined : explainReason(reason);
  return { ...record, ...(explanation && { explanation }), apnsId, attempts: [...attempts] };
}

function slotOf(entry: SubmittedEntry, nowMs: number): Slot {
  if (entry.kind === "invalid") {
    const { recipients, problems } = entry;
    const error = problemOf("invalid", "This notification was not stored.", problems);
    return { kind: "invalid", recipients, error };
  }
  const [recipients, { dueAtMs = 0 }] =
    entry.kind === "run"
      ? [entry.run.recipients, entry.run.shared]
      : [entry.draft.deviceTokens.length, entry.draft];
  return { kind: "valid", recipients, status: dueAtMs > nowMs ? "scheduled" : "queued" };
}
