/**
 * What APNs asks of one push type.
 * Source: Apple, "Sending notification requests to APNs", tables of push types and of priorities.
 */
export interface PushTypeRule {
  /** What the topic has behind the bundle id; "" where it is the bundle id itself. */
  readonly topicSuffix: string;
  /** Priorities that APNs takes. */
  readonly priorities: readonly Priority[];
  /** The priority a sender gets who names none; undefined leaves the header out, which means 10. */
  readonly defaultPriority?: Priority;
  /** "token": APNs refuses certificates. "certificate": it wants the MDM push certificate. */
  readonly authentication: "any" | "token" | "certificate";
  /** Largest payload in bytes. */
  readonly payloadLimitBytes: number;
}

/** 10: now. 5: as the device's power allows. 1: power above all, never wakes the device. */
export type Priority = 10 | 5 | 1;

export const priorities: readonly Priority[] = [10, 5, 1];

const ordinaryLimitBytes = 4096;

/** The eleven push types that Apple documents. APNs may know more: an unknown one is passed through. */
export const pushTypes = {
  alert: { topicSuffix: "", priorities, authentication: "any", payloadLimitBytes: ordinaryLimitBytes },
  background: {
    topicSuffix: "",
    priorities: [5, 1],
    defaultPriority: 5,
    authentication: "any",
    payloadLimitBytes: ordinaryLimitBytes,
  },
  complication: {
    topicSuffix: ".complication",
    priorities,
    authentication: "any",
    payloadLimitBytes: ordinaryLimitBytes,
  },
  controls: {
    topicSuffix: ".push-type.controls",
    priorities,
    authentication: "token",
    payloadLimitBytes: ordinaryLimitBytes,
  },
  fileprovider: {
    topicSuffix: ".pushkit.fileprovider",
    priorities,
    authentication: "token",
    payloadLimitBytes: ordinaryLimitBytes,
  },
  liveactivity: {
    topicSuffix: ".push-type.liveactivity",
    priorities,
    authentication: "any",
    payloadLimitBytes: ordinaryLimitBytes,
  },
  location: {
    topicSuffix: ".location-query",
    priorities,
    authentication: "token",
    payloadLimitBytes: ordinaryLimitBytes,
  },
  mdm: { topicSuffix: "", priorities, authentication: "certificate", payloadLimitBytes: ordinaryLimitBytes },
  pushtotalk: {
    topicSuffix: ".voip-ptt",
    priorities,
    authentication: "any",
    payloadLimitBytes: ordinaryLimitBytes,
  },
  voip: { topicSuffix: ".voip", priorities, authentication: "any", payloadLimitBytes: 5120 },
  widgets: {
    topicSuffix: ".push-type.widgets",
    priorities,
    authentication: "token",
    payloadLimitBytes: ordinaryLimitBytes,
  },
} as const satisfies Record<string, PushTypeRule>;

/** A documented push type; other strings are allowed where this type is used with `(string & {})`. */
export type PushType = keyof typeof pushTypes;

/** The rule of a push type, or undefined for one that Apple added after us. */
export function pushTypeRule(pushType: string): PushTypeRule | undefined {
  return Object.hasOwn(pushTypes, pushType) ? pushTypes[pushType as PushType] : undefined;
}

/** Largest payload of a push type in bytes; that of ordinary ones where the type is unknown. */
export function payloadLimitBytes(pushType: string): number {
  return pushTypeRule(pushType)?.payloadLimitBytes ?? ordinaryLimitBytes;
}
