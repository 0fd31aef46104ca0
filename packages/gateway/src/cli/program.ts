import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { CommandFailure } from "./command-failure.ts";
import { addAppsCommand } from "./commands/apps.ts";
import { addDevCommand } from "./commands/dev.ts";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addEventsCommand } from "./commands/events.ts";
import { addFeedbackCommand } from "./commands/feedback.ts";
import { addSendCommand } from "./commands/send.ts";
import { addServeCommand } from "./commands/serve.ts";
import { addSimulateCommand } from "./commands/simulate.ts";
import { addWebhooksCommand } from "./commands/webhooks.ts";
import { addWhyCommand } from "./commands/why.ts";
import { type ExitStatus, exitStatus } from "./exit-status.ts";
import type { Terminal } from "./terminal.ts";

const introduction = `A self-hosted gateway for Apple push notifications.

To look around, without an Apple account:  carillon dev`;

const epilogue = `
Exit status: 0 accepted or done, 1 rejected, 2 usage or configuration, 3 unreachable or unknown.
carillon COMMAND --help shows the flags of a command, with an example.`;

/** Reads the words behind `carillon`, does what they say and tells how it ended. */
export async function run(words: readonly string[], terminal: Terminal): Promise<ExitStatus> {
  let status: ExitStatus = exitStatus.done;
  const program = openProgram(terminal);
  const end = (how: ExitStatus): void => {
    status = how;
  };
  addSendCommand(program, terminal, end);
  addServeCommand(program, terminal, end);
  addSimulateCommand(program, terminal, end);
  addDevCommand(program, terminal, end);
  addDoctorCommand(program, terminal, end);
  addAppsCommand(program, terminal, end);
  addEventsCommand(program, terminal, end);
  addFeedbackCommand(program, terminal, end);
  addWebhooksCommand(program, terminal, end);
  addWhyCommand(program, terminal, end);
  try {
    await program.parseAsync(words, { from: "user" });
    return status;
  } catch (error) {
    return explain(error, terminal);
  }
}

function explain(error: unknown, terminal: Terminal): ExitStatus {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.done : exitStatus.usage;
  if (!(error instanceof CommandFailure)) throw error;
  const [first = "", ...rest] = error.lines;
  terminal.note(paintError(first, terminal));
  for (const line of rest) terminal.note(line);
  return error.status;
}

function openProgram(terminal: Terminal): Command {
  return new Command("carillon")
    .description(introduction)
    .usage("COMMAND [flags]")
    .version(readVersion(), "-V, --version", "show the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .addHelpText("after", epilogue)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
      getOutHelpWidth: () => helpColumns(process.stdout),
      getErrHelpWidth: () => helpColumns(process.stderr),
      outputError: (text, write) => write(paintError(withoutValue(text), terminal)),
    })
    .showHelpAfterError("carillon --help shows what there is.");
}

/** Lines longer than that are tiring to read. */
const mostColumns = 110;

function helpColumns(stream: NodeJS.WriteStream): number {
  return Math.min(stream.columns ?? mostColumns, mostColumns);
}

function paintError(text: string, { noteColours }: Terminal): string {
  return text.replace(/^error:/, noteColours.red("error:"));
}

/** `--passphrase=secret` is no flag; its value is not repeated. */
function withoutValue(text: string): string {
  return text.replace(/(unknown option '[^=']*)=.*'/, "$1'");
}

function readVersion(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
