import { makeApnsId } from "./apns-id.ts";
import { isTextDeviceToken } from "./device-token.ts";
import { explainEpochSeconds } from "./epoch-seconds.ts";
import type { Notification, PreparedNotification } from "./notification.ts";
import { isPlainAlert } from "./payload-rules.ts";
import {
  explainCollapseId,
  isUuid,
  type Prepared,
  type PrepareOptions,
  prepareNotification,
} from "./prepare.ts";
import { type PushTypeRule, payloadLimitBytes, pushTypeRule } from "./push-type.ts";

/** What the notification before was addressed to. What only depends on that was found right then. */
interface Route {
  readonly givenTopic: string | undefined;
  readonly givenPushType: string | undefined;
  /** The payload was text or bytes, which tell no push type. */
  readonly isOpaque: boolean;
  readonly topic: string | undefined;
  readonly pushType: string | undefined;
  readonly rule: PushTypeRule | undefined;
  readonly limitBytes: number;
}

/**
 * Prepares one notification after the other under the same options.
 *
 * A hot path (bench/prepare-notification.bench.ts): the usual notification, an alert or a payload in text to the same topic as
 * the one before, is completed without a list of problems or a closure. Whatever is unusual or may be wrong goes to
 * `prepareNotification`, which decides, with the same result for the usual ones.
 */
export class Preparer {
  private readonly options: PrepareOptions;
  private route: Route | undefined;

  /** @param options without `content`: that belongs to one notification */
  constructor(options: Omit<PrepareOptions, "content">) {
    this.options = options;
  }

  prepare(notification: Notification): Prepared {
    const plain = this.route === undefined ? undefined : preparePlain(notification, this.route);
    if (plain !== undefined) return { kind: "prepared", notification: plain };
    const prepared = prepareNotification(notification, this.options);
    if (prepared.kind === "prepared" && prepared.warning === undefined)
      this.route = routeOf(notification, prepared.notification);
    return prepared;
  }
}

function routeOf(given: Notification, prepared: PreparedNotification): Route | undefined {
  const isOpaque = typeof given.payload === "string" || given.payload instanceof Uint8Array;
  const { topic, pushType } = prepared;
  // What an object says decides about the push type; only alerts are recognised by a short look.
  if (!isOpaque && pushType !== "alert") return undefined;
  return {
    givenTopic: given.topic,
    givenPushType: given.pushType,
    isOpaque,
    topic,
    pushType,
    rule: pushType === undefined ? undefined : pushTypeRule(pushType),
    limitBytes: payloadLimitBytes(pushType ?? ""),
  };
}

/** The notification completed, or undefined where it needs a closer look. */
function preparePlain(notification: Notification, route: Route): PreparedNotification | undefined {
  const { deviceToken, payload, priority, expiration, collapseId, apnsId, delivery } = notification;
  const { rule } = route;
  if (notification.topic !== route.givenTopic || notification.pushType !== route.givenPushType)
    return undefined;
  if (!isTextDeviceToken(deviceToken)) return undefined;
  if (priority !== undefined && rule?.priorities.includes(priority) !== true) return undefined;
  if (
    expiration !== undefined &&
    (typeof expiration !== "number" || explainEpochSeconds(expiration) !== undefined)
  )
    return undefined;
  if (collapseId !== undefined && explainCollapseId(collapseId) !== undefined) return undefined;
  if (apnsId !== undefined && !isUuid(apnsId)) return undefined;
  if (delivery !== undefined && delivery !== "at-least-once" && delivery !== "at-most-once") return undefined;
  const isOpaque = typeof payload === "string" || payload instanceof Uint8Array;
  if (isOpaque !== route.isOpaque) return undefined;
  const content = isOpaque ? payload : isPlainAlert(payload) ? write(payload) : undefined;
  if (content === undefined) return undefined;
  const payloadBytes = typeof content === "string" ? Buffer.byteLength(content) : content.length;
  if (payloadBytes === 0 || payloadBytes > route.limitBytes) return undefined;
  return {
    deviceToken,
    payload: content,
    payloadBytes,
    topic: route.topic,
    pushType: route.pushType,
    priority: priority ?? rule?.defaultPriority,
    expirationSeconds: expiration,
    collapseId,
    apnsId: apnsId ?? makeApnsId(),
    delivery: delivery ?? "at-least-once",
  };
}

function write(payload: object): string | undefined {
  try {
    return JSON.stringify(payload);
  } catch {
    return undefined; // the closer look tells why
  }
}
