import type { LoadedConfig } from "../config/index.ts";
import { checkBridge } from "./check-bridge.ts";
import { checkClock } from "./check-clock.ts";
import { checkConfiguration } from "./check-configuration.ts";
import { checkConnections } from "./check-connections.ts";
import { checkCredentials } from "./check-credentials.ts";
import { checkDataFolder } from "./check-data-folder.ts";
import { checkOwnCertificate, checkSender, type SenderCertificate } from "./check-sender.ts";
import type { Finding } from "./finding.ts";

export interface ExaminationOptions {
  readonly loaded: LoadedConfig;
  /** A certificate of a sender of the binary protocol. */
  readonly sender?: SenderCertificate | undefined;
  /** Opens a connection to where each app sends; so long each may take. Absent: nothing leaves this machine. */
  readonly connectWithinMs?: number | undefined;
  readonly nowMs: number;
}

/** Looks at everything that a gateway needs, in the order in which faults are to be mended. Changes nothing. */
export async function* examine({
  loaded,
  sender,
  connectWithinMs,
  nowMs,
}: ExaminationOptions): AsyncGenerator<Finding> {
  yield* checkConfiguration(loaded);
  const config = loaded.kind === "loaded" ? loaded.config : undefined;
  if (config !== undefined) {
    yield* checkDataFolder(config);
    yield checkClock(config.dataDir, nowMs);
    for (const app of config.apps) {
      yield* checkCredentials(app, nowMs);
      yield* await checkOwnCertificate(app, config);
    }
    yield* checkBridge(config, nowMs);
  }
  if (sender !== undefined) yield* await checkSender(sender, config, nowMs);
  if (config !== undefined && connectWithinMs !== undefined)
    yield* checkConnections(config.apps, connectWithinMs, nowMs);
}
