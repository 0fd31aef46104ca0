import {
  type ChannelCourt,
  type ChannelRequest,
  type ChannelVerdict,
  carryOut,
  judgeChannelRequest,
  readChannelRequest,
  writeChannelAnswer,
} from "./channels/index.ts";
import type { ServerRequest } from "./http2/index.ts";
import type { PushService } from "./push-service.ts";
import type { Judgement, RequestCase } from "./request-case.ts";
import type { AnswerParts, Sender } from "./verdict/index.ts";

/** A broadcast, or a request about channels. */
export class ChannelCase implements RequestCase {
  readonly deviceToken = "";
  readonly topic: string;
  readonly pushType: string | undefined;
  private readonly service: PushService;
  private readonly request: ServerRequest;
  private readonly asked: ChannelRequest;
  private readonly sender: Sender;
  private readonly at: { readonly connection: number; readonly port: ChannelCourt["port"] };
  private verdict: ChannelVerdict | undefined;
  private atMs = 0;

  constructor(
    service: PushService,
    request: ServerRequest,
    sender: Sender,
    at: { readonly connection: number; readonly port: ChannelCourt["port"] },
  ) {
    this.service = service;
    this.request = request;
    this.asked = readChannelRequest(request);
    this.sender = sender;
    this.at = at;
    this.topic = this.asked.bundleId;
    this.pushType = this.asked.pushType;
  }

  judge(idleMs: number): Judgement {
    const { clock, channels, environment, assumptions, state } = this.service;
    this.atMs = clock.now();
    const serviceRefusal = state.countRequest();
    const about = { environment, assumptions, channels, port: this.at.port };
    const court = { nowMs: this.atMs, ...about, serviceRefusal, idleMs };
    const verdict = judgeChannelRequest(this.asked, this.sender, court);
    this.verdict = verdict;
    return {
      parts: writeChannelAnswer(this.asked, verdict, court),
      isAuthenticated: verdict.isAuthenticated,
    };
  }

  settle({ status, reason }: Pick<AnswerParts, "status" | "reason">, answer: "sent" | "withheld"): void {
    const { asked, verdict, atMs, request, service, at } = this;
    if (verdict === undefined) return;
    const { requestId, channelId } = verdict;
    if (status < 300) carryOut(asked, verdict, { channels: service.channels, nowMs: atMs });
    service.history.record({
      kind: asked.resource === "broadcast" ? "broadcast" : "channels",
      protocol: "http/2",
      ...{ atMs, apnsId: requestId, status, reason, answer, channelId },
      deviceToken: undefined,
      topic: this.topic,
      pushType: this.pushType,
      fields: request.fields,
      payload: request.body,
      connection: at.connection,
      stream: request.streamId,
    });
  }
}
