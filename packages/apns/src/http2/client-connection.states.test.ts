import { expect, test } from "vitest";
import { flag, frameType } from "./frame-types.ts";
import { writeGoaway, writeSettings } from "./frame-writer.ts";
import { inWords, RawPeer } from "./raw-peer.test-support.ts";

const {
  continuation,
  data,
  goaway,
  headers,
  ping,
  priority,
  pushPromise,
  rstStream,
  settings,
  windowUpdate,
} = frameType;
const { ack, endHeaders, endStream } = flag;

/** Ways to bring stream 1 with request "a" into a state. */
const states: Readonly<Record<string, () => RawPeer>> = {
  "awaiting SETTINGS": () => new RawPeer(),
  "no stream": () => RawPeer.opened(),
  "waiting for an answer": () => withRequest(),
  "writing the body": () => {
    const peer = RawPeer.opened([[4, 4]]);
    peer.request("a");
    return peer;
  },
  "reading the answer": () => {
    const peer = withRequest();
    peer.respond(1, [":status", "400"], 0);
    return peer;
  },
  "inside a header block": () => {
    const peer = withRequest();
    peer.frame(headers, endStream, 1, "88");
    return peer;
  },
  answered: () => {
    const peer = withRequest();
    peer.respond(1);
    return peer;
  },
  cancelled: () => {
    const peer = withRequest();
    peer.client.cancel(1);
    return peer;
  },
  "reset by the peer": () => {
    const peer = withRequest();
    peer.frame(rstStream, 0, 1, "00000008");
    return peer;
  },
  draining: () => {
    const peer = withRequest();
    peer.write((out) => writeGoaway(out, 1, 0));
    return peer;
  },
  "above the last stream": () => {
    const peer = withRequest();
    peer.write((out) => writeGoaway(out, 0, 0));
    return peer;
  },
  leaving: () => {
    const peer = withRequest();
    peer.client.goaway();
    return peer;
  },
  broken: () => {
    const peer = withRequest();
    peer.frame(data, 0, 0, "");
    return peer;
  },
  closed: () => {
    const peer = withRequest();
    peer.client.socketClosed();
    return peer;
  },
};

const events: Readonly<Record<string, (peer: RawPeer) => void>> = {
  answer: (peer) => peer.frame(headers, endHeaders | endStream, 1, "88"),
  status: (peer) => peer.frame(headers, endHeaders, 1, "88"),
  data: (peer) => peer.frame(data, 0, 1, "61"),
  "last data": (peer) => peer.frame(data, endStream, 1, "61"),
  continuation: (peer) => peer.frame(continuation, endHeaders, 1, ""),
  refused: (peer) => peer.frame(rstStream, 0, 1, "00000007"),
  reset: (peer) => peer.frame(rstStream, 0, 1, "00000002"),
  window: (peer) => peer.frame(windowUpdate, 0, 1, "00000064"),
  "window 0": (peer) => peer.frame(windowUpdate, 0, 1, "00000000"),
  "connection window": (peer) => peer.frame(windowUpdate, 0, 0, "00000064"),
  priority: (peer) => peer.frame(priority, 0, 1, "0000000010"),
  push: (peer) => peer.frame(pushPromise, endHeaders, 1, "00000002"),
  idle: (peer) => peer.frame(headers, endHeaders | endStream, 99, "88"),
  settings: (peer) => peer.write((out) => writeSettings(out, [])),
  "settings ack": (peer) => peer.frame(settings, ack, 0, ""),
  ping: (peer) => peer.frame(ping, 0, 0, "0000000000000000"),
  "goaway 0": (peer) => peer.frame(goaway, 0, 0, "0000000000000000"),
  "goaway max": (peer) => peer.frame(goaway, 0, 0, "7fffffff00000000"),
  unknown: (peer) => peer.frame(0xbe, 0, 0, ""),
  "socket closed": (peer) => peer.client.socketClosed(),
  cancel: (peer) => peer.client.cancel(1),
  leave: (peer) => peer.client.goaway(),
};

test.each(Object.entries(states))("every event while: %s", (state, reach) => {
  const cells = Object.entries(events).map(([event, happen]) => {
    const peer = reach();
    peer.read();
    peer.hear();
    happen(peer);
    const heard = peer.hear().filter((each) => each !== "capacity");
    const written = peer.read().map((frame) =>
      // The debug text of our GOAWAY is for people.
      frame.type === goaway ? `goaway ${frame.payload.readUInt32BE(4)}` : inWords(frame),
    );
    return `${event}: ${[...heard, ...written.map((each) => `> ${each}`), peer.client.phase].join("; ")}`;
  });
  expect(cells).toMatchSnapshot(state);
});

function withRequest(): RawPeer {
  const peer = RawPeer.opened();
  peer.request("a");
  return peer;
}
