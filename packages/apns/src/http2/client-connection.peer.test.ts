import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { ClientConnection } from "./client-connection.ts";
import type { ReceivedResponse, RequestFailure } from "./client-events.ts";

// node:http2 (nghttp2) as the peer: an implementation that shares nothing with ours.

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

interface Answer {
  readonly response?: ReceivedResponse;
  readonly failure?: RequestFailure;
}

/** The thinnest possible driver: a plain socket. */
class Driver {
  readonly client: ClientConnection<(answer: Answer) => void>;
  readonly pongs: string[] = [];
  readonly goaways: number[] = [];
  brokenBy: string | undefined;
  private readonly socket: Socket;
  private readonly waiting: (() => void)[] = [];

  constructor(port: number) {
    this.client = new ClientConnection({
      capacityChanged: () => this.openWaiting(),
      response: (settle, response) => settle({ response }),
      failed: (settle, failure) => settle({ failure }),
      goaway: ({ code }) => this.goaways.push(code),
      pong: (opaque) => this.pongs.push(opaque.toString()),
      broken: ({ detail }) => {
        this.brokenBy = detail;
      },
    });
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (chunk: Buffer) => {
      this.client.receive(chunk);
      this.flush();
    });
    this.socket.on("close", () => this.client.socketClosed());
    this.socket.on("error", () => {});
    closing.push(() => this.socket.destroy());
    this.flush();
  }

  send(fields: readonly string[], body: Buffer): Promise<Answer> {
    return new Promise((settle) => {
      this.waiting.push(() =>
        this.client.open(
          [":method", "POST", ":scheme", "http", ":authority", "localhost", ...fields],
          body,
          settle,
        ),
      );
      this.openWaiting();
      this.flush();
    });
  }

  flush(): void {
    const output = this.client.takeOutput();
    if (output !== undefined) this.socket.write(output);
  }

  private openWaiting(): void {
    while (this.waiting.length > 0 && this.client.canOpen(5000)) this.waiting.shift()?.();
  }
}

async function serve(
  answer: (stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>, body: Buffer) => void,
  settings = {},
): Promise<{ server: Http2Server; driver: Driver }> {
  const server = createServer({ settings });
  server.on("stream", (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => {});
    stream.on("end", () => answer(stream, headers, Buffer.concat(chunks)));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  closing.push(() => server.close());
  return { server, driver: new Driver((server.address() as AddressInfo).port) };
}

test("3,000 pushes with bodies of all sizes arrive as they were sent, and their answers come back", async () => {
  const { driver } = await serve(
    (stream, headers, body) => {
      const isRejected = body.length % 5 === 0;
      stream.respond({
        ":status": isRejected ? 400 : 200,
        "apns-id": String(headers["apns-id"]),
        "x-path": String(headers[":path"]),
      });
      stream.end(isRejected ? JSON.stringify({ reason: `${body.length}` }) : "");
    },
    { maxConcurrentStreams: 100, initialWindowSize: 1000 },
  );
  const answers = await Promise.all(
    Array.from({ length: 3000 }, async (_, i) => {
      const fields = [":path", `/3/device/${i}`, "apns-id", `id-${i}`, "apns-topic", `topic-${i % 3}`];
      const bodyBytes = i % 5000;
      const { response } = await driver.send(fields, Buffer.alloc(bodyBytes, "x"));
      return { i, bodyBytes, response };
    }),
  );
  for (const { i, bodyBytes, response } of answers) {
    expect(response?.status).toBe(bodyBytes % 5 === 0 ? 400 : 200);
    expect(response?.fields).toContain(`id-${i}`);
    expect(response?.fields).toContain(`/3/device/${i}`);
    expect(response?.body.toString()).toBe(bodyBytes % 5 === 0 ? `{"reason":"${bodyBytes}"}` : "");
  }
  expect([driver.client.openStreams, driver.client.settingsAcknowledged, driver.brokenBy]).toEqual([
    0,
    true,
    undefined,
  ]);
});

test("informational responses, trailers, resets and PING come through", async () => {
  const { driver } = await serve((stream, headers) => {
    if (headers[":path"] === "/reset") return stream.close(2);
    if (headers[":path"] === "/refuse") return stream.close(7);
    stream.additionalHeaders({ ":status": 103 });
    stream.respond({ ":status": 410 }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-checksum": "1" }));
    stream.end("{}");
  });
  const send = (path: string) => driver.send([":path", path], Buffer.from("{}"));
  driver.client.ping(Buffer.from("pingpong"));
  const [gone, reset, refused] = await Promise.all([send("/trailers"), send("/reset"), send("/refuse")]);
  expect([gone.response?.status, gone.response?.body.toString()]).toEqual([410, "{}"]);
  expect(reset.failure).toEqual({ kind: "indeterminate", cause: "reset", code: 2 });
  expect(refused.failure).toEqual({ kind: "unprocessed", cause: "refused-stream" });
  expect(driver.pongs).toEqual(["pingpong"]);
});

test("a server that shuts down gracefully answers what is open first", async () => {
  const { server, driver } = await serve((stream) => {
    stream.respond({ ":status": 200 });
    stream.end();
  });
  server.on("stream", (stream) => stream.session?.close());
  const { response } = await driver.send([":path", "/"], Buffer.from("{}"));
  expect(response?.status).toBe(200);
  await expect.poll(() => driver.client.phase, { timeout: 10_000 }).toBe("closed");
  expect(driver.goaways).toContain(0);
});

test("a server that dies leaves what is open indeterminate", async () => {
  const { driver } = await serve((stream) => stream.session?.destroy());
  const { failure } = await driver.send([":path", "/"], Buffer.from("{}"));
  expect(failure?.kind).toBe("indeterminate");
});
