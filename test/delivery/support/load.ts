import { randomBytes, randomUUID } from "node:crypto";
import { Agent, request } from "node:http";

/** Where a gateway listens, and the key it takes. */
export interface RunningGateway {
  readonly url: string;
  readonly adminKey: string;
}

/** What the gateway has acknowledged: ids by device token. Each notification has a device of its own. */
export class Acknowledged {
  readonly atLeastOnce = new Map<string, string>();
  readonly atMostOnce = new Map<string, string>();
  /** Posts that the gateway did not answer before it was killed; they come again, under their keys, in its next life. */
  readonly unanswered: Keyed[] = [];
  /** How many of them were answered then. */
  retried = 0;
  /** How often the gateway was killed. */
  kills = 0;

  get size(): number {
    return this.atLeastOnce.size + this.atMostOnce.size;
  }
}

interface Posted {
  readonly delivery?: "at-most-once";
  readonly lane?: "urgent" | "normal" | "bulk";
  readonly tokens: readonly string[];
}

interface Keyed {
  readonly key: string;
  readonly posted: Posted;
}

/** Callers who submit one thing after the other, some single and some many at once, until the gateway is gone. Each answer is told. */
export async function loadUntilGone(
  gateway: RunningGateway,
  into: Acknowledged,
  random: () => number,
  answered: () => void,
): Promise<void> {
  const upTo = (most: number): number => 1 + Math.floor(random() * most);
  const callers: (() => Posted)[] = [
    () => ({ tokens: newTokens(1) }),
    () => ({ tokens: newTokens(1), lane: "urgent" }),
    () => ({ tokens: newTokens(upTo(30)) }),
    () => ({ tokens: newTokens(upTo(60)), lane: "bulk" }),
    () => ({ tokens: newTokens(1), delivery: "at-most-once" }),
    () => ({ tokens: newTokens(upTo(20)), delivery: "at-most-once" }),
  ];
  const agent = new Agent({ keepAlive: true });
  await Promise.all(
    [...callers, ...callers].map(async (next) => {
      for (;;) {
        const again = into.unanswered.pop();
        const keyed = again ?? { key: randomUUID(), posted: next() };
        const { tokens, ...settings } = keyed.posted;
        const body = {
          notifications: [{ to: { tokens }, payload: { aps: { alert: "Hello" } }, ...settings }],
        };
        const answer = await ask(gateway, agent, "POST", "/v1/apps/demo/notifications", body, keyed.key);
        if (answer === undefined) {
          into.unanswered.push(keyed);
          return;
        }
        answered();
        if (again !== undefined) into.retried += 1;
        if (answer.status === 503) continue;
        if (answer.status !== 202)
          throw new Error(`answered ${answer.status} ${JSON.stringify(answer.body)}`);
        const { results } = answer.body as { results: { id: string }[] };
        const known = settings.delivery === "at-most-once" ? into.atMostOnce : into.atLeastOnce;
        tokens.forEach((token, index) => {
          known.set(token, results[index]?.id ?? "");
        });
      }
    }),
  );
  agent.destroy();
}

/** What the gateway says has become of a notification, once it says something final or has been asked often. */
export async function finalStatusOf(gateway: RunningGateway, id: string): Promise<string | undefined> {
  const agent = new Agent({ keepAlive: true });
  let status: string | undefined = "queued";
  for (let asked = 0; status === "queued" && asked < 10_000; asked += 1) {
    const answer = await ask(gateway, agent, "GET", `/v1/apps/demo/notifications/${id}`);
    status = (answer?.body as { status?: string } | undefined)?.status;
  }
  agent.destroy();
  return status;
}

/** Undefined when the gateway is gone before it has answered as a whole. */
function ask(
  { url, adminKey }: RunningGateway,
  agent: Agent,
  method: string,
  path: string,
  body?: unknown,
  key?: string,
): Promise<{ status: number | undefined; body: unknown } | undefined> {
  return new Promise((resolve) => {
    const gone = (): void => resolve(undefined);
    const asked = request(`${url}${path}`, {
      agent,
      method,
      headers: {
        authorization: `Bearer ${adminKey}`,
        "content-type": "application/json",
        ...(key === undefined ? {} : { "idempotency-key": key }),
      },
    });
    asked.on("error", gone);
    asked.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", gone);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode, body: text === "" ? undefined : JSON.parse(text) });
      });
    });
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function newTokens(count: number): string[] {
  return Array.from({ length: count }, () => randomBytes(32).toString("hex"));
}
