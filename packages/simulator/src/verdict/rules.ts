import {
  isUuid,
  parseDeviceToken,
  payloadLimitBytes,
  pushTypeRule,
  type RejectionReason,
} from "@carillon/apns";
import type { Devices } from "../devices/index.ts";
import { deviceTokenText, type PushRequest } from "./push-request.ts";
import type { Sender } from "./sender.ts";

/** What a request is judged by, beside itself. */
export interface Court {
  readonly nowMs: number;
  readonly devices: Devices;
  /** Bundle ids that the team has; undefined lets a token send to any. */
  readonly topics: ReadonlySet<string> | undefined;
}

/** Why a request is refused. */
export interface Refusal {
  readonly reason: RejectionReason;
  /** With 410: since when the device is gone, in milliseconds since 1970. */
  readonly goneSinceMs?: number;
}

export interface Rule {
  readonly name: string;
  check(push: PushRequest, sender: Sender, court: Court): Refusal | RejectionReason | undefined;
}

/** The rules in the order in which they are asked; the first that refuses decides (`apns-protocol` §3.4). */
export const rules: readonly Rule[] = [
  { name: "method", check: (push) => (push.method === "POST" ? undefined : "MethodNotAllowed") },
  { name: "path", check: (push) => (deviceTokenText(push.path) === undefined ? "BadPath" : undefined) },
  {
    name: "authentication",
    check(push, sender, court) {
      switch (sender.kind) {
        case "certificate":
          return undefined;
        case "bad-certificate":
          return "BadCertificate";
        case "token":
          return sender.session.check(push.authorization, court.nowMs);
      }
    },
  },
  {
    name: "duplicate headers",
    check: (push) => (push.duplicate === undefined ? undefined : "DuplicateHeaders"),
  },
  {
    name: "apns-id",
    check: (push) => (push.apnsId === undefined || isUuid(push.apnsId) ? undefined : "BadMessageId"),
  },
  {
    name: "expiration",
    check: (push) =>
      push.expiration === undefined || /^\d{1,19}$/.test(push.expiration) ? undefined : "BadExpirationDate",
  },
  { name: "priority", check: checkPriority },
  {
    name: "collapse id",
    check: (push) =>
      // One character a byte: the fields are read as latin1.
      push.collapseId === undefined || push.collapseId.length <= mostCollapseIdBytes
        ? undefined
        : "BadCollapseId",
  },
  {
    name: "push type",
    check: (push) =>
      push.pushType === undefined || pushTypeRule(push.pushType) !== undefined
        ? undefined
        : "InvalidPushType",
  },
  { name: "topic", check: checkTopic },
  { name: "payload empty", check: (push) => (push.payloadBytes > 0 ? undefined : "PayloadEmpty") },
  {
    name: "payload size",
    check: (push) =>
      push.payloadBytes > payloadLimitBytes(push.pushType ?? "") ? "PayloadTooLarge" : undefined,
  },
  { name: "device token", check: checkDeviceToken },
  { name: "registration", check: checkRegistration },
];

const mostCollapseIdBytes = 64;

/** 10, 5 or 1, and what the push type takes of these. A header left out passes: libraries leave it out for 10. */
function checkPriority(push: PushRequest): RejectionReason | undefined {
  if (push.priority === undefined || push.priority === "5") return undefined;
  if (push.priority !== "10" && push.priority !== "1") return "BadPriority";
  const allowed = push.pushType === undefined ? undefined : pushTypeRule(push.pushType)?.priorities;
  const priority = push.priority === "10" ? 10 : 1;
  return allowed === undefined || allowed.includes(priority) ? undefined : "BadPriority";
}

/**
 * The topic that a request goes to: the header, or what a certificate for one topic stands for. Undefined where it must be
 * named and is not.
 */
export function topicOf(push: PushRequest, sender: Sender): string | undefined {
  if (push.topic !== undefined || sender.kind !== "certificate") return push.topic;
  const { topics } = sender.certificate;
  return topics.length === 1 ? topics[0] : undefined;
}

function checkTopic(push: PushRequest, sender: Sender, court: Court): RejectionReason | undefined {
  const topic = topicOf(push, sender);
  if (topic === undefined) return "MissingTopic";
  if (!/^[\w.-]{1,255}$/.test(topic)) return "BadTopic";
  const rule = push.pushType === undefined ? undefined : pushTypeRule(push.pushType);
  const suffix = rule?.topicSuffix ?? "";
  if (!topic.endsWith(suffix)) return "TopicDisallowed";
  const bundleId = topic.slice(0, topic.length - suffix.length);
  const isAllowed =
    sender.kind === "certificate"
      ? sender.certificate.topics.includes(topic) ||
        (rule?.authentication === "any" && suffix !== "" && bundleId === sender.certificate.mainTopic)
      : court.topics === undefined || court.topics.has(bundleId) || isSuffixed(topic, court.topics);
  return isAllowed ? undefined : "TopicDisallowed";
}

/** Whether the topic is one of the team's with a suffix of its own; without a push type the suffix alone tells the kind. */
function isSuffixed(topic: string, topics: ReadonlySet<string>): boolean {
  for (const bundleId of topics) if (topic.startsWith(`${bundleId}.`)) return true;
  return false;
}

function checkDeviceToken(push: PushRequest): RejectionReason | undefined {
  const text = deviceTokenText(push.path) ?? "";
  if (text === "") return "MissingDeviceToken";
  return parseDeviceToken(text) === undefined ? "BadDeviceToken" : undefined;
}

function checkRegistration(push: PushRequest, _sender: Sender, court: Court): Refusal | undefined {
  const device = court.devices.find((deviceTokenText(push.path) ?? "").toLowerCase());
  return device && { reason: device.reason, goneSinceMs: device.sinceMs };
}
