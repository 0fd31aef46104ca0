import { expect, test } from "vitest";
import { BatchIds, notificationId, parseNotificationId } from "./notification-id.ts";

const uuidVersion7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("an id is a UUID of version 7 that leads back to its batch and place", () => {
  const batch = new BatchIds(() => 1_700_000_000_000).next();
  for (const place of [0, 1, 9, 255, 999, 65_535]) {
    const id = notificationId(batch, place);
    expect(id).toMatch(uuidVersion7);
    expect(parseNotificationId(id)).toEqual({ batch, place });
    expect(parseNotificationId(id.toUpperCase())).toEqual({ batch, place });
  }
});

test("carries the time it was made at", () => {
  const batch = new BatchIds(() => 0x0123456789ab).next();
  expect(batch).toMatch(/^01234567-89ab-7000-/);
});

test.each([
  "",
  "x",
  "01234567-89ab-4def-8123-456789abcdef", // version 4
  "01234567-89ab-7def-c123-456789abcdef", // another variant
  "01234567-89ab-7def-8123-456789abcde", // a digit short
  "01234567-89ab-7def-8123-456789abcdeff",
  "0123456789ab7def8123456789abcdef",
  "01234567-89ab-7def-8123-456789abcdeg",
])("%j is no id of ours", (text) => {
  expect(parseNotificationId(text)).toBeUndefined();
});

test("each batch id is greater than the one before, within a millisecond and when the clock goes back", () => {
  let now = 1_700_000_000_000;
  const ids = new BatchIds(() => now);
  let last = "";
  for (let index = 0; index < 20_000; index += 1) {
    if (index % 5_000 === 4_999) now += index % 2 === 0 ? 3 : -3_600_000;
    const id = ids.next();
    expect(id > last).toBe(true);
    last = id;
  }
});

test("two processes never make the same id in the same millisecond", () => {
  const now = () => 1_700_000_000_000;
  const made = new Set<string>();
  for (let process = 0; process < 200; process += 1) {
    const ids = new BatchIds(now);
    for (let index = 0; index < 200; index += 1) made.add(ids.next());
  }
  expect(made.size).toBe(40_000);
});
