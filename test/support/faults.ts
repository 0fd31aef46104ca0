import type { ApnsClient, ApnsClientOptions } from "@carillon/apns";
import { afterEach } from "vitest";
import { type PeerRequest, type PeerScript, RawPeer } from "./raw-peer.ts";
import { clientFor } from "./sending.ts";

const cleanUps: (() => Promise<unknown>)[] = [];

/** What a test started is stopped after it, last things first. */
export function stopAfterTest(stop: () => Promise<unknown>): void {
  cleanUps.push(stop);
}

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Waits that suit a test on loopback. */
export const quick = {
  pingAfterMs: 100,
  pingTimeoutMs: 100,
  retry: { attempts: 5, baseDelayMs: 20, maxDelayMs: 100 },
} as const satisfies Partial<ApnsClientOptions>;

export async function startPeer(script: PeerScript = {}): Promise<RawPeer> {
  const peer = await RawPeer.start(script);
  stopAfterTest(() => peer.close());
  return peer;
}

/** A client that is closed after the test, whatever is outstanding. */
export function openClient(
  peer: Pick<RawPeer, "endpoint" | "ca">,
  options: Partial<ApnsClientOptions> = {},
): ApnsClient {
  const client = clientFor(peer, options);
  stopAfterTest(() => client.close({ deadlineMs: 0 }));
  return client;
}

export async function start(script: PeerScript = {}, options: Partial<ApnsClientOptions> = {}) {
  const peer = await startPeer(script);
  return { peer, client: openClient(peer, options) };
}

/** True the first time that a device token is asked about. */
export function firstTime(): (request: PeerRequest) => boolean {
  const seen = new Set<string>();
  return ({ deviceToken: token }) => !seen.has(token) && seen.add(token).has(token);
}

/** Turns of the event loop, for what is on the way inside this process. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
