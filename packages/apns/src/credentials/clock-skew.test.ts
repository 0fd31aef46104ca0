import { expect, test } from "vitest";
import { clockSkewMs, describeSkew, explainRefusedToken } from "./clock-skew.ts";

const now = Date.UTC(2026, 10, 24, 12);
const minute = 60_000;

test("the skew is how far this clock is ahead; below a minute there is none", () => {
  const at = (ms: number) => clockSkewMs(new Date(ms).toUTCString(), now);
  expect(at(now - 40 * minute)).toBe(40 * minute);
  expect(at(now + 70 * minute)).toBe(-70 * minute);
  for (const same of [now, now - 59_000, now + 59_000]) expect(at(same)).toBeUndefined();
  for (const none of [undefined, "", "soon"]) expect(clockSkewMs(none, now)).toBeUndefined();
});

test("a skew is told in minutes, with its direction", () => {
  expect(describeSkew(40 * minute)).toBe("40 minutes ahead");
  expect(describeSkew(-70 * minute)).toBe("70 minutes behind");
  expect(describeSkew(minute)).toBe("1 minute ahead");
});

test.each([
  ["ExpiredProviderToken", 0, -70 * minute, /clock is 70 minutes behind by the server's/],
  ["InvalidProviderToken", 0, 40 * minute, /clock is 40 minutes ahead by the server's/],
  ["TooManyProviderTokenUpdates", 0, 60 * minute, /clock is 60 minutes ahead/],
  ["ExpiredProviderToken", 0, undefined, /made 0 minutes ago.*at least 60 minutes behind/],
  ["ExpiredProviderToken", 20 * minute, undefined, /made 20 minutes ago.*at least 40 minutes behind/],
  ["ExpiredProviderToken", 58 * minute, undefined, undefined],
  ["InvalidProviderToken", minute, undefined, /the key, its id or the team's/],
  ["InvalidProviderToken", 30 * minute, undefined, undefined],
  ["TooManyProviderTokenUpdates", 0, undefined, undefined],
  ["BadDeviceToken", 0, 40 * minute, undefined],
])("%s for a token %d ms old with a skew of %s", (reason, ageMs, skewMs, expected) => {
  const issuedAtSeconds = (now - ageMs) / 1000;
  const detail = explainRefusedToken({ reason, issuedAtSeconds, skewMs, nowMs: now });
  if (expected === undefined) expect(detail).toBeUndefined();
  else expect(detail).toMatch(expected);
});
