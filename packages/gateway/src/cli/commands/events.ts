import type { Command } from "commander";
import { type ExitStatus, exitStatus } from "../exit-status.ts";
import { GatewayClient, type GatewayFlags } from "../gateway-client.ts";
import { withGatewayFlags } from "../gateway-flags.ts";
import { lineOfEvent } from "../outcomes/event-lines.ts";
import { EventFollower } from "../outcomes/follow-events.ts";
import { StopSignals } from "../stop-signals.ts";
import type { Terminal } from "../terminal.ts";

interface Flags extends GatewayFlags {
  readonly app?: string;
  readonly types?: string;
  readonly after?: string;
  readonly follow?: boolean;
  readonly json?: boolean;
}

const epilogue = `
Examples:
  carillon events --app demo
  carillon events --follow --after latest --types notification.rejected,token.gone
  carillon events --after 17 --json

At the end, also after Ctrl-C, the cursor to go on from goes to standard error. With --follow a connection that breaks is
made again by itself, and nothing is missed. The key stands in CARILLON_API_KEY, or behind --api-key where others may see it.
Exit status: 0 done, 1 refused, 2 usage or key, 3 unreachable.`;

export function addEventsCommand(program: Command, terminal: Terminal, end: (how: ExitStatus) => void): void {
  withGatewayFlags(
    program
      .command("events")
      .description("Read what became of notifications, device tokens and routes")
      .usage("[--follow] [flags]"),
  )
    .showHelpAfterError("carillon events --help shows the flags, with an example.")
    .addHelpText("after", epilogue)
    .option("--app <name>", "only what is about this app")
    .option("--types <list>", "only these types of events, with commas between them")
    .option("--after <cursor>", "go on behind this cursor, or latest (default: from the oldest that is kept)")
    .option("--follow", "go on with what comes, until Ctrl-C")
    .action(async (flags: Flags) => {
      const { follow, json, app, types, after } = flags;
      const filter = {
        ...(app === undefined ? {} : { app }),
        ...(types === undefined ? {} : { types }),
        ...(after === undefined ? {} : { after }),
      };
      const follower = new EventFollower(new GatewayClient(flags, process.env), filter, (event) =>
        terminal.print(json === true ? JSON.stringify(event) : lineOfEvent(event)),
      );
      await untilStopped(
        (signal) =>
          follow === true
            ? follower.follow(signal, () => terminal.note("The connection broke off; trying again."))
            : follower.readPages(signal),
        () => {
          if (follower.cursor !== undefined && follower.cursor !== "latest")
            terminal.note(`Go on with --after ${follower.cursor}`);
        },
      );
      end(exitStatus.done);
    });
}

/** Does the work until it is done, or Ctrl-C, or nobody reads any more; then the rest, however it ended. */
async function untilStopped(work: (signal: AbortSignal) => Promise<void>, rest: () => void): Promise<void> {
  const stop = new AbortController();
  const signals = new StopSignals("stopped at once.");
  void signals.first.then(() => stop.abort());
  process.stdout.once("error", () => stop.abort());
  try {
    await signals.orAtOnce(work(stop.signal));
  } finally {
    rest();
  }
}
