import { expect, test } from "vitest";
import { writePayload } from "./friendly-payload.ts";

test("a text becomes aps.alert", () => {
  expect(writePayload({ alert: "Hello" })).toEqual({ aps: { alert: "Hello" } });
});

test("every key gets Apple's name, and data stands beside aps", () => {
  const payload = writePayload({
    alert: { title: "T", subtitle: "S", body: "B", titleLocKey: "K", titleLocArgs: ["a"], launchImage: "L" },
    badge: 0,
    sound: "default",
    category: "c",
    threadId: "t",
    contentAvailable: true,
    mutableContent: true,
    interruptionLevel: "time-sensitive",
    relevanceScore: 0.5,
    data: { orderId: 7 },
  });
  expect(payload).toEqual({
    aps: {
      alert: {
        title: "T",
        subtitle: "S",
        body: "B",
        "title-loc-key": "K",
        "title-loc-args": ["a"],
        "launch-image": "L",
      },
      badge: 0,
      sound: "default",
      category: "c",
      "thread-id": "t",
      "content-available": 1,
      "mutable-content": 1,
      "interruption-level": "time-sensitive",
      "relevance-score": 0.5,
    },
    orderId: 7,
  });
});

test("false leaves the key out, as Apple knows only 1", () => {
  expect(writePayload({ alert: "x", contentAvailable: false, mutableContent: false })).toEqual({
    aps: { alert: "x" },
  });
});

test("a sound is written as a name where it is no more than that", () => {
  expect(writePayload({ sound: { name: "bell.caf" } })).toEqual({ aps: { sound: "bell.caf" } });
  expect(writePayload({ sound: { name: "bell.caf", critical: true, volume: 0.3 } })).toEqual({
    aps: { sound: { name: "bell.caf", critical: 1, volume: 0.3 } },
  });
});
