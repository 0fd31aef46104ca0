import { once } from "node:events";
import { type Readable, Writable } from "node:stream";
import { expect, test } from "vitest";
import { ManualClock, rest } from "../delivery/bench.test-support.ts";
import { openMemoryStore } from "../store/memory-store.test-support.ts";
import { defaultFeedLimits, EventFeed } from "./event-feed.ts";
import { EventLog } from "./stored-event-log.ts";

function open() {
  const clock = new ManualClock();
  const store = openMemoryStore(() => clock.now());
  const log: string[] = [];
  let reads = 0;
  const counted = new Proxy(store, {
    get(target, name: keyof typeof store) {
      if (name === "readEvents") reads += 1;
      return target[name];
    },
  });
  const logger = {
    info: (_fields: object, message: string) => void log.push(message),
    warn: () => undefined,
  };
  const eventLog = new EventLog({ store: counted, clock, logger });
  const feed = new EventFeed({ log: eventLog, clock, limits: defaultFeedLimits, logger });
  return { clock, store, feed, log, reads: () => reads };
}

type Opened = ReturnType<typeof open>;

async function append({ store, clock }: Opened, count: number, app = "demo"): Promise<void> {
  const event = { app, type: "token.gone", data: JSON.stringify({ text: "x".repeat(500) }) };
  await store.appendEvents(Array<typeof event>(count).fill(event), clock.now());
}

/** What has come, and the last cursor in it. */
function listen(stream: Readable): {
  text: () => string;
  cursors: () => string[];
  last: () => string | undefined;
} {
  let text = "";
  stream.on("data", (chunk) => {
    text += String(chunk);
  });
  const cursors = (): string[] => [...text.matchAll(/^id: (\d+)\nevent/gm)].map((match) => match[1] ?? "");
  return { text: () => text, cursors, last: () => cursors().at(-1) };
}

test("a follower gets what is there, and then what comes", async () => {
  const opened = open();
  await append(opened, 2);
  const heard = listen(await opened.feed.follow({}));
  await rest();
  expect(heard.cursors()).toEqual(["1", "2"]);
  await append(opened, 1);
  await opened.clock.pass(100);
  expect(heard.cursors()).toEqual(["1", "2", "3"]);
  expect(heard.text()).toMatch(/^id: 3\nevent: token\.gone\ndata: \{"cursor":"3","at":"2023.*"\}\}\n\n/m);
});

test("one that comes back with its cursor misses nothing and gets nothing twice", async () => {
  const opened = open();
  await append(opened, 700);
  const first = await opened.feed.follow({});
  const heard = listen(first);
  await once(first, "data");
  first.destroy();
  const last = heard.last() ?? "";
  expect(Number(last)).toBeGreaterThan(0);
  const again = listen(await opened.feed.follow({ after: last }));
  await rest(200);
  const all = [...heard.cursors(), ...again.cursors()];
  expect(all).toEqual(Array.from({ length: 700 }, (_, index) => String(index + 1)));
});

test("who hears nothing is told that there was nothing, with the cursor to come back with", async () => {
  const opened = open();
  await append(opened, 3, "other");
  const heard = listen(await opened.feed.follow({ app: "demo" }));
  await opened.clock.pass(16_000);
  expect(heard.text()).toBe(":\n\n: nothing new\nid: 3\n\n");
});

test("a page is read once for a hundred followers", async () => {
  const opened = open();
  await append(opened, 10);
  const followers = await Promise.all(Array.from({ length: 100 }, () => opened.feed.follow({ after: "0" })));
  const heard = followers.map(listen);
  await rest();
  const before = opened.reads();
  await append(opened, 100);
  await opened.clock.pass(100);
  expect(new Set(heard.map(({ last }) => last()))).toEqual(new Set(["110"]));
  // One for the page, one that finds nothing behind it, and one of the purge.
  expect(opened.reads() - before).toBeLessThan(5);
});

test("100 followers at the pace of 50,000 outcomes a second hold a page each at most; one that takes nothing is cut", async () => {
  const opened = open();
  const fast = await Promise.all(Array.from({ length: 99 }, () => opened.feed.follow({ after: "0" })));
  const heard = fast.map(listen);
  const slow = await opened.feed.follow({ after: "0" });
  // A second of it: 100 batches of 500, two events for each.
  for (let batch = 0; batch < 100; batch += 1) {
    await append(opened, 2);
    if (batch % 5 === 0) await opened.clock.pass(50);
  }
  await opened.clock.pass(100);
  expect(new Set(heard.map(({ last }) => last()))).toEqual(new Set(["200"]));
  for (const follower of [...fast, slow]) expect(follower.readableLength).toBeLessThan(256 * 700);
  const closed = once(slow, "close");
  await opened.clock.pass(31_000);
  await closed;
  expect(opened.log).toEqual(["a follower of events took nothing and was cut"]);
  expect(fast.some(({ destroyed }) => destroyed)).toBe(false);
});

test("a follower that reads slowly gets everything, and is not cut", async () => {
  const opened = open();
  await append(opened, 1_000);
  let text = "";
  let take = (): void => undefined;
  const slow = new Writable({
    highWaterMark: 1,
    write(chunk, _encoding, done) {
      text += String(chunk);
      take = done;
    },
  });
  const follower = (await opened.feed.follow({})).pipe(slow);
  for (let page = 0; page < 5; page += 1) {
    await opened.clock.pass(20_000);
    take();
  }
  await opened.clock.pass(1_000);
  expect(text.match(/^event:/gm)).toHaveLength(1_000);
  expect(opened.log).toEqual([]);
  follower.destroy();
});

test("closing ends every stream", async () => {
  const opened = open();
  await append(opened, 1);
  const follower = await opened.feed.follow({});
  const heard = listen(follower);
  await rest();
  const ended = once(follower, "end");
  opened.feed.close();
  await ended;
  expect(heard.cursors()).toEqual(["1"]);
});
