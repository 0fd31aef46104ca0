import { expect, test } from "vitest";
import { type Connection, Connections } from "./connections.ts";

const report = (number: number, more: Partial<Connection> = {}): Connection => ({
  ...{
    number,
    port: "push",
    protocol: "http/2",
    openedAtMs: 0,
    closedAtMs: undefined,
    tls: "TLSv1.3",
    sender: "token",
  },
  ...{
    requests: 0,
    frames: {},
    pings: 0,
    settings: {},
    goaways: [],
    providerTokens: [],
    fault: undefined,
    applied: [],
  },
  ...more,
});

test("an open connection tells how it is now, a closed one how it was", () => {
  const connections = new Connections();
  let requests = 0;
  const source = {
    get report() {
      return report(1, { requests });
    },
  };
  connections.opened(1, source);
  requests = 2;
  expect(connections.find(1)?.requests).toBe(2);
  connections.ended(1);
  requests = 3;
  expect(connections.find(1)?.requests).toBe(2);
});

test("all are listed by number; of the closed ones the newest 1,000", () => {
  const connections = new Connections();
  for (let number = 1; number <= 1102; number++) connections.opened(number, { report: report(number) });
  for (let number = 3; number <= 1102; number++) connections.ended(number);
  connections.ended(7000);
  const numbers = connections.all.map(({ number }) => number);
  expect(numbers.slice(0, 3)).toEqual([1, 2, 103]);
  expect(numbers).toHaveLength(1002);
  connections.clear();
  expect(connections.all.map(({ number }) => number)).toEqual([1, 2]);
});
