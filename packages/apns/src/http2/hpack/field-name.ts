import type { Indexing } from "./indexing.ts";
import { staticTable } from "./static-table.ts";

/** What the encoder knows about one field name. */
export class FieldName {
  readonly text: string;
  readonly indexing: Indexing;
  /** The name's first index in the static table; 0 where it has none. */
  readonly staticIndex: number;
  readonly staticValues: ReadonlyMap<string, number> | undefined;
  /** Ordinal of the newest dynamic entry with this name, and its value; it may have been evicted. */
  newestOrdinal = 0;
  newestValue: string | undefined;
  /** Ordinals of the dynamic entries by value, for "incremental" only; some may have been evicted. */
  readonly ordinals = new Map<string, number>();
  /** The value written last, and where it stands in a table if it does. */
  lastValue: string | undefined;
  lastStaticIndex = 0;
  lastOrdinal = 0;
  /** A value that repeats, and its string literal ready to be copied. */
  keptValue: string | undefined;
  keptBytes: Uint8Array = new Uint8Array(0);

  constructor(text: string, indexing: Indexing) {
    this.text = text;
    this.indexing = indexing;
    const known = staticFields.get(text);
    this.staticIndex = known?.index ?? 0;
    this.staticValues = known?.values;
  }

  /** Ordinal of the dynamic entry with this value, 0 where none was made; it may have been evicted. */
  ordinalOf(value: string): number {
    if (this.indexing === "incremental") return this.ordinals.get(value) ?? 0;
    return isSameText(value, this.newestValue) ? this.newestOrdinal : 0;
  }
}

export const longestStaticValue = Math.max(...staticTable.map(([, value]) => value.length));

/** First index and the indices by value of every name in the static table. */
const staticFields = indexStaticTable();

function indexStaticTable(): ReadonlyMap<string, { index: number; values: Map<string, number> }> {
  const byName = new Map<string, { index: number; values: Map<string, number> }>();
  staticTable.forEach(([name, value], at) => {
    const index = at + 1;
    const known = byName.get(name);
    if (known === undefined) byName.set(name, { index, values: new Map([[value, index]]) });
    else known.values.set(value, index);
  });
  return byName;
}

/** Equality that looks at the ends first: ids of one batch and device paths begin alike. */
export function isSameText(text: string, other: string | undefined): boolean {
  if (other === undefined || text.length !== other.length) return false;
  const last = text.length - 1;
  return text.charCodeAt(last) === other.charCodeAt(last) ? text === other : last < 0;
}
