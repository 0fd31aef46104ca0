import type { Command } from "commander";
import { CommandFailure } from "../command-failure.ts";
import { type ExitStatus, exitStatus } from "../exit-status.ts";
import { GatewayClient, type GatewayFlags } from "../gateway-client.ts";
import { withGatewayFlags } from "../gateway-flags.ts";
import { lineOfVerdict, type ShownVerdict } from "../outcomes/event-lines.ts";
import type { Terminal } from "../terminal.ts";

interface Flags extends GatewayFlags {
  readonly app?: string;
  readonly after?: string;
  readonly limit?: string;
  readonly json?: boolean;
}

const epilogue = `
Examples:
  carillon feedback --app demo
  carillon feedback --app demo --after 17 --json
  carillon feedback restore --app demo TOKEN

Delete a device token that is gone, unless it registered after the time behind "since"; one that is suspect belongs to
another app or environment: look at the configuration. --json prints one object a line; the cursor to go on from
goes to standard error. The key stands in CARILLON_API_KEY, or behind --api-key where others may see it.
Exit status: 0 done, 1 refused, 2 usage or key, 3 unreachable.`;

export function addFeedbackCommand(
  program: Command,
  terminal: Terminal,
  end: (how: ExitStatus) => void,
): void {
  const feedback = withGatewayFlags(
    program
      .command("feedback")
      .description("List the device tokens that are gone or suspect, or take a verdict back")
      .usage("[restore TOKEN] --app NAME [flags]"),
  )
    .helpCommand(false)
    .enablePositionalOptions()
    .showHelpAfterError("carillon feedback --help shows the flags, with an example.")
    .addHelpText("after", epilogue)
    .option("--app <name>", "the app's name in the configuration")
    .option("--after <cursor>", "go on behind this cursor (default: from the oldest verdict)")
    .option("--limit <number>", "so many verdicts at most (default: 100, at most 1000)")
    .action(async (flags: Flags) => {
      await list(flags, terminal);
      end(exitStatus.done);
    });
  withGatewayFlags(feedback.command("restore").description("Take back what is held against a device token"))
    .argument("<token>", "the device token")
    .option("--app <name>", "the app's name in the configuration")
    .action(async (token: string, _: Flags, command: Command) => {
      const flags: Flags = command.optsWithGlobals();
      const path = `${pathOf(flags)}/${encodeURIComponent(token)}/restore`;
      const answer = await open(flags).call<{ restored: boolean }>("POST", path);
      const words = answer.restored ? "It is taken back." : "Nothing was held against it.";
      terminal.print(flags.json === true ? JSON.stringify(answer) : words);
      end(exitStatus.done);
    });
}

async function list(flags: Flags, terminal: Terminal): Promise<void> {
  const { after, limit } = flags;
  const query = new URLSearchParams({
    ...(after === undefined ? {} : { after }),
    ...(limit === undefined ? {} : { limit }),
  });
  const page = await open(flags).call<{ items: ShownVerdict[]; cursor: string }>(
    "GET",
    `${pathOf(flags)}?${query}`,
  );
  for (const item of page.items)
    terminal.print(flags.json === true ? JSON.stringify(item) : lineOfVerdict(item));
  terminal.note(`Go on with --after ${page.cursor}`);
}

/** @throws {CommandFailure} no app is named */
function pathOf({ app }: Flags): string {
  if (app === undefined)
    throw new CommandFailure(exitStatus.usage, {
      summary: "an app is needed.",
      hint: "Name it with --app; carillon apps list shows which there are.",
    });
  return `/v1/apps/${encodeURIComponent(app)}/feedback`;
}

function open(flags: Flags): GatewayClient {
  return new GatewayClient(flags, process.env);
}
