import { connect } from "node:net";
import { errorStatus } from "@carillon/apns/binary";
import { expect, test, vi } from "vitest";
import { FakeClock } from "../../../../test/support/fake-clock.ts";
import { frame, LegacySender } from "../../../../test/support/legacy-sender.ts";
import { type Delivery, type DraftRun, NotificationIds, QueueFullError } from "../delivery/index.ts";
import { client, openBridgeAlone } from "./bridge.test-support.ts";

/** A queue that is asked by hand: each `take` waits until it is let. */
class HeldQueue {
  readonly takes: { recipients: number; bytes: number; let: () => void; refuse: (error: Error) => void }[] =
    [];
  readonly take: Delivery["take"] = (_app, drafts) =>
    new Promise((resolve, reject) => {
      const runs = drafts as readonly DraftRun[];
      const recipients = runs.reduce((sum, each) => sum + each.recipients, 0);
      this.takes.push({
        // Frames are all of one size; how many runs share a buffer says nothing.
        ...{ recipients, bytes: recipients * frame(1).length },
        let: () => resolve(new NotificationIds()),
        refuse: reject,
      });
    });

  readonly mayPass = () => true;
  readonly leavePassing = () => undefined;

  async next(): Promise<HeldQueue["takes"][number]> {
    await until(() => this.takes.length > 0);
    return this.takes.shift()!;
  }
}

function until(is: () => boolean): Promise<unknown> {
  return vi.waitUntil(is, { timeout: 20_000, interval: 5 });
}

function frames(from: number, to: number): Buffer {
  return Buffer.concat(Array.from({ length: to - from + 1 }, (_, at) => frame(from + at)));
}

