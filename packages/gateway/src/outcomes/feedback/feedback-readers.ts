import type { FeedbackReaderStore, VerdictStore } from "../../store/index.ts";

/** A device token that is gone. */
interface GoneToken {
  /** Lower-case hex. */
  readonly deviceToken: string;
  readonly goneSinceMs: number;
}

/** What the retired feedback service tells: device tokens that are gone, to one reader of an app and environment, once. */
export class FeedbackReaders {
  readonly #store: VerdictStore & FeedbackReaderStore;

  constructor(store: VerdictStore & FeedbackReaderStore) {
    this.#store = store;
  }

  readUpTo(app: string, environment: string): Promise<number> {
    return this.#store.feedbackReadUpTo(app, environment);
  }

  /** Looks at `limit` verdicts behind a cursor; those that say something else are passed over. */
  async list(
    app: string,
    environment: string,
    after: number,
    limit: number,
  ): Promise<{ tokens: readonly GoneToken[]; cursor: number }> {
    const verdicts = await this.#store.listVerdicts(app, after, limit);
    const tokens = verdicts.flatMap(({ environment: where, verdict, deviceToken, sinceMs }) =>
      where === environment && verdict === "gone" && sinceMs !== undefined
        ? [{ deviceToken, goneSinceMs: sinceMs }]
        : [],
    );
    return { tokens, cursor: verdicts.at(-1)?.cursor ?? after };
  }

  markRead(app: string, environment: string, cursor: number): Promise<void> {
    return this.#store.markFeedbackRead(app, environment, cursor);
  }
}
