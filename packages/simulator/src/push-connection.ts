import type { Clock, Timer } from "@carillon/apns";
import { type ChangedAnswer, changeAnswer } from "./change-answer.ts";
import { ConnectionFaults } from "./connection-faults.ts";
import { appleOid, readPushCertificate } from "./credentials/index.ts";
import type { Devices } from "./devices/index.ts";
import type { History } from "./history/index.ts";
import type { ConnectionHandler, ServerConnection, ServerRequest, TlsClient, Wire } from "./http2/index.ts";
import type { FaultAnswer, ScenarioRun } from "./scenario/index.ts";
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
  /** What goes wrong; it may be changed at any time. */
  readonly scenario: { run: ScenarioRun | undefined };
}

/** Judges the requests of one connection, answers them and writes them down. */
export class PushConnection implements ConnectionHandler {
  private readonly service: PushService;
  private readonly sender: Sender;
  private readonly number: number;
  private readonly allowance: StreamAllowance;
  private lastRequestMs: number;
  private idleTimer: Timer | undefined;
  private faults: ConnectionFaults | undefined;

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
    const { assumptions, environment, clock, scenario } = this.service;
    this.faults = new ConnectionFaults(scenario, clock, connection, wire);
    this.faults.opened(this.number);
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
    this.faults?.closed();
  }

  request(request: ServerRequest, connection: ServerConnection): void {
    const { clock, devices } = this.service;
    const idleSinceMs = this.lastRequestMs;
    this.lastRequestMs = clock.monotonic();
    const push = readPushRequest(request);
    if (findDevice(push, devices)?.answers === "never") return;
    const idleMs = this.lastRequestMs - idleSinceMs;
    const about = {
      connection: this.number,
      deviceToken: deviceTokenText(push.path)?.toLowerCase() ?? "",
      topic: topicOf(push, this.sender),
      pushType: push.pushType,
    };
    const atHand = {
      streamId: request.streamId,
      answer: (changes: FaultAnswer | undefined) => this.answer(request, push, idleMs, connection, changes),
      processOnly: () => {
        const { verdict, parts, nowMs } = this.judge(push, idleMs);
        this.writeDown(request, push, verdict, parts, nowMs, "withheld");
      },
    };
    if (this.faults?.request(about, atHand) !== true) atHand.answer(undefined);
  }

  private answer(
    request: ServerRequest,
    push: PushRequest,
    idleMs: number,
    connection: ServerConnection,
    changes: FaultAnswer | undefined,
  ): void {
    const { verdict, parts, nowMs } = this.judge(push, idleMs);
    const changed: ChangedAnswer = changes === undefined ? parts : changeAnswer(parts, changes);
    if (changed.odd === undefined) connection.answer(request.streamId, changed.fields, changed.body);
    else connection.answerOddly(request.streamId, changed.odd);
    this.follow(changed.status, verdict, connection);
    this.writeDown(request, push, verdict, changed, nowMs, "sent");
  }

  private judge(push: PushRequest, idleMs: number) {
    const { clock, devices, environment, assumptions } = this.service;
    const court = { nowMs: clock.now(), environment, assumptions, devices, idleMs };
    const verdict = judge(push, this.sender, court);
    return { verdict, parts: writeAnswer(verdict, court), nowMs: court.nowMs };
  }

  /** The stream limit follows what was answered. */
  private follow(status: number, { isAuthenticated }: Verdict, connection: ServerConnection): void {
    const before = this.allowance.limit;
    this.allowance.answered(status, isAuthenticated);
    if (this.allowance.limit !== before) connection.setStreamLimit(this.allowance.limit);
  }

  private writeDown(
    request: ServerRequest,
    push: PushRequest,
    verdict: Verdict,
    { status, reason }: ChangedAnswer,
    atMs: number,
    answer: "sent" | "withheld",
  ): void {
    if (status === 200) this.deliver(push, verdict, atMs);
    this.service.history.record({
      atMs,
      apnsId: verdict.apnsId,
      deviceToken: deviceTokenText(push.path)?.toLowerCase() || undefined,
      topic: topicOf(push, this.sender),
      pushType: push.pushType,
      status,
      reason,
      answer,
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
