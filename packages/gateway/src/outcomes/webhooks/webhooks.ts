import { randomBytes } from "node:crypto";
import { CursorError } from "../event-log.ts";
import { attemptOf, headersOf } from "./call-attempt.ts";
import { DeliveryLoop } from "./delivery-loop.ts";
import { Receiver } from "./receiver.ts";
import { ReceiverPolicy } from "./receiver-policy.ts";
import type { DisabledCause } from "./retry-schedule.ts";
import { readSettings, writeSettings } from "./sealed-settings.ts";
import { makeSecret } from "./signature.ts";
import {
  isLocked,
  showWebhook,
  type Webhook,
  type WebhookAttempt,
  type WebhookProgress,
  type WebhookSettings,
} from "./webhook.ts";
import {
  type NewWebhook,
  replayed,
  rotated,
  updated,
  type WebhookState,
  type WebhookUpdate,
} from "./webhook-change.ts";
import { WebhookRefusal } from "./webhook-refusal.ts";
import type { WebhooksOptions } from "./webhooks-options.ts";

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
  /** When endpoints were found locked: at the start. */
  readonly #startedAtMs: number;

  private constructor(options: WebhooksOptions) {
    this.#options = options;
    this.#policy = new ReceiverPolicy(options.receivers);
    this.#startedAtMs = options.clock.now();
  }

  /** Goes on with what the store holds. */
  static async start(options: WebhooksOptions): Promise<Webhooks> {
    const webhooks = new Webhooks(options);
    const { store, sealer, limits, logger } = options;
    const stored = await store.listWebhooks();
    for (const { id, settings: written, progress } of stored) {
      const { settings, isPlain } = readSettings(id, written, sealer);
      // Older versions stored secrets as they are.
      if (isPlain)
        await store.changeWebhook({
          ...{ id, settings: writeSettings(id, settings, sealer) },
          keepAttempts: limits.keepAttempts,
        });
      if (isLocked(settings)) logger.error({ webhook: id }, lockedText);
      webhooks.#begin(id, settings, JSON.parse(progress) as WebhookProgress, stored.length);
    }
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
      const written = writeSettings(id, settings, this.#options.sealer);
      await store.addWebhook({ id, settings: written, progress: JSON.stringify(progress) });
      return { webhook: this.#show(this.#begin(id, settings, progress, this.#entries.size + 1)), secret };
    });
  }

  /** @throws {WebhookRefusal} */
  update(id: string, update: WebhookUpdate): Promise<Webhook> {
    return this.#change(id, (state) => {
      if (update.url !== undefined) this.#assertUrl(update.url);
      return updated(state, update, this.#options.clock.now());
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
    const webhook = await this.#change(id, (state) =>
      rotated(state, secret, overlapMs, this.#options.clock.now()),
    );
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
    return this.#change(id, (state) => replayed(state, cursor, this.#options.clock.now()));
  }

  /**
   * Sends a page without events now, whether deliveries are due or not, and tells how it went.
   * @throws {WebhookRefusal} there is none
   */
  async ping(id: string): Promise<WebhookAttempt> {
    const { clock, version, store, limits } = this.#options;
    const { settings } = this.#entry(id);
    if (isLocked(settings)) throw new WebhookRefusal("invalid", "", lockedText);
    const receiver = this.#receiverOf(settings);
    const message = {
      id: `ping_${randomBytes(12).toString("base64url")}`,
      body: Buffer.from('{"items":[]}'),
      events: 0,
    };
    const nowMs = clock.now();
    try {
      const headers = headersOf(message, settings, userAgentOf(version), nowMs);
      const result = await receiver.post(message.body, headers);
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
    const share = limits.allBatchesBytes / 2 / count;
    const loop = new DeliveryLoop({
      ...{ id, settings, progress, store, events, clock, random, logger, schedule },
      receiver: this.#receiverOf(settings),
      limits: {
        ...limits,
        batchBytes: Math.min(limits.batchBytes, share),
        mostBatchBytes: Math.min(limits.mostBatchBytes, share),
      },
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
  #change(id: string, change: (state: WebhookState) => WebhookState): Promise<Webhook> {
    return this.#inTurn(async () => {
      const { store, limits } = this.#options;
      const entry = this.#entry(id);
      // What cannot be is refused before anything is stopped.
      change(stateOf(entry));
      await entry.loop.stop(changeGraceMs);
      const before = stateOf(entry);
      let after = before;
      try {
        after = change(before);
        const settings = writeSettings(id, after.settings, this.#options.sealer);
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
    const webhook = showWebhook(id, settings, loop.progress, this.#options.clock.now());
    if (!isLocked(settings)) return webhook;
    return { ...webhook, standing: { kind: "disabled", cause: "sealed", atMs: this.#startedAtMs } };
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

  /** Told to everyone who reads the log, other webhooks among them. */
  async #tellDisabled(id: string, { app = "*" }: WebhookSettings, cause: DisabledCause): Promise<void> {
    const { store, clock, logger } = this.#options;
    logger.warn({ webhook: id, cause }, "a webhook is disabled");
    const data = JSON.stringify({ webhook: id, cause });
    await store.appendEvents([{ app, type: "webhook.disabled", data }], clock.now());
  }
}

function stateOf({ settings, loop }: Entry): WebhookState {
  return { settings, progress: loop.progress };
}

const lockedText =
  "The secret of this webhook was sealed with another key, so that nothing can be signed and nothing is sent; its place in the log is " +
  "kept. Put that key back (webhooks.key in the data folder, or CARILLON_WEBHOOKS_SEALING_KEY) and start again, or rotate it to get a " +
  "new secret.";

function userAgentOf(version: string): string {
  return `Carillon/${version}`;
}
