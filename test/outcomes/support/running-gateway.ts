import { Agent, request } from "node:http";

/** A gateway that may be killed at any moment. */
export class RunningGateway {
  readonly url: string;
  readonly #key: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor({ url, adminKey }: { readonly url: string; readonly adminKey: string }) {
    this.url = url;
    this.#key = adminKey;
  }

  /** Undefined when the gateway was gone before it had answered as a whole. */
  ask(method: string, path: string, body?: object, headers: object = {}): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const gone = (): void => resolve(undefined);
      const asked = request(`${this.url}${path}`, {
        agent: this.#agent,
        method,
        headers: {
          authorization: `Bearer ${this.#key}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
      });
      asked.on("error", gone);
      asked.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", gone);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, body: text === "" ? undefined : JSON.parse(text) });
        });
      });
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Hands over the lines of an endless answer. Resolves when it has ended, as `signal` says or with the gateway. */
  listen(path: string, headers: object, line: (text: string) => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const asked = request(`${this.url}${path}`, {
        ...{ agent: false, signal },
        headers: { authorization: `Bearer ${this.#key}`, ...headers },
      });
      asked.on("error", () => resolve());
      asked.on("response", (response) => {
        let rest = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          const lines = (rest + text).split("\n");
          rest = lines.pop() ?? "";
          for (const each of lines) line(each);
        });
        response.on("error", () => resolve()).on("close", () => resolve());
      });
      asked.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  readonly body: any;
}
