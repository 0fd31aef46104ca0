import { lookup } from "node:dns";
import { expect, test } from "vitest";
import { RawPeer } from "../support/raw-peer.ts";
import { clientFor, notification } from "../support/sending.ts";

const goaway = 7;

test("a peer that breaks the protocol is told so at once, and nobody connects again before that is counted", async () => {
  const peer = await RawPeer.start({
    onConnection: (connection) => {
      connection.settings([[3, 1000]]);
      // A PING belongs to the connection, never to a stream (RFC 9113 §6.7).
      connection.raw(6, 0, 1, Buffer.alloc(8));
    },
  });
  const giveUp = new AbortController();
  let dials = 0;
  const client = clientFor(peer, {
    lookup: (hostname, options, callback) => {
      dials += 1;
      lookup(hostname, options, callback);
    },
    onEvent: ({ kind }) => {
      if (kind === "connection-ended") giveUp.abort();
    },
  });
  const outcome = await client.send(notification(1), { signal: giveUp.signal });
  expect(outcome.kind).toBe("unprocessed");
  const [first] = peer.connections;
  await peer.until(() => first?.frames.some(({ type }) => type === goaway) === true, "a GOAWAY");
  await client.close();
  expect(dials).toBe(1);
  await peer.close();
});
