import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pagePolicy } from "../page/index.ts";
import { listenOn } from "../wire/index.ts";
import { type ControlAnswer, refuse } from "./control-answer.ts";
import { answerControl, type ControlTarget } from "./routes.ts";

/** The control API shows whole device tokens and payloads: it is for this machine only. */
const host = "127.0.0.1";

const mostBodyBytes = 1_048_576;
const mostConnections = 256;
const requestTimeoutMs = 10_000;

/** The HTTP API through which tests in other processes look at the simulator and steer it; and a page for people. */
export class ControlServer {
  private readonly server: Server;
  private readonly target: ControlTarget;

  private constructor(target: ControlTarget) {
    this.target = target;
    this.server = createServer({ requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs });
    this.server.maxConnections = mostConnections;
    this.server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      const gone = new AbortController();
      response.once("close", () => gone.abort());
      this.answer(request, gone.signal).then(
        (answer) => write(response, answer),
        // The devices are too many, or the client went away in the middle of its body: then nobody reads this.
        (error: Error) => write(response, refuse(500, error.message)),
      );
    });
  }

  /** @throws Error that names the port where it is taken */
  static async listen(port: number, target: ControlTarget): Promise<ControlServer> {
    const control = new ControlServer(target);
    await listenOn(control.server, port, host);
    return control;
  }

  get url(): string {
    return `http://${host}:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, "close");
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, signal: AbortSignal): Promise<ControlAnswer> {
    if (!isFromThisMachine(request)) {
      return refuse(
        403,
        "Web pages may not use the control API: call it by its own address, without Origin.",
      );
    }
    const body = await readBody(request);
    if (body === undefined) return refuse(413, `The body must have ${mostBodyBytes} bytes at most.`);
    const [path = "", ...query] = (request.url ?? "").split("?");
    return answerControl(this.target, {
      method: request.method ?? "",
      path,
      query: new URLSearchParams(query.join("?")),
      body: body.toString("utf8"),
      signal,
    });
  }
}

/** Keeps web pages of other origins out, also those whose name was bent to this address (DNS rebinding). */
function isFromThisMachine({ headers }: IncomingMessage): boolean {
  const named = /^(127\.0\.0\.1|localhost)(:\d+)?$/i.test(headers.host ?? "");
  return named && (headers.origin === undefined || headers.origin === `http://${headers.host}`);
}

/** The body, or undefined where it is too long; then the rest is not read. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > mostBodyBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function write(response: ServerResponse, { status, value, file, allow }: ControlAnswer): void {
  const body = file?.text ?? (value === undefined ? undefined : `${JSON.stringify(value)}\n`);
  response.writeHead(status, {
    ...(body === undefined ? {} : { "content-type": file?.contentType ?? "application/json; charset=utf-8" }),
    ...(file === undefined
      ? {}
      : { "content-security-policy": pagePolicy, "referrer-policy": "no-referrer" }),
    ...(allow === undefined ? {} : { allow }),
    // What was not read of a body must not be taken for the next request.
    ...(status === 413 ? { connection: "close" } : {}),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(body);
}
