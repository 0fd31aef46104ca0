import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describeSkew } from "@carillon/apns/credentials";
import { type Finding, sayAbout } from "./finding.ts";

const say = sayAbout("clock");
/** This version did not exist before. */
const notBeforeMs = Date.UTC(2026, 0, 1);
/** File systems over a network have clocks of their own. */
const mostAheadMs = 5 * 60_000;
const mostFiles = 100;
const remedy =
  "Set it right and keep it so (NTP): a provider token that is an hour off is refused, and expiries are wrong.";

/** What can be known of the clock without asking anybody: time does not run backwards. */
export function checkClock(dataDir: string, nowMs: number): Finding {
  const time = new Date(nowMs).toISOString();
  if (nowMs < notBeforeMs) return say.problem(`it is not ${time}: this version did not exist then`, remedy);
  const newestMs = newestIn(dataDir);
  if (newestMs > nowMs + mostAheadMs)
    return say.problem(
      `it shows ${time}, and a file in the data folder was written later: it is likely ${describeSkew(nowMs - newestMs)}`,
      remedy,
    );
  return say.ok(`shows ${time}; nothing says otherwise (without a network that is all that can be known)`);
}

function newestIn(dataDir: string): number {
  if (!existsSync(dataDir)) return 0;
  try {
    const files = readdirSync(dataDir).slice(0, mostFiles);
    return Math.max(0, ...files.map((file) => statSync(join(dataDir, file)).mtimeMs));
  } catch {
    return 0; // what cannot be read is told of by the check of the folder
  }
}
