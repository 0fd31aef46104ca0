import { findField } from "../response/index.ts";
import type { Carried, ChannelRequest } from "./channel-request.ts";
import type {
  BroadcastOutcome,
  ChannelFailure,
  ChannelRequested,
  ChannelStorage,
  CreateChannelOutcome,
  DeleteChannelOutcome,
  ListChannelsOutcome,
  ReadChannelOutcome,
} from "./channel-results.ts";

const mostShownCharacters = 200;

/** 201 with the id in `apns-channel-id`. */
export function readCreated(request: ChannelRequest, carried: Carried): CreateChannelOutcome {
  return readSuccess(request, carried, (about, { fields }) => {
    const channelId = findField(fields, "apns-channel-id");
    return channelId === undefined || channelId === "" ? undefined : { kind: "created", channelId, ...about };
  });
}

/** 200 with `{"message-storage-policy": 0 or 1, "push-type": "LiveActivity"}`. */
export function readChannel(request: ChannelRequest, carried: Carried): ReadChannelOutcome {
  return readSuccess(request, carried, (about, { body }) => {
    const values = parseObject(body);
    const storage = storages.get(Number(values?.["message-storage-policy"] ?? Number.NaN));
    if (values === undefined || storage === undefined) return undefined;
    const pushType = values["push-type"];
    return { kind: "read", storage, pushType: typeof pushType === "string" ? pushType : "", ...about };
  });
}

/** 200 with `{"channels": ["…", …]}`. */
export function readList(request: ChannelRequest, carried: Carried): ListChannelsOutcome {
  return readSuccess(request, carried, (about, { body }) => {
    // Apple's text promises an empty body, its example and everybody's experience this list; empty is taken for no channels.
    const channels = body.length === 0 ? [] : parseObject(body)?.channels;
    if (!Array.isArray(channels) || !channels.every((each) => typeof each === "string")) return undefined;
    return { kind: "listed", channelIds: channels, ...about };
  });
}

export function readDeleted(request: ChannelRequest, carried: Carried): DeleteChannelOutcome {
  return readSuccess(request, carried, (about) => ({ kind: "deleted", ...about }));
}

export function readBroadcast(request: ChannelRequest, carried: Carried): BroadcastOutcome {
  return readSuccess(request, carried, (about) => ({ kind: "accepted", ...about }));
}

const storages: ReadonlyMap<number, ChannelStorage> = new Map([
  [0, "none"],
  [1, "most-recent"],
]);

/** A success read by `read`; one that it cannot make sense of is `unrecognized`, with the start of what came. */
function readSuccess<Success>(
  request: ChannelRequest,
  { outcome, answer }: Carried,
  read: (about: ChannelRequested, answer: NonNullable<Carried["answer"]>) => Success | undefined,
): Success | ChannelFailure {
  const { apnsId: _, ...rest } = outcome;
  const about = { requestId: request.requestId, attempts: outcome.attempts };
  if (rest.kind !== "accepted") return { ...rest, ...about };
  const success = answer && read(about, answer);
  if (success !== undefined) return success;
  const status = Number(findField(answer?.fields ?? [], ":status") ?? 200);
  const reason = Buffer.from(answer?.body ?? []).toString("utf8", 0, mostShownCharacters);
  return { kind: "unrecognized", status, reason, ...about };
}

function parseObject(body: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // what came is shown by the caller
  }
}
