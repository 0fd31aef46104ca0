import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import { certificateOf, systemClock } from "@carillon/apns";
import type { FastifyInstance } from "fastify";
import { type Logger, pino } from "pino";
import { createApi, openAdminKey } from "./api/index.ts";
import { Apps, openSealingKey, Sealer } from "./apps/index.ts";
import { Bridge } from "./bridge/index.ts";
import type { Config, Limits } from "./config/index.ts";
import { type Delivery, type DeliveryOptions, startDelivery } from "./delivery/index.ts";
import { Outcomes, openWebhooks, type Webhooks } from "./outcomes/index.ts";
import { SqliteStore } from "./store/index.ts";

const { version } = createRequire(import.meta.url)("../package.json") as { version: string };

export interface GatewayOptions {
  readonly config: Config;
  /** @default pino to standard error at `config.logLevel` */
  readonly logger?: Logger;
}

/** A gateway that takes notifications and sends them. */
export interface Gateway {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Where senders of the binary protocol are served; absent where the configuration has no section `binary`. */
  readonly binary?: { readonly port: number; readonly feedbackPort: number };
  /** The key that may do everything, as it stands behind `Authorization: Bearer`. */
  readonly adminKey: string;
  /** `admin.key` in the data folder: the bare key, mode 0600, made at the first start. */
  readonly adminKeyFile: string;
  /** Resolves when the store has failed for good: close the gateway and start anew. */
  readonly failed: Promise<Error>;
  /**
   * Takes nothing more, waits for what is in flight, hands the rest back to the disk and closes everything.
   * @param options.deadlineMs how long to wait for what is in flight. @default 10,000
   */
  close(options?: { readonly deadlineMs?: number }): Promise<void>;
}

/** The gateway could not start, and has left nothing running. The message says what to do. */
export class GatewayStartError extends Error {
  override readonly name = "GatewayStartError";
}

/**
 * Starts the gateway: takes up what the queue holds, begins to send, and listens.
 *
 * Everything that can fail is tried before anything is sent: the apps' credentials, the port, the admin key, the store.
 *
 * @throws {GatewayStartError} the port is taken or cannot be had
 * @throws {StoreFailedError} another carillon is running on this data folder, or it cannot be opened
 * @throws {AdminKeyError} `admin.key` can be neither read nor made
 * @throws {SealingKeyError} `webhooks.key` can be neither read nor made
 * @throws {ApnsError} an app's credentials or endpoint cannot work
 */
export async function startGateway({
  config,
  logger = defaultLogger(config),
}: GatewayOptions): Promise<Gateway> {
  const { dataDir } = config;
  const listen: Listen = { ...config.listen, key: "listen.port", variable: "CARILLON_LISTEN_PORT" };
  const apps = new Apps(config.apps, dataDir, logger);
  await assertCanListen(listen);
  for (const each of bridgePorts(config)) await assertCanListen(each);
  const adminKeyFile = join(dataDir, "admin.key");
  const adminKey = openAdminKey(adminKeyFile);
  const sealer = new Sealer(config.sealingKey ?? openSealingKey(join(dataDir, "webhooks.key")));
  const store = await SqliteStore.open({ dataDir });
  const clock = systemClock;
  const outcomes = new Outcomes({
    ...{ store, clock, retention: config.events, logger },
    certificates: certificatesIn(config),
    pauseFor: (name) => (apps.find(name)?.config.massRemoval === "pause" ? pauserOf(name) : undefined),
  });
  void outcomes.load(config.apps.map(({ name }) => name)).catch((error: unknown) => {
    logger.warn({ detail: String(error) }, "known verdicts on device tokens could not be read");
  });
  // An answer may come before the start is over.
  const starting = startDelivery({
    store,
    senderFor: (app, environment) => apps.senderFor(app, environment),
    resolvesEnvironment: (app) => apps.find(app)?.config.resolveEnvironment === true,
    rateOf: (app) => apps.find(app)?.config.rateLimit,
    tellerFor: (app, environment) => outcomes.tellerFor(app, environment),
    logger,
    ...boundsOf(config.limits),
    retention: {
      ...config.retention,
      ...(config.feedback === undefined ? {} : { verdictsMs: config.feedback.keepMs }),
    },
  });
  const pauserOf = (app: string) => (reason: string) => {
    const paused = starting.then((delivery) => delivery.pause(app, reason));
    paused.catch((error: unknown) =>
      logger.warn({ app, detail: String(error) }, "an app could not be paused"),
    );
  };
  const delivery = await starting;
  let webhooks: Webhooks | undefined;
  let server: FastifyInstance | undefined;
  let bridge: Bridge | undefined;
  try {
    const { webhooks: receivers = {} } = config;
    webhooks = await openWebhooks({ store, events: outcomes.log, receivers, sealer, logger, version });
    server = await createApi({ apps, delivery, outcomes, webhooks, adminKey, logger, version });
    await server.listen({ host: listen.host, port: listen.port }).catch((error) => {
      throw explainListenError(error, listen);
    });
    if (config.binary !== undefined)
      bridge = await Bridge.open({
        ...{ config: config.binary, apps, delivery, logger, clock },
        feedback: outcomes.feedbackReaders,
        findGone: (...question) => outcomes.feedback.findGone(...question),
        answered: (...answer) => outcomes.answered(...answer),
      });
  } catch (error) {
    await stop({ server, bridge, delivery, apps, outcomes, webhooks }, 0);
    throw error;
  }
  const parts = { server, bridge, delivery, apps, outcomes, webhooks };
  const url = urlOf(server, listen.host);
  logger.info({ url, apps: config.apps.length, dataDir }, "carillon is listening");
  let closed: Promise<void> | undefined;
  return {
    url,
    ...(bridge === undefined ? {} : { binary: { port: bridge.port, feedbackPort: bridge.feedbackPort } }),
    adminKey,
    adminKeyFile,
    failed: delivery.failed,
    close({ deadlineMs = 10_000 } = {}) {
      closed ??= stop(parts, deadlineMs);
      return closed;
    },
  };
}

