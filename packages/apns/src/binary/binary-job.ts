import type { Outcome } from "../response/index.ts";
import { rejectionReasons } from "../response/index.ts";
import type { BinaryNotification } from "./binary-notification.ts";
import { describeErrorStatus, reasonOfErrorStatus } from "./error-status.ts";

/** One send under way. */
export interface BinaryJob {
  readonly notification: BinaryNotification;
  /** Its name in the outcome; this protocol carries none. */
  readonly apnsId: string;
  /** How often it was written. */
  attempts: number;
  readonly settle: (outcome: Outcome) => void;
}

export function accept({ apnsId, attempts, settle }: BinaryJob): void {
  settle({ kind: "accepted", apnsId, attempts });
}

/** The gateway named it. */
export function reject({ apnsId, attempts, settle }: BinaryJob, status: number): void {
  const reason = reasonOfErrorStatus(status);
  const words = describeErrorStatus(status);
  if (reason === undefined) settle({ kind: "unrecognized", apnsId, attempts, status, reason: words });
  else {
    const detail = `status ${status}: ${words}`;
    settle({ kind: "rejected", apnsId, attempts, status: rejectionReasons[reason].status, reason, detail });
  }
}

/** Written, and nobody can say what became of it. It is not sent again: that may be a duplicate, and the caller chooses. */
export function doubt(
  { apnsId, attempts, settle }: BinaryJob,
  cause: "socket-closed" | "timeout" | "protocol",
  detail: string,
): void {
  settle({ kind: "indeterminate", apnsId, attempts, cause, detail });
}

/** Never written, or thrown away by the gateway each time. */
export function giveBack({ apnsId, attempts, settle }: BinaryJob, detail: string): void {
  settle({ kind: "unprocessed", apnsId, attempts, cause: "not-written", detail });
}
