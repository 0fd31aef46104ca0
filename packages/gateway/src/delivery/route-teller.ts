import type { Outcome } from "@carillon/apns";
import type { Note } from "../store/index.ts";
import type { HoldCause } from "./settlement.ts";

/** How a notification ended that was not accepted. */
export interface Ending {
  readonly id: string;
  readonly status: "rejected" | "expired" | "unknown";
  readonly reason?: string;
  /** The last answer; absent where none decided. */
  readonly outcome?: Outcome;
  readonly deviceToken: string;
  readonly reference?: string;
  /** The caller's own id. */
  readonly apnsId?: string;
  /** When the device last registered, as the sender says; epoch milliseconds. */
  readonly registeredAtMs?: number;
}

/** Puts into words what happens on one route, for those who ask later. */
export interface RouteTeller {
  /** Apple took one at `atMs`, epoch milliseconds. Called for each of them, so it must cost next to nothing. */
  accepted(deviceToken: string, atMs: number, isFirstAttempt: boolean): void;
  /** A device registered at this moment, epoch milliseconds, as somebody says who submits for it. */
  registered(deviceToken: string, atMs: number): void;
  /** Gives what is to be written down with the note. */
  ended(ending: Ending): Pick<Note, "events" | "verdict" | "restorations">;
  /** It is to be tried again. */
  retrying(outcome: Outcome, isFirstAttempt: boolean): void;
  /** A device token that this environment did not know is known in the other one. */
  foundElsewhere(): void;
  /** The route came to a stop. */
  held(cause: HoldCause, detail: string): void;
  /** It goes on. */
  released(): void;
}

/** For a delivery of which nobody asks anything. */
export const silentTeller: RouteTeller = {
  accepted() {},
  registered() {},
  ended: () => ({}),
  retrying() {},
  foundElsewhere() {},
  held() {},
  released() {},
};
