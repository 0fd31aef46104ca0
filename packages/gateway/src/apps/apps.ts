import { ApnsClient, type ApnsClientOptions, type Credentials } from "@carillon/apns";
import type { AppConfig } from "../config/index.ts";
import { providerTokenFile } from "./provider-token-file.ts";

type Environment = AppConfig["environment"];

/** What the apps tell the log; a pino logger is one. */
export interface AppsLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** One app with its ways to Apple. */
export interface App {
  readonly config: AppConfig;
  /** Where it can send. An app with an endpoint of its own has one environment only. */
  readonly environments: readonly Environment[];
}

/**
 * How a client is set up under the durable queue. Trying again is settlement's task, so that every attempt stands in the
 * record. The queue hands over at most 2,000 notifications of a route at a time, or what is configured, up to 10,000, so the
 * client's own bound is never met; it is there in case that changes. `deadlineMs` is how long one may wait for a connection
 * before the queue takes it back: longer than a connection may take to open.
 */
const clientOptions = {
  retry: { attempts: 1 },
  maxOutstanding: 10_000,
  connectTimeoutMs: 10_000,
  deadlineMs: 15_000,
  requestTimeoutMs: 20_000,
  // The API has checked what it took; what an older version let in is Apple's to judge.
  validation: "lenient",
} as const satisfies Partial<ApnsClientOptions>;

/** All apps. Making them connects to nothing; a client connects when it has something to send. */
export class Apps {
  readonly #apps = new Map<string, App>();
  readonly #clients = new Map<string, ApnsClient>();

  /**
   * @param dataDir keeps provider tokens over a new start; need not exist yet
   * @throws {ApnsError} credentials or an endpoint that cannot work
   */
  constructor(configs: readonly AppConfig[], dataDir: string, logger: AppsLogger) {
    for (const config of configs) {
      const environments: readonly Environment[] =
        config.endpoint === undefined ? ["production", "sandbox"] : [config.environment];
      for (const environment of environments) {
        const client = new ApnsClient(optionsFor(config, environment, dataDir, logger));
        this.#clients.set(routeName(config.name, environment), client);
      }
      this.#apps.set(config.name, { config, environments });
    }
  }

  get all(): Iterable<App> {
    return this.#apps.values();
  }

  find(name: string): App | undefined {
    return this.#apps.get(name);
  }

  senderFor(app: string, environment: Environment): ApnsClient | undefined {
    return this.#clients.get(routeName(app, environment));
  }

  /** Why nothing gets through at the moment, in a few words; undefined while something does or nothing waits. */
  waitingFor(app: string, environment: Environment): string | undefined {
    const client = this.senderFor(app, environment);
    return client && waitsForConnection(client);
  }

  /** Gives back at once what waits for a connection that does not come, so that a stop need not wait for it. */
  async closeUnreachable(): Promise<void> {
    const unreachable = [...this.#clients.values()].filter(
      (client) => waitsForConnection(client) !== undefined && client.snapshot().inFlight === 0,
    );
    await Promise.all(unreachable.map((client) => client.close({ deadlineMs: 0 })));
  }

  /** Gives back at once what has not been sent; waits up to `deadlineMs` for what is under way. */
  async close(deadlineMs: number): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close({ deadlineMs })));
  }
}

function waitsForConnection(client: ApnsClient): string | undefined {
  const { queued, connections, lastFailure } = client.snapshot();
  if (queued === 0 || connections.some(({ phase }) => phase === "open")) return undefined;
  return lastFailure ?? "a connection is being opened";
}

function optionsFor(
  config: AppConfig,
  environment: Environment,
  dataDir: string,
  logger: AppsLogger,
): ApnsClientOptions {
  const { name, topic, credentials, endpoint, ca } = config;
  const fields = { app: name, environment };
  return {
    ...clientOptions,
    ...(endpoint === undefined ? { environment } : { endpoint }),
    ...(ca === undefined ? {} : { ca }),
    topic,
    credentials: keptIn(dataDir, credentials),
    logger: {
      info: (message) => logger.info(fields, message),
      warn: (message) => logger.warn(fields, message),
    },
  };
}

/** A provider token outlives the process. */
function keptIn(dataDir: string, credentials: Credentials): Credentials {
  if (credentials.kind !== "token") return credentials;
  const { keyId, teamId } = credentials;
  return { ...credentials, cache: providerTokenFile(dataDir, keyId, teamId) };
}

function routeName(app: string, environment: Environment): string {
  return `${environment} ${app}`;
}
