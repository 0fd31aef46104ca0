import { expect, test } from "vitest";
import { ServiceState } from "./service-state.ts";

test("takes as many requests in each span as it has capacity for", () => {
  let nowMs = 0;
  const state = new ServiceState({ monotonic: () => nowMs }, { most: 2, withinMs: 100 });
  const at = (...times: number[]) =>
    times.map((time) => {
      nowMs = time;
      return state.countRequest() ?? "taken";
    });
  expect(at(0, 50, 99)).toEqual(["taken", "taken", "ServiceUnavailable"]);
  expect(at(100, 101, 102, 250)).toEqual(["taken", "taken", "ServiceUnavailable", "taken"]);
  expect(new ServiceState({ monotonic: () => 0 }).countRequest()).toBeUndefined();
});

test("tells of its shutdown once, and refuses everything until it goes on", () => {
  const state = new ServiceState({ monotonic: () => 0 });
  let told = 0;
  const end = state.onShutdown(() => {
    told += 1;
  });
  state.announceShutdown();
  state.announceShutdown();
  expect([told, state.goesDown, state.countRequest()]).toEqual([1, true, "Shutdown"]);
  state.resume();
  expect([state.goesDown, state.countRequest()]).toEqual([false, undefined]);
  end();
  state.announceShutdown();
  expect(told).toBe(1);
});
