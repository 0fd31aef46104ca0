import { randomBytes, randomUUID } from "node:crypto";
import type { RunningGateway } from "./running-gateway.ts";

/** Device tokens that begin so are refused for good; Apple's word for each. */
export const deadTokens = { dead: "Unregistered", bad0: "BadDeviceToken" } as const;

/** What a sender asked for. */
export interface Sent {
  readonly deviceToken: string;
  readonly kind: Kind;
}

type Kind = "usual" | "dead" | "at-most-once" | "short-lived" | "scheduled";

interface Post {
  readonly key: string;
  readonly kind: Kind;
  readonly tokens: readonly string[];
}

const callers = 8;
const mostAtOnce = 40;
const settingsOf: Readonly<Record<Kind, object>> = {
  usual: {},
  dead: {},
  "at-most-once": { delivery: "at-most-once" },
  "short-lived": { ttl: 1 },
  scheduled: { sendAt: new Date(Date.now() + 86_400_000).toISOString() },
};

/** Somebody's backend. Submits notifications of all kinds, and again under the same key where no answer came. */
export class Sender {
  /** What was acknowledged, by id. */
  readonly sent = new Map<string, Sent>();
  readonly #random: () => number;
  #unanswered: Post[] = [];
  #notCancelled: string[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Until so many are acknowledged in all, and each answered, or the gateway is gone. `answered` is told the number so far. */
  async send(gateway: RunningGateway, upTo: number, answered: (count: number) => void): Promise<void> {
    const one = async (): Promise<void> => {
      for (;;) {
        const post = this.#unanswered.pop() ?? (this.sent.size < upTo ? this.#next() : undefined);
        if (post === undefined) return;
        if (!(await this.#submit(gateway, post))) return;
        answered(this.sent.size);
        if (!(await this.#cancelAll(gateway))) return;
      }
    };
    await Promise.all(Array.from({ length: callers }, one));
    await this.#cancelAll(gateway);
  }

  #next(): Post {
    const chance = this.#random();
    const kind =
      chance < 0.65
        ? "usual"
        : chance < 0.75
          ? "dead"
          : chance < 0.85
            ? "at-most-once"
            : chance < 0.95
              ? "short-lived"
              : "scheduled";
    const count = kind === "scheduled" ? 3 : 1 + Math.floor(this.#random() * mostAtOnce);
    const tokens = Array.from({ length: count }, (_, at) => tokenOf(kind, at));
    return { key: randomUUID(), kind, tokens };
  }

  /** False when the gateway is gone. */
  async #submit(gateway: RunningGateway, post: Post): Promise<boolean> {
    const { key, kind, tokens } = post;
    const body = { to: { tokens }, alert: "Hello", ...settingsOf[kind] };
    const headers = { "idempotency-key": key };
    const answer = await gateway.ask("POST", "/v1/apps/demo/notifications", body, headers);
    if (answer === undefined || answer.status === 503) {
      this.#unanswered.push(post);
      return answer !== undefined;
    }
    if (answer.status !== 202) throw new Error(`answered ${answer.status} ${JSON.stringify(answer.body)}`);
    tokens.forEach((deviceToken, at) => {
      const { id } = answer.body.results[at];
      this.sent.set(id, { deviceToken, kind });
      if (kind === "scheduled") this.#notCancelled.push(id);
    });
    return true;
  }

  /** What is scheduled is taken back. False when the gateway is gone. */
  async #cancelAll(gateway: RunningGateway): Promise<boolean> {
    for (let id = this.#notCancelled.pop(); id !== undefined; id = this.#notCancelled.pop()) {
      const answer = await gateway.ask("DELETE", `/v1/apps/demo/notifications/${id}`);
      // 409: the answer to an earlier one was lost.
      if (answer?.status === 200 || answer?.status === 409) continue;
      this.#notCancelled.push(id);
      if (answer === undefined) return false;
    }
    return true;
  }
}

function tokenOf(kind: Kind, at: number): string {
  const digits = randomBytes(30).toString("hex");
  const starts = Object.keys(deadTokens);
  return (kind === "dead" ? starts[at % starts.length] : "1111") + digits;
}
