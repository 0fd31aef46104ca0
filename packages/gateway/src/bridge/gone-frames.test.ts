import { type ErrorResponse, errorStatus } from "@carillon/apns/binary";
import { expect, test } from "vitest";
import type { ReadFrame } from "./frame-reader.ts";
import type { FrameTaker } from "./frame-taker.ts";
import { GoneFrames } from "./gone-frames.ts";

const sinceMs = Date.UTC(2026, 0, 2);
const goneOne = "aa".repeat(32);
const good = "bb".repeat(32);

function push(identifier: number, token = good): ReadFrame {
  return {
    ...{ kind: "push", identifier, deviceToken: Buffer.from(token, "hex"), payload: Buffer.from("{}") },
    ...{ topic: "com.example", pushType: "alert", priority: 10, expirationSeconds: 0 },
  };
}

/** Takes everything down, and settles when it is told to. */
class FakeTaker implements FrameTaker {
  readonly taken: ReadFrame[] = [];
  unsettledBytes = 0;
  isHeld = false;
  isDisconnected = false;
  isStopped = false;

  take(frames: readonly ReadFrame[], bytes: number): void {
    this.taken.push(...frames);
    this.unsettledBytes += bytes;
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  disconnect(): void {
    this.isDisconnected = true;
  }

  async stop(): Promise<ErrorResponse> {
    this.isStopped = true;
    return { status: errorStatus.shutdown, identifier: this.taken.at(-1)?.identifier ?? 0 };
  }
}

/** A taker behind look-ups that are answered by hand. */
function open() {
  const inner = new FakeTaker();
  const looks: { readonly tokens: readonly string[]; readonly end: (error?: Error) => void }[] = [];
  const taker = new GoneFrames(inner, (tokens) => {
    const gone = tokens.includes(goneOne) ? [[goneOne, { reason: "Unregistered", sinceMs }] as const] : [];
    return new Promise((resolve, reject) => {
      looks.push({ tokens, end: (error) => (error ? reject(error) : resolve(new Map(gone))) });
    });
  });
  const rest = (): Promise<void> => new Promise(setImmediate);
  return { inner, looks, taker, rest };
}

test("a frame to a device token that is gone is refused with status 8 and its identifier, in its place", async () => {
  const { inner, looks, taker, rest } = open();
  taker.take([push(1), push(2, goneOne), push(3)], 300);
  expect([inner.taken, taker.unsettledBytes]).toEqual([[], 300]);
  looks[0]?.end();
  await rest();
  expect(inner.taken).toMatchObject([
    { kind: "push", identifier: 1 },
    { kind: "refused", identifier: 2, status: 8, detail: /gone since 2026-01-02.*Unregistered/ },
    { kind: "push", identifier: 3 },
  ]);
  expect(inner.taken.some((frame) => frame.kind === "refused" && frame.detail.includes(goneOne))).toBe(false);
  expect(taker.unsettledBytes).toBe(300);
});

test("what comes during a look waits for the next one, which is for all of it, in order", async () => {
  const { inner, looks, taker, rest } = open();
  for (let first = 1; first <= 901; first += 100)
    taker.take(
      Array.from({ length: 100 }, (_, at) => push(first + at)),
      100,
    );
  looks[0]?.end();
  await rest();
  looks[1]?.end();
  await rest();
  expect(looks.map(({ tokens }) => tokens.length)).toEqual([100, 900]);
  expect(inner.taken.map(({ identifier }) => identifier)).toEqual(
    Array.from({ length: 1_000 }, (_, at) => at + 1),
  );
});

test("is settled when what it looked up is, and the end of a sender is not answered before", async () => {
  const { looks, taker, rest } = open();
  taker.take([push(1)], 10);
  let isSettled = false;
  void taker.settled().then(() => {
    isSettled = true;
  });
  await rest();
  expect(isSettled).toBe(false);
  looks[0]?.end();
  await rest();
  expect(isSettled).toBe(true);
});

test("a stop begins nothing more: what was not looked up is not taken, and the last one that was is named", async () => {
  const { inner, looks, taker, rest } = open();
  taker.take([push(1)], 10);
  looks[0]?.end();
  await rest();
  taker.take([push(2)], 10);
  expect(await taker.stop()).toEqual({ status: errorStatus.shutdown, identifier: 1 });
  looks[1]?.end();
  await rest();
  taker.take([push(3)], 10);
  await rest();
  expect(inner.taken.map(({ identifier }) => identifier)).toEqual([1]);
  expect(looks).toHaveLength(2);
});

test("what cannot be looked up, for the store has failed, is handed on to whoever finds that out", async () => {
  const { inner, looks, taker, rest } = open();
  taker.take([push(1, goneOne)], 10);
  looks[0]?.end(new Error("disk I/O error"));
  await rest();
  expect(inner.taken).toMatchObject([{ kind: "push", identifier: 1 }]);
});

test("a refusal that came from elsewhere needs no look", async () => {
  const { inner, looks, taker, rest } = open();
  taker.take([{ kind: "refused", status: 1, identifier: 7, detail: "no JSON" }], 10);
  await rest();
  expect([inner.taken.length, looks.length]).toEqual([1, 0]);
});

test("it is held when the taker behind it is, and tells it when nobody hears any more", () => {
  const { inner, taker } = open();
  expect(taker.isHeld).toBe(false);
  inner.isHeld = true;
  expect(taker.isHeld).toBe(true);
  taker.disconnect();
  expect(inner.isDisconnected).toBe(true);
});
