import { readPushCertificate } from "./credentials/index.ts";
import type { Devices } from "./devices/index.ts";
import type { History } from "./history/index.ts";
import type { ConnectionHandler, ServerConnection, ServerRequest, TlsClient } from "./http2/index.ts";
import {
  deviceTokenText,
  judge,
  ProviderTokenSession,
  type ProviderTokens,
  readPushRequest,
  type Sender,
  topicOf,
  writeAnswer,
  writeBody,
} from "./verdict/index.ts";

/** What all connections of one simulator share. */
export interface PushService {
  readonly environment: "sandbox" | "production";
  readonly history: History;
  readonly devices: Devices;
  readonly providerTokens: ProviderTokens;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Streams at once before a provider token was found valid, and from then on; certificates have the latter at once. */
const streamLimit = { unproven: 1, proven: 1000 } as const;

/** Judges the requests of one connection, answers them and writes them down. */
export class PushConnection implements ConnectionHandler {
  readonly streamLimit: number;
  private readonly service: PushService;
  private readonly sender: Sender;
  private readonly number: number;

  /** @param number counts the simulator's connections from 1 */
  constructor(service: PushService, client: TlsClient, number: number) {
    this.service = service;
    this.sender = identify(client, service.providerTokens);
    this.number = number;
    this.streamLimit = this.sender.kind === "token" ? streamLimit.unproven : streamLimit.proven;
  }

  /** A certificate of the other environment is not answered at all (`apns-protocol` §4.3). */
  opened(connection: ServerConnection): void {
    if (this.sender.kind !== "certificate") return;
    const { environments } = this.sender.certificate;
    if (environments.length === 0 || environments.includes(this.service.environment)) return;
    connection.goaway(writeBody("BadCertificateEnvironment"), 0);
  }

  request(request: ServerRequest, connection: ServerConnection): void {
    const { sender, service } = this;
    const nowMs = service.now();
    const push = readPushRequest(request);
    const verdict = judge(push, sender, { nowMs, devices: service.devices, topics: undefined });
    const { status, fields, body } = writeAnswer(verdict, service.environment);
    connection.answer(request.streamId, fields, body);
    if (verdict.isAuthenticated && connection.streamLimit < streamLimit.proven) {
      connection.setStreamLimit(streamLimit.proven);
    }
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
}

/** Who sends: a client certificate decides, and a provider token counts only without one. */
function identify(client: TlsClient, providerTokens: ProviderTokens): Sender {
  if (client.certificate === undefined) {
    return { kind: "token", session: new ProviderTokenSession(providerTokens) };
  }
  const certificate = client.isTrusted ? readPushCertificate(client.certificate) : undefined;
  if (certificate === undefined || certificate.topics.length === 0) return { kind: "bad-certificate" };
  return { kind: "certificate", certificate };
}
