import type { Timer } from "@carillon/apns";
import { type ConnectionError, max31Bit } from "@carillon/apns/http2";
import { type ChangedAnswer, changeAnswer } from "./change-answer.ts";
import { ChannelCase } from "./channel-case.ts";
import { isChannelPath } from "./channels/index.ts";
import { ConnectionFaults, type RequestAtHand } from "./connection-faults.ts";
import type { Connection, ConnectionSource, Port } from "./connections/index.ts";
import type { ConnectionHandler, ServerConnection, ServerRequest } from "./http2/index.ts";
import { Http2Faults } from "./http2-faults.ts";
import { identify, isForEnvironment } from "./identify.ts";
import { PushCase } from "./push-case.ts";
import type { PushService } from "./push-service.ts";
import { readHttp2Push } from "./received-push.ts";
import type { RequestCase } from "./request-case.ts";
import type { FaultAnswer } from "./scenario/index.ts";
import { StreamAllowance } from "./stream-allowance.ts";
import { type Sender, writeBody } from "./verdict/index.ts";
import type { TlsClient, Wire } from "./wire/index.ts";

/** Judges the requests of one connection, answers them and writes them down. */
export class PushConnection implements ConnectionHandler, ConnectionSource {
  private readonly service: PushService;
  private readonly port: Port;
  private readonly sender: Sender;
  private readonly number: number;
  private readonly tls: string;
  private readonly openedAtMs: number;
  private closedAtMs: number | undefined;
  private connection: ServerConnection | undefined;
  private fault: string | undefined;
  private requests = 0;
  private readonly allowance: StreamAllowance;
  private lastRequestMs: number;
  private idleTimer: Timer | undefined;
  private endShutdownWatch: (() => void) | undefined;
  private http2Faults: Http2Faults | undefined;
  private faults: ConnectionFaults<RequestAtHand> | undefined;

  /** @param port "push" takes what is about channels as well; the others take nothing else */
  constructor(service: PushService, client: TlsClient, port: Port = "push") {
    this.service = service;
    this.port = port;
    this.sender = identify(client, service);
    this.number = client.connection;
    this.tls = client.tls;
    this.openedAtMs = service.clock.now();
    this.allowance = new StreamAllowance(this.sender.kind !== "token", service.assumptions.penaltyAfter);
    this.lastRequestMs = service.clock.monotonic();
  }

  get streamLimit(): number {
    return this.allowance.limit;
  }

  /** What is to be told about it. */
  get report(): Connection {
    const { number, port, openedAtMs, closedAtMs, tls, requests, fault, sender } = this;
    const seen = this.connection?.seen ?? { frames: {}, pings: 0, settings: {}, goaways: [] };
    const providerTokens = sender.kind === "token" ? [...sender.session.used] : [];
    return {
      ...{ number, port, protocol: "http/2", openedAtMs, closedAtMs, tls, sender: sender.kind },
      ...{ requests, ...seen, providerTokens, fault, applied: [...(this.faults?.applied ?? [])] },
    };
  }

  /** A certificate of the other environment is not answered at all (`apns-protocol` §4.3). */
  opened(connection: ServerConnection, wire: Wire): void {
    const { assumptions, environment } = this.service;
    this.connection = connection;
    this.service.connections.opened(this.number, this);
    this.http2Faults = new Http2Faults(connection);
    this.faults = new ConnectionFaults(this.service, this.number, wire, this.http2Faults);
    this.faults.opened();
    if (this.service.state.goesDown) {
      connection.goaway(writeBody("Shutdown"), 0);
      return;
    }
    this.endShutdownWatch = this.service.state.onShutdown(() => {
      // What was sent before the client hears of it is still answered.
      connection.goaway(writeBody("Shutdown"), max31Bit);
      wire.flush();
    });
    if (assumptions.idleTimeoutMs !== undefined && assumptions.idleTimeoutBy === "goaway") {
      this.watchIdle(wire, assumptions.idleTimeoutMs);
    }
    if (this.sender.kind !== "certificate") return;
    if (isForEnvironment(this.sender.certificate, environment)) return;
    connection.goaway(writeBody("BadCertificateEnvironment"), 0);
  }

  broken(error: ConnectionError): void {
    this.fault = error.detail;
  }

  closed(): void {
    this.closedAtMs = this.service.clock.now();
    this.service.connections.ended(this.number);
    this.idleTimer?.cancel();
    this.endShutdownWatch?.();
    this.faults?.closed();
  }

  request(request: ServerRequest, connection: ServerConnection): void {
    const { service, sender, number, port } = this;
    const nowMs = service.clock.monotonic();
    const idleMs = nowMs - this.lastRequestMs;
    this.lastRequestMs = nowMs;
    this.requests += 1;
    if (port !== "push" || isChannelPath(pathOf(request))) {
      const at = { connection: number, port: port === "push" ? port : "channels" } as const;
      const about = new ChannelCase(service, request, sender, at);
      this.attend(request.streamId, about, idleMs, connection);
      return;
    }
    const push = new PushCase(service, readHttp2Push(request), sender, number);
    if (!push.isForSilentDevice) this.attend(request.streamId, push, idleMs, connection);
  }

  /** Lets the scenario speak first. */
  private attend(streamId: number, about: RequestCase, idleMs: number, connection: ServerConnection): void {
    const { faults } = this;
    this.http2Faults?.requested(streamId);
    if (faults?.count() !== true) {
      this.answer(streamId, about, idleMs, connection, undefined);
      return;
    }
    const atHand = {
      stream: streamId,
      get isOpen() {
        return connection.isOpen(streamId);
      },
      answer: (changes: FaultAnswer | undefined) => this.answer(streamId, about, idleMs, connection, changes),
      processOnly: () => about.settle(about.judge(idleMs).parts, "withheld"),
    };
    faults.request(about, atHand);
  }

  private answer(
    streamId: number,
    about: RequestCase,
    idleMs: number,
    connection: ServerConnection,
    changes: FaultAnswer | undefined,
  ): void {
    const { parts, isAuthenticated } = about.judge(idleMs);
    const given: ChangedAnswer = changes === undefined ? parts : changeAnswer(parts, changes);
    if (given.odd === undefined) connection.answer(streamId, given.fields, given.body);
    else connection.answerOddly(streamId, given.odd);
    this.follow(given.status, isAuthenticated, connection);
    about.settle(given, "sent");
  }

  /** The stream limit follows what was answered. */
  private follow(status: number, isAuthenticated: boolean, connection: ServerConnection): void {
    const before = this.allowance.limit;
    this.allowance.answered(status, isAuthenticated);
    if (this.allowance.limit !== before) connection.setStreamLimit(this.allowance.limit);
  }

  private watchIdle(wire: Wire, timeoutMs: number): void {
    const { clock } = this.service;
    const leftMs = this.lastRequestMs + timeoutMs - clock.monotonic();
    if (leftMs <= 0) wire.close(writeBody("IdleTimeout"));
    else this.idleTimer = clock.setTimer(() => this.watchIdle(wire, timeoutMs), leftMs);
  }
}

function pathOf({ fields }: ServerRequest): string {
  return fields[fields.indexOf(":path") + 1] ?? "";
}
