import type { Clock } from "@carillon/apns";
import { type Store, StoreFullError } from "../store/index.ts";
import { QueueFullError } from "./delivery-errors.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** Keeps the pauses of apps on disk, and the dispatcher to them. */
export class AppPauses {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #dispatcher: Pick<Dispatcher, "setPauses">;

  constructor(store: Store, clock: Clock, dispatcher: Pick<Dispatcher, "setPauses">) {
    this.#store = store;
    this.#clock = clock;
    this.#dispatcher = dispatcher;
  }

  /** Takes over what stands on disk: another node may have written it. */
  async read(): Promise<void> {
    this.#dispatcher.setPauses(await this.#store.pausedApps());
  }

  /** Resolves when it is on disk and holds. */
  async pause(app: string, reason: string | undefined): Promise<void> {
    const pause = { app, sinceMs: this.#clock.now(), ...(reason === undefined ? {} : { reason }) };
    await this.#store.pauseApp(pause).catch(explainFull);
    await this.read();
  }

  async resume(app: string): Promise<void> {
    await this.#store.resumeApp(app).catch(explainFull);
    await this.read();
  }
}

function explainFull(error: unknown): never {
  throw error instanceof StoreFullError ? new QueueFullError(error.message, 30) : error;
}
