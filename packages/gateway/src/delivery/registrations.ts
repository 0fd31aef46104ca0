import { type DraftRun, runSpan } from "./draft-run.ts";
import type { NotificationDraft } from "./notification-draft.ts";
import type { RouteTeller } from "./route-teller.ts";

/** Tells when devices registered, as far as the sender says. */
export function tellRegistrations(
  drafts: readonly (NotificationDraft | DraftRun)[],
  tellerFor: (environment: string) => RouteTeller,
): void {
  for (const draft of drafts) {
    const { registeredAtMs, environment } = "spans" in draft ? draft.shared : draft;
    if (registeredAtMs === undefined) continue;
    const teller = tellerFor(environment);
    for (const deviceToken of deviceTokensOf(draft)) teller.registered(deviceToken, registeredAtMs);
  }
}

function deviceTokensOf(draft: NotificationDraft | DraftRun): Iterable<string> {
  return "spans" in draft ? deviceTokensOfRun(draft) : draft.deviceTokens;
}

function* deviceTokensOfRun({ bytes, tokenForm, spans, recipients }: DraftRun): Iterable<string> {
  const encoding = tokenForm === "bytes" ? "hex" : "latin1";
  for (let at = 0; at < recipients * runSpan.size; at += runSpan.size)
    yield bytes
      .toString(encoding, spans[at + runSpan.tokenStart], spans[at + runSpan.tokenEnd])
      .toLowerCase();
}
