import { ApnsError, type Clock } from "@carillon/apns";
import { FeedbackList } from "./binary/index.ts";
import { Channels } from "./channels/index.ts";
import { Connections, type Port } from "./connections/index.ts";
import { ControlServer, type ControlTarget } from "./control/index.ts";
import {
  type CredentialFiles,
  completeCredentials,
  makeProviderKey,
  openCredentialFolder,
  type ProviderKey,
  type ProviderKeyScope,
  type SimulatorCredentials,
} from "./credentials/index.ts";
import { Devices } from "./devices/index.ts";
import { type ExpectOptions, expectNoPush, expectPush, type PushExpectation } from "./expectation/index.ts";
import { History, type Push } from "./history/index.ts";
import type { PushService } from "./push-service.ts";
import { readScenario, type ScenarioDocument, ScenarioRun } from "./scenario/index.ts";
import { ServiceState } from "./service-state.ts";
import { readOptions, type Settings, type SimulatorOptions } from "./simulator-options.ts";
import { speak } from "./speak.ts";
import { TlsVariants } from "./tls-variants.ts";
import { ProviderTokens, writeBody } from "./verdict/index.ts";
import { type Admission, TlsListener } from "./wire/index.ts";

/** A provider key, in the form in which `ApnsClient` takes it. */
export type TokenCredentials = ProviderKey & { readonly kind: "token" };

/** What a sender needs to prove who it is, in the form in which `ApnsClient` takes it. */
export interface SenderCredentials {
  readonly token: TokenCredentials;
  /** PEM. */
  readonly certificate: { readonly kind: "certificate"; readonly cert: string; readonly key: string };
}

/** Apple's side, running in this process. */
export interface Simulator {
  /** `https://localhost:PORT`, for the `endpoint` of a client. */
  readonly endpoint: string;
  readonly port: number;
  /** Where channels are managed: for the `channelsEndpoint` of a client. `endpoint` where no `channelsPort` was asked for. */
  readonly channelsEndpoint: string;
  /** Where senders of the retired binary protocol connect, by a client certificate. `port` where no `binaryPort` was asked for. */
  readonly binaryPort: number;
  /** Where the feedback service is read; undefined where no `feedbackPort` was asked for. */
  readonly feedbackPort: number | undefined;
  /** `http://127.0.0.1:PORT`; undefined where no `controlPort` was asked for. */
  readonly controlUrl: string | undefined;
  /** The authority that signed the server's certificate, PEM. */
  readonly ca: string;
  /** The topic that the client certificate is for. A provider token reaches every topic. */
  readonly topic: string;
  /** Either is taken. */
  readonly credentials: SenderCredentials;
  /** Where the credentials are kept; undefined where they were made in memory. */
  readonly files: CredentialFiles | undefined;
  /** One sentence for each part of kept credentials that had to be replaced. */
  readonly notices: readonly string[];
  readonly history: History;
  readonly devices: Devices;
  /** Broadcast channels. Requests about them stand in the history. */
  readonly channels: Channels;
  /** What waits for readers of the feedback service: devices that were pushed to and had left. */
  readonly feedback: FeedbackList;
  /** What came over each connection. */
  readonly connections: Connections;
  /** Makes one more provider key of the same team, as the developer account does: for some topics or one environment. */
  issueKey(scope?: ProviderKeyScope): TokenCredentials;
  /** A provider key is good no more: its tokens get `InvalidProviderToken`. */
  revokeKey(keyId: string): void;
  /**
   * From now on this goes wrong, on open connections as well; undefined: nothing.
   *
   * @throws ApnsError `bad-option` with every problem of the document
   */
  setScenario(document: ScenarioDocument | undefined): void;
  /**
   * Resolves with the first push that is as expected, one that came already or one that comes in time. It must have been
   * accepted, unless `status` or `reason` say otherwise.
   *
   * @throws Error that shows how the nearest push differs
   */
  expectPush(expectation: PushExpectation, options?: ExpectOptions): Promise<Push>;
  /**
   * Makes sure that of the pushes that came none is like this. It does not wait: let the sender finish first.
   *
   * @throws Error that shows the push that is
   */
  expectNoPush(expectation?: PushExpectation): void;
  /**
   * The service goes down, as for maintenance: connections get GOAWAY, what still comes on them `Shutdown`, and new ones GOAWAY at
   * once.
   */
  announceShutdown(): void;
  /** It does not go down after all: new connections are served again. */
  resume(): void;
  /** How often each rule of the scenario applied, by name. */
  readonly scenarioCounts: Readonly<Record<string, number>>;
  /** Says good-bye to every client and resolves when all sockets are closed. */
  close(): Promise<void>;
}

/** Debug data of the last GOAWAY. */
const goodbye = writeBody("Shutdown");

