import type { EventFilter } from "./batch-source.ts";
import type { Standing } from "./retry-schedule.ts";
import { isSecret } from "./signature.ts";

/** What its operator chose. Stored as JSON. */
export interface WebhookSettings extends EventFilter {
  readonly url: string;
  readonly description?: string;
  /** The newest first. */
  readonly secrets: readonly WebhookSecret[];
  readonly createdAtMs: number;
}

export interface WebhookSecret {
  /** As it is sealed, where the key that sealed it is not here. */
  readonly secret: string;
  /** Signs no longer than this, epoch milliseconds; absent: until the next rotation. */
  readonly untilMs?: number;
}

/** How far delivery got. Stored as JSON. */
export interface WebhookProgress {
  /** Everything up to here was delivered. Absent: begin with the oldest that is kept. */
  readonly cursor?: string;
  /** How often it was begun anew: a replay is no repeat, and its messages have ids of their own. */
  readonly replays: number;
  /** What is being delivered: stored before it is sent for the first time. */
  readonly inHand?: { readonly id: string; readonly events: number };
  /** A batch of more bytes was refused as too large. */
  readonly batchBytes?: number;
  readonly standing: Standing;
  readonly deliveredAtMs?: number;
}

/** One line of the delivery list. */
export interface WebhookAttempt {
  /** `skipped`: events were forgotten before they could be delivered. */
  readonly kind: "delivery" | "ping" | "skipped";
  readonly atMs: number;
  readonly webhookId?: string;
  readonly events?: number;
  readonly bytes?: number;
  readonly latencyMs?: number;
  /** The HTTP status, if one came. */
  readonly status?: number;
  readonly isDelivered: boolean;
  /** What went wrong, in words. */
  readonly error?: string;
  readonly nextTryAtMs?: number;
}

/** An endpoint as its operator may see it: without the secrets. */
export interface Webhook extends Omit<WebhookSettings, "secrets"> {
  readonly id: string;
  readonly cursor?: string;
  readonly standing: Standing;
  readonly deliveredAtMs?: number;
  /** The secret before the present one signs until then. */
  readonly previousSecretUntilMs?: number;
}

/** The secrets that sign now: at least one, unless the key that sealed them is not here. */
export function secretsAt({ secrets }: WebhookSettings, nowMs: number): readonly string[] {
  return secrets.flatMap(({ secret, untilMs }) =>
    isSecret(secret) && (untilMs === undefined || untilMs > nowMs) ? [secret] : [],
  );
}

/** Whether it cannot sign, for the key that sealed its secret is not here. */
export function isLocked({ secrets }: WebhookSettings): boolean {
  return secrets.some(({ secret, untilMs }) => untilMs === undefined && !isSecret(secret));
}

/** What its operator may see. */
export function showWebhook(
  id: string,
  { secrets, ...shown }: WebhookSettings,
  { cursor, standing, deliveredAtMs }: WebhookProgress,
  nowMs: number,
): Webhook {
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
