import { randomBytes } from "node:crypto";
import type { Clock, Random } from "@carillon/apns";
import type { EventStore, WebhookStore } from "../../store/index.ts";
import type { EventType } from "../event.ts";
import { CursorError, type EventReader } from "../event-log.ts";
import { attemptOf, DeliveryLoop, headersOf, type LoopLimits, type WebhookLogger } from "./delivery-loop.ts";
import { type CallLimits, Receiver } from "./receiver.ts";
import type { ResolveName } from "./receiver-names.ts";
import { ReceiverPolicy, type ReceiverSettings } from "./receiver-policy.ts";
import type { DisabledCause, RetrySchedule } from "./retry-schedule.ts";
import { makeSecret, signMessage } from "./signature.ts";
import {
  secretsAt,
  type Webhook,
  type WebhookAttempt,
  type WebhookProgress,
  type WebhookSettings,
} from "./webhook.ts";
import { WebhookRefusal } from "./webhook-refusal.ts";

/** The event log as webhooks need it. */
export interface WebhookEvents extends EventReader {
  /** Where all begins that is kept, and where begins what has not happened yet. */
  ends(): Promise<{ readonly oldest: string; readonly latest: string }>;
}

export interface WebhooksOptions {
  readonly store: WebhookStore & Pick<EventStore, "appendEvents">;
  readonly events: WebhookEvents;
  readonly receivers: ReceiverSettings;
  readonly resolve: ResolveName;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: WebhookLogger;
  readonly version: string;
  readonly callLimits: CallLimits;
  readonly schedule: RetrySchedule;
  readonly limits: WebhookLimits;
}

export interface WebhookLimits extends Omit<LoopLimits, "batchBytes"> {
  /** @default 100 */
  readonly webhooks: number;
  /** Of one body, roughly. @default 1 MiB */
  readonly batchBytes: number;
  /** Of all bodies that may be in memory, two for each endpoint; with many endpoints each gets smaller ones. @default 64 MiB */
  readonly allBatchesBytes: number;
}

export interface NewWebhook {
  readonly url: string;
  readonly app?: string;
  readonly types?: readonly EventType[];
  readonly description?: string;
  /** Begin behind this event. @default what happens from now on */
  readonly after?: string;
}

/** What is absent stays; null takes away. */
export interface WebhookUpdate {
  readonly url?: string;
  readonly app?: string | null;
  readonly types?: readonly EventType[] | null;
  readonly description?: string | null;
  /** False stops deliveries; true goes on where they stopped, also after a 410. */
  readonly enabled?: boolean;
}

/** Shown once; only who has it can verify. */
export interface WebhookWithSecret {
  readonly webhook: Webhook;
  readonly secret: string;
}

/** While something about an endpoint is changed, its call under way may take so long to end. */
const changeGraceMs = 2_000;

interface Entry {
  readonly id: string;
  readonly settings: WebhookSettings;
  readonly loop: DeliveryLoop;
}

