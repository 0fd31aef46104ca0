import type { ServerRequest } from "./http2/index.ts";
import type { PushService } from "./push-service.ts";
import type { Judgement, RequestCase } from "./request-case.ts";
import {
  type AnswerParts,
  findDevice,
  judge,
  type PushRequest,
  readPushRequest,
  type Sender,
  topicOf,
  writeAnswer,
} from "./verdict/index.ts";

/** A push to a device. */
export class PushCase implements RequestCase {
  readonly deviceToken: string;
  readonly topic: string | undefined;
  private readonly service: PushService;
  private readonly request: ServerRequest;
  private readonly push: PushRequest;
  private readonly sender: Sender;
  private readonly connection: number;
  private apnsId = "";
  private atMs = 0;

  constructor(service: PushService, request: ServerRequest, sender: Sender, connection: number) {
    this.service = service;
    this.request = request;
    this.push = readPushRequest(request);
    this.sender = sender;
    this.connection = connection;
    this.deviceToken = this.push.deviceToken?.toLowerCase() ?? "";
    this.topic = topicOf(this.push, sender);
  }

  get pushType(): string | undefined {
    return this.push.pushType;
  }

  /** Whether the device is one to whose requests no answer comes. */
  get isForSilentDevice(): boolean {
    return findDevice(this.push, this.service.devices)?.answers === "never";
  }

  judge(idleMs: number): Judgement {
    const { clock, devices, environment, assumptions, state } = this.service;
    const serviceRefusal = state.countRequest();
    const court = { nowMs: clock.now(), environment, assumptions, devices, serviceRefusal, idleMs };
    const verdict = judge(this.push, this.sender, court);
    this.apnsId = verdict.apnsId;
    this.atMs = court.nowMs;
    return { parts: writeAnswer(verdict, court), isAuthenticated: verdict.isAuthenticated };
  }

  settle({ status, reason }: Pick<AnswerParts, "status" | "reason">, answer: "sent" | "withheld"): void {
    const { request, apnsId, atMs } = this;
    if (status === 200) this.deliver();
    this.service.history.record({
      kind: "push",
      atMs,
      apnsId,
      status,
      reason,
      answer,
      channelId: undefined,
      deviceToken: this.deviceToken || undefined,
      topic: this.topic,
      pushType: this.pushType,
      fields: request.fields,
      payload: request.body,
      connection: this.connection,
      stream: request.streamId,
    });
  }

  /** Hands an accepted push to its device, if somebody looks at that one. */
  private deliver(): void {
    const { push, apnsId, service } = this;
    const { assumptions, devices } = service;
    const device = findDevice(push, devices);
    if (device === undefined) return;
    if (assumptions.repeatedApnsId === "drop" && device.mailbox.has(apnsId)) return;
    devices.accept(device.deviceToken, {
      apnsId,
      topic: this.topic ?? "",
      collapseId: push.collapseId,
      expirationSeconds: push.expiration === undefined ? undefined : Number(push.expiration),
      payload: Buffer.from(push.payload),
      atMs: this.atMs,
    });
  }
}
