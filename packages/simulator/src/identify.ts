import { appleOid, type PushCertificate, readPushCertificate } from "./credentials/index.ts";
import type { PushService } from "./push-service.ts";
import { ProviderTokenSession, type Sender } from "./verdict/index.ts";
import type { TlsClient } from "./wire/index.ts";

/** Who sends: a client certificate decides, and a provider token counts only without one. */
export function identify(client: TlsClient, { assumptions, providerTokens }: PushService): Sender {
  if (client.certificate === undefined) {
    return { kind: "token", session: new ProviderTokenSession(providerTokens) };
  }
  const topicExtensions: string[] = [appleOid.topics, appleOid.voipTopics];
  if (assumptions.extension5 === "topics") topicExtensions.push(appleOid.complicationTopics);
  const certificate = client.isTrusted ? readPushCertificate(client.certificate, topicExtensions) : undefined;
  if (certificate === undefined || certificate.topics.length === 0) return { kind: "bad-certificate" };
  return { kind: "certificate", certificate };
}

/** Whether a certificate may be used here. One that names no environment is bound to none. */
export function isForEnvironment(
  { environments }: PushCertificate,
  environment: "sandbox" | "production",
): boolean {
  return environments.length === 0 || environments.includes(environment);
}
