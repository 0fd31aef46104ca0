import { randomUUID } from "node:crypto";
import { isUuid, type RejectionReason, rejectionReasons } from "@carillon/apns";
import { type AnswerParts, type Sender, writeBody } from "../verdict/index.ts";
import type { ChannelRequest } from "./channel-request.ts";
import { type ChannelCourt, channelRules, readStorage } from "./channel-rules.ts";
import { makeChannelId } from "./channels.ts";

/** What is said to one request about channels. */
export interface ChannelVerdict {
  /** The sender's, or one made here, in upper case as Apple's ids. */
  readonly requestId: string;
  readonly refusal: RejectionReason | undefined;
  /** Whether the request had proved who it is from, refused or not. */
  readonly isAuthenticated: boolean;
  /** The channel that comes to be, goes or is spoken to. */
  readonly channelId: string | undefined;
}

/** Asks the rules in their order. Nothing changes by it. */
export function judgeChannelRequest(
  request: ChannelRequest,
  sender: Sender,
  court: ChannelCourt,
): ChannelVerdict {
  const { requestId: sent, channelId, resource, method } = request;
  const requestId = sent !== undefined && isUuid(sent) ? sent : randomUUID().toUpperCase();
  let isAuthenticated = false;
  for (const rule of channelRules) {
    const refusal = rule.check(request, sender, court);
    if (refusal !== undefined) return { requestId, refusal, isAuthenticated, channelId };
    if (rule.name === "authentication") isAuthenticated = true;
  }
  const isNew = resource === "channels" && method === "POST";
  const about = isNew ? makeChannelId() : channelId;
  return { requestId, refusal: undefined, isAuthenticated, channelId: about };
}

/** The answer in Apple's form (`apns-protocol` §5.1, §5.2). */
export function writeChannelAnswer(
  request: ChannelRequest,
  verdict: ChannelVerdict,
  { assumptions, channels }: Pick<ChannelCourt, "assumptions" | "channels">,
): AnswerParts {
  const { requestId, refusal, channelId = "" } = verdict;
  const about = ["apns-request-id", requestId];
  if (refusal !== undefined) {
    const { status } = rejectionReasons[refusal];
    const { contentType, retryAfterSeconds } = assumptions;
    if (contentType !== undefined) about.push("content-type", contentType);
    if (retryAfterSeconds !== undefined && (status === 429 || status === 503)) {
      about.push("retry-after", String(retryAfterSeconds));
    }
    const fields = [":status", String(status), ...about];
    return { status, reason: refusal, fields, body: writeBody(refusal) };
  }
  switch (`${request.method} ${request.resource}`) {
    case "POST channels":
      return success(201, [...about, "apns-channel-id", channelId]);
    case "DELETE channels":
      return success(204, about);
    case "GET channels": {
      const policy = channels.find(request.bundleId, channelId)?.storage === "most-recent" ? 1 : 0;
      return success(200, about, { "message-storage-policy": policy, "push-type": "LiveActivity" });
    }
    case "GET all-channels":
      return success(200, about, { channels: channels.list(request.bundleId) });
    default:
      return success(200, about);
  }
}

function success(status: number, about: readonly string[], value?: object): AnswerParts {
  const body = value && Buffer.from(JSON.stringify(value));
  const content = body === undefined ? [] : ["content-type", "application/json"];
  return { status, reason: undefined, fields: [":status", String(status), ...about, ...content], body };
}

/** Does what an answered request asks for. */
export function carryOut(
  request: ChannelRequest,
  { requestId, channelId = "" }: ChannelVerdict,
  { channels, nowMs }: Pick<ChannelCourt, "channels" | "nowMs">,
): void {
  const { bundleId, body } = request;
  switch (`${request.method} ${request.resource}`) {
    case "POST channels": {
      const storage = readStorage(body);
      if (storage !== undefined && channels.hasRoom(bundleId)) channels.create(bundleId, storage, channelId);
      break;
    }
    case "DELETE channels":
      channels.delete(bundleId, channelId);
      break;
    case "POST broadcast":
      channels.accept(bundleId, channelId, {
        ...{ requestId, payload: Buffer.from(body), atMs: nowMs },
        expirationSeconds: Number(request.expiration),
      });
      break;
  }
}
