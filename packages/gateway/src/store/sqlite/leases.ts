import type { BatchId, Heartbeat, NodeId } from "../store.ts";
import type { Database, Statement } from "./driver.ts";

/** The statements about who holds what. A batch's lease lasts as long as the node that holds it is alive. */
export class Leases {
  readonly #now: () => number;
  readonly #selectNode: Statement;
  readonly #insertNode: Statement;
  readonly #selectDead: Statement;
  readonly #deleteNode: Statement;
  readonly #doubt: Statement;
  readonly #free: Statement;
  readonly #freeOfDead: Statement;
  readonly #freeAll: Statement;
  readonly #deleteNodes: Statement;
  /** Nodes that have announced themselves to this engine. */
  readonly #announced = new Set<NodeId>();

  constructor(database: Database, now: () => number) {
    this.#now = now;
    this.#selectNode = database.prepare("SELECT node FROM node WHERE node = ?");
    this.#insertNode = database.prepare(
      `INSERT INTO node (node, alive_until_ms) VALUES (?, ?)
       ON CONFLICT (node) DO UPDATE SET alive_until_ms = excluded.alive_until_ms`,
    );
    this.#selectDead = database.prepare("SELECT node FROM node WHERE alive_until_ms < ? AND node <> ?");
    this.#deleteNode = database.prepare("DELETE FROM node WHERE node = ?");
    this.#doubt = database.prepare("UPDATE batch SET in_doubt = 1 WHERE id = ? AND node = ?");
    this.#free = database.prepare("UPDATE batch SET node = NULL WHERE open > 0 AND node = ?");
    this.#freeOfDead = database.prepare(
      "UPDATE batch SET node = NULL, in_doubt = 1 WHERE open > 0 AND node = ?",
    );
    this.#freeAll = database.prepare(
      "UPDATE batch SET node = NULL, in_doubt = 1 WHERE open > 0 AND node IS NOT NULL",
    );
    this.#deleteNodes = database.prepare("DELETE FROM node");
  }

  /** For a start with the folder's lock held: whoever was a node of this folder is dead, and what it had sent nobody knows. */
  freeEverything(): void {
    this.#freeAll.run();
    this.#deleteNodes.run();
  }

  heartbeat(node: NodeId, leaseMs: number): Heartbeat {
    const now = this.#now();
    const wasFoundDead = this.#announced.has(node) && this.#selectNode.get(node) === undefined;
    this.#announced.add(node);
    this.#insertNode.run(node, now + leaseMs);
    const dead = this.#selectDead.all(now, node);
    for (const each of dead) {
      this.#freeOfDead.run(String(each.node));
      this.#deleteNode.run(String(each.node));
    }
    if (wasFoundDead) return "lost";
    return dead.length > 0 ? "inherited" : "held";
  }

  release(node: NodeId, inDoubt: readonly BatchId[]): void {
    for (const batch of inDoubt) this.#doubt.run(batch, node);
    this.#free.run(node);
    this.#deleteNode.run(node);
  }
}
