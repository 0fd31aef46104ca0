import { type Carried, type ChannelRequest, channelFields } from "../channels/index.ts";
import type { ReceivedResponse } from "../http2/index.ts";
import type { PreparedNotification } from "../notification/index.ts";
import type { Exchange } from "./job.ts";

/** A request about channels, dressed as a job of the pool: it waits, is tried again and is given back as a notification is. */
export class ChannelExchange implements Exchange {
  readonly notification: PreparedNotification;
  /** The last answer. */
  answer: Carried["answer"];
  private readonly request: ChannelRequest;

  constructor(request: ChannelRequest) {
    this.request = request;
    this.notification = {
      // What is held back together when APNs says TooManyRequests.
      deviceToken: request.channelId ?? "",
      payload: request.payload,
      payloadBytes: request.payloadBytes,
      topic: undefined,
      pushType: request.pushType,
      priority: request.priority,
      expirationSeconds: request.expirationSeconds,
      collapseId: undefined,
      apnsId: request.requestId,
      delivery: request.delivery,
    };
  }

  fields(authority: string, authorization: string | undefined): string[] {
    return channelFields(this.request, authority, authorization);
  }

  answered({ fields, body }: ReceivedResponse): void {
    this.answer = { fields, body };
  }
}
