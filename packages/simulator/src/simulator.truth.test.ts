/** What the simulator tells about what happened. */
import { ApnsClient } from "@carillon/apns";
import { flag, frameType } from "@carillon/apns/http2";
import { afterEach, expect, test } from "vitest";
import { RawSender } from "./raw-sender.test-support.ts";
import { type Simulator, startSimulator } from "./simulator.ts";
import type { SimulatorOptions } from "./simulator-options.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options);
  closers.push(() => simulator.close());
  return simulator;
}

function clientOf({ endpoint, ca, credentials, topic }: Simulator): ApnsClient {
  const client = new ApnsClient({ endpoint, ca, credentials: credentials.token, topic });
  closers.push(() => client.close());
  return client;
}

test("a connection tells its frames, PINGs, settings, GOAWAYs and provider tokens, also when it is closed", async () => {
  const simulator = await start({ controlPort: 0 });
  await clientOf(simulator).send({ deviceToken: "aabbccdd", payload: { aps: {} } });
  const { keyId, teamId } = simulator.credentials.token;
  expect(simulator.connections.find(1)).toMatchObject({
    ...{ port: "push", tls: "TLSv1.3", sender: "token", requests: 1, closedAtMs: undefined },
    frames: { HEADERS: 1, DATA: 1 },
    providerTokens: [{ keyId, teamId }],
  });
  const sender = await RawSender.open(simulator);
  sender.frame(frameType.ping, 0, 0, Buffer.alloc(8));
  sender.frame(frameType.settings, 0, 0, Buffer.from([0, 4, 0, 0, 1, 0]));
  sender.frame(frameType.goaway, 0, 0, Buffer.concat([Buffer.alloc(8), Buffer.from("enough")]));
  sender.frame(frameType.ping, 0, 0, Buffer.alloc(8));
  await sender.until(() => sender.ofType(frameType.ping).length === 2);
  sender.frame(frameType.data, flag.endStream, 1);
  await sender.untilClosed();
  await new Promise((resolve) => setImmediate(resolve));
  const response = await fetch(`${simulator.controlUrl}/connections`);
  const { connections } = (await response.json()) as { connections: unknown[] };
  expect(connections[1]).toMatchObject({
    ...{ number: 2, pings: 2, settings: { initialWindowSize: 256 }, requests: 0 },
    goaways: [{ lastStreamId: 0, code: 0, debug: "enough" }],
    closedAtMs: expect.any(Number),
    fault: "DATA on idle stream 1",
  });
});

test("a push that is expected is found, and one that is not makes an error with the difference", async () => {
  const simulator = await start();
  const client = clientOf(simulator);
  const waiting = simulator.expectPush({ payload: { aps: { alert: "Hello" } } });
  await client.send({ deviceToken: "aabbccdd", payload: { aps: { alert: "Hello", badge: 1 } } });
  expect((await waiting).deviceToken).toBe("aabbccdd");
  await expect(simulator.expectPush({ pushType: "voip" }, { timeoutMs: 1 })).rejects.toThrow(
    'pushType: expected "voip", found "alert"',
  );
  simulator.expectNoPush({ pushType: "voip" });
  expect(() => simulator.expectNoPush()).toThrow("There should be no push like this, and number 1 is:");
});

test("a scenario has a type, and what it allows is read", async () => {
  const simulator = await start();
  simulator.setScenario({
    seed: 7,
    rules: [
      { on: "connect", when: { connection: { from: 1, to: 2 } }, do: "refuse" },
      { when: { deviceToken: "aa*" }, times: 2, do: { answer: { reason: "Unregistered", timestamp: 1 } } },
      { on: "time", atMs: 5, do: ["ping", { goaway: { code: "enhanceYourCalm", debug: { reason: "x" } } }] },
      { do: { withhold: { what: ["settings", "window-update"] } } },
      // @ts-expect-error: there is no such action
      ...((): { do: "explode" }[] => [])(),
    ],
  });
  expect(Object.keys(simulator.scenarioCounts)).toHaveLength(4);
});
