import type { Command } from "commander";
import { CommandFailure } from "../command-failure.ts";
import { openDemoFolder } from "../demo-folder.ts";
import { type ExitStatus, exitStatus } from "../exit-status.ts";
import { findTakenPorts } from "../ports.ts";
import { followPushes } from "../push-feed.ts";
import { readSimulatorPorts, writeSendLine } from "../simulator-settings.ts";
import { StopSignals } from "../stop-signals.ts";
import type { Terminal } from "../terminal.ts";

interface SimulateFlags {
  readonly port?: string;
  readonly controlPort?: string;
  readonly dir?: string;
}

const help = `
Examples:
  carillon simulate
  carillon simulate --port 9443 --control-port 0 --dir ./apple

It takes pushes for every well-formed device token and says what Apple would say. Nothing leaves this machine.
The control API has GET /history and /devices, and POST /reset.`;

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
    .option("--dir <folder>", "where its certificates and keys are kept (default: .carillon/simulator)")
    .helpOption("-h, --help", "show this help")
    .showHelpAfterError("carillon simulate --help shows all flags, with an example.")
    .addHelpText("after", help)
    .action(async (flags: SimulateFlags) => end(await simulate(flags, terminal)));
}

async function simulate(flags: SimulateFlags, terminal: Terminal): Promise<ExitStatus> {
  const problems: string[] = [];
  const { push, control } = readSimulatorPorts(flags, (detail) => problems.push(detail));
  if (flags.dir === "") problems.push("--dir must name a folder.");
  if (problems.length === 0) problems.push(...(await findTakenPorts([push, control])));
  if (problems.length > 0) throw refusal(problems);
  const signals = new StopSignals("stopped at once.");
  const { startSimulator } = await import("@carillon/simulator");
  const start = async () =>
    startSimulator({
      port: push.port,
      controlPort: control.port,
      dir: flags.dir ?? openDemoFolder().simulatorDir,
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
    `  control   ${simulator.controlUrl}   (GET /history, GET /devices, POST /reset)`,
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

function refusal(problems: readonly string[]): CommandFailure {
  return new CommandFailure(exitStatus.usage, {
    summary: "the simulator did not start.",
    problems,
    hint: "carillon simulate --help shows all flags.",
  });
}
