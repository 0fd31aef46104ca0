import { idsOfRun, type OutcomeEvent } from "../../../packages/gateway/dist/outcomes/event.js";
import type { RunningGateway } from "./running-gateway.ts";

/** How a notification ended, as an event tells. */
export interface Fate {
  readonly type: string;
  readonly reason?: string;
}

/** The sender's books: what the log tells, read from one cursor on, whichever gateway is there. */
export class LogReader {
  readonly events: OutcomeEvent[] = [];
  readonly fates = new Map<string, Fate[]>();
  #cursor: string;
  #told: () => void = () => undefined;

  constructor(cursor: string) {
    this.#cursor = cursor;
  }

  /** All pages that there are, then what comes live, until the gateway is gone or `signal` says so. */
  async read(gateway: RunningGateway, signal: AbortSignal): Promise<void> {
    if (!(await this.readPages(gateway))) return;
    const headers = { accept: "text/event-stream", "last-event-id": this.#cursor };
    const line = (text: string): void => {
      if (text.startsWith("data: ")) this.#take(JSON.parse(text.slice(6)));
    };
    await gateway.listen("/v1/events", headers, line, signal);
  }

  /** Up to the first empty page. False when the gateway is gone. */
  async readPages(gateway: RunningGateway): Promise<boolean> {
    for (;;) {
      const answer = await gateway.ask("GET", `/v1/events?after=${this.#cursor}&limit=1000`);
      if (answer === undefined) return false;
      if (answer.status !== 200) throw new Error(`answered ${answer.status} ${JSON.stringify(answer.body)}`);
      for (const event of answer.body.items) this.#take(event);
      this.#cursor = answer.body.cursor;
      if (answer.body.items.length === 0) return true;
    }
  }

  /** Resolves once there is word of all of these. */
  async untilTold(ids: Iterable<string>): Promise<void> {
    const open = [...ids];
    await new Promise<void>((resolve) => {
      this.#told = () => {
        while (open.length > 0 && this.fates.has(open.at(-1) ?? "")) open.pop();
        if (open.length === 0) resolve();
      };
      this.#told();
    });
    this.#told = () => undefined;
  }

  #take(event: OutcomeEvent): void {
    this.events.push(event);
    this.#cursor = event.cursor;
    const { type, data } = event;
    if (!type.startsWith("notification.")) return;
    const ids = data.ids === undefined ? [String(data.id)] : idsOfRun(data as Parameters<typeof idsOfRun>[0]);
    const fate = { type: type.slice("notification.".length), ...reasonIn(data) };
    for (const id of ids) {
      const known = this.fates.get(id);
      if (known === undefined) this.fates.set(id, [fate]);
      else known.push(fate);
    }
    this.#told();
  }
}

function reasonIn({ reason }: OutcomeEvent["data"]): { reason?: string } {
  return typeof reason === "string" ? { reason } : {};
}