/** The client certificates of the apps that sign in with one. */
function certificatesIn({ apps }: Config): { readonly app: string; readonly validUntilMs: number }[] {
  return apps.flatMap(({ name, credentials }) => {
    const { validUntilMs } = certificateOf(credentials) ?? {};
    return validUntilMs === undefined ? [] : [{ app: name, validUntilMs }];
  });
}

/** The bounds that the configuration names, in the words of the delivery. */
function boundsOf({
  maxResidentBytes,
  maxInFlightPerRoute,
  ...queueLimits
}: Limits = {}): Pick<DeliveryOptions, "queueLimits" | "routeLimits" | "memory"> {
  return {
    queueLimits,
    ...(maxInFlightPerRoute === undefined
      ? {}
      : { routeLimits: { maxUnanswered: maxInFlightPerRoute, maxInFlight: maxInFlightPerRoute } }),
    ...(maxResidentBytes === undefined ? {} : { memory: { maxResidentBytes } }),
  };
}

interface Parts {
  readonly server: FastifyInstance | undefined;
  readonly bridge: Bridge | undefined;
  readonly delivery: Delivery;
  readonly apps: Apps;
  readonly outcomes: Outcomes;
  readonly webhooks: Webhooks | undefined;
}

/** How long receivers of webhooks may take for what is under way to them; it is sent again otherwise. */
const webhooksMs = 2_000;

/** How long callers who were answered may take to read the answer. */
const lastAnswersMs = 2_000;

async function stop(
  { server, bridge, delivery, apps, outcomes, webhooks }: Parts,
  deadlineMs: number,
): Promise<void> {
  // No new connections; requests under way are answered, those that wait for a final state when the delivery ends.
  const serverClosed = server?.close();
  outcomes.close();
  // What its senders are told at the end depends on what the queue has taken.
  await bridge?.stop(deadlineMs);
  // Before the delivery, which closes the store.
  await webhooks?.stop(Math.min(deadlineMs, webhooksMs));
  const delivered = delivery.stop(deadlineMs);
  await apps.closeUnreachable();
  await delivered;
  const late = setTimeout(() => server?.server.closeAllConnections(), lastAnswersMs);
  await serverClosed;
  clearTimeout(late);
  await bridge?.close();
  await apps.close(0);
}

interface Listen {
  readonly host: string;
  readonly port: number;
  /** As the configuration names it. */
  readonly key: string;
  readonly variable: string;
}

function bridgePorts({ binary }: Config): readonly Listen[] {
  if (binary === undefined) return [];
  const { host, port, feedbackPort } = binary;
  return [
    { host, port, key: "binary.port", variable: "CARILLON_BINARY_PORT" },
    { host, port: feedbackPort, key: "binary.feedbackPort", variable: "CARILLON_BINARY_FEEDBACK_PORT" },
  ];
}

/** Takes the port and gives it back, so that nothing is sent by a gateway that cannot be spoken to. */
async function assertCanListen(listen: Listen): Promise<void> {
  const { host, port } = listen;
  const probe = createServer();
  probe.listen({ host, port, exclusive: true });
  try {
    await once(probe, "listening");
  } catch (error) {
    throw explainListenError(error, listen);
  }
  probe.close();
  await once(probe, "close");
}

function explainListenError(error: unknown, { host, port, key, variable }: Listen): GatewayStartError {
  const { code, message } = error as NodeJS.ErrnoException;
  const where = `${host}:${port}`;
  if (code === "EADDRINUSE")
    return new GatewayStartError(
      `Port ${port} is taken: another program listens on ${where}. Stop it, or choose another port with ` +
        `${key} in the configuration or ${variable} (0 takes any free one).`,
    );
  if (code === "EACCES")
    return new GatewayStartError(
      `This process may not listen on ${where}. Choose a port from 1024 up with ${key} or ${variable}.`,
    );
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
    return new GatewayStartError(
      `This machine has no address ${host}. Correct listen.host or CARILLON_LISTEN_HOST: 127.0.0.1 for this ` +
        "machine alone, 0.0.0.0 for all.",
    );
  return new GatewayStartError(`Listening on ${where} fails: ${message}.`);
}

function urlOf(server: FastifyInstance, host: string): string {
  const address = server.server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  // Listening on all addresses, this machine is the one that a reader of the log can reach.
  const name =
    host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "[::1]" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

function defaultLogger({ logLevel }: Config): Logger {
  return pino({ level: logLevel }, pino.destination({ dest: 2, sync: true }));
}
