import type { SecureContext } from "node:tls";
import type { Identity } from "../credentials/index.ts";
import { Connection, type ConnectionEnd, type ConnectionOwner } from "./connection.ts";
import { openContext } from "./dial.ts";
import { Growth } from "./growth.ts";
import type { Settings } from "./options.ts";
import { Reconnection } from "./reconnection.ts";
import type { ConnectionSnapshot } from "./snapshot.ts";

/** An attempt to connect that takes longer gets company, up to so many: the way may have healed since it began. */
const patienceMs = 2_000;
const mostOpening = 4;
/** Jobs in a row that one connection gets before the load is looked at again. */
const mostInARow = 32;

/** The connections of one pool: which of them takes the next job, and when another one is opened. */
export class Fleet {
  private readonly settings: Settings;
  private readonly secureContext: SecureContext;
  private readonly owner: ConnectionOwner;
  private readonly connections = new Set<Connection>();
  private readonly growth = new Growth();
  private readonly reconnection: Reconnection;
  private current: Connection | undefined;
  private inARow = 0;
  private answers = 0;
  /** Connections so far. */
  private made = 0;

  constructor(settings: Settings, identity: Identity, owner: ConnectionOwner) {
    this.settings = settings;
    this.secureContext = openContext(identity, settings.ca);
    this.owner = owner;
    this.reconnection = new Reconnection(settings.random);
  }

  get size(): number {
    return this.connections.size;
  }

  /** Whether some connection can carry requests, now or when those under way are answered. */
  get hasProspect(): boolean {
    for (const connection of this.connections)
      if (connection.isUsable && connection.streamLimit > 0) return true;
    return false;
  }

  get snapshot(): ConnectionSnapshot[] {
    const now = this.settings.clock.monotonic();
    return [...this.connections].map((each) => ({
      phase: each.phase,
      number: each.number,
      remoteAddress: each.remoteAddress,
      ageMs: now - each.openedAt,
      openStreams: each.openStreams,
      streamLimit: each.streamLimit,
      answers: each.answers,
      rttMs: each.rttMs,
      lastGoaway: each.lastGoaway?.debug.toString("utf8", 0, 200),
    }));
  }

  /** The least busy connection that has room; kept for a few jobs, whose frames then share a TLS record. */
  pick(payloadBytes: number): Connection | undefined {
    this.inARow += 1;
    if (this.inARow <= mostInARow && this.current?.canSend(payloadBytes)) return this.current;
    this.inARow = 1;
    this.current = undefined;
    for (const connection of this.connections) {
      const isIdler = this.current === undefined || connection.openStreams < this.current.openStreams;
      if (isIdler && connection.canSend(payloadBytes)) this.current = connection;
    }
    return this.current;
  }

  /** Opens a connection, unless one is being opened, or it is too early after those that failed. */
  connect(): void {
    const now = this.settings.clock.monotonic();
    if (this.connections.size >= this.settings.maxConnections * 2) return;
    if (!this.reconnection.isAllowed(now)) return;
    let opening = 0;
    for (const connection of this.connections) {
      if (!connection.isOpening) continue;
      opening += 1;
      if (opening >= mostOpening || now - connection.openedAt < patienceMs) return;
    }
    this.open();
  }

  /** Opens further connections where those that stand are too slow for what is queued. Called now and then. */
  grow(queued: number): void {
    let usable = 0;
    let opening = 0;
    for (const connection of this.connections) {
      if (connection.isUsable) usable += 1;
      else if (connection.isOpening) opening += 1;
    }
    const nowMs = this.settings.clock.monotonic();
    const { maxConnections: most } = this.settings;
    const { answers } = this;
    for (
      let more = this.growth.advise({ nowMs, queued, usable, opening, most, answers });
      more > 0;
      more -= 1
    )
      this.open();
  }

  /** A limit of 0 may be raised later; until then another connection is tried, at the pace of failures. */
  opened({ streamLimit }: Connection): void {
    if (streamLimit === 0) this.reconnection.failed("useless", this.settings.clock.monotonic());
  }

  answered(status: number): void {
    this.answers += 1;
    if (status !== 500) this.reconnection.worked();
  }

  /** Counts at once, not when the good-bye is through: another connection to such a peer is not opened in between. */
  broke(connection: Connection): void {
    this.failed(connection, "useless");
  }

  ended(end: ConnectionEnd, connection: Connection): void {
    this.connections.delete(connection);
    if (this.current === connection) this.current = undefined;
    if (connection.isBroken) return;
    const isReachable = connection.wasSecure || end.cause === "verification";
    this.failed(connection, isReachable ? "useless" : "unreachable");
  }

  /** A connection that answered nothing was no connection: the next one waits, or a server that refuses is hammered. */
  private failed(connection: Connection, how: "useless" | "unreachable"): void {
    if (connection.usefulAnswers === 0) this.reconnection.failed(how, this.settings.clock.monotonic());
  }

  /** Ends every connection: within `drainMs`, or at once where that is 0. */
  close(drainMs: number): void {
    const detail = "the client was closed";
    for (const connection of [...this.connections]) {
      if (drainMs > 0 && !connection.isOpening) connection.retire(detail, drainMs);
      else connection.destroy(detail);
    }
  }

  private open(): void {
    this.made += 1;
    this.connections.add(new Connection(this.settings, this.secureContext, this.owner, this.made));
  }
}
