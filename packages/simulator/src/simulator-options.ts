import { ApnsError, type Clock, systemClock } from "@carillon/apns";
import type { HistoryOptions } from "./history/index.ts";
import type { ScenarioDocument } from "./scenario/index.ts";
import type { Capacity } from "./service-state.ts";
import { type Assumptions, strictAssumptions, usualAssumptions } from "./verdict/index.ts";
import type { OldestTls } from "./wire/index.ts";

export interface SimulatorOptions {
  /** Address to listen on. @default "127.0.0.1" */
  readonly host?: string;
  /** 0 for any free one. @default 0 */
  readonly port?: number;
  /** A port for channels and broadcasts alone, 0 for any free one. Absent: there is none; `port` takes them in any case. */
  readonly channelsPort?: number;
  /** A port for the retired binary gateway, 0 for any free one. Absent: there is none; `port` takes its senders in any case. */
  readonly binaryPort?: number;
  /** A port for the feedback service, 0 for any free one. Absent: there is none. */
  readonly feedbackPort?: number;
  /** The oldest TLS that is spoken: below 1.2 for senders of the binary protocol's time. @default "TLSv1.2" */
  readonly minTls?: OldestTls;
  /** Port of the control API, 0 for any free one. Absent: there is none. */
  readonly controlPort?: number;
  /** Folder in which the credentials are kept from start to start. Absent: they are made in memory. */
  readonly dir?: string;
  /** The client certificate's topic. @default "com.example.demo" */
  readonly topic?: string;
  /** Which of Apple's environments is played. @default "sandbox" */
  readonly environment?: "sandbox" | "production";
  readonly history?: HistoryOptions;
  /** "strict" refuses what Apple's pages forbid also where APNs has been seen to take it. @default "usual" */
  readonly judgement?: "usual" | "strict";
  /** What is assumed where nobody outside Apple knows; what is left out follows `judgement`. */
  readonly assumptions?: Partial<Assumptions>;
  /** Requests taken of all connections together; those beyond get `ServiceUnavailable`. Absent: there is no bound. */
  readonly capacity?: Capacity;
  /** What goes wrong, to whom and when: plain objects as YAML or JSON give them. */
  readonly scenario?: ScenarioDocument;
  /** For tests: the time that provider tokens, expirations and idle connections are measured by. */
  readonly clock?: Clock;
}

/** Options, checked and complete. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly channelsPort: number | undefined;
  readonly binaryPort: number | undefined;
  readonly feedbackPort: number | undefined;
  readonly minTls: OldestTls;
  readonly controlPort: number | undefined;
  readonly dir: string | undefined;
  readonly topic: string;
  readonly environment: "sandbox" | "production";
  readonly history: HistoryOptions;
  readonly assumptions: Assumptions;
  readonly capacity: Capacity | undefined;
  readonly scenario: ScenarioDocument | undefined;
  readonly clock: Clock;
}

/** @throws ApnsError `bad-option`, naming every option that is wrong */
export function readOptions(options: SimulatorOptions): Settings {
  const settings: Settings = {
    host: options.host ?? "127.0.0.1",
    port: options.port ?? 0,
    channelsPort: options.channelsPort,
    binaryPort: options.binaryPort,
    feedbackPort: options.feedbackPort,
    minTls: options.minTls ?? "TLSv1.2",
    controlPort: options.controlPort,
    dir: options.dir,
    topic: options.topic ?? "com.example.demo",
    environment: options.environment ?? "sandbox",
    history: options.history ?? {},
    assumptions: {
      ...(options.judgement === "strict" ? strictAssumptions : usualAssumptions),
      ...options.assumptions,
    },
    capacity: options.capacity,
    scenario: options.scenario,
    clock: options.clock ?? systemClock,
  };
  const problems: { field: string; detail: string }[] = [];
  const check = (isRight: boolean, field: string, detail: string): void => {
    if (!isRight) problems.push({ field, detail });
  };
  const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= 65_535;
  const isCount = (count: number | undefined): boolean =>
    count === undefined || (Number.isSafeInteger(count) && count >= 1);
  check(isPort(settings.port), "port", "must be 0 (any free one) to 65535");
  for (const name of ["channelsPort", "binaryPort", "feedbackPort", "controlPort"] as const)
    check(isPort(settings[name] ?? 0), name, "must be 0 (any free one) to 65535");
  check(
    ["TLSv1", "TLSv1.1", "TLSv1.2"].includes(settings.minTls),
    "minTls",
    'must be "TLSv1", "TLSv1.1" or "TLSv1.2"',
  );
  check(/^[\w.-]{1,255}$/.test(settings.topic), "topic", "must be a bundle id such as com.example.demo");
  check(
    ["sandbox", "production"].includes(settings.environment),
    "environment",
    'must be "sandbox" or "production"',
  );
  check(
    ["usual", "strict", undefined].includes(options.judgement),
    "judgement",
    'must be "usual" or "strict"',
  );
  for (const name of Object.keys(options.assumptions ?? {})) {
    const known = Object.keys(usualAssumptions).join(", ");
    check(Object.hasOwn(usualAssumptions, name), `assumptions.${name}`, `is not known; there are ${known}`);
  }
  check(isCount(settings.capacity?.most ?? 1), "capacity.most", "must be a whole number from 1 on");
  check(isCount(settings.capacity?.withinMs ?? 1), "capacity.withinMs", "must be a whole number from 1 on");
  const { binaryPayloadLimitBytes } = settings.assumptions;
  check(
    isCount(binaryPayloadLimitBytes) && binaryPayloadLimitBytes <= 65_535,
    "assumptions.binaryPayloadLimitBytes",
    "must be 1 to 65535",
  );
  check(isCount(settings.history.limit), "history.limit", "must be a whole number from 1 on");
  check(isCount(settings.history.limitBytes), "history.limitBytes", "must be a whole number from 1 on");
  if (problems.length > 0) {
    const all = problems.map(({ field, detail }) => `${field} ${detail}`).join("; ");
    throw new ApnsError("bad-option", `options of the simulator: ${all}`, problems);
  }
  return settings;
}
