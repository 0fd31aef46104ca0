import type { Outcome } from "@carillon/apns";
import type { FoundToken } from "../store/index.ts";
import type { Flight } from "./flight.ts";
import type { Ending } from "./route-teller.ts";
import { badDeviceToken, type Verdict } from "./settlement.ts";

/** How it ended, with what the teller is told of it. */
export function endingOf(
  flight: Flight,
  verdict: Extract<Verdict, { kind: Ending["status"] }>,
  outcome: Outcome | undefined,
): Ending {
  const { deviceToken, reference, apnsId, registeredAtMs } = flight.run.reader.entry(flight.place);
  return {
    ...{ id: flight.id, status: verdict.kind, deviceToken },
    ...("reason" in verdict ? { reason: verdict.reason } : {}),
    ...(outcome === undefined ? {} : { outcome }),
    ...(reference === undefined ? {} : { reference }),
    ...(apnsId === undefined ? {} : { apnsId }),
    ...(registeredAtMs === undefined ? {} : { registeredAtMs }),
  };
}

/** Whether the device token belongs to the environment that says so: it is there, or was. */
export function isKnownThere(outcome: Outcome | undefined): boolean {
  return outcome?.kind === "accepted" || (outcome?.kind === "rejected" && outcome.status === 410);
}

/** Where it was sent is where its device token belongs. */
export function foundAt({ deviceToken, route: { app, environment } }: Flight): FoundToken {
  return { app, deviceToken, environment };
}

/** What the first environment said. */
export function unknownToken({ apnsId }: Flight): Outcome {
  return { kind: "rejected", apnsId, attempts: 1, status: 400, reason: badDeviceToken };
}
