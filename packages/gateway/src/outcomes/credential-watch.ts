import type { Clock, Timer } from "@carillon/apns";
import type { EventStore, NewEvent } from "../store/index.ts";
import type { EventType } from "./event.ts";

/** A client certificate that an app signs in to Apple with. */
export interface WatchedCertificate {
  readonly app: string;
  /** Its end, epoch milliseconds. */
  readonly validUntilMs: number;
}

export interface CredentialWatchOptions {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly logger: { warn(fields: object, message: string): void };
  readonly certificates: readonly WatchedCertificate[];
}

const type: EventType = "credential.expiring";
const dayMs = 86_400_000;
/** So many days before its end it is told. */
const stages = [1, 7, 30] as const;
const lookEveryMs = 3_600_000;
const pageSize = 1_000;

/**
 * Tells that certificates are about to end, 30 days, 7 days and one day before: the latest of these that has come, once. What
 * was told before a new start is found in the event log, as far back as that goes.
 */
export class CredentialWatch {
  readonly #options: CredentialWatchOptions;
  /** Undefined until something is to be told: only then is it worth a walk through the log. */
  #told: Set<string> | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: CredentialWatchOptions) {
    this.#options = options;
    if (options.certificates.length > 0) void this.#look();
  }

  /** Tells nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { certificates, clock, logger } = this.#options;
    try {
      for (const certificate of certificates) await this.#tell(certificate);
    } catch (error) {
      if (!this.#isClosed)
        logger.warn({ detail: String(error) }, "the end of certificates could not be told of");
    }
    // Not longer at once: the clock on the wall may be set anew.
    if (!this.#isClosed) this.#timer = clock.setTimer(() => void this.#look(), lookEveryMs);
  }

  async #tell({ app, validUntilMs }: WatchedCertificate): Promise<void> {
    const { store, clock, logger } = this.#options;
    const leftMs = validUntilMs - clock.now();
    const days = stages.find((stage) => leftMs <= stage * dayMs);
    // What is over shows: Apple refuses it, and the route is parked.
    if (days === undefined || leftMs <= 0) return;
    this.#told ??= await this.#readTold();
    const expiresAt = new Date(validUntilMs).toISOString();
    const name = nameOf(app, expiresAt, days);
    if (this.#told.has(name) || this.#isClosed) return;
    const event: NewEvent = { app, type, data: JSON.stringify({ expiresAt, days, ...words }) };
    await store.appendEvents([event], clock.now());
    this.#told.add(name);
    logger.warn({ app, expiresAt }, "a certificate is about to end");
  }

  async #readTold(): Promise<Set<string>> {
    const told = new Set<string>();
    let after = 0;
    while (!this.#isClosed) {
      const page = await this.#options.store.readEvents({ after, types: [type], limit: pageSize });
      for (const { app, data } of page.events) {
        const { expiresAt, days } = JSON.parse(String(data)) as { expiresAt: string; days: number };
        told.add(nameOf(app, expiresAt, days));
      }
      // What was purged need not be walked through.
      after = Math.max(page.cursor, page.oldest - 1);
      if (after >= page.newest) break;
    }
    return told;
  }
}

const words = {
  fault: "credential",
  means: "The app's client certificate is about to end. Apple refuses it then, and the app's queue waits.",
  remedy:
    "Renew it in Apple's developer account, put it into the app's credentials and start the gateway anew; or change to a provider token, which does not end.",
} as const;

function nameOf(app: string, expiresAt: string, days: number): string {
  return `${app} ${expiresAt} ${days}`;
}
