import { bundleIdOf } from "./bundle-id.ts";
import { type AcceptedPush, Mailbox } from "./mailbox.ts";

/** A device that left: APNs answers 410 for it. */
export interface UnregisteredDevice {
  readonly deviceToken: string;
  /** When APNs found out, in milliseconds since 1970: the `timestamp` of a 410. */
  readonly sinceMs: number;
  readonly reason: "Unregistered" | "ExpiredToken";
}

/** What is special about a device. Whatever is left out stays as it was. */
export interface DeviceTraits {
  /** Bundle id of the app that registered. Other apps' pushes get `DeviceTokenNotForTopic`. */
  readonly topic?: string;
  /** Where it registered. The other environment answers `BadDeviceToken`. */
  readonly environment?: "sandbox" | "production";
  /** Off, or without a network: pushes are accepted and stored. */
  readonly reach?: "online" | "offline";
  /** "never": requests for it stay without an answer. */
  readonly answers?: "usual" | "never";
  /** More pushes than this in so many milliseconds get `TooManyRequests`; at most 1,000. */
  readonly pace?: { readonly most: number; readonly withinMs: number };
}

/** A device that something is known about. */
export interface Device extends DeviceTraits {
  /** Lower case. */
  readonly deviceToken: string;
  /** Since when, and why, it is not registered any more. */
  readonly gone?: { readonly sinceMs: number; readonly reason: UnregisteredDevice["reason"] };
  readonly mailbox: Mailbox;
}

/** Devices known at most. */
const mostKnown = 1_000_000;

type KnownDevice = { -readonly [Key in keyof Device]: Device[Key] } & { recentMs?: number[] };

/** The devices. Every well-formed device token is a registered, reachable device until something else is said about it. */
export class Devices {
  private readonly known = new Map<string, KnownDevice>();
  private readonly now: () => number;

  constructor(now: () => number = Date.now) {
    this.now = now;
  }

  /**
   * Marks a device as unregistered since a moment.
   *
   * @param deviceToken hex, in any case
   * @throws Error beyond 1,000,000 devices
   */
  unregister(
    deviceToken: string,
    sinceMs: number = this.now(),
    reason: UnregisteredDevice["reason"] = "Unregistered",
  ): void {
    this.know(deviceToken).gone = { sinceMs, reason };
  }

  /** Registers a device again, with nothing special about it. */
  register(deviceToken: string): void {
    this.known.delete(deviceToken.toLowerCase());
  }

  /**
   * Says what is special about a device. One that comes online gets what was stored for it.
   *
   * @throws Error beyond 1,000,000 devices
   */
  describe(deviceToken: string, traits: DeviceTraits): Device {
    const device = Object.assign(this.know(deviceToken), traits);
    if (device.reach !== "offline") device.mailbox.deliverStored(this.now());
    return device;
  }

  /** What is known about a device, by its token in any case; undefined where there is nothing special. */
  find(deviceToken: string): Device | undefined {
    return this.known.size === 0 ? undefined : this.known.get(deviceToken.toLowerCase());
  }

  /** Hands an accepted push to its device. Only devices with something special keep what came. */
  accept(deviceToken: string, push: AcceptedPush): void {
    const device = this.find(deviceToken);
    if (device?.reach === "offline") device.mailbox.store(push);
    else device?.mailbox.deliver(push);
  }

  /** Counts a push against the device's pace; false where it comes too soon. */
  isInPace(device: Device): boolean {
    const { pace } = device;
    if (pace === undefined) return true;
    const known: KnownDevice = device;
    const nowMs = this.now();
    const recent = (known.recentMs ?? []).filter((atMs) => nowMs - atMs < pace.withinMs);
    known.recentMs = recent;
    if (recent.length >= Math.min(pace.most, 1000)) return false;
    recent.push(nowMs);
    return true;
  }

  /** Whether a device may be reached under this topic. */
  isFor(device: Device, topic: string): boolean {
    return device.topic === undefined || bundleIdOf(topic) === device.topic;
  }

  /** Every device that something is known about, in the order in which that began. */
  get all(): readonly Device[] {
    return [...this.known.values()];
  }

  /** Every unregistered device. */
  get unregistered(): readonly UnregisteredDevice[] {
    return this.all.flatMap(({ deviceToken, gone }) =>
      gone === undefined ? [] : [{ deviceToken, ...gone }],
    );
  }

  /** Forgets everything: all devices are registered and reachable. */
  clear(): void {
    this.known.clear();
  }

  private know(deviceToken: string): KnownDevice {
    const key = deviceToken.toLowerCase();
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.known.size >= mostKnown) {
      throw new Error(
        `No more than ${mostKnown} devices can be special: register some again, or clear them all.`,
      );
    }
    const made: KnownDevice = { deviceToken: key, mailbox: new Mailbox() };
    this.known.set(key, made);
    return made;
  }
}
