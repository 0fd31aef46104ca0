import { type Clock, systemClock } from "@carillon/apns";
import { onTestFinished } from "vitest";
import type { SenderIdentity } from "../../../../test/support/legacy-sender.ts";
import { makeServerCertificate } from "../../../../test/support/server-certificate.ts";
import type { App } from "../apps/index.ts";
import type { AppConfig, BinaryConfig } from "../config/index.ts";
import { Bridge, type BridgeOptions } from "./bridge.ts";
import type { FeedbackSource, GonePage, GoneToken } from "./feedback-source.ts";

const server = makeServerCertificate();
/** Stands for a sender: its authority is another one. */
export const client = makeServerCertificate(["a sender"]);

/** Device tokens that are gone, in memory. */
export class FakeFeedback implements FeedbackSource {
  readonly gone: GoneToken[];
  cursor = 0;

  constructor(gone: readonly GoneToken[]) {
    this.gone = [...gone];
  }

  async readUpTo(): Promise<number> {
    return this.cursor;
  }

  async list(_app: string, _environment: string, after: number, limit: number): Promise<GonePage> {
    const tokens = this.gone.slice(after, after + limit);
    return { tokens, cursor: after + tokens.length };
  }

  async markRead(_app: string, _environment: string, cursor: number): Promise<void> {
    this.cursor = cursor;
  }
}

/** An app that cannot send. */
export function appNamed(name: string, more: Partial<AppConfig> = {}): App {
  const config: AppConfig = {
    ...{ name, topic: "com.example.demo", environment: "sandbox" },
    credentials: { kind: "token", key: "", keyId: "ABC123DEFG", teamId: "DEF123GHIJ" },
    ...more,
  };
  return { config, environments: ["production", "sandbox"] };
}

export interface OpenedBridge {
  readonly bridge: Bridge;
  readonly sender: SenderIdentity;
  readonly feedbackReader: SenderIdentity;
  /** What went to the log. */
  readonly log: readonly string[];
}

/** A bridge on its own, whose one app pins the sender's certificate. */
export async function openBridgeAlone(
  options: Partial<Omit<BridgeOptions, "config">> & { readonly config?: Partial<BinaryConfig> } = {},
  clock: Clock = systemClock,
): Promise<OpenedBridge> {
  const { X509Certificate } = await import("node:crypto");
  const { ca, cert, key } = await server;
  const own = await client;
  const fingerprint = new X509Certificate(own.cert).fingerprint256.replaceAll(":", "");
  const log: string[] = [];
  const note = (fields: object, message: string): void =>
    void log.push(`${JSON.stringify(fields)} ${message}`);
  const bridge = await Bridge.open({
    apps: { all: [appNamed("demo", { fingerprints: [fingerprint] })], senderFor: () => undefined },
    delivery: {
      take: () => Promise.reject(new Error("no queue here")),
      mayPass: () => true,
      leavePassing: () => undefined,
    },
    feedback: new FakeFeedback([]),
    clock,
    logger: { info: note, warn: note },
    findGone: async () => new Map(),
    answered: async () => undefined,
    ...options,
    config: {
      ...{ host: "127.0.0.1", port: 0, feedbackPort: 0, cert, key, mode: "queued", minTls: "TLSv1.2" },
      ...options.config,
    },
  });
  onTestFinished(async () => {
    await bridge.stop(0);
    await bridge.close();
  });
  const identity = { ca, cert: own.cert, key: own.key };
  return {
    ...{ bridge, log },
    sender: { ...identity, port: bridge.port },
    feedbackReader: { ...identity, port: bridge.feedbackPort },
  };
}
