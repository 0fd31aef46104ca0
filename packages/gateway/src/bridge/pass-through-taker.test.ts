import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect as netConnect } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { expect, test, vi } from "vitest";
import { frame, LegacySender } from "../../../../test/support/legacy-sender.ts";
import { appNamed, client, openBridgeAlone } from "./bridge.test-support.ts";

/** A gate that is shut until it is opened, and a way to Apple that takes all. */
async function openHeld() {
  const waiting = new Set<() => void>();
  let isOpen = false;
  const sent: unknown[] = [];
  const fingerprint = new X509Certificate((await client).cert).fingerprint256.replaceAll(":", "");
  const site = await openBridgeAlone({
    config: { mode: "pass-through" },
    limits: { maxUnsettledBytes: 1e9 },
    apps: {
      all: [appNamed("demo", { fingerprints: [fingerprint] })],
      senderFor: () =>
        ({
          send: async (notification: unknown) => {
            sent.push(notification);
            return { kind: "accepted", apnsId: "" };
          },
        }) as never,
    },
    delivery: {
      take: () => Promise.reject(new Error("no queue here")),
      mayPass: (_app, again) => {
        if (!isOpen) waiting.add(again);
        return isOpen;
      },
      leavePassing: (_app, again) => void waiting.delete(again),
    },
  });
  const letGo = (): void => {
    isOpen = true;
    for (const again of waiting) again();
  };
  return { ...site, waiting, sent, letGo };
}

function until(is: () => boolean): Promise<unknown> {
  return vi.waitUntil(is, { timeout: 20_000, interval: 5 });
}

function frames(count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, at) => frame(at + 1)));
}

test("while its app is held a sender is not read, and afterwards nothing is missing", async () => {
  const { sender, waiting, sent, letGo } = await openHeld();
  const connection = await new LegacySender(sender).connected();
  const bytes = frames(100_000);
  // In pieces, for each counts as waiting until it has left as a whole.
  for (let at = 0; at < bytes.length; at += 65_536) connection.write(bytes.subarray(at, at + 65_536));
  await until(() => waiting.size === 1);
  let left = -1;
  for (let same = 0; same < 10; same += 1) {
    // Another sender is heard meanwhile: were the first one read, there would be less of it soon.
    const other = await new LegacySender(sender).connected();
    other.write(Buffer.from([9]));
    await other.ended;
    if (left !== connection.socket.writableLength) same = 0;
    left = connection.socket.writableLength;
  }
  expect(left).toBeGreaterThan(1_000_000);
  expect(sent).toHaveLength(0);
  letGo();
  expect((await connection.finish()).response).toBeUndefined();
  expect(sent).toHaveLength(100_000);
});

test("a sender whose connection breaks while its app is held leaves nothing behind", async () => {
  const { sender, bridge, waiting, sent, letGo } = await openHeld();
  const socket = netConnect({ host: "127.0.0.1", port: sender.port });
  const tls = tlsConnect({ ...sender, socket, servername: "localhost" });
  tls.on("error", () => undefined);
  await once(tls, "secureConnect");
  tls.write(frames(10));
  await until(() => waiting.size === 1);
  socket.resetAndDestroy();
  await until(() => bridge.connections === 0);
  expect(waiting.size).toBe(0);
  letGo();
  expect(sent).toHaveLength(0);
});
