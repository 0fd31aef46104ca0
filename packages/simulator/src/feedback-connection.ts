import { encodeFeedback } from "@carillon/apns/binary";
import { ConnectionFaults, type RequestAtHand } from "./connection-faults.ts";
import type { Connection, ConnectionSource } from "./connections/index.ts";
import { identify, isForEnvironment } from "./identify.ts";
import type { PushService } from "./push-service.ts";
import type { Sender } from "./verdict/index.ts";
import type { Speaker, TlsClient, Wire } from "./wire/index.ts";

/** Tuples of one write. What is not written when a reader goes away waits for the next one. */
const tuplesPerWrite = 100;

/** A connection of the feedback service: tells at once what waits for the certificate's topic, and closes. */
export class FeedbackConnection implements Speaker, ConnectionSource {
  /** A reader may be slow. */
  readonly lingerMs = 30_000;
  private readonly service: PushService;
  private readonly sender: Sender;
  private readonly number: number;
  private readonly tls: string;
  private readonly openedAtMs: number;
  private closedAtMs: number | undefined;
  private tuples = 0;
  /** How many of a list that is kept were told already. */
  private told = 0;
  private faults: ConnectionFaults<RequestAtHand> | undefined;
  hasSaidAll = false;

  constructor(service: PushService, client: TlsClient) {
    this.service = service;
    this.sender = identify(client, service);
    this.number = client.connection;
    this.tls = client.tls;
    this.openedAtMs = service.clock.now();
  }

  get report(): Connection {
    const { number, openedAtMs, closedAtMs, tls, sender, tuples } = this;
    return {
      ...{ number, port: "feedback", protocol: "feedback", openedAtMs, closedAtMs, tls, sender: sender.kind },
      ...{ requests: 0, frames: { tuple: tuples }, pings: 0, settings: {}, goaways: [], providerTokens: [] },
      fault: undefined,
      applied: [...(this.faults?.applied ?? [])],
    };
  }

  opened(wire: Wire): void {
    const { service, number } = this;
    service.connections.opened(number, this);
    this.hasSaidAll = this.topic === undefined;
    this.faults = new ConnectionFaults(service, number, wire, { name: "feedback", perform: () => undefined });
    if (!this.hasSaidAll) this.faults.opened();
  }

  /** Readers say nothing. */
  receive(): void {}

  takeOutput(): Buffer | undefined {
    const { topic, service } = this;
    if (topic === undefined || this.hasSaidAll) return undefined;
    const isReadOnce = service.assumptions.feedbackReading === "once";
    const entries = service.feedback.list(topic, this.told, tuplesPerWrite);
    if (entries.length === 0) {
      this.hasSaidAll = true;
      return undefined;
    }
    if (isReadOnce) service.feedback.remove(entries);
    else this.told += entries.length;
    this.tuples += entries.length;
    return encodeFeedback(
      entries.map(({ goneSinceMs, deviceToken }) => ({
        goneSinceSeconds: Math.floor(goneSinceMs / 1000),
        deviceToken: Buffer.from(deviceToken, "hex"),
      })),
    );
  }

  sayGoodbye(): void {
    this.hasSaidAll = true;
  }

  closed(): void {
    this.closedAtMs = this.service.clock.now();
    this.service.connections.ended(this.number);
    this.faults?.closed();
  }

  /** Undefined for who is not let in. */
  private get topic(): string | undefined {
    const { sender, service } = this;
    if (sender.kind !== "certificate") return undefined;
    const { certificate } = sender;
    const isWelcome =
      service.assumptions.binaryOtherEnvironment === "accept" ||
      isForEnvironment(certificate, service.environment);
    return isWelcome ? certificate.mainTopic : undefined;
  }
}
