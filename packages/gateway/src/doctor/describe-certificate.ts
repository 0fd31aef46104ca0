import type { X509Certificate } from "node:crypto";
import type { PushCertificate } from "@carillon/apns";

const dayMs = 86_400_000;

/** What a push certificate is for, how long, and who signed it. */
export function describePushCertificate(
  { mainTopic, topics, environments, validUntilMs }: PushCertificate,
  issuer: string,
  nowMs: number,
): string {
  const others = topics.filter((topic) => topic !== mainTopic);
  const forWhat = [mainTopic === undefined ? "no UID" : `UID ${mainTopic}`, ...others].join(", ");
  const where = environments.length === 0 ? "no environment named" : environments.join(" and ");
  const until = validUntilMs === undefined ? "no end that can be read" : describeEnd(validUntilMs, nowMs);
  return `certificate for ${forWhat}; ${where}; ${until}; signed by ${issuer}`;
}

/** "valid until 2027-01-31 (10 days)" */
export function describeEnd(validUntilMs: number, nowMs: number): string {
  const days = Math.floor((validUntilMs - nowMs) / dayMs);
  const date = new Date(validUntilMs).toISOString().slice(0, 10);
  return days < 0 ? `expired on ${date}` : `valid until ${date} (${days} days)`;
}

/** A name that people know a certificate by: its CN, or all of its subject in one line. */
export function nameOf(distinguishedName: string): string {
  const lines = distinguishedName.split("\n");
  const common = lines.find((line) => line.startsWith("CN="));
  return `"${common?.slice(3) ?? lines.join(", ")}"`;
}

/** DNS names and addresses in the certificate's subjectAltName. */
export function hostNamesOf({ subjectAltName = "" }: X509Certificate): readonly string[] {
  return [...subjectAltName.matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)].flatMap(([, name]) => name ?? []);
}
