import type { NotificationDraft } from "../../delivery/index.ts";
import type { NotificationTemplate } from "./notification-template.ts";
import { learnTemplate } from "./template-learner.ts";

/** A sender has few forms, and each further one costs those that match none. */
const mostForms = 4;
/** After so many lessons in a row that were of no use ... */
const patience = 8;
/** ... only every so-manieth is taken. */
const sparing = 64;

/** The forms that the notifications of one app had of late. */
export class KnownForms {
  /** The one that matched last is the first. */
  #templates: NotificationTemplate[] = [];
  #second = 0;
  /** Lessons since something matched. */
  #lessons = 0;

  /**
   * Has to be called before anything is read at another time. What `ttl` means, and whether a time is over, changes by the
   * second: no form outlives it.
   */
  setTime(nowMs: number): void {
    const second = Math.ceil(nowMs / 1_000);
    if (second === this.#second) return;
    this.#second = second;
    this.#templates = [];
  }

  /** The form for which `reads` is true. */
  find(reads: (template: NotificationTemplate) => boolean): NotificationTemplate | undefined {
    const place = this.#templates.findIndex(reads);
    const template = this.#templates[place];
    if (template === undefined) return undefined;
    this.#lessons = 0;
    this.#templates.splice(place, 1);
    this.#templates.unshift(template);
    return template;
  }

  /** Keeps the form of a notification that was read as `draft` at the time that was set. */
  learn(bytes: Buffer, draft: NotificationDraft): void {
    this.#lessons += 1;
    if (this.#lessons > patience && this.#lessons % sparing !== 0) return;
    // It may be over before the second is.
    const { expirationSeconds = 0 } = draft;
    if (expirationSeconds > 0 && expirationSeconds <= this.#second) return;
    const template = learnTemplate(bytes, draft);
    if (template === undefined) return;
    this.#templates.unshift(template);
    this.#templates.length = Math.min(this.#templates.length, mostForms);
  }
}
