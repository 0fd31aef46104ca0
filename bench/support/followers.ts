/**
 * Those who follow the events of a gateway, as a process of its own: bare sockets that look for nothing but cursors. `fork`ed, it
 * gets a task and says "following" when all are connected; to "report" it answers with what each kind has heard so far; to a
 * cursor it answers with the same, once everyone has got that far.
 *
 * Each knows the cursor of the last event that came whole, and comes back with it as `Last-Event-ID` when it was cut.
 */
import { connect, type Socket } from "node:net";

export interface FollowTask {
  readonly url: string;
  readonly key: string;
  readonly fast: number;
  /** They read so much a second. */
  readonly slow: number;
  readonly slowBytesPerSecond: number;
  /** They read once, then nothing for so long, then as fast as they can. */
  readonly stopped: number;
  readonly stoppedMs: number;
}

/** Of all followers of one kind together. */
export interface FollowReport {
  readonly kind: Kind;
  readonly followers: number;
  readonly events: number;
  readonly bytes: number;
  /** The cursors of those who have come least far, and farthest. */
  readonly hindmost: number;
  readonly foremost: number;
  readonly cuts: number;
  readonly missing: number;
  readonly repeated: number;
}

export interface FollowAnswer {
  readonly reports: readonly FollowReport[];
  readonly cpuMs: number;
}

type Kind = "fast" | "slow" | "stopped";

const blockEnd = Buffer.from("\n\n");
const idStart = Buffer.from("id: ");
const [lineEnd, zero, letterE] = [0x0a, 0x30, 0x65];

class Follower {
  readonly kind: Kind;
  readonly #task: FollowTask;
  readonly #changed: () => void;
  #rest: Buffer = Buffer.alloc(0);
  #isAwake: boolean;
  hasHeard = false;
  cursor = 0;
  events = 0;
  bytes = 0;
  cuts = 0;
  missing = 0;
  repeated = 0;

  constructor(kind: Kind, task: FollowTask, changed: () => void) {
    this.kind = kind;
    this.#task = task;
    this.#changed = changed;
    this.#isAwake = kind === "fast";
    this.#connect();
  }

  /** From now on as fast as it can. */
  wake(): void {
    if (this.kind === "slow") this.#isAwake = true;
  }

  #connect(): void {
    const { url, key } = this.#task;
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    this.#rest = Buffer.alloc(0);
    socket.write(
      `GET /v1/events?after=0 HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${key}\r\n` +
        `accept: text/event-stream\r\n${this.cursor === 0 ? "" : `last-event-id: ${this.cursor}\r\n`}\r\n`,
    );
    socket.on("data", (chunk: Buffer) => {
      this.hasHeard = true;
      this.bytes += chunk.length;
      this.#read(chunk);
      if (!this.#isAwake) this.#tarry(socket, chunk.length);
      this.#changed();
    });
    // Its end tells all that there is to know.
    socket.on("error", () => undefined);
    socket.once("close", () => {
      if (isOver) return;
      this.cuts += 1;
      this.#connect();
    });
  }

  #tarry(socket: Socket, bytes: number): void {
    socket.pause();
    const { stoppedMs, slowBytesPerSecond } = this.#task;
    if (this.kind === "slow") setTimeout(() => socket.resume(), (bytes * 1_000) / slowBytesPerSecond);
    else
      setTimeout(() => {
        this.#isAwake = true;
        socket.resume();
      }, stoppedMs);
  }

  /** Looks at what is whole. What the transfer coding puts between pages ends in no empty line. */
  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(blockEnd, start);
      if (end < 0) break;
      const id = bytes.indexOf(idStart, start);
      if (id >= 0 && id < end) this.#hear(bytes, id + idStart.length);
      start = end + blockEnd.length;
    }
    this.#rest = start === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(start));
  }

  #hear(bytes: Buffer, idAt: number): void {
    let cursor = 0;
    let at = idAt;
    for (; bytes[at] !== lineEnd; at += 1) cursor = cursor * 10 + (bytes[at] ?? zero) - zero;
    // A sign of life has an id, too, but no event.
    if (bytes[at + 1] !== letterE) return;
    this.events += 1;
    if (cursor <= this.cursor) this.repeated += 1;
    else this.missing += cursor - this.cursor - 1;
    this.cursor = Math.max(this.cursor, cursor);
  }
}

let isOver = false;

process.once("message", (task: FollowTask) => {
  let changed = (): void => undefined;
  const followers = (["fast", "slow", "stopped"] as const).flatMap((kind) =>
    Array.from({ length: task[kind] }, () => new Follower(kind, task, () => changed())),
  );
  const when = (isSo: (each: Follower) => boolean, say: () => void): void => {
    changed = () => {
      if (!followers.every(isSo)) return;
      changed = () => undefined;
      say();
    };
    changed();
  };
  when(
    ({ hasHeard }) => hasHeard,
    () => process.send?.("following"),
  );
  process.on("message", (word: "report" | number) => {
    const answer = (): void => void process.send?.(reportOf(followers));
    if (word === "report") return answer();
    for (const follower of followers) follower.wake();
    when(({ cursor }) => cursor >= word, answer);
  });
});
process.on("disconnect", () => {
  isOver = true;
  process.exit();
});

function reportOf(followers: readonly Follower[]): FollowAnswer {
  const { user, system } = process.cpuUsage();
  const reports = (["fast", "slow", "stopped"] as const).map((kind): FollowReport => {
    const some = followers.filter((each) => each.kind === kind);
    const sum = (of: (each: Follower) => number): number => some.reduce((all, each) => all + of(each), 0);
    const cursors = some.map(({ cursor }) => cursor);
    return {
      ...{ kind, followers: some.length },
      ...{ events: sum(({ events }) => events), bytes: sum(({ bytes }) => bytes) },
      ...{ hindmost: Math.min(...cursors), foremost: Math.max(...cursors) },
      cuts: sum(({ cuts }) => cuts),
      missing: sum(({ missing }) => missing),
      repeated: sum(({ repeated }) => repeated),
    };
  });
  return { reports, cpuMs: (user + system) / 1_000 };
}
