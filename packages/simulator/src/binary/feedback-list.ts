/** A device on which an app is no more, as the feedback service will tell. */
export interface FeedbackEntry {
  readonly topic: string;
  /** Lower case. */
  readonly deviceToken: string;
  /** When it was found out, in milliseconds since 1970. */
  readonly goneSinceMs: number;
}

/** Entries of one topic kept at most; the oldest are forgotten. */
const mostEntries = 100_000;

/** What waits for the readers of the feedback service: devices that were pushed to and had left, by topic. */
export class FeedbackList {
  private readonly topics = new Map<string, Map<string, FeedbackEntry>>();

  /** A device was pushed to that is gone. One entry for each topic and device, the newest. */
  add(entry: FeedbackEntry): void {
    const entries = this.topics.get(entry.topic) ?? new Map<string, FeedbackEntry>();
    this.topics.set(entry.topic, entries);
    entries.delete(entry.deviceToken);
    entries.set(entry.deviceToken, entry);
    if (entries.size <= mostEntries) return;
    const [oldest] = entries.keys();
    if (oldest !== undefined) entries.delete(oldest);
  }

  /** What waits, oldest first of each topic: of one, or of all. */
  find(topic?: string): readonly FeedbackEntry[] {
    if (topic !== undefined) return [...(this.topics.get(topic)?.values() ?? [])];
    return [...this.topics.values()].flatMap((entries) => [...entries.values()]);
  }

  /** At most `most` entries of a topic, oldest first, those before `from` left out. */
  list(topic: string, from: number, most: number): readonly FeedbackEntry[] {
    const listed: FeedbackEntry[] = [];
    let at = 0;
    for (const entry of this.topics.get(topic)?.values() ?? []) {
      if (listed.length === most) break;
      if (at >= from) listed.push(entry);
      at += 1;
    }
    return listed;
  }

  /** These were told, and are told to nobody else. */
  remove(told: readonly FeedbackEntry[]): void {
    for (const { topic, deviceToken } of told) this.topics.get(topic)?.delete(deviceToken);
  }

  /** Forgets everything. */
  clear(): void {
    this.topics.clear();
  }
}
