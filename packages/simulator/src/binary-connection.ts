import { randomUUID } from "node:crypto";
import { type RejectionReason, rejectionReasons } from "@carillon/apns";
import {
  errorStatus,
  errorStatusOf,
  type MalformedFrame,
  type ReceivedNotification,
  reasonOfErrorStatus,
} from "@carillon/apns/binary";
import { GatewayConnection } from "./binary/index.ts";
import { BinaryFaults, type BinaryRequestAtHand } from "./binary-faults.ts";
import { changeAnswer } from "./change-answer.ts";
import { ConnectionFaults } from "./connection-faults.ts";
import type { Connection, ConnectionSource, Port } from "./connections/index.ts";
import { identify, isForEnvironment } from "./identify.ts";
import { PushCase } from "./push-case.ts";
import type { PushService } from "./push-service.ts";
import { readBinaryPush } from "./received-push.ts";
import type { FaultAnswer } from "./scenario/index.ts";
import type { AnswerParts, Sender } from "./verdict/index.ts";
import type { Speaker, TlsClient, Wire } from "./wire/index.ts";

/** VoIP certificates were allowed twice as much. */
const mostVoipPayloadBytes = 4096;

/** Refusals of which the gateway had no word: the notification was dropped. */
const untold: readonly (string | undefined)[] = ["TooManyRequests"];

/** A connection of the binary gateway: judges notifications, says what the gateway would say, and writes them down. */
export class BinaryConnection implements Speaker, ConnectionSource {
  /** As long as old clients waited for a late error before they closed. */
  readonly lingerMs = 2500;
  private readonly service: PushService;
  private readonly sender: Sender;
  private readonly topic: string | undefined;
  private readonly number: number;
  private readonly port: Port;
  private readonly tls: string;
  private readonly openedAtMs: number;
  private closedAtMs: number | undefined;
  private fault: string | undefined;
  private readonly commands = [0, 0, 0];
  private frames = 0;
  /** Of the last notification that was taken. */
  private lastIdentifier: number | undefined;
  private readonly gateway: GatewayConnection;
  private endShutdownWatch: (() => void) | undefined;
  private faults: ConnectionFaults<BinaryRequestAtHand> | undefined;

  constructor(service: PushService, client: TlsClient, port: Port) {
    this.service = service;
    this.sender = identify(client, service);
    this.topic = this.sender.kind === "certificate" ? this.sender.certificate.mainTopic : undefined;
    this.number = client.connection;
    this.port = port;
    this.tls = client.tls;
    this.openedAtMs = service.clock.now();
    const limit = service.assumptions.binaryPayloadLimitBytes;
    this.gateway = new GatewayConnection(
      { notification: (received) => this.take(received), malformed: (frame) => this.refuseFrame(frame) },
      this.topic?.endsWith(".voip") === true ? Math.max(limit, mostVoipPayloadBytes) : limit,
    );
  }

  get hasSaidAll(): boolean {
    return this.gateway.hasSaidAll;
  }

  get report(): Connection {
    const { number, port, openedAtMs, closedAtMs, tls, fault, sender } = this;
    const frames: Record<string, number> = {};
    for (const [command, count] of this.commands.entries())
      if (count > 0) frames[`command ${command}`] = count;
    return {
      ...{ number, port, protocol: "binary", openedAtMs, closedAtMs, tls, sender: sender.kind },
      ...{
        requests: this.frames,
        applied: [...(this.faults?.applied ?? [])],
        frames,
        pings: 0,
        settings: {},
        goaways: [],
        providerTokens: [],
        fault,
      },
    };
  }

  /** Who is not let in is not told why; the gateway closed right after the handshake (`apns-protocol` §7.6). */
  opened(wire: Wire): void {
    const { service, gateway } = this;
    service.connections.opened(this.number, this);
    if (!this.isWelcome || service.state.goesDown) {
      gateway.end();
      return;
    }
    const binary = new BinaryFaults(gateway, () => this.lastIdentifier);
    this.faults = new ConnectionFaults(service, this.number, wire, binary);
    this.faults.opened();
    this.endShutdownWatch = service.state.onShutdown(() => {
      this.sayGoodbye();
      wire.flush();
    });
  }

  receive(chunk: Buffer): void {
    this.gateway.receive(chunk);
  }

  takeOutput(): Buffer | undefined {
    return this.gateway.takeOutput();
  }

  /** Shutdown, with the last notification that was taken; without one there is nothing to name. */
  sayGoodbye(): void {
    const { gateway, lastIdentifier } = this;
    if (lastIdentifier === undefined || !gateway.isOpen) gateway.end();
    else gateway.fail({ status: errorStatus.shutdown, identifier: lastIdentifier });
  }

