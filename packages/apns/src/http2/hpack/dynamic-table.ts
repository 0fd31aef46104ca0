/** What an entry costs beside its bytes (RFC 7541 §4.1). */
const entryOverheadBytes = 32;

/** Size of one entry (RFC 7541 §4.1). Names and values are latin1: one byte a character. */
export function entryBytes(name: string, value: string): number {
  return name.length + value.length + entryOverheadBytes;
}

/**
 * The dynamic table (RFC 7541 §2.3.2, §4): a ring of entries, newest first by index, oldest evicted first.
 *
 * Every insertion has an ordinal, from 1 on. It never changes while indices do, so an encoder can remember it.
 */
export class DynamicTable {
  /** The most bytes held now; the peer's or our own SETTINGS bound it. */
  maxBytes: number;
  /** Sum of the entries' sizes. */
  bytes = 0;
  /** Ordinal of the newest entry; 0 before the first. */
  newest = 0;
  /** Ordinal of the entry evicted last; 0 before the first. Entries alive have ordinals in (evicted, newest]. */
  evicted = 0;
  /** Counts changes of entries and bound: while it stays, indices mean the same. */
  changes = 0;
  private names: string[] = new Array<string>(32).fill("");
  private values: string[] = new Array<string>(32).fill("");
  /** Capacity of the ring less one; the capacity is a power of two. */
  private mask = 31;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get length(): number {
    return this.newest - this.evicted;
  }

  /** The name at `index`, 1 (the newest) to `length`. */
  nameAt(index: number): string {
    return this.names[(this.newest - index + 1) & this.mask]!;
  }

  /** The value at `index`, 1 (the newest) to `length`. */
  valueAt(index: number): string {
    return this.values[(this.newest - index + 1) & this.mask]!;
  }

  /**
   * Adds an entry, evicting what has no room beside it. One larger than the whole table empties it and is not kept
   * (RFC 7541 §4.4).
   */
  insert(name: string, value: string): void {
    const added = entryBytes(name, value);
    this.changes += 1;
    this.evictTo(this.maxBytes - added);
    if (added > this.maxBytes) return;
    if (this.length > this.mask) this.enlarge();
    this.newest += 1;
    this.names[this.newest & this.mask] = name;
    this.values[this.newest & this.mask] = value;
    this.bytes += added;
  }

  /** Changes the bound and evicts what exceeds it (RFC 7541 §4.3). */
  resize(maxBytes: number): void {
    this.changes += 1;
    this.maxBytes = maxBytes;
    this.evictTo(maxBytes);
  }

  private evictTo(bytes: number): void {
    while (this.bytes > bytes && this.length > 0) {
      this.evicted += 1;
      const slot = this.evicted & this.mask;
      this.bytes -= entryBytes(this.names[slot]!, this.values[slot]!);
      this.names[slot] = "";
      this.values[slot] = "";
    }
  }

  /** Doubles the ring. It stays bounded by maxBytes / 32 entries. */
  private enlarge(): void {
    const { names, values, mask } = this;
    this.mask = mask * 2 + 1;
    this.names = new Array<string>(this.mask + 1).fill("");
    this.values = new Array<string>(this.mask + 1).fill("");
    for (let ordinal = this.evicted + 1; ordinal <= this.newest; ordinal++) {
      this.names[ordinal & this.mask] = names[ordinal & mask]!;
      this.values[ordinal & this.mask] = values[ordinal & mask]!;
    }
  }
}
