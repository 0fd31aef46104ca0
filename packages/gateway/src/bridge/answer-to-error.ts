import { type Outcome, rejectionReasons } from "@carillon/apns";
import { errorStatus, errorStatusOf } from "@carillon/apns/binary";

/** What an outcome means on a connection of the retired protocol. */
export type WireVerdict =
  /** Nothing is said. */
  | { readonly kind: "taken" }
  /** Nothing is said either: the feedback service tells of it. */
  | { readonly kind: "gone" }
  /** It failed by its own fault: an error response names it. */
  | { readonly kind: "rejected"; readonly status: number; readonly detail: string }
  /** Apple or the way to it failed: the sender is told to come again with it. */
  | { readonly kind: "later"; readonly detail: string };

/** Source of the table: Apple, "Handling notification responses from APNs", held against "Binary Provider API". */
export function readVerdict(outcome: Outcome): WireVerdict {
  switch (outcome.kind) {
    case "accepted":
      return { kind: "taken" };
    case "rejected": {
      const { reason } = outcome;
      const { fault, status: httpStatus } = rejectionReasons[reason];
      if (httpStatus === 410) return { kind: "gone" };
      const detail = `Apple says ${reason}`;
      if (fault === "service" || fault === "pace") return { kind: "later", detail };
      return { kind: "rejected", status: errorStatusOf(reason) ?? errorStatus.processingError, detail };
    }
    case "unrecognized": {
      const { status } = outcome;
      if (status === 410) return { kind: "gone" };
      const detail = `Apple says ${status} ${outcome.reason}`.trim();
      if (status === 429 || status >= 500) return { kind: "later", detail };
      return { kind: "rejected", status: errorStatus.processingError, detail };
    }
    case "unprocessed":
    case "indeterminate":
      return { kind: "later", detail: outcome.detail ?? `no answer (${outcome.cause})` };
  }
}
