import type { ClientStream } from "./client-stream.ts";

/** Streams that stand in the ring; an older one that is still open when its place is needed moves aside. */
const places = 2048;
const mask = places - 1;

/**
 * Open streams by id, in the order in which they were opened. Ids rise by two and most streams end in about that order, so a
 * ring finds nearly all of them by their id alone, without hashing (bench/client.ts).
 */
export class StreamRing<Tag> {
  private readonly ring = new Array<ClientStream<Tag> | undefined>(places).fill(undefined);
  /** Those that stayed open while two thousand later ones were opened: older than everything in the ring. */
  private readonly old = new Map<number, ClientStream<Tag>>();
  private newestId = 0;
  size = 0;

  /** Adds a stream whose id is higher than any before. */
  add(stream: ClientStream<Tag>): void {
    const place = (stream.id >>> 1) & mask;
    const before = this.ring[place];
    if (before !== undefined) this.old.set(before.id, before);
    this.ring[place] = stream;
    this.newestId = stream.id;
    this.size += 1;
  }

  get(id: number): ClientStream<Tag> | undefined {
    const stream = this.ring[(id >>> 1) & mask];
    if (stream !== undefined && stream.id === id) return stream;
    return this.old.size === 0 ? undefined : this.old.get(id);
  }

  /** Removes a stream; without effect where it is not there. */
  delete(id: number): void {
    const place = (id >>> 1) & mask;
    if (this.ring[place]?.id === id) this.ring[place] = undefined;
    else if (!this.old.delete(id)) return;
    this.size -= 1;
  }

  /** Oldest first. Streams may be added and removed meanwhile; those added may or may not be seen. */
  *values(): Iterable<ClientStream<Tag>> {
    yield* this.old.values();
    const last = this.newestId >>> 1;
    for (let ordinal = last - mask; ordinal <= last; ordinal++) {
      const stream = this.ring[ordinal & mask];
      if (stream !== undefined && stream.id >>> 1 === ordinal) yield stream;
    }
  }
}
