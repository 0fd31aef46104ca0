import { generateKeyPairSync } from "node:crypto";
import { ApnsClient, type ApnsClientOptions, type Notification, type Outcome } from "@carillon/apns";
import type { RawPeer } from "./raw-peer.ts";

/** A provider key that no server here verifies; made anew in each test process, so that processes share no token. */
export const providerKey = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ format: "pem", type: "pkcs8" })
  .toString();

export const topic = "com.example.demo";

let keys = 0;

/** A client for `peer`, with a key id of its own, so that tests in one process share no provider token. */
export function clientFor(
  peer: Pick<RawPeer, "endpoint" | "ca">,
  options: Partial<ApnsClientOptions> = {},
): ApnsClient {
  keys += 1;
  return new ApnsClient({
    endpoint: peer.endpoint,
    ca: peer.ca,
    topic,
    credentials: {
      kind: "token",
      key: providerKey,
      keyId: `KEY${String(keys).padStart(7, "0")}`,
      teamId: "DEF123GHIJ",
    },
    ...options,
  });
}

/** The device token of the `ordinal`th notification: 64 hexadecimal digits. */
export function deviceToken(ordinal: number): string {
  return ordinal.toString(16).padStart(64, "0");
}

export function notification(ordinal: number, extra: Partial<Notification> = {}): Notification {
  return {
    deviceToken: deviceToken(ordinal),
    payload: { aps: { alert: `Notification ${ordinal}` } },
    ...extra,
  };
}

/** Hands over `count` notifications at once, one device token each; the outcomes in the same order. */
export function sendAtOnce(
  client: ApnsClient,
  count: number,
  extra: Partial<Notification> = {},
  first = 0,
): Promise<Outcome[]> {
  return Promise.all(
    Array.from({ length: count }, (_, each) => client.send(notification(first + each, extra))),
  );
}

/** How many outcomes there are of each kind: `{ accepted: 200 }`. */
export function countKinds(outcomes: readonly Outcome[]): Partial<Record<Outcome["kind"], number>> {
  const counts: Partial<Record<Outcome["kind"], number>> = {};
  for (const { kind } of outcomes) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

/** How often device tokens were processed: `{ 1: 200 }` means that each of 200 was processed once. */
export function countProcessed(peer: RawPeer): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const times of peer.processed.values()) counts[times] = (counts[times] ?? 0) + 1;
  return counts;
}
