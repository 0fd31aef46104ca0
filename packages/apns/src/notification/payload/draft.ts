import { ApnsError } from "../../runtime/index.ts";
import type { ApnsPayload } from "../apns-payload.ts";
import { explainEpochSeconds, toEpochSeconds } from "../epoch-seconds.ts";
import { checkPayload } from "../payload-rules.ts";

/** An app's own values, which go beside `aps`. Anything that can be written as JSON. */
export type PayloadData = object;

/** One payload in the making: it gathers every contradiction in the caller's own names, so that all are told at once. */
export class Draft {
  private readonly builder: string;
  private readonly problems: { readonly field: string; readonly detail: string }[] = [];

  /** @param builder what the caller called, for the error's text */
  constructor(builder: string) {
    this.builder = builder;
  }

  refuse(field: string, detail: string): void {
    this.problems.push({ field, detail });
  }

  /** Refuses options that the builder does not have: a misspelt one would be lost in silence. */
  checkNames(options: unknown, known: readonly string[]): void {
    if (typeof options !== "object" || options === null || Array.isArray(options)) {
      const cure = `must be an object with any of ${known.join(", ")}`;
      throw new ApnsError("bad-notification", `${this.builder}: options ${cure}`, [
        { field: "options", detail: cure },
      ]);
    }
    for (const name of Object.keys(options))
      if (!known.includes(name))
        this.refuse(
          name,
          `is no option here; known are ${known.join(", ")}. An app's own values go into data`,
        );
  }

  /** A time in epoch seconds, as the payload has it. */
  seconds(field: string, time: Date | number | undefined): number | undefined {
    if (time === undefined) return undefined;
    const seconds = toEpochSeconds(time);
    const detail = explainEpochSeconds(seconds);
    if (detail !== undefined) this.refuse(field, detail);
    return seconds;
  }

  /**
   * The payload, without the keys that are undefined, held against Apple's rules.
   *
   * @throws ApnsError `bad-notification` with every problem, under the names of the builder's options
   */
  finish(
    pushType: string,
    aps: Readonly<Record<string, unknown>>,
    data: PayloadData | undefined,
  ): ApnsPayload {
    const payload = { aps: withoutAbsent(aps), ...this.readData(data) };
    const told = new Set(this.problems.map(({ field }) => field));
    checkPayload(payload, pushType, (path, detail) => {
      const field = optionOf(path);
      if (!told.has(field)) this.refuse(field, detail);
    });
    if (this.problems.length === 0) return payload;
    const all = this.problems.map(({ field, detail }) => `${field} ${detail}`).join("; ");
    throw new ApnsError("bad-notification", `${this.builder}: ${all}`, this.problems);
  }

  private readData(data: PayloadData | undefined): object {
    if (data === undefined) return {};
    if (typeof data === "object" && data !== null && !Array.isArray(data) && !("aps" in data)) return data;
    this.refuse(
      "data",
      "must be an object without aps: its keys stand beside aps, which the other options make",
    );
    return {};
  }
}

/** The object without keys whose value is undefined. */
export function withoutAbsent(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const present: Record<string, unknown> = {};
  for (const key of Object.keys(values)) if (values[key] !== undefined) present[key] = values[key];
  return present;
}

/** `aps.relevance-score` is the option `relevanceScore`. */
function optionOf(path: string): string {
  return path.replace(/^aps\./, "").replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
