import { randomBytes } from "node:crypto";
import { Agent, request } from "node:http";

/** What the gateway has acknowledged: the id of each device's one notification. */
export interface Acknowledged {
  readonly atLeastOnce: Map<string, string>;
  readonly atMostOnce: Map<string, string>;
}

interface Gateway {
  readonly url: string;
  readonly key: string;
}

const tickMs = 100;
/** Submissions under way at most; what does not fit is not offered. */
const mostUnderWay = 100;

/** Offers so many notifications a second, in submissions of many kinds, whether or not a gateway is there to take them. */
export class SteadyLoad {
  readonly acknowledged: Acknowledged = { atLeastOnce: new Map(), atMostOnce: new Map() };
  /** Notifications that were not acknowledged: refused, or their answer was lost. */
  refused = 0;
  #gateway: Gateway | undefined;
  #underWay = 0;
  #turn = 0;
  #owed = 0;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: mostUnderWay });
  readonly #timer: NodeJS.Timeout;

  constructor(perSecond: number) {
    this.#timer = setInterval(() => {
      this.#owed = Math.min(this.#owed + (perSecond * tickMs) / 1_000, perSecond);
      while (this.#owed > 0) {
        const count = this.#submit();
        if (count === 0) break;
        this.#owed -= count;
      }
    }, tickMs);
  }

  /** From now on this gateway takes the load; undefined: there is none. */
  offerTo(gateway: Gateway | undefined): void {
    this.#gateway = gateway;
  }

  /** Offers nothing more. Resolves when the last submission is answered. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    while (this.#underWay > 0) await new Promise((resolve) => setTimeout(resolve, tickMs));
    this.#agent.destroy();
  }

  /** How many notifications it offered. */
  #submit(): number {
    const gateway = this.#gateway;
    if (gateway === undefined || this.#underWay >= mostUnderWay) return 0;
    const kind = this.#turn++ % 8;
    const atMostOnce = kind === 3;
    const tokens = newTokens(kind === 1 ? 40 : kind === 2 ? 15 : kind === 3 ? 5 : 1);
    const settings = {
      payload: { aps: { alert: `Soak ${this.#turn}` } },
      ...(kind === 4 ? { lane: "urgent" } : kind === 1 ? { lane: "bulk" } : {}),
      ...(atMostOnce ? { delivery: "at-most-once" } : {}),
    };
    const isLines = kind === 2;
    const body = isLines
      ? tokens.map((token) => `${JSON.stringify({ to: { token }, ...settings })}\n`).join("")
      : JSON.stringify({ to: { tokens }, ...settings });
    this.#underWay += 1;
    void post(this.#agent, gateway, isLines, body).then((answer) => {
      this.#underWay -= 1;
      const ids = answer === undefined ? [] : idsIn(answer, isLines);
      const known = atMostOnce ? this.acknowledged.atMostOnce : this.acknowledged.atLeastOnce;
      tokens.forEach((token, index) => {
        const id = ids[index];
        if (id === undefined) this.refused += 1;
        else known.set(token, id);
      });
    });
    return tokens.length;
  }
}

/** The ids by place; undefined where there is none. */
function idsIn(answer: string, isLines: boolean): readonly (string | undefined)[] {
  if (!isLines) return (JSON.parse(answer) as { results: { id?: string }[] }).results.map(({ id }) => id);
  // What stands behind the last line break was cut off when the gateway died.
  const whole = answer.split("\n").slice(0, -1);
  return whole.map((line) => (JSON.parse(line) as { results?: { id?: string }[] }).results?.[0]?.id);
}

/** What came before the connection ended, when it begins with a status that acknowledges. */
function post(
  agent: Agent,
  { url, key }: Gateway,
  isLines: boolean,
  body: string,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = request(`${url}/v1/apps/demo/notifications${isLines ? "?results=each" : ""}`, {
      agent,
      method: "POST",
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": isLines ? "application/x-ndjson" : "application/json",
      },
    });
    asked.on("error", () => resolve(undefined));
    asked.on("response", (response) => {
      let text = "";
      const isTaken = response.statusCode === 202 || response.statusCode === 200;
      const end = (): void => resolve(isTaken && (isLines || response.complete) ? text : undefined);
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("error", end).on("close", end);
    });
    asked.end(body);
  });
}

function newTokens(count: number): string[] {
  return Array.from({ length: count }, () => randomBytes(32).toString("hex"));
}
