import type { DraftRun } from "../../delivery/index.ts";
import type { KnownForms } from "./known-forms.ts";
import { type NotificationTemplate, noMatch } from "./notification-template.ts";
import { RunBuilder } from "./run-builder.ts";

/** Notifications that stand in a row and became one run. */
export interface NumberedRun {
  /** The number of the first. */
  readonly first: number;
  /** How many. Where it is more than one, each has one recipient. */
  readonly count: number;
  readonly run: DraftRun;
}

interface OpenRun {
  readonly template: NotificationTemplate;
  readonly builder: RunBuilder;
  readonly first: number;
  count: number;
}

/**
 * Reads notifications of known forms, each in one pass over its bytes. What it does not take is not wrong: it has to be
 * read by the rules.
 */
export class RunReader {
  readonly #forms: KnownForms;
  #open: OpenRun | undefined;

  constructor(forms: KnownForms) {
    this.#forms = forms;
  }

  /** Recipients and bytes of payloads in the run that is open. */
  get recipients(): number {
    return this.#open?.builder.recipients ?? 0;
  }

  get payloadBytes(): number {
    return this.#open?.builder.payloadBytes ?? 0;
  }

  /**
   * Adds the notification from `start` to `end` to the run that is open, if it continues it.
   *
   * @param end `noMatch` where it is not known
   * @returns where it ends, or `noMatch`
   */
  continue(bytes: Buffer, start: number, end: number, number: number): number {
    const open = this.#open;
    if (open === undefined || open.builder.bytes !== bytes || open.first + open.count !== number)
      return noMatch;
    if (!open.template.isForOne) return noMatch;
    const found = open.template.read(start, end, open.builder);
    if (found !== noMatch) open.count += 1;
    return found;
  }

  /** Begins a run with the notification from `start` to `end`, if its form is known. The one before was closed. */
  begin(bytes: Buffer, start: number, end: number, number: number): number {
    const builder = new RunBuilder(bytes);
    let found = noMatch;
    const template = this.#forms.find((each) => {
      found = each.read(start, end, builder);
      return found !== noMatch;
    });
    if (template !== undefined) this.#open = { template, builder, first: number, count: 1 };
    return found;
  }

  /** Closes the run that is open, and gives it. */
  close(): NumberedRun | undefined {
    const open = this.#open;
    if (open === undefined) return undefined;
    this.#open = undefined;
    const { template, builder, first, count } = open;
    return { first, count, run: builder.finish(template.shared) };
  }
}
