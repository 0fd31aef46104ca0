import type { PushService } from "./push-service.ts";
import type { ReceivedPush } from "./received-push.ts";
import type { Judgement, RequestCase } from "./request-case.ts";
import { type AnswerParts, findDevice, judge, type Sender, topicOf, writeAnswer } from "./verdict/index.ts";

/** A push to a device. */
export class PushCase implements RequestCase {
  readonly deviceToken: string;
  readonly topic: string | undefined;
  private readonly service: PushService;
  private readonly received: ReceivedPush;
  private readonly sender: Sender;
  private readonly connection: number;
  private apnsId = "";
  private atMs = 0;

  constructor(service: PushService, received: ReceivedPush, sender: Sender, connection: number) {
    this.service = service;
    this.received = received;
    this.sender = sender;
    this.connection = connection;
    this.deviceToken = received.request.deviceToken?.toLowerCase() ?? "";
    this.topic = topicOf(received.request, sender);
  }

  get pushType(): string | undefined {
    return this.received.request.pushType;
  }

  /** Whether the device is one to whose requests no answer comes. */
  get isForSilentDevice(): boolean {
    return findDevice(this.received.request, this.service.devices)?.answers === "never";
  }

  judge(idleMs: number): Judgement {
    const { clock, devices, environment, assumptions, state } = this.service;
    const serviceRefusal = state.countRequest();
    const court = { nowMs: clock.now(), environment, assumptions, devices, serviceRefusal, idleMs };
    const verdict = judge(this.received.request, this.sender, court);
    this.apnsId = verdict.apnsId;
    this.atMs = court.nowMs;
    return { parts: writeAnswer(verdict, court), isAuthenticated: verdict.isAuthenticated };
  }

  settle({ status, reason }: Pick<AnswerParts, "status" | "reason">, answer: "sent" | "withheld"): void {
    const { received, apnsId, atMs } = this;
    if (status === 200) this.deliver();
    else if (status === 410) this.noteGone();
    this.service.history.record({
      kind: "push",
      protocol: received.protocol,
      atMs,
      apnsId,
      status,
      reason,
      answer,
      channelId: undefined,
      deviceToken: this.deviceToken || undefined,
      topic: this.topic,
      pushType: this.pushType,
      fields: received.fields,
      payload: received.request.payload,
      connection: this.connection,
      stream: received.stream,
    });
  }

  /** Hands an accepted push to its device, if somebody looks at that one. */
  private deliver(): void {
    const { apnsId, service } = this;
    const push = this.received.request;
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

  /** The feedback service will tell of this device. */
  private noteGone(): void {
    const { deviceToken, topic, service, atMs } = this;
    if (topic === undefined) return;
    const goneSinceMs = service.devices.find(deviceToken)?.gone?.sinceMs ?? atMs;
    service.feedback.add({ topic, deviceToken, goneSinceMs });
  }
}
