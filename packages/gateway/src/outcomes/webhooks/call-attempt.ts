import type { CallResult } from "./receiver.ts";
import { signMessage } from "./signature.ts";
import { secretsAt, type WebhookAttempt, type WebhookSettings } from "./webhook.ts";

/** What one call says. */
export interface Outgoing {
  readonly id: string;
  readonly body: Uint8Array;
  readonly events: number;
}

/** The headers of a call, signed now. */
export function headersOf(
  message: Outgoing,
  settings: WebhookSettings,
  userAgent: string,
  nowMs: number,
): Record<string, string> {
  const signed = signMessage(secretsAt(settings, nowMs), message, nowMs);
  return { "content-type": "application/json", "user-agent": userAgent, ...signed };
}

/** A call as the delivery list shows it. */
export function attemptOf(message: Outgoing, result: CallResult, nowMs: number): WebhookAttempt {
  const error = explainResult(result);
  return {
    kind: "delivery",
    atMs: nowMs,
    webhookId: message.id,
    events: message.events,
    bytes: message.body.byteLength,
    latencyMs: result.latencyMs,
    isDelivered: error === undefined,
    ...(result.kind === "answered" ? { status: result.status } : {}),
    ...(error === undefined ? {} : { error }),
  };
}

function explainResult(result: CallResult): string | undefined {
  if (result.kind !== "answered") return result.detail;
  const { status } = result;
  if (status >= 200 && status < 300) return undefined;
  if (status >= 300 && status < 400)
    return "It answered with a redirect, which is not followed. Configure the address that it leads to.";
  if (status === 410) return "It answered 410: it wants no more.";
  if (status === 413) return "The body is too large for it.";
  return `It answered ${status}; only 2xx is a delivery.`;
}
