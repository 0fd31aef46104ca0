import type { Clock, Outcome } from "@carillon/apns";
import type { App, Apps } from "../apps/index.ts";
import type { BinaryConfig } from "../config/index.ts";
import { type Delivery, possibleEnvironments } from "../delivery/index.ts";
import { type BridgeLimits, type BridgeLogger, defaultBridgeLimits } from "./bridge-limits.ts";
import { choiceFor } from "./draft-runs.ts";
import { serveFeedback } from "./feedback-connection.ts";
import type { FeedbackSource } from "./feedback-source.ts";
import { FrameReader } from "./frame-reader.ts";
import type { FrameTaker, TakerListener } from "./frame-taker.ts";
import { GoneFrames, type GoneLookup } from "./gone-frames.ts";
import { type PassThroughGate, PassThroughRoute } from "./pass-through-route.ts";
import { PassThroughTaker } from "./pass-through-taker.ts";
import { PushConnection } from "./push-connection.ts";
import { QueuedTaker } from "./queued-taker.ts";
import { Attendance, TlsDoor, type Visitor } from "./tls-door.ts";

export interface BridgeOptions {
  readonly config: BinaryConfig;
  readonly apps: Pick<Apps, "all" | "senderFor">;
  readonly delivery: Pick<Delivery, "take" | "mayPass" | "leavePassing">;
  readonly feedback: FeedbackSource;
  readonly clock: Clock;
  readonly logger: BridgeLogger;
  readonly limits?: Partial<BridgeLimits> | undefined;
  /** Those of these device tokens that are gone. Asked for apps that want no notifications to them. */
  findGone(app: string, environment: string, deviceTokens: readonly string[]): ReturnType<GoneLookup>;
  /** Pass-through: hears of Apple's answers. Resolves when what is to be known of one later is on disk. */
  answered(app: string, environment: string, deviceToken: string, outcome: Outcome): Promise<void>;
}

