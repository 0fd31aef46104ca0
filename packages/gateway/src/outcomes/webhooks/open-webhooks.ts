import { systemClock } from "@carillon/apns";
import { defaultCallLimits } from "./receiver.ts";
import { dnsResolver } from "./receiver-names.ts";
import { defaultSchedule } from "./retry-schedule.ts";
import { Webhooks } from "./webhooks.ts";
import type { WebhookLimits, WebhooksOptions } from "./webhooks-options.ts";

const mebibyte = 1024 * 1024;

export const defaultWebhookLimits: WebhookLimits = {
  webhooks: 100,
  batchBytes: mebibyte,
  mostBatchBytes: 4 * mebibyte,
  allBatchesBytes: 64 * mebibyte,
  gatherMs: 100,
  keepAttempts: 100,
};

export type OpenWebhooksOptions = Pick<
  WebhooksOptions,
  "store" | "events" | "receivers" | "sealer" | "logger" | "version"
>;

/** Goes on with the deliveries that the store knows of. */
export function openWebhooks(options: OpenWebhooksOptions): Promise<Webhooks> {
  return Webhooks.start({
    ...options,
    resolve: dnsResolver(),
    clock: systemClock,
    random: Math.random,
    callLimits: defaultCallLimits,
    schedule: defaultSchedule,
    limits: defaultWebhookLimits,
  });
}
