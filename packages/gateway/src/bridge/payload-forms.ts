import { PayloadForm } from "./payload-form.ts";

/** A sender has few forms, and each further one costs those that match none. */
const mostForms = 4;
/** After so many lessons in a row that were of no use ... */
const patience = 8;
/** ... only every so-manieth is taken. */
const sparing = 64;

/** The forms that payloads had of late, each with what was found about it. */
export class PayloadForms<Found> {
  /** The one that matched last is the first. */
  readonly #known: { readonly form: PayloadForm; readonly found: Found }[] = [];
  /** Lessons since something matched. */
  #lessons = 0;

  find(payload: Uint8Array): Found | undefined {
    const place = this.#known.findIndex(({ form }) => form.fits(payload));
    const known = this.#known[place];
    if (known === undefined) return undefined;
    this.#lessons = 0;
    if (place > 0) {
      this.#known.splice(place, 1);
      this.#known.unshift(known);
    }
    return known.found;
  }

  /** @param payload a JSON object, which has been parsed */
  learn(payload: Buffer, found: Found): void {
    this.#lessons += 1;
    if (this.#lessons > patience && this.#lessons % sparing !== 0) return;
    const form = PayloadForm.of(payload);
    if (form === undefined) return;
    this.#known.unshift({ form, found });
    if (this.#known.length > mostForms) this.#known.pop();
  }
}
