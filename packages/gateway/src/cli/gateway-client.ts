import { CommandFailure } from "./command-failure.ts";
import { exitStatus } from "./exit-status.ts";
import { printable } from "./printable.ts";

/** Flags of every command that speaks to a running gateway. */
export interface GatewayFlags {
  readonly url?: string;
  readonly apiKey?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Problem {
  readonly detail?: string;
  readonly errors?: readonly {
    readonly pointer?: string;
    readonly parameter?: string;
    readonly detail: string;
  }[];
}

const defaultUrl = "http://127.0.0.1:8080";
const timeoutMs = 30_000;

/** Speaks to a running gateway; whatever goes wrong ends the command in words. */
export class GatewayClient {
  readonly #url: string;
  readonly #key: string;

  /** @throws {CommandFailure} no key, or an address that is none */
  constructor(flags: GatewayFlags, environment: Environment) {
    this.#url = (flags.url ?? given(environment.CARILLON_URL) ?? defaultUrl).replace(/\/+$/, "");
    if (!/^https?:$/.test(URL.canParse(this.#url) ? new URL(this.#url).protocol : ""))
      throw new CommandFailure(exitStatus.usage, {
        summary: "the gateway's address must be a URL such as http://127.0.0.1:8080.",
        hint: "Name it with --url or CARILLON_URL.",
      });
    const key = flags.apiKey ?? given(environment.CARILLON_API_KEY);
    if (key === undefined)
      throw new CommandFailure(exitStatus.usage, {
        summary: "a key is needed.",
        hint: "Set CARILLON_API_KEY, or give --api-key; the first key stands in admin.key in the gateway's data folder.",
      });
    this.#key = key;
  }

  /** @throws {CommandFailure} the gateway is not there (status 3), failed (3), or refuses (1; the key: 2) */
  async call<T>(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: object): Promise<T> {
    const answer = await this.#fetch(method, path, body);
    const text = await answer.text().catch(() => "");
    const value = parse(text);
    if (answer.ok && (value !== undefined || answer.status === 204)) return value as T;
    throw refusal(answer.status, value as Problem | undefined, this.#url);
  }

  /**
   * Hands over the text of an answer without an end, piece by piece. Resolves when it has ended: with the connection, or as
   * `signal` says. @throws {CommandFailure} as `call` does, until the answer has begun
   */
  async listen(
    path: string,
    headers: Readonly<Record<string, string>>,
    heard: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const answer = await this.#fetch("GET", path, undefined, { headers, signal });
    if (!answer.ok || answer.body === null) {
      const text = await answer.text().catch(() => "");
      throw refusal(answer.status, parse(text) as Problem | undefined, this.#url);
    }
    const decoder = new TextDecoder();
    try {
      for await (const piece of answer.body) heard(decoder.decode(piece, { stream: true }));
    } catch {
      // It broke off; whoever listens knows where to go on.
    }
  }

  async #fetch(
    method: string,
    path: string,
    body: object | undefined,
    stream?: { readonly headers: Readonly<Record<string, string>>; readonly signal: AbortSignal },
  ): Promise<Response> {
    try {
      return await fetch(`${this.#url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.#key}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...stream?.headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: "error",
        signal: stream?.signal ?? AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      const { message, cause } = error as Error;
      const detail = (cause as NodeJS.ErrnoException | undefined)?.code ?? message;
      throw new CommandFailure(exitStatus.unknown, {
        summary: `there is no answer from ${this.#url} (${printable(detail)}).`,
        hint: "Is the gateway running? Name its address with --url or CARILLON_URL.",
      });
    }
  }
}

function given(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(status: number, problem: Problem | undefined, url: string): CommandFailure {
  const known = status === 401 ? exitStatus.usage : status < 500 ? exitStatus.rejected : exitStatus.unknown;
  return new CommandFailure(known, {
    summary: printable(problem?.detail ?? `${url} answered ${status}, and not as a gateway does.`),
    problems: (problem?.errors ?? []).map(({ pointer, parameter, detail }) =>
      printable([pointer ?? parameter ?? "", detail].join("  ")),
    ),
  });
}
