/** A device that left: APNs answers 410 for it. */
export interface UnregisteredDevice {
  readonly deviceToken: string;
  /** When APNs found out, in milliseconds since 1970: the `timestamp` of a 410. */
  readonly sinceMs: number;
  readonly reason: "Unregistered" | "ExpiredToken";
}

/** Devices marked at most. */
const mostMarked = 1_000_000;

/** What became of devices. Every well-formed device token is a registered device until it is marked otherwise. */
export class Devices {
  private readonly marked = new Map<string, UnregisteredDevice>();

  /**
   * Marks a device as unregistered since a moment.
   *
   * @param deviceToken hex, in any case
   * @throws Error beyond 1,000,000 devices
   */
  unregister(
    deviceToken: string,
    sinceMs: number = Date.now(),
    reason: UnregisteredDevice["reason"] = "Unregistered",
  ): void {
    const key = deviceToken.toLowerCase();
    if (this.marked.size >= mostMarked && !this.marked.has(key)) {
      throw new Error(
        `No more than ${mostMarked} devices can be marked: register some again, or clear them all.`,
      );
    }
    this.marked.set(key, { deviceToken: key, sinceMs, reason });
  }

  /** Registers a device again. */
  register(deviceToken: string): void {
    this.marked.delete(deviceToken.toLowerCase());
  }

  /** The mark of a device token in lower case; undefined while it is registered. */
  find(deviceToken: string): UnregisteredDevice | undefined {
    return this.marked.get(deviceToken);
  }

  /** Every marked device, in the order in which they were marked. */
  get unregistered(): readonly UnregisteredDevice[] {
    return [...this.marked.values()];
  }

  /** Registers all devices again. */
  clear(): void {
    this.marked.clear();
  }
}
