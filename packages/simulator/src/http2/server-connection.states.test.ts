import { flag, frameType } from "@carillon/apns/http2";
import { expect, test } from "vitest";
import { inWords, RawClient } from "./raw-client.test-support.ts";

const { continuation, data, goaway, headers, ping, priority, pushPromise } = frameType;
const { rstStream, settings, windowUpdate } = frameType;
const { ack, endHeaders, endStream, padded } = flag;

/** Ways to bring stream 5 into a state (RFC 9113 §5.1). */
const states: Readonly<Record<string, () => RawClient>> = {
  "awaiting SETTINGS": () => {
    const client = new RawClient();
    client.bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    return client;
  },
  idle: () => RawClient.opened(),
  skipped: () => {
    const client = RawClient.opened();
    client.headers(7);
    client.server.answer(7, [":status", "200"]);
    return client;
  },
  "open, headers came": () => opened(0),
  "open, some of the body came": () => {
    const client = opened(0);
    client.frame(data, 0, 5, "61");
    return client;
  },
  "inside a header block": () => {
    const client = RawClient.opened();
    client.frame(headers, endStream, 5, client.block().subarray(0, 1));
    return client;
  },
  "half-closed, not answered": () => opened(endStream),
  "half-closed, the answer waits for window": () => {
    const client = RawClient.opened([[4, 0]]);
    client.headers(5);
    client.server.answer(5, [":status", "400"], Buffer.from("{}"));
    return client;
  },
  "open, answered too early": () => {
    const client = opened(0);
    client.server.answer(5, [":status", "413"]);
    return client;
  },
  answered: () => {
    const client = opened(endStream);
    client.server.answer(5, [":status", "200"]);
    return client;
  },
  "reset by the client": () => {
    const client = opened(endStream);
    client.frame(rstStream, 0, 5, "00000008");
    return client;
  },
  "reset by the server": () => {
    const client = opened(0);
    client.server.reset(5, 2);
    return client;
  },
  refused: () => {
    const client = RawClient.opened([], { streamLimit: 0 });
    client.headers(5);
    return client;
  },
  "above GOAWAY's last stream": () => {
    const client = RawClient.opened();
    client.server.goaway(undefined, 3);
    return client;
  },
  broken: () => {
    const client = RawClient.opened();
    client.frame(data, 0, 0, "");
    return client;
  },
  "socket closed": () => {
    const client = opened(endStream);
    client.server.socketClosed();
    return client;
  },
};

function opened(flags: number): RawClient {
  const client = RawClient.opened();
  client.headers(5, undefined, flags);
  return client;
}

const request = (client: RawClient): Buffer => client.block();

const events: Readonly<Record<string, (client: RawClient) => void>> = {
  DATA: (client) => client.frame(data, 0, 5, "61"),
  "DATA, last": (client) => client.frame(data, endStream, 5, "61"),
  "DATA, empty": (client) => client.frame(data, 0, 5, ""),
  "DATA, all padding": (client) => client.frame(data, padded, 5, "05"),
  HEADERS: (client) => client.frame(headers, endHeaders, 5, request(client)),
  "HEADERS, last": (client) => client.frame(headers, endHeaders | endStream, 5, request(client)),
  "HEADERS, trailers": (client) =>
    client.frame(headers, endHeaders | endStream, 5, client.block(["x-checksum", "1"])),
  "HEADERS, not decodable": (client) => client.frame(headers, endHeaders | endStream, 5, "80"),
  PRIORITY: (client) => client.frame(priority, 0, 5, "0000000010"),
  "PRIORITY, 4 bytes": (client) => client.frame(priority, 0, 5, "00000000"),
  "PRIORITY, of itself": (client) => client.frame(priority, 0, 5, "0000000510"),
  RST_STREAM: (client) => client.frame(rstStream, 0, 5, "00000008"),
  "RST_STREAM, 3 bytes": (client) => client.frame(rstStream, 0, 5, "000000"),
  SETTINGS: (client) => client.frame(settings, 0, 0, ""),
  "SETTINGS, acknowledged": (client) => client.frame(settings, ack, 0, ""),
  "SETTINGS, on a stream": (client) => client.frame(settings, 0, 5, ""),
  PUSH_PROMISE: (client) => client.frame(pushPromise, endHeaders, 5, "00000006"),
  PING: (client) => client.frame(ping, 0, 0, "0102030405060708"),
  "PING, acknowledged": (client) => client.frame(ping, ack, 0, "0102030405060708"),
  GOAWAY: (client) => client.frame(goaway, 0, 0, "0000000000000000"),
  "GOAWAY, on a stream": (client) => client.frame(goaway, 0, 5, "0000000000000000"),
  WINDOW_UPDATE: (client) => client.frame(windowUpdate, 0, 5, "00000064"),
  "WINDOW_UPDATE of 0": (client) => client.frame(windowUpdate, 0, 5, "00000000"),
  "WINDOW_UPDATE, overflow": (client) => client.frame(windowUpdate, 0, 5, "7fffffff"),
  "WINDOW_UPDATE, connection": (client) => client.frame(windowUpdate, 0, 0, "00000064"),
  "WINDOW_UPDATE of 0, connection": (client) => client.frame(windowUpdate, 0, 0, "00000000"),
  CONTINUATION: (client) => client.frame(continuation, endHeaders, 5, ""),
  "unknown type": (client) => client.frame(0xbe, 0xff, 5, "00"),
};

test.each(Object.entries(states))("every frame while stream 5 is: %s", (state, reach) => {
  const cells = Object.entries(events).map(([event, happen]) => {
    const client = reach();
    client.read();
    client.requests.length = 0;
    happen(client);
    const heard = client.requests.map(({ streamId, bodyBytes }) => `request ${streamId}, ${bodyBytes} bytes`);
    const written = client.read().map((frame) => `> ${inWords(frame)}`);
    return `${event}: ${[...heard, ...written, client.server.phase].join("; ")}`;
  });
  expect(cells).toMatchSnapshot(state);
});

test("frames that belong to the connection break it on a stream, and the reverse", () => {
  const outcomes = Object.entries(frameType).map(([name, type]) => {
    const lengths: Partial<Record<number, number>> = {
      [priority]: 5,
      [rstStream]: 4,
      [ping]: 8,
      [goaway]: 8,
      [windowUpdate]: 4,
    };
    const payload = Buffer.alloc(lengths[type] ?? 0, 1);
    const [onStream, onConnection] = [opened(0), opened(0)];
    onStream.frame(type, 0, 5, payload);
    onConnection.frame(type, 0, 0, payload);
    return `${name}: ${onStream.server.phase} on a stream, ${onConnection.server.phase} on the connection`;
  });
  expect(outcomes).toEqual([
    "data: open on a stream, closed on the connection",
    "headers: open on a stream, closed on the connection",
    "priority: open on a stream, closed on the connection",
    "rstStream: open on a stream, closed on the connection",
    "settings: closed on a stream, open on the connection",
    "pushPromise: closed on a stream, closed on the connection",
    "ping: closed on a stream, open on the connection",
    "goaway: closed on a stream, open on the connection",
    "windowUpdate: open on a stream, open on the connection",
    "continuation: closed on a stream, closed on the connection",
  ]);
});
