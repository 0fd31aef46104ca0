import type { Clock, Timer } from "@carillon/apns";
import { appleOid, readPushCertificate } from "./credentials/index.ts";
import type { Devices } from "./devices/index.ts";
import type { History } from "./history/index.ts";
import type { ConnectionHandler, ServerConnection, ServerRequest, TlsClient, Wire } from "./http2/index.ts";
import { StreamAllowance } from "./stream-allowance.ts";
import {
  type Assumptions,
  deviceTokenText,
  findDevice,
  judge,
  ProviderTokenSession,
  type ProviderTokens,
  type PushRequest,
  readPushRequest,
  type Sender,
  topicOf,
  type Verdict,
  writeAnswer,
  writeBody,
} from "./verdict/index.ts";

/** What all connections of one simulator share. */
export interface PushService {
  readonly environment: "sandbox" | "production";
  readonly assumptions: Assumptions;
  readonly history: History;
  readonly devices: Devices;
  readonly providerTokens: ProviderTokens;
  readonly clock: Clock;
}

/** Judges the requests of one connection, answers them and writes them down. */
export class PushConnection implements ConnectionHandler {
  private readonly service: PushService;
  private readonly sender: Sender;
  private readonly number: number;
  private readonly allowance: StreamAllowance;
  private lastRequestMs: number;
  private idleTimer: Timer | undefined;

  constructor(service: PushService, client: TlsClient) {
    this.service = service;
    this.sender = identify(client, service);
    this.number = client.connection;
    this.allowance = new StreamAllowance(this.sender.kind !== "token", service.assumptions.penaltyAfter);
    this.lastRequestMs = service.clock.monotonic();
  }

  get streamLimit(): number {
    return this.allowance.limit;
  }

  /** A certificate of the other environment is not answered at all (`apns-protocol` §4.3). */
  opened(connection: ServerConnection, wire: Wire): void {
    const { assumptions, environment } = this.service;
    if (assumptions.idleTimeoutMs !== undefined && assumptions.idleTimeoutBy === "goaway") {
      this.watchIdle(wire, assumptions.idleTimeoutMs);
    }
    if (this.sender.kind !== "certificate") return;
    const { environments } = this.sender.certificate;
    if (environments.length === 0 || environments.includes(environment)) return;
    connection.goaway(writeBody("BadCertificateEnvironment"), 0);
  }

  closed(): void {
    this.idleTimer?.cancel();
  }

  request(request: ServerRequest, connection: ServerConnection): void {
    const { sender, service } = this;
    const { clock, devices, environment, assumptions } = service;
    const nowMs = clock.now();
    const idleSinceMs = this.lastRequestMs;
    this.lastRequestMs = clock.monotonic();
    const push = readPushRequest(request);
    if (findDevice(push, devices)?.answers === "never") return;
    const court = { nowMs, environment, assumptions, devices, idleMs: this.lastRequestMs - idleSinceMs };
    const verdict = judge(push, sender, court);
    const { status, fields, body } = writeAnswer(verdict, court);
    connection.answer(request.streamId, fields, body);
    this.allowance.answered(status, verdict.isAuthenticated);
    if (connection.streamLimit !== this.allowance.limit) connection.setStreamLimit(this.allowance.limit);
    if (status === 200) this.deliver(push, verdict, nowMs);
    service.history.record({
      atMs: nowMs,
      apnsId: verdict.apnsId,
      deviceToken: deviceTokenText(push.path)?.toLowerCase() || undefined,
      topic: topicOf(push, sender),
      pushType: push.pushType,
      status,
      reason: verdict.refusal?.reason,
      fields: request.fields,
      payload: request.body,
      connection: this.number,
      stream: request.streamId,
    });
  }

  /** Hands an accepted push to its device, if somebody looks at that one. */
  private deliver(push: PushRequest, { apnsId }: Verdict, nowMs: number): void {
    const { assumptions, devices } = this.service;
    const device = findDevice(push, devices);
    if (device === undefined) return;
    if (assumptions.repeatedApnsId === "drop" && device.mailbox.has(apnsId)) return;
    devices.accept(device.deviceToken, {
      apnsId,
      topic: topicOf(push, this.sender) ?? "",
      collapseId: push.collapseId,
      expirationSeconds: push.expiration === undefined ? undefined : Number(push.expiration),
      payload: push.payload,
      atMs: nowMs,
    });
  }

  private watchIdle(wire: Wire, timeoutMs: number): void {
    const { clock } = this.service;
    const leftMs = this.lastRequestMs + timeoutMs - clock.monotonic();
    if (leftMs <= 0) wire.close(writeBody("IdleTimeout"));
    else this.idleTimer = clock.setTimer(() => this.watchIdle(wire, timeoutMs), leftMs);
  }
}

/** Who sends: a client certificate decides, and a provider token counts only without one. */
function identify(client: TlsClient, { assumptions, providerTokens }: PushService): Sender {
  if (client.certificate === undefined) {
    return { kind: "token", session: new ProviderTokenSession(providerTokens) };
  }
  const topicExtensions: string[] = [appleOid.topics, appleOid.voipTopics];
  if (assumptions.extension5 === "topics") topicExtensions.push(appleOid.complicationTopics);
  const certificate = client.isTrusted ? readPushCertificate(client.certificate, topicExtensions) : undefined;
  if (certificate === undefined || certificate.topics.length === 0) return { kind: "bad-certificate" };
  return { kind: "certificate", certificate };
}