test("an error waits for what is before it: nothing is said until that is on disk", async () => {
  const queue = new HeldQueue();
  const { sender } = await openBridgeAlone({ delivery: queue });
  const connection = await new LegacySender(sender).connected();
  connection.write(Buffer.concat([frames(1, 2), Buffer.from([7])]));
  const first = await queue.next();
  expect(first.recipients).toBe(2);
  let hasEnded = false;
  void connection.ended.then(() => {
    hasEnded = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(hasEnded).toBe(false);
  first.let();
  expect((await connection.ended).response).toEqual({ status: errorStatus.protocolError, identifier: 0 });
});

test("while the disk is slow the sender is not read: a bounded part of what it writes is held", async () => {
  const queue = new HeldQueue();
  const maxUnsettledBytes = 100_000;
  const { sender } = await openBridgeAlone({ delivery: queue, limits: { maxUnsettledBytes } });
  const connection = await new LegacySender(sender).connected();
  const much = frames(1, 200_000);
  connection.write(much);
  let stored = 0;
  for (let turns = 0; stored < 200_000 && turns < 10_000; turns += 1) {
    const { recipients, bytes, let: go } = await queue.next();
    // What one read brings comes on top.
    expect(bytes).toBeLessThan(2 * maxUnsettledBytes);
    stored += recipients;
    go();
  }
  expect(stored).toBe(200_000);
  expect((await connection.finish()).response).toBeUndefined();
});

test("a full queue makes the sender wait; what it wrote is stored when there is room", async () => {
  const clock = new FakeClock();
  const queue = new HeldQueue();
  const { sender, log } = await openBridgeAlone({ delivery: queue, clock });
  const connection = await new LegacySender(sender).connected();
  connection.write(frames(1, 3));
  (await queue.next()).refuse(new QueueFullError("The queue is full.", 10));
  await until(() => log.some((line) => line.includes("a sender waits")));
  clock.advance(10_000);
  const again = await queue.next();
  expect(again.recipients).toBe(3);
  again.let();
  expect((await connection.finish()).response).toBeUndefined();
});

test("a stop while the queue is full names the last one that is on disk", async () => {
  const queue = new HeldQueue();
  const { sender, bridge, log } = await openBridgeAlone({ delivery: queue, clock: new FakeClock() });
  const connection = await new LegacySender(sender).connected();
  connection.write(frames(1, 3));
  (await queue.next()).let();
  connection.write(frames(4, 5));
  (await queue.next()).refuse(new QueueFullError("The queue is full.", 10));
  await until(() => log.some((line) => line.includes("a sender waits")));
  await bridge.stop(1_000);
  expect((await connection.ended).response).toEqual({ status: errorStatus.shutdown, identifier: 3 });
});

test("a store that has failed ends the connection with the last one that is on disk", async () => {
  const queue = new HeldQueue();
  const { sender } = await openBridgeAlone({ delivery: queue });
  const connection = await new LegacySender(sender).connected();
  connection.write(frames(1, 2));
  (await queue.next()).let();
  connection.write(frames(3, 3));
  (await queue.next()).refuse(new Error("fsync failed"));
  expect((await connection.ended).response).toEqual({ status: errorStatus.shutdown, identifier: 2 });
});

test("a frame that does not end in time ends its connection, and one in idleness does not", async () => {
  const clock = new FakeClock();
  const { sender, bridge } = await openBridgeAlone({ clock });
  const idle = await new LegacySender(sender).connected();
  const slow = await new LegacySender(sender).connected();
  let ended = false;
  void slow.ended.then(() => {
    ended = true;
  });
  for (let at = 0; at < 40 && !ended; at += 1) {
    slow.write(frame(1).subarray(at, at + 1));
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1_000);
  }
  await until(() => {
    clock.advance(1_000);
    return ended;
  });
  expect((await slow.ended).response).toEqual({ status: errorStatus.protocolError, identifier: 0 });
  expect(idle.socket.destroyed).toBe(false);
  expect(bridge.connections).toBeGreaterThanOrEqual(1);
});

test("a handshake that does not go on is ended", async () => {
  const { sender, log } = await openBridgeAlone({ limits: { handshakeMs: 50 } });
  const socket = connect({ host: "127.0.0.1", port: sender.port });
  socket.on("error", () => undefined);
  socket.resume();
  socket.write(Buffer.from([0x16]));
  await new Promise((resolve) => socket.once("close", resolve));
  await until(() => log.some((line) => line.includes("it took too long")));
});

test("a flood of garbage is answered with one error, and the rest is thrown away", async () => {
  const { sender } = await openBridgeAlone();
  const connection = await new LegacySender(sender).connected();
  for (let at = 0; at < 100; at += 1) connection.write(Buffer.alloc(65_536, 0xee));
  const { response, bytes } = await connection.ended;
  if (bytes.length > 0) expect(response).toEqual({ status: errorStatus.protocolError, identifier: 0 });
  expect(bytes.length).toBeLessThanOrEqual(6);
});

test("a connection that is reset at any byte of a frame costs nobody else anything", async () => {
  const queue = new HeldQueue();
  const { sender, bridge } = await openBridgeAlone({ delivery: queue });
  const bytes = frame(1);
  for (let from = 1; from < bytes.length; from += 30) {
    const resets = Array.from({ length: Math.min(30, bytes.length - from) }, async (_, at) => {
      const connection = await new LegacySender(sender).connected();
      connection.write(bytes.subarray(0, from + at));
      await new Promise((resolve) => setImmediate(resolve));
      connection.socket.destroy();
      return connection.ended;
    });
    await Promise.all(resets);
  }
  expect(queue.takes).toHaveLength(0);
  await until(() => bridge.connections === 0);
  const after = await new LegacySender(sender).connected();
  after.write(bytes);
  (await queue.next()).let();
  expect((await after.finish()).response).toBeUndefined();
});

test("more connections than there may be are turned away, and one app leaves room to others", async () => {
  const { sender, log } = await openBridgeAlone({ limits: { maxConnections: 3, maxConnectionsPerApp: 2 } });
  const inside = await Promise.all([1, 2].map(() => new LegacySender(sender).connected()));
  await new LegacySender(sender).ended;
  await until(() => log.some((line) => line.includes("its app has too many connections")));
  const strangers = [1, 2].map(() => connect({ host: "127.0.0.1", port: sender.port }));
  await until(() => log.some((line) => line.includes("the bridge is full")));
  expect(inside.every(({ socket }) => !socket.destroyed)).toBe(true);
  for (const stranger of strangers) stranger.destroy();
});

test("a sender that nobody knows is closed after the handshake, and the log says what to do", async () => {
  const { sender, log } = await openBridgeAlone({ apps: { all: [], senderFor: () => undefined } });
  expect((await new LegacySender(sender).ended).bytes).toHaveLength(0);
  await until(() => log.some((line) => line.includes("was refused")));
  expect(log.join()).not.toContain((await client).key);
});
