import { clockSkewMs, describeSkew, explainRefusedToken, readProviderToken } from "../credentials/index.ts";
import { type Answer, findField } from "../response/index.ts";
import type { Clock, Logger } from "../runtime/index.ts";

/** A clock that is off is told of once in this time. */
const repeatMs = 10 * 60_000;

/** Compares the clock with the server's, from answers that bear a date, and says when a provider token died of it. */
export class ClockWatch {
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly saidAt = new Map<"skew" | "refusal", number>();
  /** By how much our clock is ahead (negative: behind), as the last answer with a date showed; undefined below a minute. */
  skewMs: number | undefined;

  constructor(clock: Clock, logger: Logger) {
    this.clock = clock;
    this.logger = logger;
  }

  /** Looks at one answer; gives it back, with a detail where the clock explains it. */
  explain(answer: Answer, fields: readonly string[], authorization: string | undefined): Answer {
    const nowMs = this.clock.now();
    const date = findField(fields, "date");
    if (date !== undefined) this.skewMs = clockSkewMs(date, nowMs);
    const { skewMs } = this;
    if (date !== undefined && skewMs !== undefined)
      this.say("skew", `this machine's clock is ${describeSkew(skewMs)} by the server's: set it right`);
    if (answer.kind !== "rejected" || authorization === undefined) return answer;
    const read = readProviderToken(authorization.replace(/^bearer /, ""));
    if (read.kind !== "read") return answer;
    const { issuedAtSeconds } = read.claims;
    const detail = explainRefusedToken({ reason: answer.reason, issuedAtSeconds, skewMs, nowMs });
    if (detail === undefined) return answer;
    this.say("refusal", `APNs answered ${answer.reason}: ${detail}`);
    return { ...answer, detail };
  }

  private say(what: "skew" | "refusal", message: string): void {
    const now = this.clock.monotonic();
    if (now - (this.saidAt.get(what) ?? Number.NEGATIVE_INFINITY) < repeatMs) return;
    this.saidAt.set(what, now);
    this.logger.warn(message);
  }
}