/**
 * Starts a simulator of Apple's push notification service.
 *
 * @throws ApnsError `bad-option`, and Error where a port is taken or the folder cannot be used; each says what to do
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const settings = readOptions(options);
  const { credentials, files, notices } = openCredentials(settings);
  const { authority, server, providerKey, client } = credentials;
  const history = new History(settings.history);
  const { assumptions, clock, environment } = settings;
  const devices = new Devices(() => clock.now());
  const channels = new Channels(() => clock.now());
  const feedback = new FeedbackList();
  const connections = new Connections();
  const providerTokens = new ProviderTokens([providerKey]);
  const state = new ServiceState(clock, settings.capacity);
  const scenario: PushService["scenario"] = { run: undefined };
  const setScenario = (document: unknown): void => {
    scenario.run = startScenario(document, clock);
  };
  if (settings.scenario !== undefined) setScenario(settings.scenario);
  const service: PushService = {
    ...{ environment, assumptions, history, devices, channels, feedback, connections, providerTokens, clock },
    ...{ state, scenario },
  };
  const variants = new TlsVariants(credentials);
  let lastConnection = 0;
  const listen = (port: number, purpose: Port) =>
    TlsListener.listen({
      host: settings.host,
      port,
      cert: server.cert,
      key: server.key,
      clientCa: authority.cert,
      nextConnection: () => ++lastConnection,
      admit: (connection) => admit(connection, service, variants),
      minTls: settings.minTls,
      accept: (tlsClient) => speak(service, tlsClient, purpose),
    });
  const target = {
    ...{ history, devices, channels, feedback, connections, state },
    scenario: { set: setScenario, counts: () => scenario.run?.counts },
  };
  const listenIfAsked = (port: number | undefined, purpose: Port) =>
    port === undefined ? undefined : listen(port, purpose);
  const [listener, channelListener, binaryListener, feedbackListener, control] = await openAll([
    () => listen(settings.port, "push"),
    () => listenIfAsked(settings.channelsPort, "channels"),
    () => listenIfAsked(settings.binaryPort, "binary"),
    () => listenIfAsked(settings.feedbackPort, "feedback"),
    () => openControl(settings.controlPort, target),
  ]);
  let closing: Promise<unknown> | undefined;
  return {
    endpoint: `https://localhost:${listener.port}`,
    port: listener.port,
    channelsEndpoint: `https://localhost:${(channelListener ?? listener).port}`,
    binaryPort: (binaryListener ?? listener).port,
    feedbackPort: feedbackListener?.port,
    controlUrl: control?.url,
    ca: authority.cert,
    topic: settings.topic,
    credentials: {
      token: { kind: "token", ...providerKey },
      certificate: { kind: "certificate", ...client },
    },
    files,
    notices,
    history,
    devices,
    channels,
    feedback,
    connections,
    issueKey(scope = {}) {
      const key = makeProviderKey(providerKey.teamId);
      providerTokens.add({ ...key, ...scope });
      return { kind: "token", ...key };
    },
    revokeKey: (keyId) => providerTokens.revoke(keyId),
    setScenario,
    expectPush: (expectation, options) => expectPush(history, expectation, options),
    expectNoPush: (expectation = {}) => expectNoPush(history, expectation),
    announceShutdown: () => state.announceShutdown(),
    resume: () => state.resume(),
    get scenarioCounts() {
      return scenario.run?.counts ?? {};
    },
    async close() {
      closing ??= closeAll([control, feedbackListener, binaryListener, channelListener, listener]);
      await closing;
    },
  };
}

/** What becomes of a TCP connection, by the scenario's "connect" rules. */
function admit(connection: number, { scenario, clock }: PushService, variants: TlsVariants): Admission {
  const [action] = scenario.run?.decide({ on: "connect", connection }, clock.monotonic()) ?? [];
  switch (action?.kind) {
    case "refuse":
    case "hang":
      return { kind: action.kind };
    case "tls":
      return { kind: "serve", identity: variants.find(action.variant) };
    default:
      return { kind: "serve" };
  }
}

function startScenario(document: unknown, clock: Clock): ScenarioRun | undefined {
  if (document === undefined) return undefined;
  const read = readScenario(document);
  if (read.kind === "valid") return new ScenarioRun(read.scenario, clock.monotonic());
  const problems = read.problems.map(({ path, detail }) => ({ field: path, detail }));
  const all = problems.map(({ field, detail }) => `${field} ${detail}`).join("; ");
  throw new ApnsError("bad-option", `scenario: ${all}`, problems);
}

function openCredentials({ dir, topic }: Settings): {
  readonly credentials: SimulatorCredentials;
  readonly files: CredentialFiles | undefined;
  readonly notices: readonly string[];
} {
  if (dir !== undefined) return openCredentialFolder(dir, topic, Date.now());
  return { ...completeCredentials({}, topic, Date.now()), files: undefined };
}

interface Closable {
  close(debug: Buffer): Promise<void>;
}

/** Opens one after the other. Where one cannot be opened those before it are closed again. */
async function openAll<Parts extends readonly (Closable | undefined)[]>(
  openers: {
    readonly [Part in keyof Parts]: () => Promise<Parts[Part]> | Parts[Part];
  },
): Promise<Parts> {
  const opened: (Closable | undefined)[] = [];
  try {
    for (const open of openers) opened.push(await open());
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
  return opened as unknown as Parts;
}

async function closeAll(parts: readonly (Closable | undefined)[]): Promise<void> {
  await Promise.all(parts.map((part) => part?.close(goodbye)));
}

async function openControl(
  port: number | undefined,
  target: ControlTarget,
): Promise<ControlServer | undefined> {
  return port === undefined ? undefined : ControlServer.listen(port, target);
}