/**
 * Takes the binary protocol that Apple retired in 2021, and gives its feedback. Senders need another host name and nothing else: their
 * certificate says which app they are.
 */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #limits: BridgeLimits;
  readonly #attendance = new Attendance();
  readonly #connections = new Set<PushConnection>();
  readonly #routes = new Map<string, PassThroughRoute>();
  /** Of all senders of an app with one topic: what they write is much alike. */
  readonly #readers = new Map<string, FrameReader>();
  /** Apps whose feedback is being read. */
  readonly #reading = new Set<string>();
  #doors: readonly TlsDoor[] = [];

  private constructor(options: BridgeOptions) {
    this.#options = options;
    this.#limits = { ...defaultBridgeLimits, ...options.limits };
  }

  /** @throws Error of the system where a port cannot be had */
  static async open(options: BridgeOptions): Promise<Bridge> {
    const bridge = new Bridge(options);
    const { config, logger } = options;
    const push = await bridge.#openDoor(config.port, "push", (visitor) => bridge.#takePushes(visitor));
    bridge.#doors = [push];
    try {
      const feedback = await bridge.#openDoor(config.feedbackPort, "feedback", (visitor) =>
        bridge.#tellFeedback(visitor),
      );
      bridge.#doors = [push, feedback];
    } catch (error) {
      await push.close();
      throw error;
    }
    const { port, feedbackPort } = bridge;
    logger.info({ port, feedbackPort, mode: config.mode }, "the bridge is open for the binary protocol");
    if (config.minTls === "TLSv1" || config.minTls === "TLSv1.1")
      logger.warn(
        { minTls: config.minTls },
        "the bridge takes a TLS that is broken: let only your own senders reach its ports",
      );
    return bridge;
  }

  get port(): number {
    return this.#doors[0]!.port;
  }

  get feedbackPort(): number {
    return this.#doors[1]!.port;
  }

  /** Connections of both ports, handshakes among them. */
  get connections(): number {
    return this.#attendance.all;
  }

  /**
   * Takes nothing more, settles what was begun and tells each sender which one was the last.
   * @param deadlineMs for what Apple or the disk must still answer
   */
  async stop(deadlineMs: number): Promise<void> {
    for (const door of this.#doors) door.shut();
    const stopped = Promise.all([...this.#connections].map((connection) => connection.stop()));
    await within(this.#options.clock, deadlineMs, stopped);
  }

  /** Lets those who were told hear it, and closes everything. */
  async close(): Promise<void> {
    const closed = Promise.all([...this.#connections].map((connection) => connection.closed));
    await within(this.#options.clock, this.#limits.lingerMs, closed);
    await Promise.all(this.#doors.map((door) => door.close()));
  }

  #openDoor(port: number, name: string, accept: (visitor: Visitor) => void): Promise<TlsDoor> {
    const { config, apps, logger } = this.#options;
    return TlsDoor.open({
      ...{ config, port, name, apps, logger, accept },
      attendance: this.#attendance,
      limits: this.#limits,
    });
  }

  #takePushes({ socket, app, topic }: Visitor): void {
    const { clock, logger } = this.#options;
    const connection = new PushConnection({
      ...{ socket, clock, logger, limits: this.#limits },
      reader: this.#readerFor(app, topic),
      fields: { app: app.config.name, peer: socket.remoteAddress },
      makeTaker: (listener) => this.#takerFor(app, listener),
    });
    this.#connections.add(connection);
    socket.once("close", () => this.#connections.delete(connection));
  }

  #readerFor({ config }: App, ownTopic: string | undefined): FrameReader {
    const name = `${config.name} ${ownTopic ?? ""}`;
    let reader = this.#readers.get(name);
    if (reader === undefined) {
      reader = new FrameReader(config.topic, ownTopic);
      this.#readers.set(name, reader);
    }
    return reader;
  }

  #takerFor(app: App, listener: TakerListener): FrameTaker {
    const taker = this.#plainTakerFor(app, listener);
    return app.config.goneTokens === "deny" ? new GoneFrames(taker, this.#goneLookupFor(app)) : taker;
  }

  #goneLookupFor({ config: app }: App): GoneLookup {
    const { config, findGone } = this.#options;
    const environments = config.mode === "queued" ? possibleEnvironments(choiceFor(app)) : [app.environment];
    return async (deviceTokens) => {
      const found = environments.map((environment) => findGone(app.name, environment, deviceTokens));
      return new Map((await Promise.all(found)).flatMap((each) => [...each]));
    };
  }

  #plainTakerFor(app: App, listener: TakerListener): FrameTaker {
    const { config, delivery, clock, logger, answered } = this.#options;
    if (config.mode === "queued") return new QueuedTaker({ app, delivery, clock, logger }, listener);
    return new PassThroughTaker(
      {
        route: this.#routeOf(app),
        window: this.#limits.window,
        answered: ({ deviceToken }, outcome) =>
          answered(app.config.name, app.config.environment, deviceToken.toString("hex"), outcome),
      },
      listener,
    );
  }

  #routeOf(app: App): PassThroughRoute {
    const { name, environment } = app.config;
    let route = this.#routes.get(name);
    if (route === undefined) {
      const { apps, clock, delivery } = this.#options;
      const sender = apps.senderFor(name, environment);
      if (sender === undefined) throw new Error(`app ${name} has no way to ${environment}`);
      const gate: PassThroughGate = {
        mayPass: (again) => delivery.mayPass(name, again),
        leave: (again) => delivery.leavePassing(name, again),
      };
      route = new PassThroughRoute({ sender, gate, clock, attempts: this.#limits.attempts });
      this.#routes.set(name, route);
    }
    return route;
  }

  async #tellFeedback({ socket, app }: Visitor): Promise<void> {
    const { feedback: source, clock, logger } = this.#options;
    const { name, environment } = app.config;
    if (this.#reading.has(name)) {
      // One reader at a time has it all.
      socket.resume();
      socket.end();
      return;
    }
    this.#reading.add(name);
    const fields = { app: name, peer: socket.remoteAddress };
    const stallMs = this.#limits.feedbackStallMs;
    try {
      const read = await serveFeedback({ socket, app: name, environment, source, clock, stallMs });
      if (read.kind === "read") logger.info({ ...fields, tokens: read.tokens }, "feedback was read");
      else logger.info(fields, `feedback was not read to its end, and is kept: ${read.detail}`);
    } catch (error) {
      socket.destroy();
      logger.warn(fields, `feedback cannot be told: ${(error as Error).message}`);
    } finally {
      this.#reading.delete(name);
    }
  }
}

function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(resolve, ms);
    void work.then(() => {
      timer.cancel();
      resolve();
    });
  });
}
