import { parseDeviceToken } from "@carillon/apns";
import type { Command } from "commander";
import { appPath } from "../app-path.ts";
import { CommandFailure } from "../command-failure.ts";
import { type ExitStatus, exitStatus } from "../exit-status.ts";
import { GatewayClient, type GatewayFlags } from "../gateway-client.ts";
import { withGatewayFlags } from "../gateway-flags.ts";
import type { Terminal } from "../terminal.ts";
import { linesOfToken } from "../why/token-lines.ts";
import { askAboutToken, askForTrace } from "../why/token-story.ts";
import { linesOfTrace } from "../why/trace-lines.ts";

interface Flags extends GatewayFlags {
  readonly app?: string;
  readonly json?: boolean;
}

const epilogue = `
Examples:
  carillon why --app demo 01a2b3c4-d5e6-7f01-8234-56789abc0000
  carillon why --app demo TOKEN

By an id, ours or the apnsId that its sender gave, it tells the way of that notification; by a device token what is held
against it, the newest notifications to it, and the way of the newest. --json prints one object. The key stands in
CARILLON_API_KEY, or behind --api-key where others may see it.
Exit status: 0 told, 1 refused or not known, 2 usage or key, 3 unreachable.`;

export function addWhyCommand(program: Command, terminal: Terminal, end: (how: ExitStatus) => void): void {
  withGatewayFlags(
    program
      .command("why")
      .description("Tell why a notification rang or did not, step by step")
      .usage("ID|TOKEN --app NAME [flags]"),
  )
    .showHelpAfterError("carillon why --help shows the flags, with an example.")
    .addHelpText("after", epilogue)
    .argument("<what>", "the id of a notification, or a device token")
    .option("--app <name>", "the app's name in the configuration")
    .action(async (what: string, flags: Flags) => {
      const path = appPath(flags.app);
      const kind = kindOf(what);
      const client = new GatewayClient(flags, process.env);
      for (const line of await (kind === "id" ? tellId : tellToken)(client, path, what, flags, terminal))
        terminal.print(line);
      end(exitStatus.done);
    });
}

async function tellId(
  client: GatewayClient,
  path: string,
  id: string,
  { json }: Flags,
  terminal: Terminal,
): Promise<readonly string[]> {
  const trace = await askForTrace(client, path, id);
  return json === true ? [JSON.stringify(trace)] : linesOfTrace(trace, terminal);
}

async function tellToken(
  client: GatewayClient,
  path: string,
  token: string,
  { json }: Flags,
  terminal: Terminal,
): Promise<readonly string[]> {
  const story = await askAboutToken(client, path, token);
  const { trace } = story;
  if (json === true) return [JSON.stringify(story)];
  return [...linesOfToken(story), ...(trace === undefined ? [] : ["", ...linesOfTrace(trace, terminal)])];
}

/** @throws {CommandFailure} it is neither */
function kindOf(what: string): "id" | "token" {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(what)) return "id";
  if (parseDeviceToken(what) !== undefined) return "token";
  throw new CommandFailure(exitStatus.usage, {
    summary: "this is neither the id of a notification nor a device token.",
    hint: "An id is a UUID, 8-4-4-4-12 hex digits, as the answer to the POST gave it; a device token is hex digits, 2 for each byte.",
  });
}
