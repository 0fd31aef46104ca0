import type { Command } from "commander";
import type { Config } from "../../config/index.ts";
import { CommandFailure } from "../command-failure.ts";
import { configFlagHelp, findConfig, noConfigHint } from "../config-file.ts";
import { type ExitStatus, exitStatus } from "../exit-status.ts";
import { StopSignals } from "../stop-signals.ts";
import type { Terminal } from "../terminal.ts";

interface ServeFlags {
  readonly config?: string;
}

const drainSeconds = 10;

const help = `
Examples:
  carillon serve --config carillon.yaml
  CARILLON_LISTEN_PORT=9000 carillon serve

Every key of the configuration has an environment variable, which wins: listen.port is CARILLON_LISTEN_PORT.
SIGINT or SIGTERM stops it: what is in flight gets ${drainSeconds} s to be answered, what is queued stays on disk. A second one stops it
at once. Exit status: 0 stopped, 2 configuration, 3 the store failed or it was stopped at once.`;

export function addServeCommand(program: Command, terminal: Terminal, end: (how: ExitStatus) => void): void {
  program
    .command("serve")
    .description("Run the gateway")
    .usage("[--config FILE]")
    .option("--config <file>", configFlagHelp)
    .helpOption("-h, --help", "show this help")
    .showHelpAfterError("carillon serve --help shows all flags, with an example.")
    .addHelpText("after", help)
    .action(async (flags: ServeFlags) => end(await serve(flags, terminal)));
}

async function serve(flags: ServeFlags, terminal: Terminal): Promise<ExitStatus> {
  const config = readConfig(flags, terminal);
  const signals = new StopSignals(
    "stopped at once. What was accepted is on disk; what was in flight is sent again.",
  );
  // The server and its store are loaded by those alone who run one: `carillon send` starts faster without.
  const { startGateway } = await import("../../index.ts");
  const gateway = await signals.orAtOnce(startGateway({ config })).catch((error: unknown) => {
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(exitStatus.usage, {
      summary: "the gateway did not start.",
      problems: [(error as Error).message],
    });
  });
  terminal.print(`carillon is listening on ${gateway.url}`);
  terminal.print(`admin key: ${gateway.adminKeyFile}`);
  const failure = await Promise.race([gateway.failed, signals.first]);
  if (failure instanceof Error) terminal.note(`error: the store failed: ${failure.message}`);
  terminal.print(`stopping: what is in flight gets ${drainSeconds} s; a second signal stops at once`);
  await signals.orAtOnce(gateway.close({ deadlineMs: drainSeconds * 1000 }));
  terminal.print("stopped");
  return failure instanceof Error ? exitStatus.unknown : exitStatus.done;
}

function readConfig(flags: ServeFlags, terminal: Terminal): Config {
  const { file, loaded } = findConfig(flags.config);
  if (loaded.kind === "loaded") {
    for (const { detail } of loaded.warnings) terminal.note(`warning: ${detail}`);
    return loaded.config;
  }
  const { problems } = loaded;
  throw new CommandFailure(exitStatus.usage, {
    summary: `the configuration has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}; nothing was started.`,
    problems: problems.map(({ where, path, detail }) =>
      [where, path, detail].filter((part) => part !== "").join("  "),
    ),
    ...(file === undefined ? { hint: noConfigHint } : {}),
  });
}
