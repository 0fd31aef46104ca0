import { expect, test } from "vitest";
import { Devices } from "./devices.ts";

test("every device is registered until it is marked, and again when the mark is taken off", () => {
  const devices = new Devices();
  expect(devices.find("aabbccdd")).toBeUndefined();
  devices.unregister("AABBccdd", 5);
  expect(devices.find("aabbccdd")).toEqual({ deviceToken: "aabbccdd", sinceMs: 5, reason: "Unregistered" });
  devices.register("aaBBccdd");
  expect(devices.find("aabbccdd")).toBeUndefined();
});

test("the last mark counts, and all marks can be taken off at once", () => {
  const devices = new Devices();
  devices.unregister("aabbccdd", 5);
  devices.unregister("aabbccdd", 6, "ExpiredToken");
  devices.unregister("00ff00ff", 7);
  expect(devices.unregistered).toEqual([
    { deviceToken: "aabbccdd", sinceMs: 6, reason: "ExpiredToken" },
    { deviceToken: "00ff00ff", sinceMs: 7, reason: "Unregistered" },
  ]);
  devices.clear();
  expect(devices.unregistered).toEqual([]);
});
