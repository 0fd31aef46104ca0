import { bundleIdOf } from "./bundle-id.ts";

/** A push that APNs accepted for a device. */
export interface AcceptedPush {
  readonly apnsId: string;
  readonly topic: string;
  readonly collapseId: string | undefined;
  /** Epoch seconds; 0: try once and do not store; undefined: APNs' own time. */
  readonly expirationSeconds: number | undefined;
  readonly payload: Buffer;
  readonly atMs: number;
}

/** Deliveries kept for one device; the oldest are dropped. */
const mostReceived = 100;

/** Apps of one device that something may be stored for. */
const mostStored = 100;

/** APNs keeps nothing longer. */
const longestStorageMs = 30 * 86_400_000;

/**
 * What came to a device and what waits for it: delivered at once while it is online; while it is not, the newest push of
 * each app is stored until it expires (`apns-protocol` §8).
 */
export class Mailbox {
  private readonly receivedPushes: AcceptedPush[] = [];
  /** By bundle id, oldest first. */
  private readonly storedPushes = new Map<string, AcceptedPush>();

  /** What reached the device, in order; the newest 100. */
  get received(): readonly AcceptedPush[] {
    return this.receivedPushes;
  }

  /** What waits until the device is online again. */
  get stored(): readonly AcceptedPush[] {
    return [...this.storedPushes.values()];
  }

  /** What the user sees: of pushes with one collapse id the newest. */
  get shown(): readonly AcceptedPush[] {
    const newest = new Map<string, AcceptedPush>();
    for (const push of this.receivedPushes) {
      const key =
        push.collapseId === undefined ? `id ${push.apnsId}` : `collapse ${push.topic} ${push.collapseId}`;
      newest.delete(key);
      newest.set(key, push);
    }
    return [...newest.values()];
  }

  /** Whether a push with this id came before, as far as that is remembered. */
  has(apnsId: string): boolean {
    const isSame = (push: AcceptedPush): boolean => push.apnsId.toLowerCase() === apnsId.toLowerCase();
    return this.receivedPushes.some(isSame) || this.stored.some(isSame);
  }

  deliver(push: AcceptedPush): void {
    this.receivedPushes.push(push);
    if (this.receivedPushes.length > mostReceived) this.receivedPushes.shift();
  }

  /** Keeps the push for later, in the place of an older one of the same app; one with expiration 0 is lost. */
  store(push: AcceptedPush): void {
    if (push.expirationSeconds === 0) return;
    const bundleId = bundleIdOf(push.topic);
    this.storedPushes.delete(bundleId);
    if (this.storedPushes.size < mostStored) this.storedPushes.set(bundleId, push);
  }

  /** The device is online again: what has not expired is delivered. */
  deliverStored(nowMs: number): void {
    for (const push of this.storedPushes.values()) if (expiresAtMs(push) > nowMs) this.deliver(push);
    this.storedPushes.clear();
  }
}

function expiresAtMs({ atMs, expirationSeconds }: AcceptedPush): number {
  const longest = atMs + longestStorageMs;
  return expirationSeconds === undefined ? longest : Math.min(longest, expirationSeconds * 1000);
}
