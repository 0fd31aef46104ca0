import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

interface Flow {
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes are read and thrown away; neither side hears anything. */
  isSilent: boolean;
}

/** A TCP proxy on loopback between a client and `targetPort`, that can do to a path what networks do. */
export class FaultProxy {
  /** Splits what goes to the client into segments of that many bytes, each in a turn of its own. */
  segmentBytes: number | undefined;
  /** Holds every chunk back by so many milliseconds, in both directions. */
  delayMs = 0;
  /** What becomes of new connections. */
  mode: "pass" | "silent" | "reset" = "pass";
  readonly flows = new Set<Flow>();
  #server = createServer({ noDelay: true }, (client) => this.#accept(client));
  readonly #targetPort: number;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
  }

  static async start(targetPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get endpoint(): string {
    return `https://localhost:${this.port}`;
  }

  /** From now on the connections that stand carry nothing, and stay open, as behind a firewall that forgot them. */
  silence(): void {
    for (const flow of this.flows) flow.isSilent = true;
  }

  /** Ends the connections that stand with a TCP reset on both sides. */
  reset(): void {
    for (const { client, server } of this.flows) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const { client, server } of this.flows) {
      client.destroy();
      server.destroy();
    }
    await closed;
  }

  #accept(client: Socket): void {
    if (this.mode === "reset") {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: this.#targetPort, host: "127.0.0.1", noDelay: true });
    const flow: Flow = { client, server, isSilent: this.mode === "silent" };
    this.flows.add(flow);
    this.#pipe(flow, client, server, () => undefined);
    this.#pipe(flow, server, client, () => this.segmentBytes);
  }

  #pipe(flow: Flow, from: Socket, to: Socket, segmentBytes: () => number | undefined): void {
    let turn = Promise.resolve();
    const later = (act: () => void): void => {
      const { delayMs } = this;
      turn = turn.then(
        () =>
          new Promise<void>((done) => {
            const run = (): void => {
              act();
              done();
            };
            if (delayMs === 0) setImmediate(run);
            else setTimeout(run, delayMs);
          }),
      );
    };
    const write = (bytes: Buffer): void => {
      if (!flow.isSilent && !to.destroyed) to.write(bytes);
    };
    from.on("data", (chunk: Buffer) => {
      const step = segmentBytes();
      if (step === undefined && this.delayMs === 0) return write(chunk);
      if (step === undefined) return later(() => write(chunk));
      for (let at = 0; at < chunk.length; at += step) later(() => write(chunk.subarray(at, at + step)));
    });
    from.on("error", () => from.destroy());
    from.on("close", () => {
      this.flows.delete(flow);
      if (!flow.isSilent) to.destroy();
    });
  }
}
