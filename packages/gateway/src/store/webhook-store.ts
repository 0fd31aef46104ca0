/** An endpoint that is told of events. */
export interface StoredWebhook {
  readonly id: string;
  /** What its operator chose. Opaque to the store. */
  readonly settings: string;
  /** How far delivery got. Opaque to the store. */
  readonly progress: string;
}

/** What changes about one endpoint, stored in one step. What is absent stays. */
export interface WebhookChange {
  readonly id: string;
  readonly settings?: string;
  readonly progress?: string;
  /** One more line of its list of attempts, of which the newest `keepAttempts` stay. Opaque to the store. */
  readonly attempt?: string;
  readonly keepAttempts: number;
}

/** The endpoints of webhooks. Of what is to be delivered nothing is kept here but a place in the event log. */
export interface WebhookStore {
  addWebhook(webhook: StoredWebhook): Promise<void>;
  /** Resolves with false when there is no such endpoint (any more); then nothing was stored. */
  changeWebhook(change: WebhookChange): Promise<boolean>;
  /** With all that is known of it. Resolves with false when there was none. */
  deleteWebhook(id: string): Promise<boolean>;
  /** In the order in which they were added. */
  listWebhooks(): Promise<readonly StoredWebhook[]>;
  /** The newest first. */
  listWebhookAttempts(id: string, limit: number): Promise<readonly string[]>;
}
