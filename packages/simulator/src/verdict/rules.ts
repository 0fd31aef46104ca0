import {
  isUuid,
  parseDeviceToken,
  payloadLimitBytes,
  pushTypeRule,
  type RejectionReason,
} from "@carillon/apns";
import { bundleIdOf, type Device, type Devices } from "../devices/index.ts";
import type { Assumptions } from "./assumptions.ts";
import { findPayloadFault } from "./payload-rules.ts";
import type { PushRequest } from "./push-request.ts";
import type { Sender } from "./sender.ts";

/** What a request is judged by, beside itself. */
export interface Court {
  readonly nowMs: number;
  readonly environment: "sandbox" | "production";
  readonly assumptions: Assumptions;
  readonly devices: Devices;
  /** What the service as a whole has to say to it: that it goes down, or is overloaded. */
  readonly serviceRefusal: RejectionReason | undefined;
  /** How long the connection had been without a request before this one. */
  readonly idleMs: number;
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

const all = {
  service: { name: "service", check: (_push, _sender, { serviceRefusal }) => serviceRefusal },
  idle: {
    name: "idle",
    check: (_push, _sender, { assumptions, idleMs }) =>
      assumptions.idleTimeoutBy === "answer" &&
      assumptions.idleTimeoutMs !== undefined &&
      idleMs > assumptions.idleTimeoutMs
        ? "IdleTimeout"
        : undefined,
  },
  method: { name: "method", check: (push) => (push.method === "POST" ? undefined : "MethodNotAllowed") },
  path: {
    name: "path",
    check: (push) => (push.deviceToken === undefined ? "BadPath" : undefined),
  },
  authentication: {
    name: "authentication",
    check(push, sender, court) {
      switch (sender.kind) {
        case "certificate":
          return undefined;
        case "bad-certificate":
          return "BadCertificate";
        case "token":
          return sender.session.check(push.authorization, court);
      }
    },
  },
  duplicate: {
    name: "duplicate headers",
    check: (push) => (push.duplicate === undefined ? undefined : "DuplicateHeaders"),
  },
  apnsId: {
    name: "apns-id",
    check: (push) => (push.apnsId === undefined || isUuid(push.apnsId) ? undefined : "BadMessageId"),
  },
  expiration: {
    name: "expiration",
    check: (push) =>
      push.expiration === undefined || /^\d{1,19}$/.test(push.expiration) ? undefined : "BadExpirationDate",
  },
  priority: { name: "priority", check: checkPriority },
  collapseId: {
    name: "collapse id",
    check: (push) =>
      // One character a byte: the fields are read as latin1.
      push.collapseId === undefined || push.collapseId.length <= mostCollapseIdBytes
        ? undefined
        : "BadCollapseId",
  },
  pushType: { name: "push type", check: checkPushType },
  topic: { name: "topic", check: checkTopic },
  empty: { name: "payload empty", check: (push) => (push.payloadBytes > 0 ? undefined : "PayloadEmpty") },
  size: {
    name: "payload size",
    check: (push) =>
      push.payloadBytes > payloadLimitBytes(push.pushType ?? "") ? "PayloadTooLarge" : undefined,
  },
  content: { name: "payload content", check: checkPayload },
  deviceToken: { name: "device token", check: checkDeviceToken },
  registration: { name: "registration", check: checkRegistration },
  pace: { name: "pace", check: checkPace },
} as const satisfies Record<string, Rule>;

/** The rules in the order in which they are asked; the first that refuses decides (`apns-protocol` §3.4). */
export const ruleOrders: Readonly<Record<Assumptions["order"], readonly Rule[]>> = {
  "apns-protocol": Object.values(all),
  pushy: [
    ...[
      all.service,
      all.idle,
      all.apnsId,
      all.method,
      all.topic,
      all.collapseId,
      all.priority,
      all.pushType,
      all.path,
    ],
    ...[all.deviceToken, all.authentication, all.duplicate, all.expiration, all.empty, all.size, all.content],
    ...[all.registration, all.pace],
  ],
};

const mostCollapseIdBytes = 64;

/** 10, 5 or 1, and what the push type takes of these. A header left out passes: libraries leave it out for 10. */
function checkPriority(push: PushRequest, _sender: Sender, court: Court): RejectionReason | undefined {
  if (push.priority === undefined || push.priority === "5") return undefined;
  if (push.priority !== "10" && push.priority !== "1") return "BadPriority";
  const allowed = push.pushType === undefined ? undefined : pushTypeRule(push.pushType)?.priorities;
  const priority = push.priority === "10" ? 10 : 1;
  return allowed === undefined || allowed.includes(priority)
    ? undefined
    : refusalFor(court.assumptions.backgroundAtPriority10);
}

function checkPushType(
  { pushType }: PushRequest,
  _sender: Sender,
  court: Court,
): RejectionReason | undefined {
  if (pushType === undefined) return refusalFor(court.assumptions.missingPushType);
  return pushTypeRule(pushType) === undefined ? "InvalidPushType" : undefined;
}

function refusalFor(assumed: "accept" | RejectionReason): RejectionReason | undefined {
  return assumed === "accept" ? undefined : assumed;
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
  switch (sender.kind) {
    case "token": {
      if (rule?.authentication === "certificate" && court.assumptions.mdmByToken !== "accept") {
        return court.assumptions.mdmByToken;
      }
      const { topics } = sender.session;
      return topics === undefined || topics.includes(bundleIdOf(topic)) ? undefined : "TopicDisallowed";
    }
    case "certificate": {
      const { certificate } = sender;
      if (push.pushType === "liveactivity" && court.assumptions.liveActivityByCertificate !== "accept") {
        return court.assumptions.liveActivityByCertificate;
      }
      if (certificate.topics.includes(topic)) return undefined;
      const isOfMainTopic = suffix !== "" && bundleIdOf(topic) === certificate.mainTopic;
      return isOfMainTopic && rule?.authentication === "any"
        ? undefined
        : court.assumptions.topicOutsideCertificate;
    }
    case "bad-certificate":
      return undefined;
  }
}

function checkPayload(push: PushRequest, _sender: Sender, court: Court): RejectionReason | undefined {
  const { badJson, contraryPayload } = court.assumptions;
  if (badJson === "accept" && contraryPayload === "accept") return undefined;
  switch (findPayloadFault(push.payload, push.pushType)) {
    case undefined:
      return undefined;
    case "no-json-object":
      return refusalFor(badJson);
    case "contrary":
      return refusalFor(contraryPayload);
  }
}

function checkDeviceToken({ deviceToken: text = "" }: PushRequest): RejectionReason | undefined {
  if (text === "") return "MissingDeviceToken";
  return parseDeviceToken(text) === undefined ? "BadDeviceToken" : undefined;
}

/** The device that the request is for, if something is known about it. */
export function findDevice(push: PushRequest, devices: Devices): Device | undefined {
  return devices.find(push.deviceToken ?? "");
}

function checkRegistration(
  push: PushRequest,
  sender: Sender,
  court: Court,
): Refusal | RejectionReason | undefined {
  const device = findDevice(push, court.devices);
  if (device === undefined) return undefined;
  if (device.environment !== undefined && device.environment !== court.environment) return "BadDeviceToken";
  if (!court.devices.isFor(device, topicOf(push, sender) ?? "")) return "DeviceTokenNotForTopic";
  return device.gone && { reason: device.gone.reason, goneSinceMs: device.gone.sinceMs };
}

function checkPace(push: PushRequest, _sender: Sender, { devices }: Court): RejectionReason | undefined {
  const device = findDevice(push, devices);
  return device === undefined || devices.isInPace(device) ? undefined : "TooManyRequests";
}