/** All endpoints, and the deliveries to them. */
export class Webhooks {
  readonly #options: WebhooksOptions;
  readonly #policy: ReceiverPolicy;
  readonly #entries = new Map<string, Entry>();
  #changes: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  private constructor(options: WebhooksOptions) {
    this.#options = options;
    this.#policy = new ReceiverPolicy(options.receivers);
  }

  /** Goes on with what the store holds. */
  static async start(options: WebhooksOptions): Promise<Webhooks> {
    const webhooks = new Webhooks(options);
    const stored = await options.store.listWebhooks();
    for (const { id, settings, progress } of stored)
      webhooks.#begin(
        id,
        JSON.parse(settings) as WebhookSettings,
        JSON.parse(progress) as WebhookProgress,
        stored.length,
      );
    return webhooks;
  }

  list(): readonly Webhook[] {
    return [...this.#entries.values()].map((entry) => this.#show(entry));
  }

  /** @throws {WebhookRefusal} there is none */
  find(id: string): Webhook {
    return this.#show(this.#entry(id));
  }

  /** @throws {WebhookRefusal} */
  create({ after, ...chosen }: NewWebhook): Promise<WebhookWithSecret> {
    return this.#inTurn(async () => {
      const { limits, clock, events, store } = this.#options;
      if (this.#entries.size >= limits.webhooks)
        throw new WebhookRefusal(
          "too-many",
          "",
          `There are ${limits.webhooks} webhooks already. Delete one that is not needed.`,
        );
      this.#assertUrl(chosen.url);
      if (after !== undefined) await this.#assertCursor(after);
      const cursor = after ?? (await events.ends()).latest;
      const id = `wh_${randomBytes(12).toString("base64url")}`;
      const secret = makeSecret();
      const settings: WebhookSettings = { ...chosen, secrets: [{ secret }], createdAtMs: clock.now() };
      const progress: WebhookProgress = { cursor, replays: 0, standing: { kind: "well" } };
      await store.addWebhook({ id, settings: JSON.stringify(settings), progress: JSON.stringify(progress) });
      return { webhook: this.#show(this.#begin(id, settings, progress, this.#entries.size + 1)), secret };
    });
  }

  /** @throws {WebhookRefusal} */
  update(id: string, { enabled, ...changes }: WebhookUpdate): Promise<Webhook> {
    return this.#change(id, (settings, progress) => {
      if (changes.url !== undefined) this.#assertUrl(changes.url);
      const changed = Object.fromEntries(
        Object.entries({ ...settings, ...changes }).filter(
          ([, value]) => value !== null && value !== undefined,
        ),
      ) as unknown as WebhookSettings;
      const isSameFilter =
        changed.app === settings.app && JSON.stringify(changed.types) === JSON.stringify(settings.types);
      return {
        settings: changed,
        progress: {
          ...withoutInHand(progress, isSameFilter),
          standing: this.#standingAfter(progress.standing, enabled),
        },
      };
    });
  }

  /** @throws {WebhookRefusal} there is none */
  delete(id: string): Promise<void> {
    return this.#inTurn(async () => {
      const entry = this.#entry(id);
      await entry.loop.stop(changeGraceMs);
      await this.#options.store.deleteWebhook(id);
      this.#entries.delete(id);
    });
  }

  /**
   * Makes a new secret. The present one signs beside it for `overlapMs`; one before that ends at once.
   * @throws {WebhookRefusal} there is none
   */
  async rotate(id: string, overlapMs: number): Promise<WebhookWithSecret> {
    const secret = makeSecret();
    const webhook = await this.#change(id, (settings, progress) => {
      const untilMs = this.#options.clock.now() + overlapMs;
      const present = settings.secrets.filter((each) => each.untilMs === undefined);
      const secrets = [{ secret }, ...(overlapMs === 0 ? [] : present.map((each) => ({ ...each, untilMs })))];
      return { settings: { ...settings, secrets }, progress };
    });
    return { webhook, secret };
  }

  /**
   * Goes on behind this event, which may lie before or after what was delivered. Absent: all that is kept.
   * @throws {WebhookRefusal}
   */
  async replay(id: string, after?: string): Promise<Webhook> {
    this.#entry(id);
    if (after !== undefined) await this.#assertCursor(after);
    const cursor = after ?? (await this.#options.events.ends()).oldest;
    return this.#change(id, (settings, progress) => ({
      settings,
      progress: {
        ...withoutInHand(progress, false),
        cursor,
        replays: progress.replays + 1,
        standing: this.#standingAfter(progress.standing, undefined),
      },
    }));
  }

  /**
   * Sends a page without events now, whether deliveries are due or not, and tells how it went.
   * @throws {WebhookRefusal} there is none
   */
  async ping(id: string): Promise<WebhookAttempt> {
    const { clock, version, store, limits } = this.#options;
    const { settings } = this.#entry(id);
    const receiver = this.#receiverOf(settings);
    const message = {
      id: `ping_${randomBytes(12).toString("base64url")}`,
      body: Buffer.from('{"items":[]}'),
      events: 0,
    };
    const nowMs = clock.now();
    const signed = signMessage(secretsAt(settings, nowMs), message, nowMs);
    try {
      const result = await receiver.post(message.body, headersOf(signed, userAgentOf(version)));
      const attempt: WebhookAttempt = { ...attemptOf(message, result, clock.now()), kind: "ping" };
      await store.changeWebhook({ id, attempt: JSON.stringify(attempt), keepAttempts: limits.keepAttempts });
      return attempt;
    } finally {
      receiver.close();
    }
  }

  /** What was tried, the newest first. @throws {WebhookRefusal} there is none */
  async deliveries(id: string, limit: number): Promise<readonly WebhookAttempt[]> {
    this.#entry(id);
    const lines = await this.#options.store.listWebhookAttempts(id, limit);
    return lines.map((line) => JSON.parse(line) as WebhookAttempt);
  }

  /** Nothing is sent any more; calls under way may take so long to end. */
  async stop(deadlineMs: number): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#entries.values()].map(({ loop }) => loop.stop(deadlineMs)));
    await this.#changes;
  }

  #begin(id: string, settings: WebhookSettings, progress: WebhookProgress, count: number): Entry {
    const { store, events, clock, random, logger, schedule, limits, version } = this.#options;
    const loop = new DeliveryLoop({
      ...{ id, settings, progress, store, events, clock, random, logger, schedule },
      receiver: this.#receiverOf(settings),
      limits: { ...limits, batchBytes: Math.min(limits.batchBytes, limits.allBatchesBytes / 2 / count) },
      userAgent: userAgentOf(version),
      disabling: (cause) => this.#tellDisabled(id, settings, cause),
    });
    const entry = { id, settings, loop };
    this.#entries.set(id, entry);
    return entry;
  }

  #receiverOf({ url }: WebhookSettings): Receiver {
    const { resolve, clock, callLimits, receivers } = this.#options;
    const { ca } = receivers;
    return new Receiver({
      ...{ url, policy: this.#policy, resolve, clock, limits: callLimits },
      ...(ca === undefined ? {} : { ca }),
    });
  }

  /** Stops deliveries, stores what changes, and goes on. */
  #change(
    id: string,
    change: (
      settings: WebhookSettings,
      progress: WebhookProgress,
    ) => { settings: WebhookSettings; progress: WebhookProgress },
  ): Promise<Webhook> {
    return this.#inTurn(async () => {
      const { store, limits } = this.#options;
      const entry = this.#entry(id);
      // What cannot be is refused before anything is stopped.
      change(entry.settings, entry.loop.progress);
      await entry.loop.stop(changeGraceMs);
      const before = { settings: entry.settings, progress: entry.loop.progress };
      let after = before;
      try {
        after = change(before.settings, before.progress);
        const settings = JSON.stringify(after.settings);
        const progress = JSON.stringify(after.progress);
        await store.changeWebhook({ id, settings, progress, keepAttempts: limits.keepAttempts });
      } catch (error) {
        after = before;
        throw error;
      } finally {
        if (!this.#isStopped) this.#begin(id, after.settings, after.progress, this.#entries.size);
      }
      return this.find(id);
    });
  }

  /** One change after the other. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#changes.then(() => {
      if (this.#isStopped)
        throw new WebhookRefusal("stopping", "", "The gateway is stopping. Nothing was changed.");
      return change();
    });
    this.#changes = turn.catch(() => undefined);
    return turn;
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry !== undefined) return entry;
    throw new WebhookRefusal(
      "unknown",
      "",
      "There is no webhook of this id. GET /v1/webhooks lists all there are.",
    );
  }

  #show({ id, settings, loop }: Entry): Webhook {
    const { secrets, ...shown } = settings;
    const { cursor, standing, deliveredAtMs } = loop.progress;
    const nowMs = this.#options.clock.now();
    const previous = secrets.find(({ untilMs }) => untilMs !== undefined && untilMs > nowMs)?.untilMs;
    return {
      id,
      ...shown,
      standing,
      ...(cursor === undefined ? {} : { cursor }),
      ...(deliveredAtMs === undefined ? {} : { deliveredAtMs }),
      ...(previous === undefined ? {} : { previousSecretUntilMs: previous }),
    };
  }

  #assertUrl(url: string): void {
    const checked = this.#policy.checkUrl(url);
    if (checked.kind === "refused") throw new WebhookRefusal("invalid", "url", checked.detail);
  }

  async #assertCursor(after: string): Promise<void> {
    try {
      await this.#options.events.read({ after, limit: 1 });
    } catch (error) {
      if (!(error instanceof CursorError)) throw error;
      throw new WebhookRefusal(
        "invalid",
        "after",
        `${error.message} Leave it out, or use "${error.oldest}" for all that is kept.`,
      );
    }
  }

  #standingAfter(
    standing: WebhookProgress["standing"],
    enabled: boolean | undefined,
  ): WebhookProgress["standing"] {
    if (enabled === false) return { kind: "disabled", cause: "asked", atMs: this.#options.clock.now() };
    // Whoever changes something wants to see whether it helped.
    return standing.kind === "disabled" && enabled === undefined ? standing : { kind: "well" };
  }

  /** Told to everyone who reads the log, other webhooks among them. */
  async #tellDisabled(id: string, { app = "*" }: WebhookSettings, cause: DisabledCause): Promise<void> {
    const { store, clock, logger } = this.#options;
    logger.warn({ webhook: id, cause }, "a webhook is disabled");
    const data = JSON.stringify({ webhook: id, cause });
    await store.appendEvents([{ app, type: "webhook.disabled", data }], clock.now());
  }
}

function withoutInHand(progress: WebhookProgress, keep: boolean): WebhookProgress {
  const { inHand, ...rest } = progress;
  return keep && inHand !== undefined ? progress : rest;
}

function userAgentOf(version: string): string {
  return `Carillon/${version}`;
}
