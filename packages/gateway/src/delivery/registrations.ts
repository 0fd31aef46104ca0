import { type DraftRun, deviceTokensOf, sharedOf } from "./draft-run.ts";
import type { KnownEnvironments } from "./environment-resolver.ts";
import type { NotificationDraft } from "./notification-draft.ts";
import type { RouteTeller } from "./route-teller.ts";

/**
 * Tells when devices registered, as far as the sender says.
 * @param known where open drafts go that say another environment
 */
export function tellRegistrations(
  drafts: readonly (NotificationDraft | DraftRun)[],
  tellerFor: (environment: string) => RouteTeller,
  known?: KnownEnvironments,
): void {
  for (const draft of drafts) {
    const { registeredAtMs, environment, environmentChoice } = sharedOf(draft);
    if (registeredAtMs === undefined) continue;
    const elsewhere = environmentChoice === "open" ? known : undefined;
    for (const deviceToken of deviceTokensOf(draft))
      tellerFor(elsewhere?.get(deviceToken) ?? environment).registered(deviceToken, registeredAtMs);
  }
}
