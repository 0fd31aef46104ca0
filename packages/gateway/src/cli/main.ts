#!/usr/bin/env node
import { type ExitStatus, exitStatus } from "./exit-status.ts";
import { run } from "./program.ts";
import { openTerminal } from "./terminal.ts";

const terminal = openTerminal();
process.on("uncaughtException", crash).on("unhandledRejection", crash);
end(await run(process.argv.slice(2), terminal));

function crash(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  terminal.note(`error: something unforeseen happened: ${message}`);
  terminal.note("This is a mistake in Carillon. Please report it, with the command and this message.");
  end(exitStatus.unknown);
}

/** Leaves when the output is written. Nothing that still stands open, a socket or a name look-up, may hold the process. */
function end(status: ExitStatus): void {
  // A failure to write is told one turn of the loop later.
  process.stdout.write("", () => setImmediate(leave, status));
}

function leave(status: ExitStatus): void {
  const { outputFailure } = terminal;
  if (outputFailure !== undefined) terminal.note(`error: the output was lost: ${outputFailure}`);
  process.exit(outputFailure === undefined || status !== exitStatus.done ? status : exitStatus.unknown);
}
