import type { PushCertificate } from "./push-certificate.ts";

/** What a certificate is to be used for. */
export interface CertificateUse {
  /** Undefined where the server is not one of Apple's: then any environment will do. */
  readonly environment: "production" | "sandbox" | undefined;
  /** The bundle id that will be sent to; undefined where each notification names its own. */
  readonly topic: string | undefined;
  readonly nowMs: number;
}

export interface CertificateFindings {
  /** APNs will refuse it. */
  readonly faults: readonly CertificateFinding[];
  /** It works, and somebody should know. */
  readonly warnings: readonly CertificateFinding[];
}

/** Words that stand behind "the certificate". */
export interface CertificateFinding {
  readonly what: string;
  /** What to do about it. */
  readonly remedy: string;
}

const dayMs = 86_400_000;
const warnBeforeMs = 30 * dayMs;
const renew = "make a new one in the developer account";

/** What stands against a certificate before the first connection is made with it. */
export function findCertificateFaults(
  certificate: PushCertificate,
  use: CertificateUse,
): CertificateFindings {
  const { topics, environments, validFromMs, validUntilMs } = certificate;
  const faults: CertificateFinding[] = [];
  const warnings: CertificateFinding[] = [];
  if (validUntilMs !== undefined && use.nowMs > validUntilMs) {
    faults.push({ what: `expired on ${day(validUntilMs)}`, remedy: renew });
  } else if (validUntilMs !== undefined && use.nowMs > validUntilMs - warnBeforeMs) {
    const days = Math.floor((validUntilMs - use.nowMs) / dayMs);
    warnings.push({ what: `expires on ${day(validUntilMs)}, in ${days} days`, remedy: renew });
  }
  if (validFromMs !== undefined && use.nowMs < validFromMs)
    faults.push({
      what: `is valid only from ${day(validFromMs)} on`,
      remedy: "this machine's clock may be behind",
    });
  if (use.environment !== undefined && environments.length > 0 && !environments.includes(use.environment))
    faults.push({
      what: `is for ${environments.join()} and not for ${use.environment}`,
      remedy: "use the other one of the pair",
    });
  if (use.topic !== undefined && topics.length > 0 && !isFor(topics, use.topic))
    faults.push({
      what: `is for ${topics.join(", ")} and not for ${use.topic}`,
      remedy: "use that app's certificate, or its topic",
    });
  if (topics.length === 0)
    warnings.push({
      what: "names no topic in its subject (UID), as Apple's push certificates do",
      remedy: "use one that was made for pushing",
    });
  return { faults, warnings };
}

/** A certificate is for its app and for that app's topics with a suffix. */
function isFor(topics: readonly string[], topic: string): boolean {
  return topics.some((each) => topic === each || topic.startsWith(`${each}.`));
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
