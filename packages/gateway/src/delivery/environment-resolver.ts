import type { Store } from "../store/index.ts";
import type { DeliveryLogger } from "./delivery-logger.ts";
import { type DraftRun, deviceTokensOf, sharedOf } from "./draft-run.ts";
import type { Environment, EnvironmentChoice, NotificationDraft } from "./notification-draft.ts";
import type { Route } from "./route.ts";
import type { Situation } from "./settlement.ts";

export interface EnvironmentResolverOptions {
  readonly store: Pick<Store, "findEnvironments">;
  readonly logger: DeliveryLogger;
  /** Whether the app wants it. @default none does */
  resolvesEnvironment?(app: string): boolean;
}

/** Where device tokens are known to belong. */
export type KnownEnvironments = ReadonlyMap<string, Environment>;

/** So many device tokens are looked up in one go, so that the store has time for others in between. */
const lookupSize = 1_000;

/** Finds the environment of device tokens: by what is remembered of them, and else by trying the other one. */
export class EnvironmentResolver {
  readonly #options: EnvironmentResolverOptions;

  constructor(options: EnvironmentResolverOptions) {
    this.#options = options;
  }

  /** Whether any of these may go elsewhere than they say. */
  concerns(drafts: readonly (NotificationDraft | DraftRun)[]): boolean {
    return drafts.some((draft) => sharedOf(draft).environmentChoice === "open");
  }

  /** What is remembered of the device tokens in drafts that are open. */
  async lookUp(app: string, drafts: readonly (NotificationDraft | DraftRun)[]): Promise<KnownEnvironments> {
    const open = drafts.filter((draft) => sharedOf(draft).environmentChoice === "open");
    const deviceTokens = open.flatMap((draft) => [...deviceTokensOf(draft)]);
    const known = new Map<string, Environment>();
    for (let at = 0; at < deviceTokens.length; at += lookupSize) {
      const some = deviceTokens.slice(at, at + lookupSize);
      for (const { deviceToken, environment } of await this.#options.store.findEnvironments(app, some))
        known.set(deviceToken, environment as Environment);
    }
    return known;
  }

  /** What settlement is to know of the other environment. */
  otherOf(choice: EnvironmentChoice, other: () => Route): Situation["otherEnvironment"] {
    if (choice === "fixed") return undefined;
    if (choice === "second") return "refused";
    const there = other();
    const isWanted = this.#options.resolvesEnvironment?.(there.app) === true;
    return isWanted && !there.isClosedToResolving ? "untried" : undefined;
  }

  /** The app's key or certificate is not good there: nothing more is tried there for the other environment's sake. */
  refusedOn(route: Route): void {
    if (route.isClosedToResolving) return;
    route.isClosedToResolving = true;
    const { app, environment } = route;
    this.#options.logger.warn(
      { app, environment },
      "environments cannot be resolved: the app's key or certificate is not good in the other one",
    );
  }
}