  closed(): void {
    this.closedAtMs = this.service.clock.now();
    this.service.connections.ended(this.number);
    this.faults?.closed();
    this.endShutdownWatch?.();
  }

  private get isWelcome(): boolean {
    const { sender, service } = this;
    if (sender.kind !== "certificate" || this.topic === undefined) return false;
    return (
      service.assumptions.binaryOtherEnvironment === "accept" ||
      isForEnvironment(sender.certificate, service.environment)
    );
  }

  /** Lets the scenario speak first. */
  private take(received: ReceivedNotification): void {
    const { service, sender, faults, gateway } = this;
    this.countFrame(received.command);
    const push = readBinaryPush(received, this.topic, this.frames, service.assumptions);
    const about = new PushCase(service, push, sender, this.number);
    if (about.isForSilentDevice) return;
    if (faults?.count() !== true) {
      this.tell(received, this.settle(received, about, undefined));
      return;
    }
    let refusal: number | "none" | undefined;
    faults.request(about, {
      stream: this.frames,
      identifier: received.notification.identifier ?? 0,
      get isOpen() {
        return !gateway.hasSaidAll;
      },
      // What is at fault is known at once: what comes behind it is discarded though the answer is late.
      delayed: (changes) => {
        refusal = this.settle(received, about, changes) ?? "none";
        if (refusal !== "none") gateway.refuse();
      },
      answer: (changes) => {
        refusal ??= this.settle(received, about, changes) ?? "none";
        this.tell(received, refusal === "none" ? undefined : refusal);
      },
      processOnly: () => about.settle(about.judge(0).parts, "withheld"),
    });
  }

  /** Judges a notification and writes it down. The status that is to be told, undefined where nothing is. */
  private settle(
    { command, notification }: ReceivedNotification,
    about: PushCase,
    changes: FaultAnswer | undefined,
  ): number | undefined {
    const usual = about.judge(0).parts;
    const given = changes === undefined ? usual : changeAnswer(usual, changes);
    const status = statusFor(given);
    const isDropped = status !== undefined && this.isDropped(command, status);
    about.settle(given, isDropped ? "withheld" : "sent");
    if (status === undefined) this.lastIdentifier = notification.identifier ?? this.lastIdentifier;
    return isDropped ? undefined : status;
  }

  /** Command 0 has no identifier: its connection just ended. */
  private tell({ command, notification }: ReceivedNotification, status: number | undefined): void {
    if (status === undefined) return;
    const isClosed = command === 0 && this.service.assumptions.binarySimpleRefusal === "close";
    if (isClosed) this.gateway.end();
    else this.gateway.fail({ status, identifier: notification.identifier ?? 0 });
  }

  private isDropped(command: number, status: number): boolean {
    const { binarySimpleRefusal, binaryBadToken } = this.service.assumptions;
    if (status === errorStatus.invalidToken && binaryBadToken === "drop") return true;
    return command === 0 && binarySimpleRefusal === "drop";
  }

  private refuseFrame({ status, identifier, deviceToken, detail }: MalformedFrame): void {
    const { assumptions, clock, history } = this.service;
    const reason = reasonOfErrorStatus(status);
    this.frames += 1;
    if (reason === undefined) this.fault = detail;
    else {
      history.record({
        ...{
          kind: "push",
          protocol: "binary",
          atMs: clock.now(),
          apnsId: randomUUID().toUpperCase(),
          answer: "sent",
        },
        ...{ deviceToken: deviceToken?.toString("hex"), topic: this.topic, pushType: undefined },
        ...{ channelId: undefined, status: rejectionReasons[reason].status, reason, payload: noBytes },
        fields: identifier === undefined ? [] : ["binary-identifier", String(identifier)],
        ...{ connection: this.number, stream: this.frames },
      });
    }
    const isEmptyToken = status === errorStatus.missingDeviceToken;
    const isEchoed = !isEmptyToken || assumptions.binaryEmptyToken === "echo";
    this.gateway.fail({ status, identifier: isEchoed ? (identifier ?? 0) : 0 });
  }

  private countFrame(command: number): void {
    this.frames += 1;
    this.commands[command] = this.commands[command]! + 1;
  }
}

const noBytes = Buffer.alloc(0);

/** The status of an error response; undefined where the gateway says nothing. */
function statusFor({ status, reason }: Pick<AnswerParts, "status" | "reason">): number | undefined {
  if (status === 200 || untold.includes(reason)) return undefined;
  if (reason !== undefined && Object.hasOwn(rejectionReasons, reason))
    return errorStatusOf(reason as RejectionReason);
  return errorStatus.processingError;
}
