export interface NumberRange {
  readonly least: number;
  readonly most: number;
  /** @default "whole" */
  readonly form?: "whole" | "decimal";
}

/** A number that was typed, or undefined where none was or it is refused. */
export function readNumber(
  text: string | undefined,
  range: NumberRange,
  refuse: (detail: string) => void,
): number | undefined {
  if (text === undefined) return undefined;
  const { least, most, form = "whole" } = range;
  const pattern = form === "whole" ? /^\d{1,15}$/ : /^\d{1,15}(\.\d{1,6})?$/;
  const value = pattern.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  refuse(`must be a ${form === "whole" ? "whole " : ""}number from ${least} to ${most}.`);
  return undefined;
}
