import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";

/** What one call brought. */
export interface ReceivedCall {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly socket: Socket;
}

type Answer = (response: ServerResponse, call: ReceivedCall, index: number) => void;

const accept: Answer = (response) => void response.writeHead(204).end();

/** Somebody's server on 127.0.0.1 that takes webhooks, or plays tricks. */
export class TestReceiver {
  readonly calls: ReceivedCall[] = [];
  /** Connections, whether anything came over them or not. */
  connections = 0;
  answer: Answer;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #scheme: string;
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  private constructor(server: Server, scheme: string, answer: Answer) {
    this.#server = server;
    this.#scheme = scheme;
    this.answer = answer;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      void this.#receive(request, response);
    });
    server.on("connection", (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on("error", () => undefined).on("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(
    options: {
      readonly answer?: Answer;
      readonly tls?: { readonly cert: string; readonly key: string };
    } = {},
  ): Promise<TestReceiver> {
    const { answer = accept, tls } = options;
    const server = tls === undefined ? createHttpServer() : (createHttpsServer(tls) as unknown as Server);
    const receiver = new TestReceiver(server, tls === undefined ? "http" : "https", answer);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  urlFor(host: string): string {
    return `${this.#scheme}://${host}:${this.port}/hook`;
  }

  get url(): string {
    return this.urlFor("127.0.0.1");
  }

  /** Resolves when so many calls have come in all. */
  async received(count: number): Promise<readonly ReceivedCall[]> {
    if (this.calls.length < count)
      await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
    return this.calls;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // the caller hung up
    }
    const call = {
      headers: request.headers,
      text: Buffer.concat(chunks).toString(),
      socket: request.socket,
    };
    this.calls.push(call);
    this.answer(response, call, this.calls.length - 1);
    const ready = this.#waiting.filter(({ count }) => count <= this.calls.length);
    this.#waiting = this.#waiting.filter((each) => !ready.includes(each));
    for (const { resolve } of ready) resolve();
  }
}
