import type { ScenarioDocument, Simulator } from "@carillon/simulator";
import type { Command } from "commander";
import { readConfigDocument } from "../../config/index.ts";
import { CommandFailure } from "../command-failure.ts";
import { openDemoFolder } from "../demo-folder.ts";
import { type ExitStatus, exitStatus } from "../exit-status.ts";
import { findTakenPorts } from "../ports.ts";
import { printable } from "../printable.ts";
import { followPushes } from "../push-feed.ts";
import { readRetiredPorts, readSimulatorPorts, writeSendLine } from "../simulator-settings.ts";
import { StopSignals } from "../stop-signals.ts";
import type { Terminal } from "../terminal.ts";

interface SimulateFlags {
  readonly port?: string;
  readonly controlPort?: string;
  readonly binaryPort?: string;
  readonly feedbackPort?: string;
  readonly minTls?: string;
  readonly dir?: string;
  readonly scenario?: string;
}

const help = `
Examples:
  carillon simulate
  carillon simulate --port 9443 --control-port 0 --dir ./apple
  carillon simulate --scenario flaky.yaml
  carillon simulate --binary-port 2195 --feedback-port 2196 --min-tls TLSv1

A scenario says what goes wrong, to whom and when, such as every tenth push:
  rules:
    - when: { probability: 0.1 }
      do: { answer: { reason: ServiceUnavailable } }

It takes pushes for every well-formed device token and says what Apple would say. Nothing leaves this machine.
On the same port it takes requests about broadcast channels, and by client certificate the retired binary protocol.
The control API has GET /history, /devices, /channels, /feedback and /connections, PUT /scenario, and POST /reset.`;

export function addSimulateCommand(
  program: Command,
  terminal: Terminal,
  end: (how: ExitStatus) => void,
): void {
  program
    .command("simulate")
    .description("Run Apple's side alone, for test suites and laptops")
    .usage("[flags]")
    .option("--port <number>", "where it takes pushes; 0: any free one (default: 8443)")
    .option("--control-port <number>", "where its control API listens; 0: any free one (default: 8444)")
    .option(
      "--binary-port <number>",
      "a port for the retired binary gateway; 0: any free one (default: none)",
    )
    .option("--feedback-port <number>", "a port for the feedback service; 0: any free one (default: none)")
    .option("--min-tls <version>", "the oldest TLS: TLSv1, TLSv1.1 or TLSv1.2 (default: TLSv1.2)")
    .option("--dir <folder>", "where its certificates and keys are kept (default: .carillon/simulator)")
    .option("--scenario <file>", "what goes wrong, to whom and when: YAML or JSON")
    .helpOption("-h, --help", "show this help")
    .showHelpAfterError("carillon simulate --help shows all flags, with an example.")
    .addHelpText("after", help)
    .action(async (flags: SimulateFlags) => end(await simulate(flags, terminal)));
}

async function simulate(flags: SimulateFlags, terminal: Terminal): Promise<ExitStatus> {
  const problems: string[] = [];
  const { push, control } = readSimulatorPorts(flags, (detail) => problems.push(detail));
  const { binary, feedback } = readRetiredPorts(flags, (detail) => problems.push(detail));
  const minTls = readMinTls(flags.minTls, (detail) => problems.push(detail));
  if (flags.dir === "") problems.push("--dir must name a folder.");
  const { scenario, problems: scenarioProblems } = await readScenarioFile(flags.scenario);
  problems.push(...scenarioProblems);
  const ports = [push, control, binary, feedback].filter((each) => each !== undefined);
  if (problems.length === 0) problems.push(...(await findTakenPorts(ports)));
  if (problems.length > 0) throw refusal(problems);
  const signals = new StopSignals("stopped at once.");
  const { startSimulator } = await import("@carillon/simulator");
  const start = async () =>
    startSimulator({
      port: push.port,
      controlPort: control.port,
      ...(binary === undefined ? {} : { binaryPort: binary.port }),
      ...(feedback === undefined ? {} : { feedbackPort: feedback.port }),
      minTls,
      dir: flags.dir ?? openDemoFolder().simulatorDir,
      ...(scenario === undefined ? {} : { scenario }),
    });
  const simulator = await start().catch((error: Error) => {
    throw refusal([error.message]);
  });
  for (const notice of simulator.notices) terminal.note(`notice: ${notice}`);
  const { bold } = terminal.colours;
  const { files } = simulator;
  for (const line of [
    "A simulator of Apple's side is running. Nothing leaves this machine.",
    "",
    `  pushes    ${bold(simulator.endpoint)}`,
    ...describeRetired(simulator, binary !== undefined),
    `  control   ${simulator.controlUrl}   (GET /history, /devices, /channels, /connections; POST /reset)`,
    `  page      ${simulator.controlUrl}/   (open it in a browser: pushes as a lock screen shows them)`,
    `  trust     ${files?.ca}`,
    `  sign in   ${files?.key}, or ${files?.cert} with ${files?.certKey}`,
    "",
    "This sends a push to it, from another terminal in this folder:",
    "",
    writeSendLine(simulator),
    "",
    "Ctrl-C stops it. Pushes, as they arrive:",
  ])
    terminal.print(line);
  const endFeed = followPushes(simulator.history, terminal);
  await signals.first;
  await signals.orAtOnce(simulator.close());
  endFeed();
  terminal.print("stopped");
  return exitStatus.done;
}

/** Lines about the binary gateway and the feedback service, where they have ports. */
function describeRetired({ binaryPort, feedbackPort }: Simulator, hasBinaryPort: boolean): string[] {
  return [
    ...(hasBinaryPort ? [`  binary    localhost:${binaryPort}`] : []),
    ...(feedbackPort === undefined ? [] : [`  feedback  localhost:${feedbackPort}`]),
  ];
}

const tlsVersions = ["TLSv1", "TLSv1.1", "TLSv1.2"] as const;

function readMinTls(
  text: string | undefined,
  refuse: (detail: string) => void,
): (typeof tlsVersions)[number] {
  const found = tlsVersions.find((version) => version === text);
  if (text !== undefined && found === undefined)
    refuse(`--min-tls must be ${tlsVersions.join(" or ")}, not ${printable(text)}.`);
  return found ?? "TLSv1.2";
}

interface ScenarioFile {
  readonly scenario: ScenarioDocument | undefined;
  /** Each with its line, and its path where the file could be read. */
  readonly problems: readonly string[];
}

/** The scenario that a flag names. JSON is YAML. */
async function readScenarioFile(file: string | undefined): Promise<ScenarioFile> {
  if (file === undefined) return { scenario: undefined, problems: [] };
  if (file === "") return { scenario: undefined, problems: ["--scenario must name a file."] };
  const { value, problems, locate } = readConfigDocument(file, file);
  const { checkScenario } = await import("@carillon/simulator");
  const found = problems.length > 0 ? [] : checkScenario(value);
  return {
    scenario: value as ScenarioDocument,
    problems: [
      ...problems.map(({ where, detail }) => `${where}: ${detail}`),
      ...found.map(({ path, detail }) => `${locate(keysOf(path))}: ${path} ${detail}.`),
    ],
  };
}

/** The keys of a path such as `/rules/0/do`. */
function keysOf(path: string): readonly (string | number)[] {
  const keys = path.split("/").slice(1);
  return keys.map((key) => (/^\d+$/.test(key) ? Number(key) : key));
}

function refusal(problems: readonly string[]): CommandFailure {
  return new CommandFailure(exitStatus.usage, {
    summary: "the simulator did not start.",
    problems,
    hint: "carillon simulate --help shows all flags.",
  });
}
