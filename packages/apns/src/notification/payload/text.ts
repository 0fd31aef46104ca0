import type { Draft } from "./draft.ts";

/**
 * Text as it is, or by the key of the app's `Localizable.strings`, which the device looks up in its own language; `locArgs` fill
 * the placeholders of the string.
 */
export type PayloadText = string | LocalizedText;

export interface LocalizedText {
  readonly locKey: string;
  readonly locArgs?: readonly string[];
}

/** The keys of an alert dictionary for one text: `title`, or `title-loc-key` and `title-loc-args`. */
export function alertKeys(
  draft: Draft,
  name: "title" | "subtitle" | "body",
  text: PayloadText | undefined,
): Record<string, unknown> {
  if (typeof text !== "object" || text === null) return { [name]: checkText(draft, name, text) };
  const prefix = name === "body" ? "" : `${name}-`;
  const { locKey, locArgs } = checkLocalized(draft, name, text);
  return { [`${prefix}loc-key`]: locKey, [`${prefix}loc-args`]: locArgs };
}

/** The same for a Live Activity's alert, where the dictionary stands in the text's place. */
export function liveActivityText(
  draft: Draft,
  name: "title" | "body",
  text: PayloadText | undefined,
): unknown {
  if (typeof text !== "object" || text === null) return checkText(draft, name, text);
  const { locKey, locArgs } = checkLocalized(draft, name, text);
  return locArgs === undefined ? { "loc-key": locKey } : { "loc-key": locKey, "loc-args": locArgs };
}

function checkText(draft: Draft, name: string, text: string | undefined): string | undefined {
  if (text !== undefined && typeof text !== "string")
    draft.refuse(name, "must be a string, or {locKey, locArgs} for one that the app translates");
  return text;
}

function checkLocalized(draft: Draft, name: string, text: LocalizedText): LocalizedText {
  const { locKey, locArgs } = text;
  const areArgs =
    locArgs === undefined || (Array.isArray(locArgs) && locArgs.every((each) => typeof each === "string"));
  if (typeof locKey !== "string" || !areArgs)
    draft.refuse(name, "must be {locKey, locArgs} with a string and an array of strings");
  return text;
}
